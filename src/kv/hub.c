#include "kv/hub.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/heap.h"
#include "base/memory.h"
#include "base/must.h"
#include "kv/client.h"
#include "kv/dispatch.h"
#include "kv/link.h"

/* ---- between hubs ---- */

void kv_hub_pass(struct kv_hub *hub, unsigned to, struct kv_request *r)
{
	r->next = hub->outgoing[to];
	hub->outgoing[to] = r;
	hub->outgoing_hubs |= 1ull << to;
	kv_hub_at_end(hub);
}

/* Puts a list whose last one is first in front of what waits at the other hub. Who finds
 * the inbox empty posts its job: acquiring what the owner released as it emptied it,
 * since the job is free again only then. */
static void push(struct kv_hub *to, struct kv_request *last)
{
	struct kv_request *first = last, *there;

	while (first->next != NULL)
		first = first->next;
	there = atomic_load_explicit(&to->inbox, memory_order_relaxed);
	do
		first->next = there;
	while (!atomic_compare_exchange_weak_explicit(&to->inbox, &there, last,
						      memory_order_acq_rel,
						      memory_order_relaxed));
	if (there == NULL)
		loop_post(to->loop, &to->inbox_job);
}

static void push_outgoing(struct kv_hub *hub)
{
	while (hub->outgoing_hubs != 0) {
		unsigned to = (unsigned)__builtin_ctzll(hub->outgoing_hubs);
		hub->outgoing_hubs &= hub->outgoing_hubs - 1;
		struct kv_request *last = hub->outgoing[to];
		hub->outgoing[to] = NULL;
		push(hub->all[to], last);
	}
}

static void take_in(struct kv_hub *hub, struct kv_request *r)
{
	if (r->home == hub->number) {
		kv_dispatch_returned(hub, r, (struct span){r->answer, r->answer_len});
		return;
	}
	struct kv_link *l = kv_link_find(hub, r->link);
	if (l == NULL || !kv_link_send(l, r))
		kv_dispatch_return(hub, r, KV_OUTCOME_NOT_TAKEN, KV_NETWORK,
				   (struct span){0});
}

static void on_inbox(struct loop_job *job)
{
	struct kv_hub *hub = CONTAINER_OF(job, struct kv_hub, inbox_job);
	struct kv_request *r = atomic_exchange_explicit(&hub->inbox, NULL,
							memory_order_acq_rel);
	struct kv_request *first = NULL;

	while (r != NULL) {	/* the first one last: turn it round */
		struct kv_request *before = r->next;
		r->next = first;
		first = r;
		r = before;
	}
	while (first != NULL) {
		r = first;
		first = r->next;
		take_in(hub, r);
	}
	kv_hub_at_end(hub);
}

/* ---- the end of a turn ---- */

static void free_ended(struct kv_hub *hub)
{
	LIST_EACH(&hub->ended_clients, it, next)
		kv_client_free(CONTAINER_OF(it, struct kv_client, unsent));
	LIST_EACH(&hub->ended_links, it, next)
		kv_link_free(CONTAINER_OF(it, struct kv_link, unsent));
}

/* Many clients ask one after the other, and each would be a turn of its own: woken for,
 * read, sent, answered. In a moment's pause several come together, which saves them more
 * time than the pause takes. Few would only be delayed by it. */
static void pause_if_busy(struct kv_hub *hub)
{
	uint64_t now_ms = loop_now_ms(hub->loop);

	if (hub->busy.at_ms != now_ms) {
		hub->busy.most_before = hub->busy.most;
		hub->busy.most = 0;
		hub->busy.at_ms = now_ms;
	}
	if (hub->busy.most < hub->asking)
		hub->busy.most = hub->asking;
	if (hub->busy.most >= KV_BUSY_MIN || hub->busy.most_before >= KV_BUSY_MIN)
		loop_pause(hub->loop);
}

/* Sending may end a client or a link, and with that give requests back: so until nothing
 * is left. What goes on reading does so in the next turn, which bounds this. */
static void on_end_of_turn(struct loop_task *t)
{
	struct kv_hub *hub = CONTAINER_OF(t, struct kv_hub, end_of_turn);

	while (!list_empty(&hub->unsent_links) || !list_empty(&hub->unsent_clients)) {
		while (!list_empty(&hub->unsent_links)) {
			struct link *first = hub->unsent_links.next;
			list_remove(first);
			kv_link_flush(CONTAINER_OF(first, struct kv_link, unsent));
		}
		while (!list_empty(&hub->unsent_clients)) {
			struct link *first = hub->unsent_clients.next;
			list_remove(first);
			kv_client_flush(CONTAINER_OF(first, struct kv_client, unsent));
		}
	}
	push_outgoing(hub);
	free_ended(hub);
	kv_hub_look_whether_done(hub);
	pause_if_busy(hub);
}

