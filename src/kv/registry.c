#include "kv/registry.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/memory.h"
#include "base/must.h"
#include "base/secret.h"
#include "kv/link.h"
#include "kv/orders.h"
#include "kv/roll.h"

/* A pool, as the registry has it. */
struct registered {
	struct kv_shared   *shared;	/* owned */
	struct kv_roll      roll;
	struct kv_registry *registry;
	struct registered  *next;
};

struct kv_registry {
	struct loop    *loop;		/* borrowed */
	struct kv_hub **hubs;		/* borrowed */
	struct kv_registry_hooks hooks;
	pthread_mutex_t lock;		/* of the list; what is in it stays */
	struct registered *pools;	/* owned */
};

struct told {
	struct loop_job     job;
	struct kv_registry *registry;
	struct kv_notice    notice;
};

static void count_again(struct registered *p)
{
	uint32_t listed, ready, version_1;

	kv_roll_count(&p->roll, &listed, &ready, &version_1);
	atomic_store(&p->shared->workers, listed);
	atomic_store(&p->shared->ready, ready);
	atomic_store(&p->shared->old_workers, version_1);
}

/* ---- telling the loops ---- */

static struct kv_hub *hub_of(const struct kv_registry *r, const struct kv_worker_link *l)
{
	return r->hubs[l->hub];
}

/* For the roll: messages for a worker's first lane. */
static void say(void *arg, const struct kv_worker *to, const struct kv_message *messages,
		uint32_t count)
{
	struct registered *p = arg;
	const struct kv_worker_link *first = &to->links[0];

	kv_order_say(hub_of(p->registry, first), first->link, messages, count);
}

static void close_with_error(const struct kv_registry *r, const struct kv_worker_link *l,
			     enum kv_result code, const char *why)
{
	struct kv_message error = {
		.type = KV_ERROR, .result = (uint8_t)code, .value = span_of(why),
	};

	kv_order_close(hub_of(r, l), l->link, &error);
}

/* All lanes of a worker that is not on the roll any more, or never was. */
static void close_links(const struct kv_registry *r, const struct kv_worker *w,
			enum kv_result code, const char *why)
{
	for (uint32_t i = 0; i < w->lanes; i++)
		if (w->links[i].there)
			close_with_error(r, &w->links[i], code, why);
}

/* Where requests may go, for all loops: to this worker, or not to it any more. */
static void publish_route(const struct kv_registry *r, const struct kv_worker *w,
			  bool ready)
{
	for (uint32_t i = 0; i < MODEL_LOOPS_MAX && r->hubs[i] != NULL; i++) {
		struct kv_route *route = memory_new(1, sizeof *route);
		*route = (struct kv_route){
			.server = w->server, .worker = w->id, .speaks = w->speaks,
			.lanes = w->lanes,
		};
		for (uint32_t k = 0; k < w->lanes; k++) {
			route->to[k].hub = w->links[k].hub;
			route->to[k].link = w->links[k].link;
		}
		kv_order_route(r->hubs[i], route, ready);
	}
}

static void publish_ready(struct registered *p, struct kv_worker *w)
{
	struct kv_registry *r = p->registry;
	bool ready = w->state == KV_ROLL_READY;

	count_again(p);
	publish_route(r, w, ready);
	r->hooks.set_ready(r->hooks.arg, w->server, ready,
			   ready ? "ready" :
			   w->filler != NULL ? "being filled" : "not ready");
}

/* ---- what is told ---- */

static void on_joins(struct registered *p, const struct kv_notice *n)
{
	struct kv_registry *r = p->registry;
	struct kv_worker_link link = {true, n->hub, n->link};
	enum kv_result code;
	const char *why;
	struct err err;

	struct kv_worker *w = kv_roll_join(&p->roll, n, &code, &why);
	if (w == NULL) {
		log_warn("worker refused: %s pool=%s worker=%u peer=%s", why,
			 p->shared->name, n->worker, n->peer.text);
		close_with_error(r, &link, code, why);
		return;
	}
	if (w->lanes_there < w->lanes)
		return;
	w->server = r->hooks.add(r->hooks.arg, p->shared->name, &w->peer, &err);
	if (w->server == NULL) {
		log_warn("worker refused: %s pool=%s worker=%u", err.text,
			 p->shared->name, w->id);
		close_links(r, w, KV_BUSY, err.text);
		kv_roll_leave(&p->roll, w);
		return;
	}
	log_info("worker joined pool=%s worker=%u peer=%s version=%u lanes=%u",
		 p->shared->name, w->id, w->peer.text, w->speaks, w->lanes);
	for (uint32_t i = 0; i < w->lanes; i++)
		kv_order_accept(hub_of(r, &w->links[i]), w->links[i].link, w->server);
	kv_roll_list(&p->roll, w);
	publish_ready(p, w);
}

