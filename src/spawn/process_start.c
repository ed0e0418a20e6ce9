#include "spawn/process_start.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/text.h"
#include "spawn/process_ports.h"
#include "spawn/process_words.h"

enum { FILE_MODE = 0600 };

/* What a start has opened; -1: not yet. */
struct opened {
	int output;			/* we read, */
	int output_end;			/* the child writes */
	int null;
	int record;
};

/* The child's are dup2()ed to 0, 1 and 2, so they are to be none of these. */
static int above_standard(int fd)
{
	if (fd < 0 || fd > STDERR_FILENO)
		return fd;
	int other = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	int error = errno;
	close(fd);
	errno = error;
	return other;
}

static int open_fifo(const struct process_folder *f, const char *name, int how)
{
	char file[PROCESS_FILE_MAX];
	struct stat st;

	process_folder_name(file, name, "out");
	int fd = above_standard(openat(f->fd, file,
				       how | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW));
	if (fd >= 0 && (fstat(fd, &st) != 0 || !S_ISFIFO(st.st_mode))) {
		close(fd);
		errno = EINVAL;
		return -1;
	}
	return fd;
}

int process_output_of(const struct process_folder *f, const char *name)
{
	return open_fifo(f, name, O_RDONLY);
}

/* The child has it open for reading too, so that its writes never end in SIGPIPE when we
 * are gone; and for not blocking, so that what nobody reads is lost, and stops nobody. */
static int open_output(struct opened *o, const struct process_folder *f, const char *name,
		       struct err *err)
{
	char file[PROCESS_FILE_MAX];

	process_folder_name(file, name, "out");
	if (mkfifoat(f->fd, file, FILE_MODE) != 0)
		return err_sys(err, "cannot make the pipe %s/%s", f->path, file);
	o->output = open_fifo(f, name, O_RDONLY);
	o->output_end = open_fifo(f, name, O_RDWR);
	o->null = above_standard(open("/dev/null", O_RDONLY | O_CLOEXEC));
	if (o->output < 0 || o->output_end < 0)
		return err_sys(err, "cannot open the pipe %s/%s", f->path, file);
	return o->null >= 0 ? 0 : err_sys(err, "cannot open /dev/null");
}

static int begin_record(struct opened *o, const struct process_folder *f,
			const struct process_record *r, struct err *err)
{
	char file[PROCESS_FILE_MAX], *head = process_record_head(r);
	size_t len = strlen(head);

	process_folder_name(file, r->name, "new");
	o->record = above_standard(openat(f->fd, file, O_WRONLY | O_CREAT | O_EXCL |
					  O_CLOEXEC | O_NOFOLLOW, FILE_MODE));
	ssize_t n = o->record >= 0 ? write(o->record, head, len) : -1;
	if (n >= 0 && n < (ssize_t)len)
		errno = ENOSPC;
	free(head);
	if (n != (ssize_t)len)
		return err_sys(err, "cannot write %s/%s", f->path, file);
	return 0;
}

static void close_opened(const struct opened *o)
{
	const int fds[] = {o->output_end, o->null, o->record};

	for (size_t i = 0; i < sizeof fds / sizeof fds[0]; i++)
		if (fds[i] >= 0)
			close(fds[i]);
}

static int run(const struct process_folder *f, const struct model_own *own,
	       struct process_started *s, const struct opened *o, struct err *err)
{
	struct process_record *r = &s->record;
	struct process_made made;
	char program[PATH_MAX], before[PROCESS_FILE_MAX], after[PROCESS_FILE_MAX];
	char **environment = process_environment_create(own, r->name, r->port);
	char **argv = memory_new((size_t)own->command_count + 1, sizeof *argv);
	int result;

	process_folder_name(before, r->name, "new");
	process_folder_name(after, r->name, "json");
	memcpy(argv, own->command, own->command_count * sizeof *argv);
	result = process_program_find(argv[0], environment, own->directory, program, err);
	if (result == 0) {
		const struct process_child child = {
			.word = argv[0], .program = program, .argv = argv,
			.environment = environment, .directory = own->directory,
			.null = o->null, .output = o->output_end, .record = o->record,
			.folder = f->fd, .record_before = before, .record_after = after,
			.memory_max = own->memory_max, .files_max = own->files_max,
		};
		result = process_child_start(&child, &made, err);
	}
	free(argv);
	process_environment_destroy(environment);
	if (result != 0)
		return -1;
	r->pid = made.pid;
	r->started = made.started;
	s->pidfd = made.pidfd;
	s->output = o->output;
	return 0;
}

static void describe(struct process_record *r, const struct process_folder *f,
		     const struct model_own *own, const char *name)
{
	const char *command = own->command[0];
	size_t len = strnlen(command, PROCESS_COMMAND_MAX);

	*r = (struct process_record){.recipe = model_own_recipe(own)};
	memcpy(r->name, name, strlen(name) + 1);
	memcpy(r->boot, f->boot, sizeof r->boot);
	memcpy(r->command, command, text_whole(command, len, command[len]));
}

int process_start(const struct process_folder *f, const struct model_own *own,
		  const char *name, struct process_started *out, struct err *err)
{
	struct opened o = {-1, -1, -1, -1};
	struct process_started s = {.pidfd = -1};

	if (own->command_count == 0)
		return err_set(err, "there is no \"command\" to start servers by");
	describe(&s.record, f, own, name);
	process_folder_remove(f, name);		/* of one that does not run */
	s.record.port = process_port_choose(own->port, err);
	if (s.record.port == 0)
		return -1;
	if (open_output(&o, f, name, err) != 0 ||
	    begin_record(&o, f, &s.record, err) != 0 ||
	    run(f, own, &s, &o, err) != 0)
		goto remove_files;
	close_opened(&o);
	*out = s;
	return 0;

remove_files:
	close_opened(&o);
	if (o.output >= 0)
		close(o.output);
	process_folder_remove(f, name);
	process_port_give(s.record.port);
	return -1;
}
