/* spawn/process_start.h - one server is started: port, files, program.
 *
 * Thread: control.
 */
#ifndef SPAWN_PROCESS_START_H
#define SPAWN_PROCESS_START_H

#include "spawn/process_child.h"
#include "spawn/process_folder.h"

struct process_started {
	struct process_record record;
	int pidfd;			/* given to the caller, as the next */
	int output;			/* the FIFO, for reading */
};

/* Chooses a port, which is the caller's to give back, and runs the program. `name` is
 * safe, and no other runs by it. -1 and *err: nothing is left of it. */
int process_start(const struct process_folder *f, const struct model_own *own,
		  const char *name, struct process_started *out, struct err *err);

/* The FIFO of a server, for reading. -1: there is none, errno says why. */
int process_output_of(const struct process_folder *f, const char *name);

#endif
