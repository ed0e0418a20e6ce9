/* control/ask.h - a request as the handlers see it: what is asked, of what.
 *
 * A handler reads what is in force through the view, asks the owner by its hooks where
 * something is to change, and gives exactly one reply, now or later (later.h). It does no
 * I/O on connections and knows none. Which handler is for which path stands in routes.c.
 *
 * Thread: control.
 */
#ifndef CONTROL_ASK_H
#define CONTROL_ASK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/span.h"
#include "control/control.h"
#include "control/reply.h"

struct history;
struct log_tail;
struct streams;

/* Who asks, and what a route asks for: who may change may read too, and what asks for
 * ROLE_NONE is open to all. */
enum role { ROLE_NONE, ROLE_READ, ROLE_CHANGE };

enum { ASK_PART_MAX = 1023 };		/* bytes of {pool} or {server}, decoded */

/* The balancer, as far as the interface sees it. All is borrowed. */
struct view {
	const struct live          *live;
	const struct control_hooks *hooks;
	const struct control_facts *facts;
	struct streams  *streams;	/* all answers that go on */
	struct log_tail *log_tail;
	const struct history *history;
	uint64_t uptime_ms;		/* of a clock that never goes back */
	uint64_t uptime_s;
	uint64_t wall_s;		/* since 1970 */
};

struct ask {
	const struct view *view;
	const char *pool, *server;	/* of the path, decoded; "" where it has none. A
					 * legacy call: the pool that it came for */
	struct span query;		/* without the "?" */
	struct span body;
	bool local;			/* by the UNIX socket */
	const char *name;		/* of the path's file, likewise */
	const struct h1_head *head;	/* for ask_field */
	const char *bytes;		/* of the head */
};

/* The value of the first field of this name; empty: there is none. */
struct span ask_field_of(const struct h1_head *head, const char *bytes, const char *name);

static inline struct span ask_field(const struct ask *ask, const char *name)
{
	return ask_field_of(ask->head, ask->bytes, name);
}

/* Shorthands for what every handler needs. */
static inline const struct model *view_model(const struct view *v)
{
	return v->hooks->model(v->hooks->arg);
}

static inline uint64_t view_version(const struct view *v)
{
	return v->hooks->version(v->hooks->arg);
}

/* The pool that the path names; NULL: there is none, and the reply says so. */
const struct model_pool *ask_pool(const struct ask *ask, struct reply *r);

/* The server that the path names, by any spelling of its address; NULL: likewise. */
const struct model_server *ask_server(const struct ask *ask, const struct model_pool *p,
				      struct reply *r);

/* The handlers, a file for each noun. Each changes only *r. */
void status_get(const struct ask *ask, struct reply *r);
void status_stop(const struct ask *ask, struct reply *r);
void listeners_get(const struct ask *ask, struct reply *r);
void pools_get(const struct ask *ask, struct reply *r);
void pools_get_one(const struct ask *ask, struct reply *r);
void servers_get(const struct ask *ask, struct reply *r);
void servers_get_one(const struct ask *ask, struct reply *r);
void servers_get_leaving(const struct ask *ask, struct reply *r);
void servers_add(const struct ask *ask, struct reply *r);
void servers_set(const struct ask *ask, struct reply *r);
void servers_remove(const struct ask *ask, struct reply *r);
void owned_get(const struct ask *ask, struct reply *r);
void owned_add(const struct ask *ask, struct reply *r);
void owned_remove(const struct ask *ask, struct reply *r);
void owned_scale(const struct ask *ask, struct reply *r);
void config_get(const struct ask *ask, struct reply *r);
void config_get_diff(const struct ask *ask, struct reply *r);
void config_check(const struct ask *ask, struct reply *r);
void config_reload(const struct ask *ask, struct reply *r);
void upgrade_post(const struct ask *ask, struct reply *r);
void metrics_get(const struct ask *ask, struct reply *r);
void explain_post(const struct ask *ask, struct reply *r);
void ring_get(const struct ask *ask, struct reply *r);
void history_get(const struct ask *ask, struct reply *r);
void times_get(const struct ask *ask, struct reply *r);
void events_get(const struct ask *ask, struct reply *r);
void log_get(const struct ask *ask, struct reply *r);
void page_get(const struct ask *ask, struct reply *r);
void routes_get(const struct ask *ask, struct reply *r);

#endif
