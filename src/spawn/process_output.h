/* spawn/process_output.h - what a process says becomes lines of the log:
 *
 *   server says pool=web server=S1 line="..."
 *
 * It comes through a FIFO that has a name, so that who of us comes after a crash reads
 * on. A line is cut after PROCESS_LINE_MAX bytes. Of one server and of one pool not more
 * than so many lines are written in a second, so that nobody's talk drowns ours; how many
 * were left out is said.
 *
 * Thread: control.
 */
#ifndef SPAWN_PROCESS_OUTPUT_H
#define SPAWN_PROCESS_OUTPUT_H

#include <stddef.h>

#include "loop/loop.h"
#include "model/own.h"

enum {
	PROCESS_LINE_MAX             = 400,
	PROCESS_LINES_PER_SECOND_MAX = 20,	/* of one server */
	PROCESS_POOL_LINES_MAX       = 60,	/* in a second, of all of its pool */
	PROCESS_OUTPUT_TURN_MAX      = 64 * 1024,	/* bytes read in one turn */
};

/* How many lines a second has had. */
struct process_share {
	uint64_t second_ms;		/* when it began */
	uint32_t lines;
};

struct process_output {
	struct loop *loop;		/* borrowed, as the two below */
	const char  *pool, *server;
	struct process_share *of_pool;	/* borrowed: all outputs of a pool have one */
	struct process_share share;
	struct loop_watch watch;	/* owned: the FIFO */
	struct loop_timer tell;		/* what was left out */
	uint64_t left_out;		/* lines that were not written, not told yet */
	size_t   held;			/* bytes of a line that has not ended */
	bool     cut;			/* the rest of this line is left out */
	char     line[PROCESS_LINE_MAX];
};

/* Nothing is read yet; for one that has no FIFO this is all. */
void process_output_init(struct process_output *o, struct loop *loop, const char *pool,
			 const char *server, struct process_share *of_pool);

/* Reads from it from now on. fd is given, whatever is returned; -1 and *err: the kernel
 * has no room for a watch. */
int process_output_open(struct process_output *o, int fd, struct err *err);

/* Reads what is there, as far as one turn goes, says it, and closes: the process is
 * gone. */
void process_output_finish(struct process_output *o);

/* Closes; what is not read yet is read by whoever opens the FIFO next. */
void process_output_close(struct process_output *o);

#endif
