/* control/owned.h - pools that make their servers themselves, as the interface sees them:
 * to have more or fewer, and which there are. The calls of legacy.h come here too, and
 * differ in their words only.
 *
 * Thread: control.
 */
#ifndef CONTROL_OWNED_H
#define CONTROL_OWNED_H

#include "control/ask.h"
#include "spawn/owners.h"

/* How those speak that ask. */
struct owned_manner {
	const char *count, *names;	/* members of the body */
	bool        count_required;	/* else there are as many as names */
	const char *too_many_names;	/* what is said of more names than count;
					 * NULL: what names the members */
	void (*reply_done)(const struct view *view, const char *pool, struct reply *r);
};

/* The pool that the path names; NULL: there is none, or its servers are not made here,
 * and the reply says so. */
const struct model_pool *owned_pool(const struct ask *ask, struct reply *r);

/* Reads a wish in this manner and has it fulfilled; the reply may come later. */
void owned_ask(const struct ask *ask, enum owners_wish wish,
	       const struct owned_manner *manner, struct reply *r);

/* What there is of a pool, as doc/control.md shows it; JSON's null where its servers are
 * not made here. */
json_t *owned_figures(const struct view *view, const struct model_pool *p);

/* Its servers by address, each as in owned_figures; of two with one address the one that
 * serves. NULL where they are not made here. */
json_t *owned_by_address(const struct view *view, const struct model_pool *p);

#endif
