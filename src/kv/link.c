#include "kv/link.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "base/memory.h"
#include "base/must.h"
#include "kv/dispatch.h"
#include "kv/registry.h"

enum { SLOTS_FIRST = 64, NO_SLOT = UINT16_MAX };

static void note_unsent(struct kv_link *l)
{
	if (l->ended || !list_empty(&l->unsent))
		return;
	list_push_last(&l->hub->unsent_links, &l->unsent);
	kv_hub_at_end(l->hub);
}

/* ---- slots ---- */

/* More of them, up to KV_SLOTS_MAX. The new ones are free. */
static bool grow_slots(struct kv_link *l)
{
	uint32_t count = l->slot_count > 0 ? l->slot_count * 2 : SLOTS_FIRST;

	if (count > KV_SLOTS_MAX)
		return false;
	struct kv_slot *grown = realloc(l->slots, count * sizeof *grown);
	if (grown == NULL)
		return false;
	for (uint32_t i = l->slot_count; i < count; i++)
		grown[i] = (struct kv_slot){
			.next_free = i + 1 < count ? (uint16_t)(i + 1) : (uint16_t)NO_SLOT,
		};
	l->first_free = l->slot_count;
	l->slots = grown;
	l->slot_count = count;
	return true;
}

static struct kv_slot *take_slot(struct kv_link *l, struct kv_request *r, uint32_t *tag)
{
	if (l->first_free == NO_SLOT && !grow_slots(l))
		return NULL;
	uint32_t at = l->first_free;
	struct kv_slot *slot = &l->slots[at];
	l->first_free = slot->next_free;
	slot->request = r;
	slot->taken = true;
	slot->generation++;
	slot->since_ms = loop_now_ms(l->hub->loop);
	if (l->in_flight++ == 0)
		l->heard_ms = slot->since_ms;
	*tag = (uint32_t)slot->generation << 16 | at;
	return slot;
}

struct kv_slot *kv_link_slot(struct kv_link *l, uint32_t tag)
{
	uint32_t at = tag & 0xffff;

	if (at >= l->slot_count || !l->slots[at].taken ||
	    l->slots[at].generation != tag >> 16)
		return NULL;
	return &l->slots[at];
}

void kv_link_free_slot(struct kv_link *l, struct kv_slot *slot)
{
	slot->request = NULL;
	slot->taken = false;
	slot->next_free = (uint16_t)l->first_free;
	l->first_free = (uint32_t)(slot - l->slots);
	l->in_flight--;
}

/* ---- to the worker ---- */

static void write_request(const struct kv_link *l, const struct kv_request *r,
			  uint32_t tag, struct kv_message *m)
{
	*m = (struct kv_message){
		.id = tag, .key = kv_request_key(r), .value = kv_request_value(r),
	};
	if (l->speaks == 1) {
		m->type = r->verb == KV_VERB_SET ? KV_STORE_REQUEST : KV_RETRIEVE_REQUEST;
		return;
	}
	m->type = KV_OP;
	m->verb = r->verb;
	m->flags = r->flags;
	m->version = r->version;
	m->expires_ms = r->expires_ms;
}

bool kv_link_send(struct kv_link *l, struct kv_request *r)
{
	struct kv_message m;
	uint32_t tag;

	if (l->ended || l->closing || l->withdrawn ||
	    bytes_waiting(&l->out) > KV_LINK_OUT_MAX)
		return false;
	struct kv_slot *slot = take_slot(l, r, &tag);
	if (slot == NULL)
		return false;
	write_request(l, r, tag, &m);
	size_t size = kv_wire_size(&m);
	char *room = bytes_reserve(&l->out, size);
	if (room == NULL) {
		live_count(&l->hub->live->memory_refused);
		kv_link_free_slot(l, slot);
		return false;
	}
	kv_wire_write(&m, room);
	bytes_added(&l->out, size);
	note_unsent(l);
	return true;
}

void kv_link_say(struct kv_link *l, const void *at, size_t len)
{
	if (l->ended)
		return;
	if (!bytes_append(&l->out, at, len))
		kv_link_end(l);
	else
		note_unsent(l);
}

void kv_link_flush(struct kv_link *l)
{
	size_t put = 0;

	if (l->ended)
		return;
	if (bytes_waiting(&l->out) > 0 && l->stream.writable) {
		if (stream_write(&l->stream, bytes_first(&l->out), bytes_waiting(&l->out),
				 &put) != STREAM_OK) {
			kv_link_end(l);
			return;
		}
		bytes_consume(&l->out, put);
	}
	if (l->closing && bytes_waiting(&l->out) == 0 && !l->lingering) {
		l->lingering = true;	/* it shall hear that, so no
					 * reset: see client.c */
		shutdown(l->stream.watch.fd, SHUT_WR);
		loop_again(l->hub->loop, &l->stream.watch);
	}
}

/* ---- from the worker ---- */

