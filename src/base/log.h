/* base/log.h - what the program says about itself: lines in logfmt on standard
 * error, or in the file that log_open names.
 *
 * For the control side and for start-up. A loop must not call it in the path of a
 * request: a line is one write(2), which may block. Any thread may call it; lines
 * never mix. At most LOG_LINES_PER_SECOND_MAX lines per level and second are
 * written; how many were left out is said with the first line after.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum log_level { LOG_LEVEL_ERROR = 1, LOG_LEVEL_WARN, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

enum { LOG_LINES_PER_SECOND_MAX = 200, LOG_LINE_MAX = 1024 };

/* Writes a line of at most LOG_LINE_MAX bytes. The message may go on in logfmt,
 * `server is down pool=web server=127.0.0.1:8081`: the level and the time are put
 * in front of it. Bytes below 0x20 are written as '?'. */
__attribute__((format(printf, 2, 3)))
void log_write(enum log_level level, const char *format, ...);

#define log_error(...) log_write(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warn(...)  log_write(LOG_LEVEL_WARN, __VA_ARGS__)
#define log_info(...)  log_write(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...) log_write(LOG_LEVEL_DEBUG, __VA_ARGS__)

/* What is less urgent than this is not written. LOG_LEVEL_INFO until it is called. */
void log_set_level(enum log_level level);

/* From now on to the end of this file, which is created when missing; NULL:
 * standard error. On an error nothing changes. */
int log_open(const char *path, struct err *err);

/* Opens the same file anew, after it was moved away (SIGUSR1). */
int log_reopen(struct err *err);

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
