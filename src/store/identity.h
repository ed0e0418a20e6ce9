/* store/identity.h - the worker's number in its pool, which it keeps over restarts.
 *
 * At start, before any loop runs.
 */
#ifndef STORE_IDENTITY_H
#define STORE_IDENTITY_H

#include <stdint.h>

#include "base/err.h"

/* `wanted` if it is not 0; else what DIR/id says; else a random one. With a directory
 * (not NULL, there already) it is kept there. -1 and *err: the file cannot be read or
 * written, or has no number in it. */
int identity_find(uint32_t *id, uint32_t wanted, const char *directory, struct err *err);

#endif