static void take_waiting(struct kv_link *l)
{
	size_t taken = 1;

	while (!l->ended && taken > 0 && bytes_waiting(&l->in) > 0) {
		taken = kv_link_take(l, bytes_first(&l->in), bytes_waiting(&l->in));
		if (!l->ended)
			bytes_consume(&l->in, taken);
	}
}

static void read_once(struct kv_link *l)
{
	char *scratch = l->hub->scratch;
	size_t got = 0, taken = 0;
	enum stream_result result = stream_read(&l->stream, scratch, KV_SCRATCH_BYTES,
						&got);

	if (result == STREAM_WAIT)
		return;
	if (result != STREAM_OK) {
		kv_link_end(l);
		return;
	}
	l->heard_ms = loop_now_ms(l->hub->loop);
	if (bytes_waiting(&l->in) == 0)
		taken = kv_link_take(l, scratch, got);
	if (l->ended)
		return;
	if (!bytes_append(&l->in, scratch + taken, got - taken)) {
		live_count(&l->hub->live->memory_refused);
		kv_link_end(l);
		return;
	}
	if (taken == 0)
		take_waiting(l);
	if (!l->ended && (l->stream.readable || l->stream.ended))
		loop_again(l->hub->loop, &l->stream.watch);
}

static void on_ready(struct loop_watch *watch, unsigned events)
{
	struct kv_link *l = CONTAINER_OF(watch, struct kv_link, stream.watch);

	stream_note(&l->stream, events);
	if ((events & LOOP_WRITABLE) && bytes_waiting(&l->out) > 0)
		note_unsent(l);
	if (l->lingering) {
		if (kv_hub_leave_unread(l->hub, &l->stream))
			kv_link_end(l);
		return;
	}
	/* What it says before the registry has decided waits in the socket. */
	if (l->stream.readable && !l->closing &&
	    (l->state != KV_LINK_JOINING || l->stream.ended))
		read_once(l);
	kv_hub_at_end(l->hub);
}

/* ---- its life ---- */

static void on_late(struct loop_timer *t)
{
	struct kv_link *l = CONTAINER_OF(t, struct kv_link, limit);

	if (l->closing)			/* it does not take its last words */
		kv_link_end(l);
	else if (l->state == KV_LINK_JOINING)
		kv_link_refuse(l, KV_PROTOCOL, "its other lanes have not come in time");
	else
		kv_link_refuse(l, KV_PROTOCOL, "it has said neither WORKER_READY nor "
			       "HELLO in time");
}

/* A number that no link of this hub has had for a long time. */
static bool take_number(struct kv_hub *hub, struct kv_link *l)
{
	for (uint32_t at = 0; at < KV_LINKS_MAX; at++) {
		if (hub->links[at] != NULL)
			continue;
		hub->links[at] = l;
		l->number = ++hub->link_generation * KV_LINKS_MAX + at;
		return true;
	}
	return false;
}

void kv_link_begin(struct kv_port *port, int fd)
{
	struct kv_hub *hub = port->hub;
	struct kv_link *l = memory_new(1, sizeof *l);

	l->hub = hub;
	l->first_free = NO_SLOT;
	stream_init(&l->stream, fd, on_ready);
	stream_probe(fd, KV_PROBE_MS);
	if (hub->draining || !take_number(hub, l) ||
	    loop_watch_register(hub->loop, &l->stream.watch) != 0) {
		if (hub->links[l->number % KV_LINKS_MAX] == l)
			hub->links[l->number % KV_LINKS_MAX] = NULL;
		close(fd);
		free(l);
		return;
	}
	l->pool = port->pool;
	l->pool->users++;
	list_init(&l->unsent);
	loop_timer_init(&l->limit, on_late);
	loop_timer_start(hub->loop, &l->limit, KV_GREETING_MS);
	if (hub->link_count++ == 0)
		loop_timer_start(hub->loop, &hub->every_second, 1000);
}

struct kv_link *kv_link_find(const struct kv_hub *hub, uint32_t number)
{
	struct kv_link *l = hub->links[number % KV_LINKS_MAX];

	return l != NULL && l->number == number && !l->ended ? l : NULL;
}

void kv_link_accept(struct kv_link *l, struct live_server *server)
{
	if (l->state != KV_LINK_JOINING || l->closing)
		return;
	loop_timer_stop(l->hub->loop, &l->limit);
	l->state = KV_LINK_MEMBER;
	l->server = server;
	take_waiting(l);
	if (!l->ended && l->stream.readable)
		loop_again(l->hub->loop, &l->stream.watch);
}

static bool is_read(const struct kv_request *r)
{
	return !kv_verb_writes(r->verb) && r->verb != KV_VERB_STATS;
}

/* Those of one home in the order in which it asked. */
static int compare_requests(const void *a, const void *b)
{
	const struct kv_request *x = *(struct kv_request *const *)a;
	const struct kv_request *y = *(struct kv_request *const *)b;

	if (x->home != y->home)
		return x->home < y->home ? -1 : 1;
	return x->number < y->number ? -1 : 1;
}

