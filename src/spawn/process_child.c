#include "spawn/process_child.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/memory.h"

enum { STACK_BYTES = 64 * 1024, NOT_STARTED = 127 };

enum step {
	STEP_NONE, STEP_SESSION, STEP_DIRECTORY, STEP_PROC, STEP_RECORD, STEP_OUTPUT,
	STEP_MEMORY, STEP_FILES, STEP_PROGRAM,
};

/* What the two share. */
struct birth {
	const struct process_child *c;
	uint64_t  started;
	enum step failed;		/* STEP_NONE: it has become the program */
	int       error;		/* errno of that */
};

/* ---- in the child: system calls alone ---- */

static int fail(struct birth *b, enum step step, int error)
{
	b->failed = step;
	b->error = error;
	return NOT_STARTED;
}

static bool read_own_start(uint64_t *started)
{
	char text[PROCESS_STAT_MAX];
	bool alive;
	int fd = open("/proc/self/stat", O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return false;
	ssize_t len = read(fd, text, sizeof text);
	close(fd);
	errno = EINVAL;
	return len > 0 && process_stat_decode(text, (size_t)len, started, &alive);
}

static int note_itself(struct birth *b)
{
	const struct process_child *c = b->c;
	char tail[PROCESS_TAIL_MAX];

	if (!read_own_start(&b->started))
		return fail(b, STEP_PROC, errno);
	size_t len = process_record_tail(tail, getpid(), b->started);
	ssize_t n = write(c->record, tail, len);
	if (n != (ssize_t)len)
		return fail(b, STEP_RECORD, n < 0 ? errno : ENOSPC);
	if (renameat(c->folder, c->record_before, c->folder, c->record_after) != 0)
		return fail(b, STEP_RECORD, errno);
	return 0;
}

/* Caught signals are the new program's to catch anew; ignored ones would stay ignored. By
 * the system call, since the C library's function leaves out the two that it keeps for
 * itself, which may be ignored by whoever started us. */
static void reset_signals(void)
{
	static const uint64_t by_default[4];	/* the kernel's struct sigaction */

	for (int number = 1; number < _NSIG; number++)
		syscall(SYS_rt_sigaction, number, by_default, NULL, _NSIG / 8);
}

static int limit(int what, uint64_t most)
{
	const struct rlimit both = {.rlim_cur = most, .rlim_max = most};

	return setrlimit((__rlimit_resource_t)what, &both);
}

static int set_limits(struct birth *b)
{
	const struct process_child *c = b->c;

	limit(RLIMIT_CORE, 0);
	if (c->files_max > 0 && limit(RLIMIT_NOFILE, c->files_max) != 0)
		return fail(b, STEP_FILES, errno);
	if (c->memory_max > 0 && limit(RLIMIT_AS, c->memory_max) != 0)
		return fail(b, STEP_MEMORY, errno);
	return 0;
}

static int run_child(void *arg)
{
	struct birth *b = arg;
	const struct process_child *c = b->c;
	sigset_t none;
	int failed;

	reset_signals();
	if (setsid() < 0)
		return fail(b, STEP_SESSION, errno);
	if (c->directory != NULL && chdir(c->directory) != 0)
		return fail(b, STEP_DIRECTORY, errno);
	failed = note_itself(b);
	if (failed != 0)
		return failed;
	if (dup2(c->null, STDIN_FILENO) < 0 || dup2(c->output, STDOUT_FILENO) < 0 ||
	    dup2(c->output, STDERR_FILENO) < 0)
		return fail(b, STEP_OUTPUT, errno);
	/* Ours are closed by execve; this is for those that a library forgot to mark.
	 * Linux before 5.9 does not know it. */
	syscall(SYS_close_range, STDERR_FILENO + 1, ~0U, 0);
	failed = set_limits(b);
	if (failed != 0)
		return failed;
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	execve(c->program, c->argv, c->environment);
	return fail(b, STEP_PROGRAM, errno);
}

/* ---- in us ---- */

static bool is_there(const struct process_child *c)
{
	int at = AT_FDCWD;

	if (c->directory != NULL)
		at = open(c->directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
	bool there = faccessat(at, c->program, F_OK, 0) == 0;
	if (at >= 0)
		close(at);
	return there;
}

/* Where a relative path begins. */
static const char *where(const struct process_child *c, char *out, size_t size)
{
	if (c->directory != NULL)
		return c->directory;
	return getcwd(out, size) != NULL ? out : "where the balancer runs";
}

static int say_program(const struct process_child *c, int error, struct err *err)
{
	char here[200];

	switch (error) {
	case ENOENT:
		if (is_there(c))
			return err_set(err, "%s: what runs it is missing: the program in "
				       "its first line (#!), or its loader", c->word);
		if (*c->program == '/')
			return err_set(err, "%s: no such file", c->word);
		return err_set(err, "%s: no such file; its path is looked up from %s",
			       c->word, where(c, here, sizeof here));
	case ENOTDIR:
		return err_set(err, "%s: no such file, a part of its path is no folder",
			       c->word);
	case EACCES:
		return err_set(err, "%s: permission denied; it has to be a file that "
			       "user %u may execute (chmod +x), in folders that it may "
			       "enter", c->word, (unsigned)geteuid());
	case ENOEXEC:
		return err_set(err, "%s: this is no program; a script begins with a line "
			       "such as #!/bin/sh", c->word);
	default:
		errno = error;
		return err_sys(err, "cannot run %s", c->word);
	}
}

static int say_files(const struct process_child *c, int error, struct err *err)
{
	struct rlimit most;

	if (error != EPERM || getrlimit(RLIMIT_NOFILE, &most) != 0) {
		errno = error;
		return err_sys(err, "cannot limit the descriptors of %s", c->word);
	}
	return err_set(err, "%s cannot have %u descriptors: the balancer itself may have "
		       "no more than %llu; please lower \"files\", or raise its limit "
		       "(LimitNOFILE=, ulimit -n)", c->word, c->files_max,
		       (unsigned long long)most.rlim_max);
}

static int say(const struct birth *b, struct err *err)
{
	const struct process_child *c = b->c;

	errno = b->error;
	switch (b->failed) {
	case STEP_NONE:
	case STEP_SESSION:
	case STEP_OUTPUT:
		break;
	case STEP_DIRECTORY:
		return err_sys(err, "cannot enter the directory %s, where %s is to run",
			       c->directory, c->word);
	case STEP_PROC:
		return err_sys(err, "cannot read /proc/self/stat; servers that are "
			       "processes need /proc");
	case STEP_RECORD:
		return err_sys(err, "cannot write %s in the state folder; please see "
			       "that there is room, or name another with --state",
			       c->record_after);
	case STEP_MEMORY:
		return err_sys(err, "cannot limit the memory of %s", c->word);
	case STEP_FILES:
		return say_files(c, b->error, err);
	case STEP_PROGRAM:
		return say_program(c, b->error, err);
	}
	return err_sys(err, "cannot start %s", c->word);
}

int process_child_start(const struct process_child *c, struct process_made *made,
			struct err *err)
{
	struct birth b = {.c = c};
	/* From the heap: what calls that ended in execve have left there is gone with it,
	 * for the sanitizers too. No step above calls deeply, so it has no guard. */
	char *stack = memory_new_aligned(64, STACK_BYTES);
	sigset_t all, before;
	int pidfd = -1;

	/* A handler of ours that ran in the child would do so in our memory. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	pid_t pid = clone(run_child, stack + STACK_BYTES,
			  CLONE_VM | CLONE_VFORK | CLONE_PIDFD | SIGCHLD, &b, &pidfd);
	int error = errno;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	free(stack);
	if (pid < 0) {
		errno = error;
		return err_sys(err, error == EAGAIN ?
			       "cannot start a process for %s; the balancer's user has "
			       "as many as it may have (ulimit -u, TasksMax=)" :
			       "cannot start a process for %s", c->word);
	}
	if (b.failed != STEP_NONE) {
		waitpid(pid, NULL, 0);
		close(pidfd);
		return say(&b, err);
	}
	*made = (struct process_made){.pid = pid, .started = b.started, .pidfd = pidfd};
	return 0;
}
