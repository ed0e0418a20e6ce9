#include "spawn/docker_events.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/must.h"
#include "loop/loop.h"
#include "spawn/docker_ask.h"

struct watched {
	struct link link;		/* in docker_events.watched */
	bool asked;			/* it was there when the list was asked for */
	bool missing;			/* it does not run, by the list */
	char id[SPAWN_ID_MAX + 1];
};

/* That an end came before its container was watched: a start's last answer and the
 * event take two ways, and any of them may be first. */
struct death {
	uint64_t id_hash;
	int      exit_code;
};

struct docker_events {
	struct docker_events_use use;
	struct docker_call stream, list;
	struct loop_timer  timer;	/* the stream is given up, or asked for anew */
	uint32_t    retry_ms;
	uint64_t    since;		/* the second since 1970 it begins with */
	bool        up;			/* it stands */
	bool        said;		/* that it does not */
	struct link watched;
	struct death deaths[DOCKER_EVENTS_DIED_MAX];	/* a ring */
	uint32_t    death_count;	/* all of them */
	char       *part;		/* owned: a line that is not whole yet; or NULL */
	size_t      part_len;
	bool        telling;		/* on_gone is under way, */
	bool        closed;		/* and what called it frees this then */
};

/* ---- those that are watched ---- */

static struct watched *find(struct docker_events *e, const char *id)
{
	LIST_EACH(&e->watched, at, next) {
		struct watched *w = CONTAINER_OF(at, struct watched, link);
		if (strcmp(w->id, id) == 0)
			return w;
	}
	return NULL;
}

static void forget(struct watched *w)
{
	list_remove(&w->link);
	free(w);
}

void docker_events_forget(struct docker_events *e, const char *id)
{
	struct watched *w = find(e, id);

	if (w != NULL)
		forget(w);
}

static struct death *find_death(struct docker_events *e, const char *id)
{
	uint64_t hash = hash_bytes(id, strlen(id));

	for (uint32_t i = 0; i < e->death_count && i < DOCKER_EVENTS_DIED_MAX; i++)
		if (e->deaths[i].id_hash == hash)
			return &e->deaths[i];
	return NULL;
}

bool docker_events_watch(struct docker_events *e, const char *id, int *exit_code)
{
	const struct death *death = find_death(e, id);

	if (death != NULL) {
		*exit_code = death->exit_code;
		return false;
	}
	if (find(e, id) == NULL) {
		struct watched *w = memory_new(1, sizeof *w);
		snprintf(w->id, sizeof w->id, "%s", id);
		list_push_last(&e->watched, &w->link);
	}
	return true;
}

/* The owner may do anything out of it; who called sees whether e is closed. */
static void tell(struct docker_events *e, const char *id, const char *why)
{
	e->telling = true;
	e->use.on_gone(e->use.arg, id, why);
	e->telling = false;
}

/* False: e is gone. */
static bool still_open(struct docker_events *e)
{
	if (!e->closed)
		return true;
	free(e);
	return false;
}

/* ---- the list ---- */

static bool runs(const struct spawn_server *found, uint32_t count, const char *id)
{
	for (uint32_t i = 0; i < count; i++)
		if (strcmp(found[i].id, id) == 0)
			return found[i].running;
	return false;
}

static bool tell_missing(struct docker_events *e)
{
	char id[SPAWN_ID_MAX + 1];
	struct link *at = e->watched.next;

	while (at != &e->watched) {
		struct watched *w = CONTAINER_OF(at, struct watched, link);
		at = at->next;
		if (!w->missing)
			continue;
		strcpy(id, w->id);
		forget(w);
		tell(e, id, "does not run any more");
		if (!still_open(e))
			return false;
		at = e->watched.next;	/* any of them may be gone too */
	}
	return true;
}

static void try_later(struct docker_events *e)
{
	loop_timer_start(e->use.loop, &e->timer, e->retry_ms);
	e->retry_ms = e->retry_ms < DOCKER_EVENTS_RETRY_MS_MAX / 2
		? e->retry_ms * 2 : DOCKER_EVENTS_RETRY_MS_MAX;
}

static void on_listed(struct docker_call *call, const struct docker_reply *reply)
{
	struct docker_events *e = CONTAINER_OF(call, struct docker_events, list);
	const struct docker_place place = {.balancer = e->use.balancer,
					   .pool = e->use.pool, .network = ""};
	struct spawn_server *found;
	uint32_t count;
	struct err err;

	if (reply->status != 200 ||
	    docker_answer_list(reply->text, &place, &found, &count, &err) != 0) {
		if (e->up)		/* else it is asked for with the stream */
			try_later(e);
		return;
	}
	LIST_EACH(&e->watched, at, next) {
		struct watched *w = CONTAINER_OF(at, struct watched, link);
		w->missing = w->asked && !runs(found, count, w->id);
	}
	free(found);
	tell_missing(e);
}

static void compare(struct docker_events *e)
{
	if (e->list.client != NULL || list_empty(&e->watched))
		return;
	LIST_EACH(&e->watched, at, next)
		CONTAINER_OF(at, struct watched, link)->asked = true;
	e->list.limit_ms = DOCKER_CALL_MS;
	docker_client_call(e->use.client, &e->list, "GET",
			   docker_ask_list(e->use.balancer, e->use.pool), NULL);
}