/* The last of some clients has gone: what they have left free is for others than us. */
static void give_memory_back(struct kv_hub *hub)
{
	if (hub->client_count > 0 || hub->clients_seen == hub->clients_begun)
		return;
	hub->clients_seen = hub->clients_begun;
	heap_trim();
}

static void on_second(struct loop_timer *t)
{
	struct kv_hub *hub = CONTAINER_OF(t, struct kv_hub, every_second);

	give_memory_back(hub);
	for (uint32_t i = 0; i < KV_LINKS_MAX; i++)
		if (hub->links[i] != NULL)
			kv_link_look(hub->links[i]);
	if (hub->link_count > 0)
		loop_timer_start(hub->loop, t, 1000);
	kv_hub_at_end(hub);
}

/* Once a turn: closing with bytes unread would be a reset, which takes our
 * last words with it. */
bool kv_hub_leave_unread(struct kv_hub *hub, struct stream *s)
{
	size_t got;

	if (!s->readable && !s->ended)
		return false;
	enum stream_result result = stream_read(s, hub->scratch, KV_SCRATCH_BYTES, &got);
	if (result == STREAM_OK)
		loop_again(hub->loop, &s->watch);
	return result == STREAM_END || result == STREAM_BROKEN;
}

/* ---- models ---- */

struct adoption {
	struct loop_job job;
	struct kv_hub  *hub;
	struct kv_edition *edition;
	uint32_t count;
	struct kv_opening openings[];
};

static const char shutdown_message[] = {KV_SHUTDOWN, 0, 0};

/* Nobody asks any more for the pool that these workers have joined. */
static void close_links_without_pool(struct kv_hub *hub)
{
	for (uint32_t i = 0; i < KV_LINKS_MAX; i++) {
		struct kv_link *l = hub->links[i];
		if (l != NULL && kv_edition_lane(hub->now, l->pool->live) == NULL)
			kv_link_close(l, shutdown_message, sizeof shutdown_message);
	}
}

static void on_adopt(struct loop_job *job)
{
	struct adoption *a = CONTAINER_OF(job, struct adoption, job);
	struct kv_hub *hub = a->hub;
	struct kv_edition *before = hub->now;

	hub->now = a->edition;
	kv_edition_route(hub->now, &hub->routes);
	LIST_EACH(&hub->pools, it, next)
		kv_pool_adopt(CONTAINER_OF(it, struct kv_pool, link), hub->now);
	LIST_EACH(&hub->ports, it, next)
		kv_port_adopt(CONTAINER_OF(it, struct kv_port, link), hub->now);
	for (uint32_t i = 0; i < a->count; i++)
		kv_port_open(hub, &a->openings[i]);
	LIST_EACH(&hub->pools, it, next)
		kv_dispatch_waiting(CONTAINER_OF(it, struct kv_pool, link));
	close_links_without_pool(hub);
	kv_edition_release(before);
	kv_hub_at_end(hub);
	free(a);
}

void kv_hub_adopt(struct kv_hub *hub, const struct model *m,
		  const struct kv_opening *openings, uint32_t count)
{
	struct adoption *a = memory_new(1, sizeof *a + count * sizeof a->openings[0]);

	a->job.run = on_adopt;
	a->hub = hub;
	a->edition = kv_edition_create(m, hub->number);
	a->count = count;
	for (uint32_t i = 0; i < count; i++)
		a->openings[i] = openings[i];
	loop_post(hub->loop, &a->job);
}

/* ---- the end ---- */

void kv_hub_look_whether_done(struct kv_hub *hub)
{
	if (hub->draining && !hub->told_clients_gone && hub->client_count == 0 &&
	    hub->requests.count == 0) {
		hub->told_clients_gone = true;	/* others may still wait
						 * for our workers */
		hub->hooks.clients_gone(hub->hooks.arg, hub);
	}
	if (hub->parting && !hub->told_parted && hub->link_count == 0) {
		hub->told_parted = true;
		loop_timer_stop(hub->loop, &hub->drain_limit);
		hub->hooks.parted(hub->hooks.arg, hub);
	}
}

static void end_clients(struct kv_hub *hub)
{
	LIST_EACH(&hub->clients, it, next)
		kv_client_end(CONTAINER_OF(it, struct kv_client, link));
	kv_hub_at_end(hub);
}

static void end_links(struct kv_hub *hub)
{
	for (uint32_t i = 0; i < KV_LINKS_MAX; i++)
		if (hub->links[i] != NULL)
			kv_link_end(hub->links[i]);
	kv_hub_at_end(hub);
}

/* Time is over: for clients, or for workers that do not take their SHUTDOWN. Requests of
 * clients that have gone are with a worker that does not answer: it is given up. */
static void on_drain_limit(struct loop_timer *t)
{
	struct kv_hub *hub = CONTAINER_OF(t, struct kv_hub, drain_limit);

	end_clients(hub);
	end_links(hub);
}

