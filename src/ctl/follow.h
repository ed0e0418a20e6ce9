/* ctl/follow.h - an answer that goes on, line by line: until somebody ends it, the time is
 * over, or no balancer is there any more.
 *
 * A balancer that ends may be followed by another one, after a restart or an upgrade: it is
 * looked for, and asked for what comes.
 */
#ifndef CTL_FOLLOW_H
#define CTL_FOLLOW_H

#include "ctl/call.h"

enum {
	FOLLOW_AGAIN_MS = 5000,		/* how long the next one is looked for */
	FOLLOW_LINE_MAX = 64 * 1024,	/* bytes; a longer line comes in parts */
};

struct follow {
	/* Told each line, without its newline. */
	void (*on_line)(struct follow *f, char *line);

	/* The answer has ended: writes what to ask of whoever is there now. NULL: that was
	 * all. */
	void (*ask_again)(struct follow *f, char path[CLIENT_PATH_MAX]);
};

/* Asks for the path and tells what comes. OUTCOME_DONE, too, when SIGINT, SIGTERM or
 * --timeout ends what goes on; one that was to end by itself, and has not, is an error. */
enum outcome follow_run(struct call *call, struct follow *f, const char *path,
			struct err *err);

#endif
