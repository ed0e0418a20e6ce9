/* kv/registry.h - which workers a pool has: who joins, who is ready, who fills whom.
 *
 * The loops tell it what their connections of workers have said (kv_registry_tell, from
 * any thread); it decides by roll.h, and tells them what to say, and where requests may
 * go (orders.h). A worker that joins becomes a server of its pool, by its peer address,
 * as one added at run time would: so policies, balancerctl and figures see workers as
 * they see all servers.
 *
 * Thread: control, but for kv_registry_tell.
 */
#ifndef KV_REGISTRY_H
#define KV_REGISTRY_H

#include "base/address.h"
#include "base/err.h"
#include "kv/shared.h"
#include "loop/loop.h"

struct kv_hub;
struct live_server;

/* What a loop has to say of a link. */
enum kv_notice_kind {
	KV_NOTICE_JOINS, KV_NOTICE_READY, KV_NOTICE_NOT_READY, KV_NOTICE_PEER_LOST,
	KV_NOTICE_GONE,
};

struct kv_notice {
	enum kv_notice_kind kind;
	uint8_t  hub;			/* number of it */
	uint32_t link;			/* of that hub */
	uint32_t worker;		/* id: its own; PEER_LOST: the peer's */
	/* JOINS only. */
	struct kv_shared *shared;	/* which pool */
	uint8_t  speaks, lane, lanes;
	struct address peer;		/* where its peers reach it */
};

/* How a worker becomes a server of its pool, and none again. */
struct kv_registry_hooks {
	/* Adds it, not up yet. NULL and *err: it cannot be. */
	struct live_server *(*add)(void *arg, const char *pool, const struct address *at,
				   struct err *err);
	void (*remove)(void *arg, const char *pool, const struct address *at);
	/* For status and picks; `why` is for people. */
	void (*set_ready)(void *arg, struct live_server *s, bool ready, const char *why);
	void *arg;
};

struct kv_registry *kv_registry_create(struct loop *loop, struct kv_hub **hubs,
				       const struct kv_registry_hooks *hooks);
void kv_registry_destroy(struct kv_registry *r);

/* From any thread. */
void kv_registry_tell(struct kv_registry *r, const struct kv_notice *notice);

/* The shared part of a pool, made when it is missing. Any thread. */
struct kv_shared *kv_registry_shared(struct kv_registry *r, const char *pool);

/* Reads the secrets that the model's pools name. -1 and *err: one cannot be had, and
 * nothing has changed. Before the model is adopted. */
int kv_registry_use(struct kv_registry *r, const struct model *m, struct err *err);

#endif
