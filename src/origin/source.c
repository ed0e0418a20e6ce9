#include "origin/source.h"

#include <sys/mman.h>
#include <sys/sendfile.h>
#include <unistd.h>

#include "base/must.h"

static const char unit[] = "0123456789abcdefghijklmnopqrstuvwxyz\n";

enum {
	UNIT = sizeof unit - 1,
	PATTERN_SIZE = UNIT * 32 * 1024,	/* whole units, whole pages */
};

int pattern_open(struct pattern *p, struct err *err)
{
	int fd = memfd_create("pattern", MFD_CLOEXEC);
	if (fd < 0)
		return err_sys(err, "no file in memory");
	if (ftruncate(fd, PATTERN_SIZE) != 0) {
		err_sys(err, "cannot size a file in memory");
		goto close_fd;
	}
	char *at = mmap(NULL, PATTERN_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (at == MAP_FAILED) {
		err_sys(err, "cannot map a file in memory");
		goto close_fd;
	}
	for (size_t i = 0; i < PATTERN_SIZE; i += UNIT)
		memcpy(at + i, unit, UNIT);
	*p = (struct pattern){fd, at};
	return 0;

close_fd:
	close(fd);
	return -1;
}

void pattern_close(struct pattern *p)
{
	munmap((char *)(uintptr_t)p->at, PATTERN_SIZE);
	close(p->fd);
	p->fd = -1;
}

void source_from_text(struct source *s, struct buf *text)
{
	*s = (struct source){
		.kind = SOURCE_TEXT, .length = buf_waiting(text), .text = text,
	};
}

void source_from_pattern(struct source *s, const struct pattern *p, uint64_t length)
{
	*s = (struct source){.kind = SOURCE_PATTERN, .length = length, .pattern = p};
}

void source_from_file(struct source *s, int fd, uint64_t length)
{
	*s = (struct source){.kind = SOURCE_FILE, .length = length, .fd = fd};
}

void source_fini(struct source *s, struct buf_pool *pool)
{
	if (s->kind == SOURCE_TEXT)
		buf_put(pool, s->text);
	if (s->kind == SOURCE_FILE)
		close(s->fd);
	*s = (struct source){0};
}

static size_t smaller(uint64_t a, uint64_t b)
{
	return (size_t)(a < b ? a : b);
}

/* Bytes of the pattern's file from the present position to its end, at most max. */
static size_t before_wrap(const struct source *s, size_t max)
{
	return smaller(max, PATTERN_SIZE - s->sent % PATTERN_SIZE);
}

static size_t read_file(const struct source *s, char *to, size_t max)
{
	ssize_t n = pread(s->fd, to, max, (off_t)s->sent);
	return n > 0 ? (size_t)n : 0;
}

size_t source_copy(struct source *s, char *to, size_t max)
{
	size_t n = smaller(max, s->length - s->sent);

	switch (s->kind) {
	case SOURCE_NONE:
		break;
	case SOURCE_TEXT:
		memcpy(to, buf_at(s->text) + s->sent, n);
		break;
	case SOURCE_PATTERN:
		n = before_wrap(s, n);
		memcpy(to, s->pattern->at + s->sent % PATTERN_SIZE, n);
		break;
	case SOURCE_FILE:
		n = read_file(s, to, n);
		break;
	}
	s->sent += n;
	return n;
}

ssize_t source_send(struct source *s, int socket, size_t max)
{
	size_t count = smaller(max, s->length - s->sent);
	off_t offset = (off_t)s->sent;
	int from = s->fd;

	must(s->kind == SOURCE_FILE || s->kind == SOURCE_PATTERN);
	if (s->kind == SOURCE_PATTERN) {
		count = before_wrap(s, count);
		offset %= PATTERN_SIZE;
		from = s->pattern->fd;
	}
	ssize_t n = sendfile(socket, from, &offset, count);
	if (n > 0)
		s->sent += (uint64_t)n;
	return n;
}
