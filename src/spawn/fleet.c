#include "spawn/fleet.h"

#include <string.h>

#include "base/must.h"
#include "spawn/naming.h"

struct edge {
	uint8_t next;		/* enum fleet_state */
	uint8_t action;		/* enum fleet_action */
};

/* What is under way ends as it does anyway. */
#define STAYS(event, state) [event] = {state, FLEET_DO_NOTHING}

/* A missing edge is FLEET_BUG. Ends of servers may be told late, so they have an edge
 * wherever there was something to end. */
static const struct edge edges[FLEET_STATES][FLEET_EVENTS] = {
	[FLEET_NEW] = {
		[FLEET_EVENT_PLANNED]      = {FLEET_PLANNED, FLEET_DO_NOTHING},
		[FLEET_EVENT_ADOPTED]      = {FLEET_CHECKING, FLEET_DO_JOIN},
		[FLEET_EVENT_FOUND_ENDED]  = {FLEET_REPLACING, FLEET_DO_KILL} },
	[FLEET_PLANNED] = {
		[FLEET_EVENT_TURN]         = {FLEET_STARTING, FLEET_DO_START},
		[FLEET_EVENT_LEAVES]       = {FLEET_GONE, FLEET_DO_FORGET},
		[FLEET_EVENT_END]          = {FLEET_GONE, FLEET_DO_FORGET},
		[FLEET_EVENT_HURRY]        = {FLEET_GONE, FLEET_DO_FORGET} },
	[FLEET_STARTING] = {
		[FLEET_EVENT_STARTED]      = {FLEET_CHECKING, FLEET_DO_JOIN},
		[FLEET_EVENT_START_FAILED] = {FLEET_PLANNED, FLEET_DO_NOTE_FAILURE},
		[FLEET_EVENT_LEAVES]       = {FLEET_ABANDONED, FLEET_DO_NOTHING},
		[FLEET_EVENT_END]          = {FLEET_ABANDONED, FLEET_DO_NOTHING},
		[FLEET_EVENT_HURRY]        = {FLEET_ABANDONED, FLEET_DO_NOTHING} },
	[FLEET_ABANDONED] = {
		[FLEET_EVENT_STARTED]      = {FLEET_STOPPING, FLEET_DO_KILL},
		[FLEET_EVENT_START_FAILED] = {FLEET_GONE, FLEET_DO_FORGET},
		STAYS(FLEET_EVENT_LEAVES, FLEET_ABANDONED),
		STAYS(FLEET_EVENT_END, FLEET_ABANDONED),
		STAYS(FLEET_EVENT_HURRY, FLEET_ABANDONED) },
	[FLEET_CHECKING] = {
		[FLEET_EVENT_NOT_JOINED]   = {FLEET_REPLACING, FLEET_DO_FAIL},
		[FLEET_EVENT_ANSWERED]     = {FLEET_SERVING, FLEET_DO_SERVE},
		STAYS(FLEET_EVENT_SILENT, FLEET_CHECKING),
		[FLEET_EVENT_TIME_OVER]    = {FLEET_REPLACING, FLEET_DO_FAIL},
		[FLEET_EVENT_ENDED]        = {FLEET_REPLACING, FLEET_DO_FAIL},
		[FLEET_EVENT_LEAVES]       = {FLEET_STOPPING, FLEET_DO_STOP},
		[FLEET_EVENT_TAKEN_OUT]    = {FLEET_STOPPING, FLEET_DO_STOP},
		[FLEET_EVENT_END]          = {FLEET_STOPPING, FLEET_DO_STOP},
		[FLEET_EVENT_HURRY]        = {FLEET_STOPPING, FLEET_DO_KILL} },
	[FLEET_SERVING] = {
		STAYS(FLEET_EVENT_ANSWERED, FLEET_SERVING),
		[FLEET_EVENT_SILENT]       = {FLEET_REPLACING, FLEET_DO_KILL},
		[FLEET_EVENT_ENDED]        = {FLEET_REPLACING, FLEET_DO_KILL},
		[FLEET_EVENT_LEAVES]       = {FLEET_DRAINING, FLEET_DO_DRAIN},
		[FLEET_EVENT_TAKEN_OUT]    = {FLEET_DRAINING, FLEET_DO_WATCH},
		[FLEET_EVENT_END]          = {FLEET_STOPPING, FLEET_DO_STOP},
		[FLEET_EVENT_HURRY]        = {FLEET_STOPPING, FLEET_DO_KILL} },
	[FLEET_DRAINING] = {
		[FLEET_EVENT_EMPTY]        = {FLEET_STOPPING, FLEET_DO_STOP},
		[FLEET_EVENT_TIME_OVER]    = {FLEET_STOPPING, FLEET_DO_STOP},
		[FLEET_EVENT_ENDED]        = {FLEET_STOPPING, FLEET_DO_KILL},
		STAYS(FLEET_EVENT_LEAVES, FLEET_DRAINING),
		[FLEET_EVENT_END]          = {FLEET_STOPPING, FLEET_DO_STOP},
		[FLEET_EVENT_HURRY]        = {FLEET_STOPPING, FLEET_DO_KILL} },
	[FLEET_STOPPING] = {
		[FLEET_EVENT_STOPPED]      = {FLEET_GONE, FLEET_DO_FORGET},
		[FLEET_EVENT_STOP_FAILED]  = {FLEET_STOPPING, FLEET_DO_STOP_LATER},
		[FLEET_EVENT_GIVEN_UP]     = {FLEET_GONE, FLEET_DO_FORGET},
		STAYS(FLEET_EVENT_ENDED, FLEET_STOPPING),
		STAYS(FLEET_EVENT_LEAVES, FLEET_STOPPING),
		STAYS(FLEET_EVENT_END, FLEET_STOPPING),
		[FLEET_EVENT_HURRY]        = {FLEET_STOPPING, FLEET_DO_KILL} },
	[FLEET_REPLACING] = {
		[FLEET_EVENT_STOPPED]      = {FLEET_PLANNED, FLEET_DO_NOTHING},
		[FLEET_EVENT_STOP_FAILED]  = {FLEET_REPLACING, FLEET_DO_STOP_LATER},
		STAYS(FLEET_EVENT_ENDED, FLEET_REPLACING),
		[FLEET_EVENT_LEAVES]       = {FLEET_STOPPING, FLEET_DO_NOTHING},
		[FLEET_EVENT_END]          = {FLEET_STOPPING, FLEET_DO_NOTHING},
		[FLEET_EVENT_HURRY]        = {FLEET_STOPPING, FLEET_DO_NOTHING} },
};

