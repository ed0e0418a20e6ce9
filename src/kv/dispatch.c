#include "kv/dispatch.h"

#include "base/hash.h"
#include "base/must.h"
#include "kv/client.h"
#include "kv/link.h"

/* ---- answers ---- */

static void end(struct kv_hub *hub, struct kv_request *r)
{
	struct kv_pool *pool = r->pool;

	kv_request_destroy(&hub->requests, r);
	kv_pool_release(pool);
}

/* Leaves the place at the server that it was sent to. */
static void leave_server(struct kv_request *r)
{
	gate_leave(&r->server->gate);	/* loops that wait look by themselves
					 * (KV_RETRY_MS) */
	live_server_leave(r->server, r->pool->live, false);
	r->server = NULL;
	kv_edition_release(r->edition);
	r->edition = NULL;
}

/* The answer is there; nobody else has the request any more. */
static void answer(struct kv_hub *hub, struct kv_request *r, enum kv_result result,
		   struct span value)
{
	r->state = KV_ANSWERED;
	r->result = (uint8_t)result;
	if (r->client != NULL)
		kv_client_answered(r->client, r, value);
	else
		end(hub, r);
}

static void refuse(struct kv_hub *hub, struct kv_request *r, enum kv_result result,
		   struct span why)
{
	kv_request_answer(r, result, why);
	answer(hub, r, r->result, (struct span){r->answer, r->answer_len});
}

/* ---- where to ---- */

/* A write that version 1 has no words for: a worker of it could not follow. */
static bool is_beyond_version_1(const struct kv_request *r)
{
	if (!kv_verb_writes(r->verb))
		return false;
	return r->verb != KV_VERB_SET || r->expires_ms != 0 ||
	       (r->flags & (KV_IF_ABSENT | KV_IF_PRESENT)) != 0;
}

/* Only workers of version 2 count, or tell of themselves. */
static bool suits(const struct kv_route *route, const struct kv_request *r)
{
	return route != NULL && (route->speaks >= 2 || r->verb == KV_VERB_GET ||
				 r->verb == KV_VERB_SET);
}

/* Nobody who is there can do it, however long it waits; meanwhile it would hold up all
 * that was asked after it. */
static bool is_in_vain(const struct kv_pool *p, const struct kv_request *r)
{
	bool anybody = false;

	if (atomic_load_explicit(&p->shared->old_workers, memory_order_relaxed) == 0)
		return false;
	for (uint32_t i = 0; i < p->lane->view.count; i++) {
		if (suits(p->lane->routes[i], r))
			return false;
		anybody |= p->lane->routes[i] != NULL;
	}
	return anybody;
}

static void refuse_in_vain(struct kv_hub *hub, struct kv_request *r)
{
	refuse(hub, r, KV_BUSY, SPAN("no worker of version 2 is ready, and others cannot "
				     "do it"));
}

/* Any that can do it, where as many others as a pick remembers cannot. */
static uint32_t pick_any(const struct kv_lane *lane, const struct kv_request *r)
{
	const struct tried none = {.count = 0};

	for (uint32_t i = 0; i < lane->view.count; i++)
		if (suits(lane->routes[i], r) && pick_may(&lane->view, i, &none))
			return i;
	return PICK_NONE;
}

/* The server that shall get it, or PICK_NONE. Those that have no route yet, or
 * cannot do it, are left out. A key stays with its worker when that one is busy:
 * it is waited for. */
static uint32_t pick(struct kv_lane *lane, const struct kv_request *r)
{
	struct tried tried = {.count = 0};
	bool own = r->client != NULL && r->client->writes > r->counts_write;
	bool by_key = kv_verb_writes(r->verb) || (own && r->key_len > 0);
	const struct policy *policy = by_key ? &policy_rendezvous : lane->pool->policy;
	const struct pick_view *view = by_key ? &lane->by_key : &lane->view;
	struct pick_state *state = by_key ? &lane->writes : &lane->reads;

	while (tried.count < PICK_TRIED_MAX) {
		uint32_t at = policy->pick(view, state, r->hash, &tried);
		if (at == PICK_NONE)
			return PICK_NONE;
		if (suits(lane->routes[at], r))
			return pick_is_busy(&lane->servers[at]) ? PICK_NONE : at;
		pick_note_tried(&tried, at);
	}
	return pick_any(lane, r);
}

/* STATS of one worker: no choice. */
static uint32_t find_worker(const struct kv_lane *lane, struct span key)
{
	uint64_t id;

	if (!span_to_u64(key, &id))
		return PICK_NONE;
	for (uint32_t i = 0; i < lane->view.count; i++)
		if (lane->routes[i] != NULL && lane->routes[i]->worker == id &&
		    lane->routes[i]->speaks >= 2)
			return i;
	return PICK_NONE;
}

