#include "base/log_place.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/log_writer.h"

static const struct {
	struct span name;
	enum log_place_kind kind;
	const char *path;
} sockets[] = {
	{{"journald", 8}, LOG_TO_JOURNALD, "/run/systemd/journal/socket"},
	{{"syslog", 6}, LOG_TO_SYSLOG, "/dev/log"},
};

/* Finds out whether somebody has the socket. Lines are sent by its address each time, so
 * that a log that is started anew is found again. */
static int open_socket(struct log_place *p, const char *path, bool *gone, struct err *err)
{
	size_t len = strlen(path);

	if (len == 0 || len >= sizeof p->to.sun_path)
		return err_set(err, "a socket's path has 1 to %zu bytes: %s",
			       sizeof p->to.sun_path - 1, path);
	p->to.sun_family = AF_UNIX;
	memcpy(p->to.sun_path, path, len + 1);
	p->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (p->fd < 0)
		return err_sys(err, "no socket for the log");
	int probe = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int result = probe < 0 ? -1 : connect(probe, (const void *)&p->to, sizeof p->to);
	if (result != 0) {
		*gone = true;
		err_sys(err, "nobody takes the log at %s", path);
		close(p->fd);
	}
	if (probe >= 0)
		close(probe);
	return result;
}

int log_place_open(struct log_place *p, const char *name, bool *gone, struct err *err)
{
	*p = (struct log_place){.kind = LOG_TO_DESCRIPTOR, .fd = STDERR_FILENO};
	*gone = false;
	if (name == NULL || strcmp(name, "stderr") == 0)
		return 0;
	for (size_t i = 0; i < sizeof sockets / sizeof sockets[0]; i++) {
		size_t len = sockets[i].name.len;
		if (!span_starts_with(span_of(name), sockets[i].name) ||
		    (name[len] != '\0' && name[len] != ':'))
			continue;
		p->kind = sockets[i].kind;
		return open_socket(p, name[len] == ':' ? name + len + 1 : sockets[i].path,
				   gone, err);
	}
	/* Of use for a FIFO only, which nobody may read, now or later. */
	p->fd = open(name, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK | O_NOCTTY,
		     0640);
	if (p->fd < 0 && errno == ENXIO)
		return err_set(err, "cannot open the log %s: nobody reads this pipe", name);
	return p->fd >= 0 ? 0 : err_sys(err, "cannot open the log %s", name);
}

void log_place_close(struct log_place *p)
{
	if (p->kind == LOG_TO_DESCRIPTOR && p->fd != STDERR_FILENO && log_writer_runs())
		log_writer_close(p->fd);	/* lines may still be on their way to it */
	else if (p->fd != STDERR_FILENO)
		close(p->fd);
	p->fd = -1;
}

static enum log_put put_line(struct log_place *p, int fd, const struct log_line *line,
			     enum log_form form)
{
	char record[LOG_RECORD_MAX];
	size_t len = form == LOG_FORM_JSON ? log_form_json(line, record)
					   : log_form_logfmt(line, record);

	if (!log_writer_runs())
		return log_writer_write(fd, record, len) ? LOG_PUT_DONE : LOG_PUT_FULL;
	p->queued = log_writer_put(fd, record, len);
	return p->queued > 0 ? LOG_PUT_DONE : LOG_PUT_FULL;
}

/* With JSON syslog gets the object as its message. */
static size_t datagram(const struct log_place *p, const struct log_line *line,
		       enum log_form form, char record[LOG_RECORD_MAX])
{
	char json[LOG_RECORD_MAX];
	struct log_line same = *line;

	if (p->kind == LOG_TO_JOURNALD)
		return log_form_journal(line, record);
	if (form == LOG_FORM_JSON) {
		size_t len = log_form_json(line, json) - 1;	/* without its newline */
		same.text = (struct span){json, len};
	}
	return log_form_syslog(&same, record);
}

enum log_put log_place_put(struct log_place *p, const struct log_line *line,
			   enum log_form form)
{
	char record[LOG_RECORD_MAX];

	p->queued = 0;
	if (p->kind == LOG_TO_DESCRIPTOR)
		return put_line(p, p->fd, line, form);
	size_t len = datagram(p, line, form, record);
	ssize_t n = sendto(p->fd, record, len, MSG_NOSIGNAL, (const void *)&p->to,
			   sizeof p->to);
	bool full = n < 0 && (errno == EAGAIN || errno == ENOBUFS || errno == ENOMEM);
	if (n >= 0 || full)
		return full ? LOG_PUT_FULL : LOG_PUT_DONE;
	put_line(p, STDERR_FILENO, line, form);
	return LOG_PUT_GONE;
}