/* ---- the stream ---- */

static uint64_t now_s(const struct docker_events *e)
{
	return loop_wall_us(e->use.loop) / 1000000;
}

static void remember(struct docker_events *e, const struct docker_event *event)
{
	struct death *death = find_death(e, event->id);

	if (death == NULL)
		death = &e->deaths[e->death_count++ % DOCKER_EVENTS_DIED_MAX];
	else if (event->exit_code < 0)
		return;
	*death = (struct death){hash_bytes(event->id, strlen(event->id)),
				event->exit_code};
}

/* False: e is gone. */
static bool take_line(struct docker_events *e, struct span line)
{
	const struct docker_place place = {.balancer = e->use.balancer,
					   .pool = e->use.pool, .network = ""};
	struct docker_event event;
	char why[DOCKER_WHY_SIZE];

	if (!docker_answer_event(line, &place, &event))
		return true;
	remember(e, &event);
	struct watched *w = find(e, event.id);
	if (w == NULL)
		return true;
	forget(w);
	if (event.died)
		docker_answer_exit(event.exit_code, false, why);
	else
		snprintf(why, sizeof why, "was removed");
	tell(e, event.id, why);
	return still_open(e);
}

static void drop_part(struct docker_events *e)
{
	free(e->part);
	e->part = NULL;
	e->part_len = 0;
}

static void connect_later(struct docker_events *e, const char *reason)
{
	if (!e->said)
		log_warn("the container engine tells of no events, ends of servers are "
			 "found later pool=%s reason=\"%s\"", e->use.pool, reason);
	e->said = true;
	e->up = false;
	drop_part(e);
	docker_client_cancel(&e->stream);
	compare(e);
	try_later(e);
}

static bool keep_part(struct docker_events *e, struct span rest)
{
	if (rest.len > DOCKER_EVENTS_LINE_MAX - e->part_len) {
		connect_later(e, "a line of it is too long");
		return false;
	}
	if (rest.len > 0) {
		e->part = memory_grow(e->part, e->part_len + rest.len, 1);
		memcpy(e->part + e->part_len, rest.at, rest.len);
		e->part_len += rest.len;
	}
	return true;
}

static void on_stands(struct docker_events *e)
{
	e->up = true;
	e->retry_ms = DOCKER_EVENTS_RETRY_MS_MIN;
	loop_timer_stop(e->use.loop, &e->timer);
	if (e->said)
		log_info("the container engine tells of events again pool=%s",
			 e->use.pool);
	e->said = false;
	compare(e);
}

static void on_piece(struct docker_call *call, struct span piece)
{
	struct docker_events *e = CONTAINER_OF(call, struct docker_events, stream);
	const char *end;

	if (!e->up)
		on_stands(e);
	while (piece.len > 0 && (end = memchr(piece.at, '\n', piece.len)) != NULL) {
		struct span line = {piece.at, (size_t)(end - piece.at)};
		piece.at += line.len + 1;
		piece.len -= line.len + 1;
		if (e->part == NULL) {
			if (!take_line(e, line))
				return;
			continue;
		}
		if (!keep_part(e, line))
			return;
		char *whole = e->part;
		line = (struct span){whole, e->part_len};
		e->part = NULL;
		e->part_len = 0;
		bool open = take_line(e, line);
		free(whole);
		if (!open)
			return;
	}
	keep_part(e, piece);
}

static void on_broken(struct docker_call *call, const struct docker_reply *reply)
{
	struct docker_events *e = CONTAINER_OF(call, struct docker_events, stream);

	if (e->up)
		e->since = now_s(e) - 1;	/* whatever the cut has left out */
	connect_later(e, *reply->err->text != '\0' ? reply->err->text : "it ended");
}

static void on_due(struct loop_timer *t)
{
	struct docker_events *e = CONTAINER_OF(t, struct docker_events, timer);

	if (e->up) {
		compare(e);
	} else if (e->stream.client != NULL) {
		connect_later(e, "it did not begin in time");
	} else {
		loop_timer_start(e->use.loop, &e->timer, DOCKER_EVENTS_HEAD_MS_MAX);
		docker_client_call(e->use.client, &e->stream, "GET",
				   docker_ask_events(e->use.balancer, e->use.pool,
						     e->since), NULL);
	}
}

struct docker_events *docker_events_open(const struct docker_events_use *use)
{
	struct docker_events *e = memory_new(1, sizeof *e);

	e->use = *use;
	e->stream.on_done = on_broken;
	e->stream.on_piece = on_piece;
	e->list.on_done = on_listed;
	e->retry_ms = DOCKER_EVENTS_RETRY_MS_MIN;
	e->since = now_s(e) - 1;
	list_init(&e->watched);
	loop_timer_init(&e->timer, on_due);
	loop_timer_start(use->loop, &e->timer, 0);
	return e;
}

void docker_events_close(struct docker_events *e)
{
	docker_client_cancel(&e->stream);
	docker_client_cancel(&e->list);
	loop_timer_stop(e->use.loop, &e->timer);
	drop_part(e);
	LIST_EACH(&e->watched, at, next)
		forget(CONTAINER_OF(at, struct watched, link));
	e->closed = true;
	if (!e->telling)
		free(e);
}
