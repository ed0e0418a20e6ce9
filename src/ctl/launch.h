/* ctl/launch.h - a daemon is started in the background, and waited for until it is ready
 * or has ended.
 *
 * Readiness is systemd's protocol (sd_notify(3)): the child finds NOTIFY_SOCKET in its
 * environment and sends READY=1 there. It has a session of its own, no descriptor of
 * ours, /dev/null as its input, and a log file for what it says.
 */
#ifndef CTL_LAUNCH_H
#define CTL_LAUNCH_H

#include <stdint.h>
#include <sys/types.h>

#include "ctl/outcome.h"

struct launch {
	const char *program;		/* path */
	char      **argv;
	const char *log;		/* path; its folder is there */
	int64_t     deadline;		/* by wait_now */
};

/* Starts it and returns when it is ready; *pid is the child then, which goes on. Else
 * the child has ended, and *err has its own words. */
enum outcome launch_start(const struct launch *launch, pid_t *pid, struct err *err);

/* Makes a folder and those above it. -1 and *err: the system refuses. */
int launch_make_folder(const char *path, struct err *err);

#endif
