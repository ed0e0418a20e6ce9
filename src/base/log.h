/* base/log.h - what the program says about itself: lines on standard error, in a file, to
 * journald or to syslog (log_place.h), in logfmt or as JSON.
 *
 * For the control side and for start-up: a loop does not call it in the path of a request.
 * Any thread may call it; lines never mix. With a log_writer.h no file, disk or pipe makes a
 * thread wait that has said so by log_hurry, and any other one LOG_PATIENCE_MS at most.
 *
 * Of one kind of message, known by its format, so many lines are written in 10 s as
 * log_set_limit says; how many more there were is said in a line of their own. Of one level
 * at most LOG_LINES_PER_SECOND_MAX are written in a second; how many were left out is said
 * with the first line after. Errors know the second limit only, as log_each does; log_always
 * none.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/log_level.h"

enum { LOG_LINES_PER_SECOND_MAX = 200, LOG_LINE_MAX = 1024 };

/* Writes a line of at most LOG_LINE_MAX bytes. The message may go on in logfmt,
 * `server is down pool=web server=127.0.0.1:8081`: the level and the time are put
 * in front of it. Each byte of what controls (text_step) is written as '?'. */
__attribute__((format(printf, 2, 3)))
void log_write(enum log_level level, const char *format, ...);

/* The same for lines of which each says something else, whatever their format. */
__attribute__((format(printf, 2, 3)))
void log_each(enum log_level level, const char *format, ...);

/* The same, and never left out: what has come of something that a person has asked for. */
__attribute__((format(printf, 2, 3)))
void log_always(enum log_level level, const char *format, ...);

/* The calling thread is a loop's: it is never to wait for a line of its own. */
void log_hurry(void);

#define log_error(...) log_write(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warn(...)  log_write(LOG_LEVEL_WARN, __VA_ARGS__)
#define log_info(...)  log_write(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...) log_write(LOG_LEVEL_DEBUG, __VA_ARGS__)

/* What is less urgent than this is not written. LOG_LEVEL_INFO until it is called. */
void log_set_level(enum log_level level);

/* LOG_FORM_LOGFMT until it is called. journald gets fields in any form. */
void log_set_form(enum log_form form);

/* Lines of one kind in 10 s; 0: any number. LOG_SAME_MAX until it is called. */
void log_set_limit(uint32_t lines);

/* From now on there: NULL and "stderr": standard error; "journald", "journald:PATH",
 * "syslog", "syslog:PATH": that socket, or standard error, with a warning, when nobody has
 * it; else the end of this file, which is created when missing. On an error nothing
 * changes. */
int log_open(const char *place, struct err *err);

/* Opens the same anew, after a file was moved away (SIGUSR1). */
int log_reopen(struct err *err);

/* Says what has been left out, of kinds whose 10 s are over; all: of any. To be called now
 * and then; each line does it, too. */
void log_catch_up(bool all);

/* Lines that were not written, so far. */
struct log_losses {
	uint64_t repeated;		/* over the limit of their kind */
	uint64_t many;			/* over the limit of their level */
	uint64_t full;			/* the place took no more: a socket, a disk, a pipe */
};
struct log_losses log_losses(void);

/* ---- for those who look at the last lines (log_ring.h) ---- */

/* From now on, and for good, the last LOG_RING_LINES lines that are written are kept. */
void log_keep(void);

/* See log_ring_last_ones and log_ring_read. */
uint64_t log_kept_last(uint32_t count);
size_t log_kept_read(uint64_t *next, uint64_t *missed, char *room, size_t size);

/* From now on `told` is called after each line that is kept, by the thread that writes
 * it; it must not log. NULL: nobody is, nor is being told when this returns. */
void log_tell(void (*told)(void *arg), void *arg);

#endif
