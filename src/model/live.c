/* model/live.c - finds or makes the live part of each thing in a model, and frees
 * those that no model holds any more.
 *
 * Each live part counts the models that hold it, once per place where they name
 * it. Only the control thread counts, so the counts are plain; what other threads
 * do is put finished models on live->released, which live_collect empties.
 */
#include "model/live_registry.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/memory.h"
#include "base/must.h"
#include "model/live_srv.h"
#include "model/meter.h"

struct live_address {
	struct address       address;
	struct live_address *next;
};

static const char *const failure_texts[FAILURES] = {
	[FAILURE_NONE]             = "no failure",
	[FAILURE_REFUSED]          = "connection refused",
	[FAILURE_CONNECT_TIMEOUT]  = "connect timed out",
	[FAILURE_UNREACHABLE]      = "unreachable",
	[FAILURE_RESET]            = "closed before a response",
	[FAILURE_RESPONSE_TIMEOUT] = "no response in time",
	[FAILURE_MALFORMED]        = "malformed response",
	[FAILURE_CUT]              = "closed in the middle of a response",
};

const char *live_failure_text(enum live_failure f)
{
	must(f < FAILURES);
	return failure_texts[f];
}

void live_init(struct live *live)
{
	memset(live, 0, sizeof *live);
}

void live_fini(struct live *live)
{
	live_collect(live);
	must(live->servers == NULL && live->pools == NULL && live->listeners == NULL);
}

static struct live_server **bucket_of(struct live *live, const char *pool, uint64_t seed)
{
	uint64_t hash = hash_pair(hash_bytes(pool, strlen(pool)), seed);
	return &live->buckets[hash % LIVE_BUCKETS];
}

/* The lowest free id, now taken; -1: none is left. */
static int64_t take_id(struct live *live)
{
	for (size_t i = 0; i < COUNT_OF(live->ids); i++) {
		if (live->ids[i] == UINT64_MAX)
			continue;
		int bit = __builtin_ctzll(~live->ids[i]);
		live->ids[i] |= UINT64_C(1) << bit;
		return (int64_t)(i * 64) + bit;
	}
	return -1;
}

static void give_id(struct live *live, uint32_t id)
{
	live->ids[id / 64] &= ~(UINT64_C(1) << id % 64);
}

static struct live_server *find_in(struct live_server *bucket, const char *pool,
				   const struct address *address)
{
	while (bucket != NULL && (strcmp(bucket->text, address->text) != 0 ||
				  strcmp(bucket->pool, pool) != 0))
		bucket = bucket->next_in_bucket;
	return bucket;
}

struct live_server *live_server_find(struct live *live, const char *pool,
				     const struct address *address)
{
	uint64_t seed = hash_bytes(address->text, strlen(address->text));

	return find_in(*bucket_of(live, pool, seed), pool, address);
}

/* Found or made, with one holder more; NULL: no id is left. */
static struct live_server *hold_server(struct live *live, const struct model_pool *pool,
				       const struct address *address)
{
	uint64_t seed = hash_bytes(address->text, strlen(address->text));
	struct live_server **bucket = bucket_of(live, pool->name, seed);
	struct live_server *there = find_in(*bucket, pool->name, address);

	if (there != NULL) {
		there->holders++;
		return there;
	}

	int64_t id = take_id(live);
	if (id < 0)
		return NULL;
	struct live_server *s = memory_new_aligned(alignof(struct live_server),
						   sizeof *s);
	snprintf(s->text, sizeof s->text, "%s", address->text);
	snprintf(s->pool, sizeof s->pool, "%s", pool->name);
	s->id = (uint32_t)id;
	s->seed = seed;
	s->holders = 1;
	atomic_init(&s->up, pool->own == NULL);
	s->meters = meters_create();
	s->next = live->servers;
	live->servers = s;
	s->next_in_bucket = *bucket;
	*bucket = s;
	return s;
}

static struct live_pool *hold_pool(struct live *live, const char *name)
{
	struct live_pool *p = live->pools;

	must(strlen(name) <= MODEL_NAME_MAX);
	while (p != NULL && strcmp(p->name, name) != 0)
		p = p->next;
	if (p == NULL) {
		p = memory_new_aligned(alignof(struct live_pool), sizeof *p);
		snprintf(p->name, sizeof p->name, "%s", name);
		p->meters = meters_create();
		p->next = live->pools;
		live->pools = p;
	}
	p->holders++;
	return p;
}

static struct live_listener *hold_listener(struct live *live, const struct model_listener *of)
{
	bool datagrams = of->kind == LISTEN_UDP;
	struct live_listener *l = live->listeners;

	while (l != NULL && (l->datagrams != datagrams || strcmp(l->text, of->address.text) != 0))
		l = l->next;
	if (l == NULL) {
		l = memory_new_aligned(alignof(struct live_listener), sizeof *l);
		snprintf(l->text, sizeof l->text, "%s", of->address.text);
		l->datagrams = datagrams;
		l->meters = meters_create();
		l->next = live->listeners;
		live->listeners = l;
	}
	l->kv = of->kind == LISTEN_KV;
	l->holders++;
	return l;
}

static void free_server(struct live *live, struct live_server *s)
{
	struct live_server **at = bucket_of(live, s->pool, s->seed);

	must(s->prober == NULL);
	while (*at != s)
		at = &(*at)->next_in_bucket;
	*at = s->next_in_bucket;
	give_id(live, s->id);
	for (struct live_address *a = s->addresses, *next; a != NULL; a = next) {
		next = a->next;
		free(a);
	}
	meters_destroy(s->meters);
	free(s);
}