static bool go_to(struct kv_hub *hub, struct kv_request *r, const struct kv_route *route)
{
	uint32_t lane = hub->number % route->lanes;

	for (uint32_t i = 0; i < route->lanes; i++)	/* our own, if we have one */
		if (route->to[i].hub == hub->number)
			lane = i;
	r->link = route->to[lane].link;
	if (route->to[lane].hub != hub->number) {
		kv_hub_pass(hub, route->to[lane].hub, r);
		return true;
	}
	struct kv_link *l = kv_link_find(hub, r->link);
	return l != NULL && kv_link_send(l, r);
}

/* False: nobody can take it now. */
static bool send_it(struct kv_hub *hub, struct kv_request *r, uint32_t at)
{
	struct kv_pool *p = r->pool;
	struct live_server *server = p->lane->servers[at].live;

	if (!gate_enter(&server->gate, p->lane->servers[at].parallel_max, hub->number))
		return false;
	r->state = KV_SENT;
	r->server = server;
	r->edition = kv_edition_use(p->edition);
	live_server_enter(server, p->live, false);
	if (!go_to(hub, r, p->lane->routes[at])) {
		leave_server(r);
		r->state = KV_WAITING;
		return false;
	}
	live_count(&server->requests);
	return true;
}

static bool try_to_send(struct kv_hub *hub, struct kv_request *r)
{
	uint32_t at = pick(r->pool->lane, r);

	return at != PICK_NONE && send_it(hub, r, at);
}

/* ---- waiting ---- */

static struct kv_request *request_of(struct link *waiting)
{
	return CONTAINER_OF(waiting, struct kv_request, waiting);
}

static void stop_waiting(struct kv_request *r)
{
	struct kv_pool *p = r->pool;

	if (p->came_back == r)
		p->came_back = NULL;
	list_remove(&r->waiting);
	p->waiting_count--;
	atomic_fetch_sub_explicit(&p->live->waiting, 1, memory_order_relaxed);
}

/* Behind those that were asked for earlier. Those that come back do so in order, each
 * behind the one before: it is looked for from there. */
static void put_in_order(struct kv_pool *p, struct kv_request *r)
{
	struct link *before = &p->waiting;

	if (p->came_back != NULL && p->came_back->number < r->number)
		before = &p->came_back->waiting;
	while (before->next != &p->waiting &&
	       request_of(before->next)->number < r->number)
		before = before->next;
	list_insert(before, &r->waiting);
	p->came_back = r;
}

/* Whether it has been waiting since since_ms: what was not taken has never stopped. */
static bool has_waited(const struct kv_request *r)
{
	return r->outcome == KV_OUTCOME_NOT_TAKEN && r->since_ms != 0;
}

static void wait_for_room(struct kv_hub *hub, struct kv_request *r, bool came_back)
{
	struct kv_pool *p = r->pool;

	r->state = KV_WAITING;
	if (!has_waited(r))
		r->since_ms = loop_now_ms(hub->loop);
	live_count(&p->live->queued);
	if (came_back)
		put_in_order(p, r);
	else
		list_push_last(&p->waiting, &r->waiting);
	p->waiting_count++;
	atomic_fetch_add_explicit(&p->live->waiting, 1, memory_order_relaxed);
	if (!p->again.armed)
		loop_timer_start(hub->loop, &p->again, KV_RETRY_MS);
}

bool kv_dispatch_is_full(const struct kv_pool *p)
{
	return p->waiting_count > 0 &&
	       atomic_load_explicit(&p->live->waiting, memory_order_relaxed) >=
		       p->lane->pool->queue_max;
}

static bool is_late(const struct kv_pool *p, const struct kv_request *r)
{
	return loop_now_ms(p->hub->loop) - r->since_ms >= p->lane->pool->queue_ms;
}

/* It has waited for too long. */
static void give_up(struct kv_pool *p, struct kv_request *r)
{
	live_count(&p->live->queue_timeouts);
	if (atomic_load_explicit(&p->shared->ready, memory_order_relaxed) == 0) {
		live_count(&p->live->no_server_up);
		refuse(p->hub, r, KV_BUSY, SPAN("no workers available"));
	} else {
		refuse(p->hub, r, KV_BUSY, SPAN("all workers are busy"));
	}
}

/* Those who found the queue full go on. */
static void wake_clients(struct kv_pool *p)
{
	if (!p->holds_up || kv_dispatch_is_full(p))
		return;
	p->holds_up = false;
	LIST_EACH(&p->hub->clients, it, next) {
		struct kv_client *c = CONTAINER_OF(it, struct kv_client, link);
		if (c->pool == p)
			kv_client_wake(c);
	}
}

