/* daemon/gather.h - names are looked up together, so that servers that are new have their
 * addresses when they come into force, and those in whose place they come are not missed.
 *
 * Thread: control.
 */
#ifndef DAEMON_GATHER_H
#define DAEMON_GATHER_H

#include <stdint.h>

#include "base/address.h"

enum { GATHER_MAX_MS = 2000 };		/* what is not known by then is left to names.h */

struct gather;
struct service;

struct gathered {
	struct address name;		/* len 0 */
	struct address found;		/* len 0: nothing */
};

/* Looks up these names, at least one; they are copied. on_done is called once, later, when all
 * are answered or the time is over; the gathering is the caller's to end. */
struct gather *gather_start(struct service *s, const struct address *names, uint32_t count,
			    void (*on_done)(void *arg), void *arg);

/* What is known so far, in the order of the names. */
const struct gathered *gather_all(const struct gather *g, uint32_t *count);

/* Cancels what is not answered, and frees it. NULL is allowed. */
void gather_end(struct gather *g);

#endif
