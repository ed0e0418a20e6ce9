#include "ctl/launch.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/must.h"
#include "ctl/wait.h"

enum {
	END_MS      = 2000,	/* for a child that was not ready in time to go */
	SAID_MAX    = 4096,	/* bytes of its log that are looked at */
	MESSAGE_MAX = 512,	/* bytes of a datagram of sd_notify */
	LOG_MODE    = 0640,
	FOLDER_MODE = 0755,
};

/* A child, and how we hear of it. */
struct child {
	int   notify;		/* owned: the socket that it says READY=1 to */
	int   log;		/* owned */
	off_t log_start;	/* what stands there from here on is the child's */
	int   pidfd;		/* owned */
	pid_t pid;
};

int launch_make_folder(const char *path, struct err *err)
{
	char part[4096];
	size_t len = strlen(path);

	if (len >= sizeof part)
		return err_set(err, "the path of a folder is too long");
	memcpy(part, path, len + 1);
	for (char *slash = strchr(part + 1, '/'); slash != NULL;
	     slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (mkdir(part, FOLDER_MODE) != 0 && errno != EEXIST)
			return err_sys(err, "cannot make the folder %s", part);
		*slash = '/';
	}
	if (mkdir(part, FOLDER_MODE) != 0 && errno != EEXIST)
		return err_sys(err, "cannot make the folder %s", part);
	return 0;
}

/* A socket with a name that the kernel chooses (unix(7), "Autobind"), in *address as
 * NOTIFY_SOCKET has it: "@" and the name. */
static int open_notify(char *address, size_t size, struct err *err)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	socklen_t len = sizeof un;
	int on = 1;
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return err_sys(err, "no socket to hear from balancerd");
	if (bind(fd, (struct sockaddr *)&un, sizeof un.sun_family) != 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof on) != 0 ||
	    getsockname(fd, (struct sockaddr *)&un, &len) != 0) {
		err_sys(err, "no socket to hear from balancerd");
		close(fd);
		return -1;
	}
	int name = (int)(len - offsetof(struct sockaddr_un, sun_path) - 1);
	must(snprintf(address, size, "@%.*s", name, un.sun_path + 1) < (int)size);
	return fd;
}

/* Whether a message has come by which the child says that it is ready. Anybody may
 * write to the socket; the kernel says who did. */
static bool says_ready(const struct child *c)
{
	char bytes[MESSAGE_MAX + 1];
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(sizeof(struct ucred))];
	} control;
	struct iovec part = {.iov_base = bytes, .iov_len = MESSAGE_MAX};
	struct msghdr message = {
		.msg_iov = &part, .msg_iovlen = 1,
		.msg_control = &control, .msg_controllen = sizeof control,
	};
	ssize_t len = recvmsg(c->notify, &message, MSG_CMSG_CLOEXEC);
	struct cmsghdr *from = len >= 0 ? CMSG_FIRSTHDR(&message) : NULL;
	struct ucred who;

	if (from == NULL || from->cmsg_type != SCM_CREDENTIALS)
		return false;
	memcpy(&who, CMSG_DATA(from), sizeof who);
	bytes[len] = '\0';
	const char *ready = strstr(bytes, "READY=1");
	return who.pid == c->pid && ready != NULL &&
	       (ready == bytes || ready[-1] == '\n');
}

/* The environment that the child gets: ours, with NOTIFY_SOCKET. Owned by the caller
 * (free), the texts are borrowed. */
static char **environment_with(char *notify)
{
	static const char name[] = "NOTIFY_SOCKET=";
	size_t count = 0, used = 0;

	while (environ[count] != NULL)
		count++;
	char **environment = calloc(count + 2, sizeof *environment);
	must(environment != NULL);
	for (size_t i = 0; i < count; i++)
		if (strncmp(environ[i], name, sizeof name - 1) != 0)
			environment[used++] = environ[i];
	environment[used] = notify;
	return environment;
}

static int spawn(const struct launch *l, struct child *c, char *notify, struct err *err)
{
	posix_spawn_file_actions_t files;
	posix_spawnattr_t how;
	sigset_t none, all;
	char **environment = environment_with(notify);

	sigemptyset(&none);
	sigfillset(&all);
	posix_spawn_file_actions_init(&files);
	posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_adddup2(&files, c->log, 1);
	posix_spawn_file_actions_adddup2(&files, c->log, 2);
	posix_spawn_file_actions_addclosefrom_np(&files, 3);
	posix_spawn_file_actions_addchdir_np(&files, "/");
	posix_spawnattr_init(&how);
	posix_spawnattr_setsigmask(&how, &none);
	posix_spawnattr_setsigdefault(&how, &all);
	posix_spawnattr_setflags(&how, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK |
				       POSIX_SPAWN_SETSIGDEF);
	errno = posix_spawn(&c->pid, l->program, &files, &how, l->argv, environment);
	posix_spawnattr_destroy(&how);
	posix_spawn_file_actions_destroy(&files);
	free(environment);
	return errno == 0 ? 0 : err_sys(err, "cannot run %s", l->program);
}