struct draining {
	struct loop_job job;
	struct kv_hub  *hub;
	uint32_t        limit_ms;
	void (*stop)(struct acceptor *a);
};

static void on_drain(struct loop_job *job)
{
	struct draining *d = CONTAINER_OF(job, struct draining, job);
	struct kv_hub *hub = d->hub;

	if (!hub->draining) {
		hub->draining = true;
		LIST_EACH(&hub->ports, it, next)
			d->stop(&CONTAINER_OF(it, struct kv_port, link)->acceptor);
		LIST_EACH(&hub->clients, it, next)
			kv_client_close(CONTAINER_OF(it, struct kv_client, link));
	}
	if (d->limit_ms == 0)
		on_drain_limit(&hub->drain_limit);
	else if (!hub->parting)
		loop_timer_start(hub->loop, &hub->drain_limit, d->limit_ms);
	kv_hub_at_end(hub);
	free(d);
}

static void ask_to_drain(struct kv_hub *hub, uint32_t limit_ms,
			 void (*stop)(struct acceptor *a))
{
	struct draining *d = memory_new(1, sizeof *d);

	*d = (struct draining){.job.run = on_drain, .hub = hub, .limit_ms = limit_ms,
			       .stop = stop};
	loop_post(hub->loop, &d->job);
}

void kv_hub_drain(struct kv_hub *hub, uint32_t limit_ms)
{
	ask_to_drain(hub, limit_ms, acceptor_stop);
}

void kv_hub_leave(struct kv_hub *hub, uint32_t limit_ms)
{
	ask_to_drain(hub, limit_ms, acceptor_close);
}

static void on_part(struct loop_job *job)
{
	struct draining *d = CONTAINER_OF(job, struct draining, job);
	struct kv_hub *hub = d->hub;

	hub->parting = true;
	for (uint32_t i = 0; i < KV_LINKS_MAX; i++)
		if (hub->links[i] != NULL)
			kv_link_close(hub->links[i], shutdown_message,
				      sizeof shutdown_message);
	if (hub->link_count > 0)
		loop_timer_start(hub->loop, &hub->drain_limit, d->limit_ms);
	kv_hub_at_end(hub);
	free(d);
}

void kv_hub_part(struct kv_hub *hub)
{
	enum { GOODBYE_MS = 1000 };
	struct draining *d = memory_new(1, sizeof *d);

	*d = (struct draining){.job.run = on_part, .hub = hub, .limit_ms = GOODBYE_MS};
	loop_post(hub->loop, &d->job);
}

/* ---- itself ---- */

struct kv_hub *kv_hub_create(unsigned number, struct loop *loop, struct live *live,
			     struct kv_hub **all, const struct kv_hub_hooks *hooks)
{
	struct kv_hub *hub = memory_new_aligned(64, sizeof *hub);

	hub->number = number;
	hub->loop = loop;
	hub->live = live;
	hub->all = all;
	hub->hooks = *hooks;
	list_init(&hub->ports);
	list_init(&hub->pools);
	list_init(&hub->routes);
	list_init(&hub->clients);
	list_init(&hub->unsent_clients);
	list_init(&hub->unsent_links);
	list_init(&hub->ended_clients);
	list_init(&hub->ended_links);
	slab_init(&hub->clients_slab, sizeof(struct kv_client));
	kv_requests_init(&hub->requests);
	hub->inbox_job.run = on_inbox;
	loop_task_init(&hub->end_of_turn, on_end_of_turn);
	loop_timer_init(&hub->every_second, on_second);
	loop_timer_init(&hub->drain_limit, on_drain_limit);
	hub->scratch = memory_new(1, KV_SCRATCH_BYTES);
	return hub;
}

void kv_hub_use_registry(struct kv_hub *hub, struct kv_registry *registry)
{
	hub->registry = registry;
}

void kv_hub_end_all(struct kv_hub *hub)
{
	hub->draining = hub->told_clients_gone = hub->parting = hub->told_parted = true;
	on_drain_limit(&hub->drain_limit);
	on_end_of_turn(&hub->end_of_turn);
}

void kv_hub_destroy(struct kv_hub *hub)
{
	must(hub->client_count == 0 && hub->link_count == 0);
	LIST_EACH(&hub->ports, it, next)
		kv_port_end(CONTAINER_OF(it, struct kv_port, link));
	LIST_EACH(&hub->routes, it, next)
		free(CONTAINER_OF(it, struct kv_route, in_hub));
	kv_edition_release(hub->now);
	loop_task_cancel(&hub->end_of_turn);
	loop_timer_stop(hub->loop, &hub->every_second);
	loop_timer_stop(hub->loop, &hub->drain_limit);
	must(list_empty(&hub->pools));
	kv_requests_fini(&hub->requests);
	slab_fini(&hub->clients_slab);
	free(hub->scratch);
	free(hub);
}
