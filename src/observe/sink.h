/* observe/sink.h - a descriptor to write lines to that never makes the writer wait.
 *
 * Thread: any.
 */
#ifndef OBSERVE_SINK_H
#define OBSERVE_SINK_H

#include "base/err.h"

/* Opens a file, created when missing, to append to it; a FIFO needs a reader. path
 * NULL: standard output. Returns a descriptor owned by the caller, or -1 and *err. */
int sink_open(const char *path, struct err *err);

#endif