/* Frees what has no holder. One walk for any number of models that ended: taking
 * each out of its list by itself would be a walk for each. */
static void sweep(struct live *live)
{
	for (struct live_server **at = &live->servers, *s; (s = *at) != NULL; ) {
		if (s->holders > 0) {
			at = &s->next;
			continue;
		}
		*at = s->next;
		free_server(live, s);
	}
	for (struct live_pool **at = &live->pools, *p; (p = *at) != NULL; ) {
		if (p->holders > 0) {
			at = &p->next;
			continue;
		}
		*at = p->next;
		live_srv_keep(p, NULL);
		meters_destroy(p->meters);
		free(p);
	}
	for (struct live_listener **at = &live->listeners, *l; (l = *at) != NULL; ) {
		if (l->holders > 0) {
			at = &l->next;
			continue;
		}
		*at = l->next;
		meters_destroy(l->meters);
		free(l);
	}
}

static bool hold_pool_servers(struct model_pool *p, struct live *live)
{
	for (uint32_t i = 0; i < p->server_count; i++) {
		struct model_server *s = &p->servers[i];
		s->live = hold_server(live, p, &s->address);
		if (s->live == NULL)
			return false;
	}
	return true;
}

/* Lets go of everything that m holds; some of it may be missing. */
static void let_go(struct model *m)
{
	for (uint32_t i = 0; i < m->pool_count; i++) {
		struct model_pool *p = &m->pools[i];
		for (uint32_t j = 0; j < p->server_count; j++) {
			if (p->servers[j].live != NULL)
				p->servers[j].live->holders--;
			p->servers[j].live = NULL;
		}
		if (p->live != NULL)
			p->live->holders--;
		p->live = NULL;
	}
	for (uint32_t i = 0; i < m->listener_count; i++) {
		if (m->listeners[i].live != NULL)
			m->listeners[i].live->holders--;
		m->listeners[i].live = NULL;
	}
	m->live = NULL;
}

static void take_over(const struct model_server *s)
{
	atomic_store_explicit(&s->live->weight, s->weight, memory_order_relaxed);
	atomic_store_explicit(&s->live->draining, s->drain, memory_order_relaxed);
	atomic_store_explicit(&s->live->leave_ms, 0, memory_order_relaxed);
	if (s->address.len > 0)
		live_server_set_address(s->live, &s->address);
}

int model_attach(struct model *m, struct live *live, struct err *err)
{
	must(m->live == NULL);
	for (uint32_t i = 0; i < m->listener_count; i++)
		m->listeners[i].live = hold_listener(live, &m->listeners[i]);
	for (uint32_t i = 0; i < m->pool_count; i++) {
		struct model_pool *p = &m->pools[i];
		p->live = hold_pool(live, p->name);
		if (!hold_pool_servers(p, live)) {
			err_set(err, "more than %d servers, with those that old requests "
				"still use", LIVE_SERVER_IDS_MAX);
			goto let_go;
		}
	}
	m->live = live;
	return 0;

let_go:
	let_go(m);
	sweep(live);
	return -1;
}

void live_take_over(const struct model *m)
{
	for (uint32_t i = 0; i < m->pool_count; i++)
		for (uint32_t j = 0; j < m->pools[i].server_count; j++)
			take_over(&m->pools[i].servers[j]);
}

void live_release(struct live *live, struct model *m)
{
	struct model *first = atomic_load_explicit(&live->released, memory_order_relaxed);

	do {
		m->next_released = first;
	} while (!atomic_compare_exchange_weak_explicit(&live->released, &first, m,
				memory_order_acq_rel, memory_order_relaxed));
	if (first == NULL && live->on_released != NULL)
		live->on_released(live);
}

void live_collect(struct live *live)
{
	struct model *m = atomic_exchange_explicit(&live->released, NULL,
						   memory_order_acq_rel);
	if (m == NULL)
		return;
	while (m != NULL) {
		struct model *next = m->next_released;
		let_go(m);
		model_destroy(m);
		m = next;
	}
	sweep(live);
}

bool live_server_set_up(struct live_server *s, bool up)
{
	if (up)
		atomic_store_explicit(&s->failures_in_row, 0, memory_order_relaxed);
	return atomic_exchange(&s->up, up) != up;
}

bool live_server_failed(struct live_server *s, enum live_failure why, uint32_t fails_max)
{
	must(why < FAILURES);
	atomic_fetch_add_explicit(&s->failures[why], 1, memory_order_relaxed);
	uint32_t in_row = atomic_fetch_add_explicit(&s->failures_in_row, 1,
						    memory_order_relaxed) + 1;
	return fails_max > 0 && in_row >= fails_max && live_server_set_up(s, false);
}

uint64_t live_server_failures(const struct live_server *s)
{
	uint64_t sum = 0;

	for (int why = 0; why < FAILURES; why++)
		sum += atomic_load_explicit(&s->failures[why], memory_order_relaxed);
	return sum;
}

void live_server_set_address(struct live_server *s, const struct address *resolved)
{
	struct live_address *a = s->addresses;

	while (a != NULL && !address_equals(&a->address, resolved))
		a = a->next;
	if (a == NULL) {
		a = memory_new(1, sizeof *a);
		a->address = *resolved;
		a->next = s->addresses;
		s->addresses = a;
	}
	/* Released: who reads the pointer sees the bytes. */
	atomic_store_explicit(&s->address, &a->address, memory_order_release);
}
