/* control/following.c - what has happened and what was logged: once, or as it comes.
 *
 * GET /v1/events and GET /v1/log.
 */
#include "base/log_ring.h"
#include "base/must.h"
#include "control/ask.h"
#include "control/body.h"
#include "control/events.h"
#include "control/log_tail.h"

/* Proxies that gather an answer before they pass it on are asked not to. */
static const char unbuffered[] = "X-Accel-Buffering: no\r\n";

static void reply_events(const struct events *events, uint64_t from, struct reply *r)
{
	json_t *object = json_object(), *list = json_array();
	uint64_t none, missed;
	const struct event *event = events_find(events, from, &missed);

	for (; event != NULL; event = events_find(events, event->id + 1, &none))
		json_array_append_new(list, event_json(event));
	json_object_set_new(object, "events", list);
	json_object_set_new(object, "last",
			    json_integer((json_int_t)events_last(events)));
	json_object_set_new(object, "missed", json_integer((json_int_t)missed));
	reply_json(r, 200, object);
}

/* What the query asks for. */
struct wanted {
	bool     follows, has_after, has_last;
	uint64_t after;
	uint32_t last;
};

/* False: the reply says what is wrong. */
static bool read_wanted(const struct ask *ask, struct wanted *w, struct reply *r)
{
	const struct member members[] = {
		{.name = "after", .kind = MEMBER_ID, .value = &w->after,
		 .given = &w->has_after},
		{.name = "last", .kind = MEMBER_NUMBER, .max = EVENTS_MAX,
		 .value = &w->last, .given = &w->has_last},
		{.name = "follow", .kind = MEMBER_BOOL, .value = &w->follows},
	};
	uint64_t heard;

	if (!body_read_query(ask->query, members, COUNT_OF(members), r))
		return false;
	if (w->has_after && w->has_last) {
		reply_error(r, REPLY_BAD_REQUEST, "last", "\"after\" and \"last\" both say "
			    "where to begin; give one");
		return false;
	}
	/* A browser that comes back asks for the same, and says what it has heard. */
	if (span_to_u64(ask_field(ask, "Last-Event-ID"), &heard)) {
		w->has_after = true;
		w->after = heard;
	}
	return true;
}

void events_get(const struct ask *ask, struct reply *r)
{
	struct events *events = ask->view->hooks->events;
	struct wanted w = {.follows = true};
	uint64_t from;

	if (!read_wanted(ask, &w, r))
		return;
	if (w.has_after)
		from = events_behind(events, w.after);
	else if (w.has_last)
		from = events_last_ones(events, w.last);
	else
		from = events_last_ones(events, w.follows ? 0 : EVENTS_MAX);
	if (!w.follows) {
		reply_events(events, from, r);
		return;
	}
	reply_stream(r, "text/event-stream", events_read(events, from));
	r->fields = unbuffered;
}

void log_get(const struct ask *ask, struct reply *r)
{
	static const char type[] = "text/plain; charset=utf-8";
	uint32_t lines = LOG_RING_LINES;
	bool follows = false;
	const struct member members[] = {
		{.name = "lines", .kind = MEMBER_NUMBER, .max = LOG_RING_LINES,
		 .value = &lines},
		{.name = "follow", .kind = MEMBER_BOOL, .value = &follows},
	};
	size_t len;

	if (!body_read_query(ask->query, members, COUNT_OF(members), r))
		return;
	if (follows) {
		reply_stream(r, type, log_tail_read(ask->view->log_tail, lines));
		r->fields = unbuffered;
		return;
	}
	char *text = log_tail_text(lines, &len);
	reply_bytes(r, type, text, len);
}
