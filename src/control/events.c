#include "control/events.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/memory.h"
#include "base/must.h"
#include "base/text.h"
#include "control/reply.h"

enum { GAP_MAX = 80 };		/* bytes of what tells of a gap */

/* One place of the ring. The texts of the event point into `texts`. */
struct kept {
	struct event event;
	char *texts;			/* owned */
};

struct events {
	uint64_t base;			/* the number before the first */
	uint64_t last;
	struct link readers;		/* stream.link */
	struct kept ring[EVENTS_MAX];	/* number i is at i % EVENTS_MAX */
};

static const char *const words[EVENT_KINDS] = {
	[EVENT_STARTED] = "started", [EVENT_RELOADED] = "reloaded",
	[EVENT_RELOAD_REFUSED] = "reload-refused", [EVENT_DRAINING] = "draining",
	[EVENT_HANDED_OVER] = "handed-over", [EVENT_UPGRADE_REFUSED] = "upgrade-refused",
	[EVENT_SERVER_UP] = "server-up", [EVENT_SERVER_DOWN] = "server-down",
	[EVENT_SERVER_ADDED] = "server-added", [EVENT_SERVER_REMOVED] = "server-removed",
	[EVENT_SERVER_SET] = "server-set", [EVENT_SERVER_STARTING] = "server-starting",
	[EVENT_SERVER_SERVES] = "server-serves",
	[EVENT_SERVER_NOT_STARTED] = "server-not-started",
	[EVENT_SERVER_REPLACED] = "server-replaced",
	[EVENT_SERVER_LEAVES] = "server-leaves",
	[EVENT_SERVER_STOPPED] = "server-stopped", [EVENT_SERVER_LEFT] = "server-left",
};

const char *event_word(enum event_kind kind)
{
	must(kind < EVENT_KINDS && words[kind] != NULL);
	return words[kind];
}

struct events *events_create(uint64_t wall_ms)
{
	struct events *e = memory_new(1, sizeof *e);

	e->base = e->last = wall_ms;
	list_init(&e->readers);
	return e;
}

void events_destroy(struct events *e)
{
	must(list_empty(&e->readers));
	for (uint32_t i = 0; i < EVENTS_MAX; i++)
		free(e->ring[i].texts);
	free(e);
}

/* ---- the ring ---- */

/* The oldest one that is there; behind the last, if none is. */
static uint64_t first(const struct events *e)
{
	return e->last - e->base > EVENTS_MAX ? e->last - EVENTS_MAX + 1 : e->base + 1;
}

/* Copies a text of at most max bytes to *at, which it moves behind it. */
static const char *put_text(char **at, const char *text, size_t max)
{
	size_t len = strlen(text);
	char *copy = *at;

	if (len > max)
		len = text_whole(text, max, text[max]);
	memcpy(copy, text, len);
	copy[len] = '\0';
	*at += len + 1;
	return copy;
}

void events_add(struct events *e, const struct event *event)
{
	struct kept *k = &e->ring[++e->last % EVENTS_MAX];
	char texts[2 * EVENT_NAME_MAX + EVENT_TEXT_MAX + 3], *at = texts;

	const char *server, *text;

	put_text(&at, event->pool, EVENT_NAME_MAX);
	server = put_text(&at, event->server, EVENT_NAME_MAX);
	text = put_text(&at, event->text, EVENT_TEXT_MAX);
	free(k->texts);
	k->texts = memory_new((size_t)(at - texts), 1);
	memcpy(k->texts, texts, (size_t)(at - texts));
	k->event = (struct event){
		.id = e->last, .wall_ms = event->wall_ms, .kind = event->kind,
		.pool = k->texts, .server = k->texts + (server - texts),
		.text = k->texts + (text - texts),
	};
	stream_wake_all(&e->readers);
}

uint64_t events_last(const struct events *e)
{
	return e->last;
}

const struct event *events_find(const struct events *e, uint64_t id, uint64_t *missed)
{
	*missed = id < first(e) ? first(e) - id : 0;
	id += *missed;
	return id <= e->last ? &e->ring[id % EVENTS_MAX].event : NULL;
}

uint64_t events_behind(const struct events *e, uint64_t id)
{
	/* Of a process before, or of one whose clock went ahead: all that there is. */
	return id < e->base || id > e->last ? e->base + 1 : id + 1;
}

uint64_t events_last_ones(const struct events *e, uint32_t count)
{
	uint64_t there = e->last + 1 - first(e);

	return e->last + 1 - (count < there ? count : there);
}

/* ---- as others get them ---- */

static json_t *time_json(uint64_t wall_ms)
{
	time_t seconds = (time_t)(wall_ms / 1000);
	char text[40];
	struct tm utc;

	gmtime_r(&seconds, &utc);
	size_t len = strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &utc);
	snprintf(text + len, sizeof text - len, ".%03uZ", (unsigned)(wall_ms % 1000));
	return json_string(text);
}

json_t *event_json(const struct event *event)
{
	json_t *o = json_object();

	json_object_set_new(o, "id", json_integer((json_int_t)event->id));
	json_object_set_new(o, "time", time_json(event->wall_ms));
	json_object_set_new(o, "kind", json_string(event_word(event->kind)));
	json_object_set_new(o, "pool", reply_text(event->pool));
	json_object_set_new(o, "server", reply_text(event->server));
	json_object_set_new(o, "text", reply_text(event->text));
	return o;
}

struct reader {
	struct stream  stream;
	struct events *events;		/* borrowed */
	uint64_t       next;		/* the number to read */
	bool           began;
};

/* Writes one as "id: N\ndata: JSON\n\n". 0: there is not that much room. */
static size_t print(const struct event *event, char *room, size_t size)
{
	json_t *object = event_json(event);
	char *data = json_dumps(object, JSON_COMPACT);

	json_decref(object);
	if (data == NULL)
		return 0;		/* out of memory: with the next one */
	int len = snprintf(room, size, "id: %" PRIu64 "\ndata: %s\n\n", event->id, data);
	free(data);
	return (size_t)len < size ? (size_t)len : 0;
}

/* The same for so many that are not there any more; they have no number. */
static size_t print_gap(uint64_t missed, char *room, size_t size)
{
	return (size_t)snprintf(room, size, "data: {\"kind\":\"missed\",\"count\":%" PRIu64
				"}\n\n", missed);
}

static size_t pull(struct stream *s, char *room, size_t size)
{
	struct reader *r = CONTAINER_OF(s, struct reader, stream);
	const struct event *event;
	size_t used = 0, len = 1;
	uint64_t missed;

	/* Where it stands, for one that comes back before anything has happened. */
	if (!r->began)
		used = (size_t)snprintf(room, size, "id: %" PRIu64 "\n\n", r->next - 1);
	r->began = true;
	while (len > 0 && size - used > GAP_MAX &&
	       (event = events_find(r->events, r->next, &missed)) != NULL) {
		if (missed > 0)
			used += print_gap(missed, room + used, size - used);
		len = print(event, room + used, size - used);
		used += len;
		r->next = event->id + (len > 0);
	}
	return used;
}

static void end(struct stream *s)
{
	struct reader *r = CONTAINER_OF(s, struct reader, stream);

	list_remove(&s->link);
	free(r);
}

struct stream *events_read(struct events *e, uint64_t id)
{
	struct reader *r = memory_new(1, sizeof *r);

	r->stream = (struct stream){.pull = pull, .end = end, .beat = ":\n\n"};
	r->events = e;
	r->next = id;
	list_push_last(&e->readers, &r->stream.link);
	return &r->stream;
}
