/* control/log_tail.h - the log's last lines for those who read them, and then what comes.
 *
 * Lines come from any thread; while somebody reads, each that is written wakes the
 * control thread, which does the rest. While nobody does, they are only kept (base/log.h).
 *
 * Thread: control.
 */
#ifndef CONTROL_LOG_TAIL_H
#define CONTROL_LOG_TAIL_H

#include <stdint.h>

#include "control/stream.h"

struct log_tail;
struct loop;

struct log_tail *log_tail_create(struct loop *loop);

/* Nobody may be reading any more. */
void log_tail_destroy(struct log_tail *t);

/* The last so many lines as a text, owned by the caller; ends with NUL. */
char *log_tail_text(uint32_t lines, size_t *len);

/* The same, and then what comes. */
struct stream *log_tail_read(struct log_tail *t, uint32_t lines);

#endif
