#include "kv/shared.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

struct kv_shared *kv_shared_create(const char *name, uint64_t wall_us)
{
	struct kv_shared *s = memory_new_aligned(64, sizeof *s);

	snprintf(s->name, sizeof s->name, "%s", name);
	/* Above all that an earlier run gave out, as long as clocks go forward; where
	 * they do not, workers say what they have seen. */
	atomic_init(&s->next_version, wall_us * 256);
	pthread_mutex_init(&s->lock, NULL);
	return s;
}

void kv_shared_destroy(struct kv_shared *s)
{
	pthread_mutex_destroy(&s->lock);
	free(s);
}

void kv_shared_saw_version(struct kv_shared *s, uint64_t version)
{
	uint64_t wanted = (version / 256 + 1) * 256;
	unsigned long long next = atomic_load(&s->next_version);

	while (next < wanted &&
	       !atomic_compare_exchange_weak(&s->next_version, &next, wanted))
		;
}

void kv_shared_pool_key(struct kv_shared *s, const uint8_t proposed[KV_POOL_KEY_BYTES],
			uint8_t out[KV_POOL_KEY_BYTES])
{
	uint8_t mac[HMAC_BYTES];

	pthread_mutex_lock(&s->lock);
	if (s->secret_len > 0) {
		hmac_sha256((struct span){s->secret, s->secret_len}, SPAN("pool key"),
			    mac);
		memcpy(out, mac, KV_POOL_KEY_BYTES);
	} else {
		if (!s->has_key)
			memcpy(s->pool_key, proposed, KV_POOL_KEY_BYTES);
		s->has_key = true;
		memcpy(out, s->pool_key, KV_POOL_KEY_BYTES);
	}
	pthread_mutex_unlock(&s->lock);
}

size_t kv_shared_secret(struct kv_shared *s, char *out)
{
	pthread_mutex_lock(&s->lock);
	size_t len = s->secret_len;
	memcpy(out, s->secret, len);
	pthread_mutex_unlock(&s->lock);
	return len;
}

void kv_shared_set_secret(struct kv_shared *s, struct span secret)
{
	pthread_mutex_lock(&s->lock);
	s->secret_len = secret.len < KV_SECRET_MAX ? secret.len : KV_SECRET_MAX;
	if (s->secret_len > 0)
		memcpy(s->secret, secret.at, s->secret_len);
	pthread_mutex_unlock(&s->lock);
}
