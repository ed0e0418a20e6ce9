#include "daemon/successor.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/must.h"
#include "daemon/handover.h"

enum { CHILD_FD = 3 };		/* its end of the channel, behind the standard ones */

extern char **environ;

/* Who may use the control socket is not always somebody who may run programs as us. */
static int check_binary(const char *binary, struct err *err)
{
	struct stat st;

	if (stat(binary, &st) != 0)
		return err_sys(err, "cannot run %.200s", binary);
	if (!S_ISREG(st.st_mode))
		return err_set(err, "cannot run %.200s: it is no file", binary);
	if ((st.st_uid != 0 && st.st_uid != geteuid()) || (st.st_mode & S_IWOTH) != 0)
		return err_set(err, "%.200s is not run: others than root and the user of this "
			       "balancer could have written it", binary);
	return 0;
}

/* Ours, but for what is meant for this process alone. Owned by the caller (free), the texts
 * are borrowed. */
static char **environment_with(char *channel)
{
	static const char *const ours[] = {HANDOVER_VARIABLE "=", "WATCHDOG_PID=",
					   "LISTEN_PID="};
	size_t count = 0, used = 0;

	while (environ[count] != NULL)
		count++;
	char **all = memory_new(count + 2, sizeof *all);
	for (size_t i = 0; i < count; i++) {
		bool is_ours = false;
		for (size_t j = 0; j < COUNT_OF(ours); j++)
			is_ours |= strncmp(environ[i], ours[j], strlen(ours[j])) == 0;
		if (!is_ours)
			all[used++] = environ[i];
	}
	all[used] = channel;
	return all;
}

static char **arguments_of(const char *binary, char *const *argv)
{
	size_t count = 0;

	while (argv[count] != NULL)
		count++;
	char **all = memory_new(count + 1, sizeof *all);
	memcpy(all, argv, count * sizeof *all);
	all[0] = (char *)(uintptr_t)binary;
	return all;
}

static int spawn(pid_t *pid, const char *binary, char *const *argv, int channel,
		 struct err *err)
{
	posix_spawn_file_actions_t files;
	posix_spawnattr_t how;
	sigset_t none, all;
	char variable[64];

	snprintf(variable, sizeof variable, HANDOVER_VARIABLE "=%d", CHILD_FD);
	char **environment = environment_with(variable);
	char **arguments = arguments_of(binary, argv);
	sigemptyset(&none);
	sigfillset(&all);
	posix_spawn_file_actions_init(&files);
	posix_spawn_file_actions_adddup2(&files, channel, CHILD_FD);
	posix_spawn_file_actions_addclosefrom_np(&files, CHILD_FD + 1);
	posix_spawnattr_init(&how);
	posix_spawnattr_setsigmask(&how, &none);
	posix_spawnattr_setsigdefault(&how, &all);
	posix_spawnattr_setflags(&how, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	errno = posix_spawn(pid, binary, &files, &how, arguments, environment);
	posix_spawnattr_destroy(&how);
	posix_spawn_file_actions_destroy(&files);
	free(environment);
	free(arguments);
	return errno == 0 ? 0 : err_sys(err, "cannot run %.200s", binary);
}

int successor_start(struct successor *s, const char *binary, char *const *argv,
		    struct err *err)
{
	int ends[2];

	if (check_binary(binary, err) != 0)
		return -1;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
		return err_sys(err, "no socket to hand over by");
	fcntl(ends[0], F_SETFL, O_NONBLOCK);
	s->channel = ends[0];
	int result = spawn(&s->pid, binary, argv, ends[1], err);
	close(ends[1]);
	if (result != 0)
		close(s->channel);
	return result;
}

bool successor_end(pid_t pid, struct err *err)
{
	int status = 0;

	/* One that is ending by itself keeps the way it does. */
	kill(pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		continue;
	if (WIFEXITED(status))
		err_set(err, "the new process ended with exit code %d before it was ready; "
			"what it said is where this one's messages are", WEXITSTATUS(status));
	else if (WTERMSIG(status) != SIGKILL)
		err_set(err, "the new process was ended by signal %d (%s) before it was ready",
			WTERMSIG(status), strsignal(WTERMSIG(status)));
	return WIFEXITED(status) || WTERMSIG(status) != SIGKILL;
}
