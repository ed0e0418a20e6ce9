/* daemon/successor.h - the process that is to take this one's place: started, and ended if it
 * does not come up.
 *
 * It has our arguments, environment, folder and standard descriptors, and one more, which
 * the environment names (handover.h). It is our child until one of us ends.
 *
 * Thread: control.
 */
#ifndef DAEMON_SUCCESSOR_H
#define DAEMON_SUCCESSOR_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/err.h"

struct successor {
	pid_t pid;
	int   channel;			/* ours, not blocking; owned by the caller */
};

/* The program at `binary`, an absolute path; argv ends with NULL, and the program finds
 * `binary` as its first. -1 and *err: there is no such program, it cannot be run, or others
 * than root and we could write to it. */
int successor_start(struct successor *s, const char *binary, char *const *argv,
		    struct err *err);

/* Ends it by force, if it has not ended, and waits for that. True: it has ended by itself,
 * *err says how. */
bool successor_end(pid_t pid, struct err *err);

#endif
