/* daemon/resolving.h - names are looked up together, so that new servers have their
 * addresses when they come into force, and those in whose place they come are not missed.
 *
 * Thread: control.
 */
#ifndef DAEMON_RESOLVING_H
#define DAEMON_RESOLVING_H

#include <stdint.h>

#include "base/address.h"

enum { RESOLVING_MAX_MS = 2000 };	/* what is not known by then is left to names.h */

struct resolving;
struct service;

struct resolved {
	struct address name;		/* len 0 */
	struct address found;		/* len 0: nothing */
};

/* Looks up these names, at least one; they are copied. on_done is called once, later, when
 * all are answered or the time is over; the look-ups are the caller's to end. */
struct resolving *resolving_start(struct service *s, const struct address *names,
				  uint32_t count, void (*on_done)(void *arg), void *arg);

/* What is known so far, in the order of the names. */
const struct resolved *resolving_all(const struct resolving *r, uint32_t *count);

/* Cancels what is not answered, and frees it. NULL is allowed. */
void resolving_end(struct resolving *r);

#endif