static void child_fini(struct child *c)
{
	int *fds[] = {&c->notify, &c->log, &c->pidfd};

	for (size_t i = 0; i < COUNT_OF(fds); i++)
		if (*fds[i] >= 0)
			close(*fds[i]);
}

static int child_init(struct child *c, const struct launch *l, struct err *err)
{
	char address[sizeof(struct sockaddr_un) + 8], variable[sizeof address + 16];
	struct stat st;

	*c = (struct child){.notify = -1, .log = -1, .pidfd = -1};
	c->log = open(l->log, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, LOG_MODE);
	if (c->log < 0 || fstat(c->log, &st) != 0) {
		err_sys(err, "cannot open the log %s", l->log);
		goto fini;
	}
	c->log_start = st.st_size;
	c->notify = open_notify(address, sizeof address, err);
	if (c->notify < 0)
		goto fini;
	snprintf(variable, sizeof variable, "NOTIFY_SOCKET=%s", address);
	if (spawn(l, c, variable, err) != 0)
		goto fini;
	c->pidfd = (int)syscall(SYS_pidfd_open, c->pid, 0);
	must(c->pidfd >= 0);	/* it is our child, and nobody has waited for it */
	return 0;

fini:
	child_fini(c);
	return -1;
}

/* What the child said last about itself: the last line that begins with the program's
 * name, or else the last line. */
static void last_words(const struct child *c, char *out, size_t size)
{
	static const char name[] = "balancerd: ";
	char said[SAID_MAX + 1], *line, *best = said;
	struct stat st;
	off_t from = c->log_start;

	if (fstat(c->log, &st) == 0 && st.st_size - from > SAID_MAX)
		from = st.st_size - SAID_MAX;
	ssize_t len = pread(c->log, said, SAID_MAX, from);
	said[len > 0 ? len : 0] = '\0';
	bool named = false;
	for (char *rest = said; (line = strsep(&rest, "\n")) != NULL;) {
		bool has_name = strncmp(line, name, sizeof name - 1) == 0;
		if (*line != '\0' && (has_name || !named))
			best = has_name ? line + sizeof name - 1 : line;
		named = named || has_name;
	}
	snprintf(out, size, "%.*s", (int)size - 1, best);
}

/* The child has ended: its own words, and the outcome that its exit code means. */
static enum outcome refuse_ended(const struct child *c, const struct launch *l,
				 struct err *err)
{
	char words[400];
	int status = 0;

	waitpid(c->pid, &status, 0);
	last_words(c, words, sizeof words);
	if (WIFSIGNALED(status))
		return outcome_set(err, OUTCOME_FAILED,
				   "balancerd was ended by signal %d "
				   "(%s); its log is %s",
				   WTERMSIG(status), strsignal(WTERMSIG(status)), l->log);
	if (*words == '\0')
		return outcome_set(err, OUTCOME_FAILED,
				   "balancerd ended with exit code %d "
				   "and said nothing; its log is %s",
				   WEXITSTATUS(status), l->log);
	return outcome_set(err, WEXITSTATUS(status) == 2 ? OUTCOME_WRONG : OUTCOME_FAILED,
			   "balancerd did not start: %s", words);
}

static enum outcome end_late(const struct child *c, const struct launch *l,
			     struct err *err)
{
	kill(c->pid, SIGTERM);
	if (!wait_for(c->pidfd, -1, END_MS).first)
		kill(c->pid, SIGKILL);
	waitpid(c->pid, NULL, 0);
	return outcome_set(err, OUTCOME_LATE,
			   "balancerd was not ready in time and has been "
			   "ended; its log is %s",
			   l->log);
}

enum outcome launch_start(const struct launch *l, pid_t *pid, struct err *err)
{
	struct child c;
	enum outcome outcome;

	if (child_init(&c, l, err) != 0)
		return OUTCOME_FAILED;
	for (;;) {
		int ms = wait_left(l->deadline, INT32_MAX);
		struct wait_result came = wait_for(c.notify, c.pidfd, ms);
		if (came.first && says_ready(&c)) {
			*pid = c.pid;
			outcome = OUTCOME_DONE;
			break;
		}
		if (came.second) {
			outcome = refuse_ended(&c, l, err);
			break;
		}
		if (ms == 0) {
			outcome = end_late(&c, l, err);
			break;
		}
	}
	child_fini(&c);
	return outcome;
}
