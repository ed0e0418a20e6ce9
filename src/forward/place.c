#include "forward/place.h"

#include "base/must.h"

uint32_t place_pick(struct lane *lane, uint64_t key, const struct tried *tried)
{
	uint32_t at = lane->pool->policy->pick(&lane->view, &lane->state, key, tried);

	if (at == PICK_NONE && lane->pool->check.kind == CHECK_OFF)
		at = pick_suspect(&lane->view, &lane->state, key, tried);
	return at;
}

enum place_answer place_take(struct place *p, struct worker *w, const struct lane *lane,
			     uint32_t at, const struct tried *tried)
{
	must(p->server == NULL);
	if (at == PICK_NONE) {
		if (pick_why_none(&lane->view, tried) == PICK_ALL_BUSY)
			return PLACE_BUSY;
		live_count(&lane->pool->live->no_server_up);
		return PLACE_NOBODY;
	}
	const struct pick_server *s = &lane->view.servers[at];
	if (s->parallel_max > 0 && !gate_enter(&s->live->gate, s->parallel_max, w->number))
		return PLACE_BUSY;
	*p = (struct place){
		.server = s->live, .pool = lane->pool->live,
		.limited = s->parallel_max > 0, .bounded = lane->pool->bounded_percent > 0,
	};
	live_server_enter(p->server, p->pool, p->bounded);
	live_count(&p->server->requests);
	return PLACE_TAKEN;
}

void place_leave(struct place *p, struct worker *w)
{
	struct live_server *server = p->server;

	if (server == NULL)
		return;
	p->server = NULL;
	live_server_leave(server, p->pool, p->bounded);
	if (!p->limited)
		return;
	uint64_t waiting = gate_leave(&server->gate);
	if (atomic_load(&p->pool->waiting_loops) != 0)
		waiting |= atomic_exchange(&p->pool->waiting_loops, 0);
	if (waiting != 0)
		worker_wake(w, waiting);
}

/* `up` is read in the one order of all threads: who sets it looks for waiting loops
 * behind that. */
static bool somebody_has_room(const struct lane *lane, const struct tried *tried)
{
	for (uint32_t i = 0; i < lane->view.count; i++) {
		const struct pick_server *s = &lane->view.servers[i];
		if (atomic_load(&s->live->up) && pick_is_open(s) && !pick_was_tried(tried, i) &&
		    (s->parallel_max == 0 || atomic_load(&s->live->gate.inside) < s->parallel_max))
			return true;
	}
	return false;
}

/* To be followed by a look whether somebody has room. Who leaves from here on sees the
 * note; who left before it, the look behind it: both are sequentially consistent, and
 * so are the two of place_leave. */
static void note_wait(const struct worker *w, const struct lane *lane)
{
	atomic_fetch_or(&lane->pool->live->waiting_loops, 1ull << w->number);
}

bool place_wait(struct worker *w, struct lane *lane, struct waiter *waiter, bool again,
		const struct tried *tried)
{
	struct live_pool *live = lane->pool->live;

	if (atomic_fetch_add(&live->waiting, 1) >= lane->pool->queue_max) {
		atomic_fetch_sub(&live->waiting, 1);
		live_count(&live->queue_full);
		return false;
	}
	waiter->choosy = tried->count > 0;
	if (again)
		list_push_first(&lane->waiting, &waiter->link);
	else
		list_push_last(&lane->waiting, &waiter->link);
	if (!again)
		live_count(&live->queued);
	note_wait(w, lane);
	if (somebody_has_room(lane, tried))
		worker_wake(w, 1ull << w->number);
	return true;
}

void place_stop_waiting(const struct lane *lane, struct waiter *waiter)
{
	if (list_empty(&waiter->link))
		return;
	list_remove(&waiter->link);
	atomic_fetch_sub(&lane->pool->live->waiting, 1);
}

bool place_may_be_free(const struct worker *w, const struct lane *lane,
		       const struct tried *tried)
{
	note_wait(w, lane);
	return somebody_has_room(lane, tried) ||
	       (!place_is_patient(w, lane) &&
		pick_why_none(&lane->view, tried) != PICK_ALL_BUSY);
}

void place_need(struct worker *w, const struct edition *e, const struct lane *lane,
		struct tried *tried)
{
	struct live_pool *live = lane->pool->live;

	if (!place_is_patient(w, lane) ||
	    pick_why_none(&lane->view, tried) != PICK_ALL_DOWN)
		return;
	tried->count = 0;
	if (!atomic_exchange(&live->need_told, true))
		w->hooks.server_needed(w->hooks.arg, e->model, live);
}

uint32_t place_same(const struct lane *from, uint32_t at, const struct lane *to)
{
	if (at >= from->view.count)
		return PICK_NONE;
	for (uint32_t i = 0; i < to->view.count; i++)
		if (to->view.servers[i].live == from->view.servers[at].live)
			return i;
	return PICK_NONE;
}

bool place_follow(struct worker *w, struct edition **e, struct lane **lane,
		  struct tried *tried)
{
	struct lane *from = *lane, *to;

	if (*e == w->now || from->pool->own == NULL)
		return false;
	to = edition_find_lane(w->now, from->pool->live);
	if (to == NULL)
		return false;	/* the pool is no more: what it has left has to do */
	struct tried before = *tried;
	tried->count = 0;
	for (uint32_t i = 0; i < before.count; i++) {
		uint32_t at = place_same(from, before.at[i], to);
		if (at != PICK_NONE)
			pick_note_tried(tried, at);
	}
	*e = edition_use(w->now);
	*lane = to;
	return true;
}

void place_succeed(struct worker *w, const struct edition *e, const struct lane *lane,
		   struct live_server *server)
{
	live_server_succeeded(server);
	if (UNLIKELY(!atomic_load_explicit(&server->up, memory_order_relaxed)) &&
	    lane->pool->check.kind == CHECK_OFF && !atomic_exchange(&server->proof_told, true))
		w->hooks.proved(w->hooks.arg, e->model, server);
}

void place_note_tried(const struct lane *lane, const struct live_server *server,
		      struct tried *tried)
{
	for (uint32_t i = 0; i < lane->view.count; i++)
		if (lane->view.servers[i].live == server)
			pick_note_tried(tried, i);
}

void place_fail_dial(struct worker *w, const struct edition *e, const struct lane *lane,
		     struct live_server *server, enum dial_result result)
{
	static const enum live_failure failures[DIAL_RESULTS] = {
		[DIAL_REFUSED] = FAILURE_REFUSED,
		[DIAL_TIMED_OUT] = FAILURE_CONNECT_TIMEOUT,
		[DIAL_UNREACHABLE] = FAILURE_UNREACHABLE,
	};

	if (failures[result] != FAILURE_NONE)
		place_fail(w, e, lane, server, failures[result]);
}

void place_fail(struct worker *w, const struct edition *e, const struct lane *lane,
		struct live_server *server, enum live_failure why)
{
	if (live_server_failed(server, why, lane->pool->passive_fails))
		w->hooks.marked_down(w->hooks.arg, e->model, server, why);
}
