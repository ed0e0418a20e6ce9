/* kv/shared.h - what all loops and the control thread know together
 * of one key-value pool.
 *
 * Made by the registry when the pool is first served, ended with it; so a pointer to it
 * stays good as long as any loop runs.
 *
 * Threads: any; each member says how.
 */
#ifndef KV_SHARED_H
#define KV_SHARED_H

#include <pthread.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stdint.h>

#include "model/model.h"
#include "parse/kv_hello.h"

struct kv_shared {
	char name[MODEL_NAME_MAX + 1];
	struct kv_shared *next;		/* in the registry's list */

	/* The version of the next write. Relaxed atomics will do: one variable's order
	 * is all that counts. */
	alignas(64) atomic_ullong next_version;
	alignas(64) atomic_uint old_workers;	/* of version 1, in the pool at present */
	atomic_uint workers, ready;

	pthread_mutex_t lock;		/* of the rest, which is looked at for
					 * each connection */
	bool     has_key;
	uint8_t  pool_key[KV_POOL_KEY_BYTES];
	char     secret[KV_SECRET_MAX];
	size_t   secret_len;		/* 0: there is none */
};

struct kv_shared *kv_shared_create(const char *name, uint64_t wall_us);
void kv_shared_destroy(struct kv_shared *s);

/* A write's version: higher than all before it, and not below the time, by which workers
 * number what comes to them without a version (from those of version 1). */
static inline uint64_t kv_shared_version(struct kv_shared *s, uint64_t wall_us)
{
	unsigned long long next = atomic_load_explicit(&s->next_version,
						       memory_order_relaxed);
	uint64_t version;

	do
		version = next > wall_us * 256 ? next : wall_us * 256;
	while (!atomic_compare_exchange_weak_explicit(&s->next_version, &next,
						      version + 256, memory_order_relaxed,
						      memory_order_relaxed));
	return version;
}

/* Versions up to this one have been seen; the next ones are higher. */
void kv_shared_saw_version(struct kv_shared *s, uint64_t version);

/* The pool's key for the hash of keys, into out: made from the secret, if there is
 * one, so that it stays over a restart and nobody else can choose it; else the
 * first one proposed. */
void kv_shared_pool_key(struct kv_shared *s, const uint8_t proposed[KV_POOL_KEY_BYTES],
			uint8_t out[KV_POOL_KEY_BYTES]);

/* Copies the secret into `out`, KV_SECRET_MAX bytes; returns its length. */
size_t kv_shared_secret(struct kv_shared *s, char *out);
void kv_shared_set_secret(struct kv_shared *s, struct span secret);

#endif