/* Gives back what is under way, all of it or the reads alone, in the order of asking:
 * what a client has asked one after the other goes on so. The slots stay taken. */
static void give_back(struct kv_link *l, bool reads_only)
{
	struct kv_request **lost = memory_new(l->slot_count + 1,
					      sizeof(struct kv_request *));
	uint32_t count = 0;

	for (uint32_t i = 0; i < l->slot_count; i++) {
		struct kv_request *r = l->slots[i].request;
		if (r == NULL || (reads_only && !is_read(r)))
			continue;
		l->slots[i].request = NULL;	/* its answer is for nobody */
		lost[count++] = r;
	}
	qsort(lost, count, sizeof(struct kv_request *), compare_requests);
	for (uint32_t i = 0; i < count; i++)
		kv_dispatch_return(l->hub, lost[i], KV_OUTCOME_LOST, KV_NETWORK,
				   (struct span){0});
	free(lost);
}

void kv_link_withdraw(struct kv_link *l)
{
	l->withdrawn = true;
	if (l->server != NULL)
		live_server_set_up(l->server, false);
	give_back(l, true);
}

/* Nobody is to be sent there any more. It may be out of the model, and with that of
 * memory, before the link has ended. */
static void let_go_of_server(struct kv_link *l)
{
	if (l->server != NULL)
		live_server_set_up(l->server, false);
	l->server = NULL;
}

void kv_link_end(struct kv_link *l)
{
	if (l->ended)
		return;
	l->ended = true;
	loop_timer_stop(l->hub->loop, &l->limit);
	loop_watch_close(l->hub->loop, &l->stream.watch);
	let_go_of_server(l);		/* before its requests look for another one */
	give_back(l, false);
	if (l->state != KV_LINK_GREETING)
		kv_registry_tell(l->hub->registry, &(struct kv_notice){
			.kind = KV_NOTICE_GONE, .hub = (uint8_t)l->hub->number,
			.link = l->number, .worker = l->worker, .shared = l->pool->shared,
		});
	list_remove(&l->unsent);
	list_push_last(&l->hub->ended_links, &l->unsent);
	kv_hub_at_end(l->hub);
}

static struct kv_link *find_oldest_greeting(const struct kv_hub *hub)
{
	struct kv_link *oldest = NULL;

	for (uint32_t i = 0; i < KV_LINKS_MAX; i++) {
		struct kv_link *l = hub->links[i];
		if (l != NULL && !l->ended && l->state == KV_LINK_GREETING &&
		    (oldest == NULL || (int32_t)(l->number - oldest->number) < 0))
			oldest = l;
	}
	return oldest;
}

uint32_t kv_link_end_silent(struct kv_hub *hub, uint32_t max)
{
	struct kv_link *l;
	uint32_t count = 0;

	while (count < max && (l = find_oldest_greeting(hub)) != NULL) {
		kv_link_end(l);
		count++;
	}
	return count;
}

void kv_link_free(struct kv_link *l)
{
	struct kv_hub *hub = l->hub;

	list_remove(&l->unsent);
	hub->links[l->number % KV_LINKS_MAX] = NULL;
	hub->link_count--;
	bytes_fini(&l->in);
	bytes_fini(&l->out);
	kv_pool_release(l->pool);
	free(l->slots);
	free(l->hello);
	free(l->secret);
	free(l);
}

void kv_link_close(struct kv_link *l, const void *at, size_t len)
{
	if (l->ended)
		return;
	l->closing = true;
	let_go_of_server(l);
	loop_timer_start(l->hub->loop, &l->limit, KV_GOODBYE_MS);
	if (at != NULL)
		kv_link_say(l, at, len);
	note_unsent(l);
}

void kv_link_refuse(struct kv_link *l, enum kv_result code, const char *why)
{
	struct kv_message m = {
		.type = KV_ERROR, .result = (uint8_t)code, .value = span_of(why),
	};
	char out[KV_HEADER_BYTES + 512];

	log_warn("worker refused: %s pool=%s worker=%u", why, l->pool->shared->name,
		 l->worker);
	if (kv_wire_size(&m) <= sizeof out)
		kv_link_close(l, out, kv_wire_write(&m, out));
	else
		kv_link_close(l, NULL, 0);
}

void kv_link_look(struct kv_link *l)
{
	uint64_t now_ms = loop_now_ms(l->hub->loop);
	uint32_t limit_ms = l->pool->lane->pool->response_ms;

	if (l->ended || l->in_flight == 0 || now_ms - l->heard_ms < limit_ms)
		return;
	log_warn("worker is silent pool=%s worker=%u in_flight=%u silent_ms=%llu",
		 l->pool->shared->name, l->worker, l->in_flight,
		 (unsigned long long)(now_ms - l->heard_ms));
	kv_link_end(l);
}
