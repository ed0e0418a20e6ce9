#include "forward/udp_table.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/must.h"

_Static_assert(sizeof(struct flow_key) == 16 + 16 + 4 + 4, "a key has no gap");

struct flow_key flow_key_of(const struct sockaddr *peer, const struct in6_addr *local)
{
	struct flow_key key = {0};

	if (peer->sa_family == AF_INET) {
		const struct sockaddr_in *in4 = (const struct sockaddr_in *)(const void *)peer;
		key.client.s6_addr[10] = key.client.s6_addr[11] = 0xff;
		memcpy(&key.client.s6_addr[12], &in4->sin_addr, 4);
		key.port = in4->sin_port;
	} else {
		const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)(const void *)peer;
		must(peer->sa_family == AF_INET6);
		key.client = in6->sin6_addr;
		key.scope = in6->sin6_scope_id;
		key.port = in6->sin6_port;
	}
	if (local != NULL)
		key.local = *local;
	return key;
}

bool flow_key_equals(const struct flow_key *a, const struct flow_key *b)
{
	return memcmp(a, b, sizeof *a) == 0;
}

void flow_key_client(const struct flow_key *key, sa_family_t family,
		     union flow_address *client)
{
	if (family == AF_INET) {
		client->in4 = (struct sockaddr_in){
			.sin_family = AF_INET, .sin_port = (in_port_t)key->port,
		};
		memcpy(&client->in4.sin_addr, &key->client.s6_addr[12], 4);
		return;
	}
	client->in6 = (struct sockaddr_in6){
		.sin6_family = AF_INET6, .sin6_port = (in_port_t)key->port,
		.sin6_addr = key->client, .sin6_scope_id = key->scope,
	};
}

static uint32_t buckets_for(uint32_t flows)
{
	uint32_t count = FLOW_BUCKETS_MIN;

	while (count < flows && count < FLOW_BUCKETS_MAX)
		count *= 2;
	return count;
}

void flow_table_init(struct flow_table *t, uint32_t flows, const struct siphash_key *secret)
{
	*t = (struct flow_table){.bucket_count = buckets_for(flows), .secret = *secret};
	t->buckets = memory_new(t->bucket_count, sizeof(struct flow_entry *));
}

void flow_table_fini(struct flow_table *t)
{
	must(t->count == 0);
	free(t->buckets);
	t->buckets = NULL;
}

static struct flow_entry **bucket_of(const struct flow_table *t, uint64_t hash)
{
	return &t->buckets[hash & (t->bucket_count - 1)];
}

static void put_first(struct flow_entry **bucket, struct flow_entry *flow)
{
	flow->next = *bucket;
	*bucket = flow;
}

void flow_table_resize(struct flow_table *t, uint32_t flows)
{
	struct flow_table before = *t;

	if (buckets_for(flows) == t->bucket_count)
		return;
	t->bucket_count = buckets_for(flows);
	t->buckets = memory_new(t->bucket_count, sizeof(struct flow_entry *));
	for (uint32_t i = 0; i < before.bucket_count; i++) {
		for (struct flow_entry *f = before.buckets[i], *next; f != NULL; f = next) {
			next = f->next;
			put_first(bucket_of(t, f->hash), f);
		}
	}
	free(before.buckets);
}

struct flow_entry *flow_table_find(const struct flow_table *t, const struct flow_key *key)
{
	uint64_t hash = siphash(&t->secret, key, sizeof *key);
	struct flow_entry *f = *bucket_of(t, hash);

	while (f != NULL && (f->hash != hash || !flow_key_equals(&f->key, key)))
		f = f->next;
	return f;
}

void flow_table_add(struct flow_table *t, struct flow_entry *flow,
		    const struct flow_key *key)
{
	flow->hash = siphash(&t->secret, key, sizeof *key);
	flow->key = *key;
	put_first(bucket_of(t, flow->hash), flow);
	t->count++;
}

void flow_table_remove(struct flow_table *t, struct flow_entry *flow)
{
	struct flow_entry **at = bucket_of(t, flow->hash);

	while (*at != flow)
		at = &(*at)->next;
	*at = flow->next;
	t->count--;
}

struct flow_entry *flow_table_any(const struct flow_table *t, uint32_t *from)
{
	while (*from < t->bucket_count && t->buckets[*from] == NULL)
		(*from)++;
	return *from < t->bucket_count ? t->buckets[*from] : NULL;
}