void fleet_init(struct fleet *f)
{
	*f = (struct fleet){0};
	list_init(&f->servers);
}

/* In its place; most often that is the last one. */
static void put(struct fleet *f, struct fleet_server *s)
{
	struct link *after = f->servers.prev;

	while (after != &f->servers &&
	       naming_compare(CONTAINER_OF(after, struct fleet_server, link)->name,
			      s->name) > 0)
		after = after->prev;
	list_insert(after, &s->link);
}

static void set_name(struct fleet_server *s, const char *name)
{
	must(strlen(name) <= OWN_NAME_MAX);
	memcpy(s->name, name, strlen(name) + 1);
}

void fleet_add(struct fleet *f, struct fleet_server *s, const char *name)
{
	set_name(s, name);
	s->state = FLEET_NEW;
	f->counts[FLEET_NEW]++;
	put(f, s);
}

void fleet_remove(struct fleet *f, struct fleet_server *s)
{
	f->counts[s->state]--;
	list_remove(&s->link);
}

void fleet_rename(struct fleet *f, struct fleet_server *s, const char *name)
{
	must(s->state == FLEET_PLANNED);
	list_remove(&s->link);
	set_name(s, name);
	put(f, s);
}

struct fleet_server *fleet_find(const struct fleet *f, const char *name)
{
	LIST_EACH(&f->servers, it, next) {
		struct fleet_server *s = CONTAINER_OF(it, struct fleet_server, link);
		if (strcmp(s->name, name) == 0)
			return s;
	}
	return NULL;
}

enum fleet_action fleet_step(struct fleet *f, struct fleet_server *s,
			     enum fleet_event event)
{
	const struct edge *e = &edges[s->state][event];

	must(e->next != FLEET_BUG);
	f->counts[s->state]--;
	s->state = e->next;
	f->counts[s->state]++;
	return (enum fleet_action)e->action;
}

const char *fleet_word(enum fleet_state state)
{
	static const char *const words[FLEET_STATES] = {
		[FLEET_BUG] = "unknown", [FLEET_NEW] = "new", [FLEET_PLANNED] = "planned",
		[FLEET_STARTING] = "starting", [FLEET_ABANDONED] = "stopping",
		[FLEET_CHECKING] = "checking", [FLEET_SERVING] = "serving",
		[FLEET_DRAINING] = "draining", [FLEET_STOPPING] = "stopping",
		[FLEET_REPLACING] = "replacing", [FLEET_GONE] = "gone",
	};

	return words[state];
}
