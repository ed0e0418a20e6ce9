/* observe/access_log.h - the access log: takes what the loops noted (forward/record.h)
 * and writes it as lines, on a thread of its own.
 *
 *   loop 0 --> ring 0 --.
 *   loop 1 --> ring 1 ---+--(in turns)--> lines --> buffer --> file, pipe, terminal
 *   ...                 /
 *
 * Nothing here ever holds up a loop. What cannot be written now (a full disk, a pipe
 * that nobody empties) waits in the buffer; meanwhile the rings fill, and what finds
 * no room in them is left out and counted. That is said once in the log (base/log.h),
 * with the reason, and once when it is over. A line that was written in part goes on
 * where it stopped.
 *
 * Threads: all functions belong to the control thread, but for access_log_dropped.
 */
#ifndef OBSERVE_ACCESS_LOG_H
#define OBSERVE_ACCESS_LOG_H

#include <stdint.h>

#include "base/err.h"
#include "model/model.h"

enum {
	ACCESS_TICK_MS = 20,		/* how often the rings are looked at */
	ACCESS_CALM_MS = 1000,		/* without a loss, until it is said to be over */
	ACCESS_CLOSE_MS_MAX = 1000,	/* for a slow reader to take the rest at the end */
};

struct access_form;
struct access_log;
struct record_ring;

/* What is to be written, and where. Borrowed for the call. */
struct access_wish {
	enum access_format format;
	const struct access_form *form;	/* of ACCESS_OWN, else NULL */
	const char *path;		/* NULL: standard output */
	uint32_t part;			/* one of so many requests; 0 and 1: each */
};

/* Makes a ring for each of `loops` loops and for the control thread, and the thread that
 * writes. With ACCESS_OFF the rings say that nothing is wanted, and access_log_use may
 * change that later. NULL and *err: the file cannot be opened, or there is no memory. */
struct access_log *access_log_open(const struct access_wish *wish, uint32_t loops,
				   struct err *err);

/* The ring that loop number `loop`, or the control thread, writes into. It lives until
 * access_log_close. */
struct record_ring *access_log_ring(struct access_log *log, uint32_t loop);
struct record_ring *access_log_control_ring(struct access_log *log);

/* Another format, another file or another part. What is noted after it returns goes
 * there; what was noted before may go to either. On an error nothing changes. */
int access_log_use(struct access_log *log, const struct access_wish *wish,
		   struct err *err);

/* Opens the same file anew, after it was moved away (SIGUSR1), likewise. */
int access_log_reopen(struct access_log *log, struct err *err);

/* Records left out for want of room, and lines that were given up. Any thread. */
uint64_t access_log_dropped(const struct access_log *log);

/* Writes what is left and ends the thread. After the loops' threads have ended. */
void access_log_close(struct access_log *log);

#endif
