/* control/events.h - what has happened to the balancer: the last EVENTS_MAX events, each
 * with a number that grows, and those who read them as they come.
 *
 * The number before the first is the time of the start in milliseconds, so that no process
 * that serves the same gives one again, and who comes back after a restart misses nothing
 * unseen. Programs may keep a number as a double.
 *
 * Pure: no clock, no I/O. Thread: control.
 */
#ifndef CONTROL_EVENTS_H
#define CONTROL_EVENTS_H

#include <jansson.h>
#include <stdint.h>

#include "control/stream.h"

enum {
	EVENTS_MAX = 1024,
	EVENT_NAME_MAX = 263,		/* bytes of a pool or a server; the rest is cut */
	EVENT_TEXT_MAX = 512,
};

enum event_kind {
	EVENT_STARTED = 1,
	EVENT_RELOADED, EVENT_RELOAD_REFUSED, EVENT_DRAINING,
	EVENT_HANDED_OVER, EVENT_UPGRADE_REFUSED,
	EVENT_SERVER_UP, EVENT_SERVER_DOWN,
	EVENT_SERVER_ADDED, EVENT_SERVER_REMOVED, EVENT_SERVER_SET,
	/* of one that its pool makes, by its name */
	EVENT_SERVER_STARTING, EVENT_SERVER_SERVES, EVENT_SERVER_NOT_STARTED,
	EVENT_SERVER_REPLACED, EVENT_SERVER_LEAVES, EVENT_SERVER_STOPPED,
	EVENT_SERVER_LEFT,
	EVENT_KINDS
};

struct event {
	uint64_t id;			/* given by events_add */
	uint64_t wall_ms;		/* since 1970 */
	enum event_kind kind;
	const char *pool, *server;	/* "": it is about none */
	const char *text;		/* why, or what in particular; or "" */
};

struct events;

struct events *events_create(uint64_t wall_ms);

/* Nobody may be reading any more. */
void events_destroy(struct events *e);

/* Takes up one more, whose texts are copied, and tells those who read. */
void events_add(struct events *e, const struct event *event);

/* The number of the newest one; of none before the first. */
uint64_t events_last(const struct events *e);

/* The one of this number or the next one that is there, and how many between are not any
 * more. NULL: there is none yet. */
const struct event *events_find(const struct events *e, uint64_t id, uint64_t *missed);

/* Where to begin: behind this number, as somebody knows it who may have it from a process
 * before this one. */
uint64_t events_behind(const struct events *e, uint64_t id);

/* Where to begin to get the last so many. */
uint64_t events_last_ones(const struct events *e, uint32_t count);

/* One event for programs, as it is told everywhere. Owned by the caller. */
json_t *event_json(const struct event *event);

/* All from this number on as server-sent events (HTML, section 9.2), and then what
 * comes. */
struct stream *events_read(struct events *e, uint64_t id);

/* A kind's word. */
const char *event_word(enum event_kind kind);

#endif