/* Takes it off the roll and out of its pool. */
static void leave(struct registered *p, struct kv_worker *w, const char *why)
{
	struct kv_registry *r = p->registry;
	struct address peer = w->peer;
	bool was_added = w->server != NULL;

	if (was_added) {
		log_info("worker left pool=%s worker=%u peer=%s: %s", p->shared->name,
			 w->id, peer.text, why);
		publish_route(r, w, false);
	}
	kv_roll_leave(&p->roll, w);
	if (was_added)
		r->hooks.remove(r->hooks.arg, p->shared->name, &peer);
	count_again(p);
}

static void on_gone(struct registered *p, struct kv_worker *w, const struct kv_notice *n)
{
	for (uint32_t i = 0; i < w->lanes; i++)
		if (w->links[i].hub == n->hub && w->links[i].link == n->link)
			w->links[i].there = false;
	close_links(p->registry, w, KV_NETWORK,
		    "another connection of this worker was lost");
	leave(p, w, "its connection has ended");
}

static void on_peer_lost(struct registered *p, const struct kv_worker *from,
			 const struct kv_notice *n)
{
	static const char why[] = "other workers cannot connect to its peer address";
	struct kv_worker *lost = kv_roll_find(&p->roll, n->worker);

	if (lost == NULL || lost == from || !lost->listed)
		return;
	log_warn("worker %u cannot be reached by worker %u pool=%s peer=%s", lost->id,
		 from->id, p->shared->name, lost->peer.text);
	close_links(p->registry, lost, KV_NETWORK, why);
	leave(p, lost, why);
}

static struct registered *find_pool(struct kv_registry *r, const struct kv_shared *shared)
{
	struct registered *p = r->pools;

	while (p != NULL && p->shared != shared)
		p = p->next;
	must(p != NULL);
	return p;
}

static void run(struct loop_job *job)
{
	struct told *t = CONTAINER_OF(job, struct told, job);
	const struct kv_notice *n = &t->notice;
	struct registered *p = find_pool(t->registry, n->shared);
	struct kv_worker *w = kv_roll_find_link(&p->roll, n->hub, n->link);

	if (n->kind == KV_NOTICE_JOINS) {
		on_joins(p, n);
	} else if (w == NULL) {
		;	/* it was taken off the roll meanwhile */
	} else if (n->kind == KV_NOTICE_GONE) {
		on_gone(p, w, n);
	} else if (n->kind == KV_NOTICE_PEER_LOST) {
		on_peer_lost(p, w, n);
	} else if (kv_roll_set_ready(&p->roll, w, n->kind == KV_NOTICE_READY)) {
		publish_ready(p, w);
	}
	free(t);
}

void kv_registry_tell(struct kv_registry *r, const struct kv_notice *notice)
{
	struct told *t = memory_new(1, sizeof *t);

	*t = (struct told){.job.run = run, .registry = r, .notice = *notice};
	loop_post(r->loop, &t->job);
}

/* ---- itself ---- */

struct kv_registry *kv_registry_create(struct loop *loop, struct kv_hub **hubs,
				       const struct kv_registry_hooks *hooks)
{
	struct kv_registry *r = memory_new(1, sizeof *r);

	r->loop = loop;
	r->hubs = hubs;
	r->hooks = *hooks;
	pthread_mutex_init(&r->lock, NULL);
	return r;
}

void kv_registry_destroy(struct kv_registry *r)
{
	while (r->pools != NULL) {
		struct registered *p = r->pools;
		r->pools = p->next;
		kv_roll_fini(&p->roll);
		kv_shared_destroy(p->shared);
		free(p);
	}
	pthread_mutex_destroy(&r->lock);
	free(r);
}

struct kv_shared *kv_registry_shared(struct kv_registry *r, const char *pool)
{
	pthread_mutex_lock(&r->lock);
	struct registered *p = r->pools;
	while (p != NULL && strcmp(p->shared->name, pool) != 0)
		p = p->next;
	if (p == NULL) {
		p = memory_new(1, sizeof *p);
		p->registry = r;
		p->shared = kv_shared_create(pool, loop_wall_us(r->loop));
		kv_roll_init(&p->roll, say, p);
		p->next = r->pools;
		r->pools = p;
	}
	pthread_mutex_unlock(&r->lock);
	return p->shared;
}

int kv_registry_use(struct kv_registry *r, const struct model *m, struct err *err)
{
	char secret[KV_SECRET_MAX];
	size_t len;

	/* All of them are read before any is taken. */
	for (uint32_t i = 0; i < m->pool_count; i++)
		if (m->pools[i].secret_path != NULL &&
		    secret_read(m->pools[i].secret_path, "secret", secret, sizeof secret,
				&len,
				err) != 0)
			return -1;
	for (uint32_t i = 0; i < m->pool_count; i++) {
		const struct model_pool *p = &m->pools[i];
		if (!model_pool_is_kv(m, i))
			continue;
		len = 0;
		if (p->secret_path != NULL &&
		    secret_read(p->secret_path, "secret", secret, sizeof secret, &len,
				err) != 0)
			return -1;
		kv_shared_set_secret(kv_registry_shared(r, p->name),
				     (struct span){secret, len});
	}
	return 0;
}
