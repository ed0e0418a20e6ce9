/* base/log_writer.h - lines of the log on their way to a descriptor that may make who writes
 * to it wait: a file on a slow disk, a pipe that nobody empties.
 *
 * A thread of its own writes. Whoever has a line leaves it in a queue of fixed size, in
 * order, and never waits for room: what finds none is lost, and counted by the caller.
 *
 * One for the process. Threads: any, but for begin and end, which are the main thread's.
 */
#ifndef BASE_LOG_WRITER_H
#define BASE_LOG_WRITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum {
	LOG_QUEUE_BYTES = 256 * 1024,
	LOG_PATIENCE_MS = 100,		/* for log_writer_wait; and for a FIFO to take more */
	LOG_END_MS = 1000,		/* for what is left at the end */
};

/* Starts the thread. */
int log_writer_begin(struct err *err);

/* Ends it, after it has written what is left, or when that takes too long; it does not end
 * the process's way out either way. */
void log_writer_end(void);

/* Whether there is one. Without it the caller writes. */
bool log_writer_runs(void);

/* Leaves bytes for a descriptor. 0: there is no room; else its number for log_writer_wait. */
uint64_t log_writer_put(int fd, const char *bytes, size_t len);

/* Closes a descriptor, which is given, after what is before it in the queue. To be asked
 * for by one thread, and only as long as that may be: more than a hundred may wait. */
bool log_writer_may_close(void);
void log_writer_close(int fd);

/* Waits until it has been written, but not long, and not at all as long as what was waited
 * for last has not been. For those who can: so that what was done has also been said. */
void log_writer_wait(uint64_t number);

/* Lines that a descriptor has refused, so far: its disk is full, say. *well: it took the
 * last one. */
uint64_t log_writer_lost(bool *well);

/* Writes all of it; a descriptor that does not wait is given LOG_PATIENCE_MS. False: it
 * could not be. */
bool log_writer_write(int fd, const char *at, size_t len);

#endif