void kv_dispatch_waiting(struct kv_pool *p)
{
	struct kv_hub *hub = p->hub;

	p->users++;
	while (!list_empty(&p->waiting)) {
		struct kv_request *r = request_of(p->waiting.next);
		bool in_vain = is_in_vain(p, r);
		if (!in_vain && !try_to_send(hub, r))
			break;
		stop_waiting(r);
		if (in_vain)
			refuse_in_vain(hub, r);
	}
	while (!list_empty(&p->waiting)) {
		struct kv_request *r = request_of(p->waiting.next);
		if (!is_late(p, r))
			break;
		stop_waiting(r);
		give_up(p, r);
	}
	wake_clients(p);
	kv_pool_release(p);
}

/* ---- coming, and coming back ---- */

void kv_dispatch(struct kv_hub *hub, struct kv_request *r)
{
	struct kv_pool *p = r->pool;

	r->number = ++hub->requests_begun;
	if (r->verb == KV_VERB_STATS) {
		uint32_t at = find_worker(p->lane, kv_request_key(r));
		if (at == PICK_NONE)
			refuse(hub, r, KV_NOT_FOUND, SPAN("no worker of version 2 has "
							  "this id"));
		else if (!send_it(hub, r, at))
			refuse(hub, r, KV_BUSY, SPAN("the worker is busy"));
		return;
	}
	if (is_beyond_version_1(r) &&
	    atomic_load_explicit(&p->shared->old_workers, memory_order_relaxed) > 0) {
		refuse(hub, r, KV_PROTOCOL,
		       SPAN("with a worker of version 1 in the pool only GET and plain "
			    "SET"));
		return;
	}
	r->hash = hash_bytes(r->bytes, r->key_len);
	if (kv_verb_writes(r->verb)) {
		r->version = kv_shared_version(p->shared, loop_wall_us(hub->loop));
		enum acks acks = p->lane->pool->acks;
		r->flags |= acks == ACKS_ALL ? KV_ACK_ALL :
			    acks == ACKS_ONE ? KV_ACK_ONE : 0;
	}
	if (is_in_vain(p, r))
		refuse_in_vain(hub, r);
	else if (p->waiting_count > 0 || !try_to_send(hub, r))
		wait_for_room(hub, r, false);
}

/* Its worker was lost, or had no room after all: somewhere else, in the order of asking.
 * What was not taken finds no place where it has just been: it waits a moment. */
static void go_elsewhere(struct kv_hub *hub, struct kv_request *r)
{
	struct kv_pool *p = r->pool;
	bool is_next = list_empty(&p->waiting) ||
		       r->number < request_of(p->waiting.next)->number;

	if (r->tries > p->lane->pool->retries_max) {
		refuse(hub, r, KV_NETWORK, SPAN("the workers that were asked were lost"));
		return;
	}
	if (has_waited(r) && is_late(p, r)) {
		give_up(p, r);
		return;
	}
	if (r->outcome == KV_OUTCOME_LOST)
		live_count(&p->live->retries);
	if (r->outcome != KV_OUTCOME_LOST || !is_next || !try_to_send(hub, r))
		wait_for_room(hub, r, true);
}

void kv_dispatch_returned(struct kv_hub *hub, struct kv_request *r, struct span value)
{
	struct live_server *server = r->server;
	struct kv_pool *p = r->pool;

	must(r->state == KV_SENT);
	bool answered = r->outcome == KV_OUTCOME_ANSWER;
	p->users++;
	if (answered) {
		live_count(&server->responses);
		leave_server(r);
		answer(hub, r, r->result, value);
	} else {
		r->tries += r->outcome == KV_OUTCOME_LOST;
		live_count(&server->retried_away);
		leave_server(r);
		if (r->client == NULL)
			end(hub, r);
		else if (r->verb == KV_VERB_STATS)
			refuse(hub, r, KV_NETWORK, SPAN("the worker was lost"));
		else
			go_elsewhere(hub, r);
	}
	if (p->waiting_count > 0 && answered)
		kv_dispatch_waiting(p);
	kv_pool_release(p);
}

void kv_dispatch_return(struct kv_hub *hub, struct kv_request *r, enum kv_outcome outcome,
			enum kv_result result, struct span value)
{
	r->outcome = (uint8_t)outcome;
	r->result = (uint8_t)result;
	if (r->home == hub->number) {
		kv_dispatch_returned(hub, r, value);
		return;
	}
	kv_request_answer(r, result, value);
	kv_hub_pass(hub, r->home, r);
}

void kv_dispatch_abandon(struct kv_hub *hub, struct kv_request *r)
{
	r->client = NULL;
	if (r->state == KV_SENT)
		return;			/* ends when it comes back */
	if (r->state == KV_WAITING)
		stop_waiting(r);
	end(hub, r);
}
