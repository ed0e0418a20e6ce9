/* control/dispatch.h - a whole request gets its one reply: found in its table, allowed
 * to who asks, not overtaken by another change, handled.
 *
 * Pure but for what the handler does. Thread: control.
 */
#ifndef CONTROL_DISPATCH_H
#define CONTROL_DISPATCH_H

#include "control/ask.h"

struct request {
	const struct h1_head *head;
	const char *bytes;		/* of the head */
	struct span body;		/* without framing */
	enum role   role;		/* of who asks; ROLE_NONE: what is open alone */
	bool        local;		/* it came by the UNIX socket */
	const char *legacy_pool;	/* only legacy calls, about this pool; NULL: all
					 * but these */
};

/* Whether this is asked of a route that needs no token. */
bool dispatch_is_open(const struct h1_head *head, const char *bytes);

/* Answers, at once or later (reply.later); *r is fresh from reply_init. */
void dispatch(const struct view *view, const struct request *request, struct reply *r);

#endif
