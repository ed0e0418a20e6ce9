/* pick/ring.c - a ring of hashes: a key belongs to the next point clockwise.
 *
 * Karger and others: "Consistent hashing and random trees", 1997. A server has points
 * in proportion to its weight. Where they are is a matter of its own name and of nothing
 * else, so every balancer has the same ring, and a server that comes or goes, or whose
 * weight changes, takes keys from others or leaves them to others: none moves between
 * two that stay.
 *
 * The table: all points, sorted, as two arrays (hashes, servers), and for each value of
 * a hash's first bits the first point that has them, or follows them. Such a bucket has
 * one or two points, so a look-up is one step to the bucket and about one further (more
 * buckets would be quicker only in small rings, that are quick anyway). The same buckets
 * sort the points in O(n) when the table is built.
 *
 *     bucket     0    1    2    3           key 2... -> bucket 2 -> past point b -> c
 *     starts     0    1    1    3
 *     hashes     a    b    c    d           past the last: round to the first
 */
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/memory.h"
#include "base/must.h"
#include "pick/search.h"
#include "pick/table.h"

enum {
	RING_POINTS_MAX = 4 * 1024 * 1024,	/* of a pool: 48 MB */
	WALK_MAX = 256,		/* points, in one pick, before it asks the servers */
};

struct ring {
	struct pick_table table;
	uint32_t point_count;
	uint32_t bucket_bits;	/* 1 to 21 */
	uint64_t hashes[];	/* sorted; and one more, of UINT64_MAX, to stop at */
	/* uint32_t starts[1 << bucket_bits]; */
	/* uint16_t servers[point_count]; */
};

_Static_assert(MODEL_SERVERS_MAX <= UINT16_MAX, "a server's place has 16 bits");

static uint32_t *starts_of(const struct ring *r)
{
	return (uint32_t *)(r->hashes + r->point_count + 1);
}

static uint16_t *servers_of(const struct ring *r)
{
	return (uint16_t *)(starts_of(r) + ((size_t)1 << r->bucket_bits));
}

static uint64_t point_hash(uint64_t seed, uint32_t number)
{
	return hash_pair(seed, number);
}

static uint32_t points_of(const struct model_pool *pool, uint32_t server)
{
	return pool->ring_points * pool->servers[server].weight;
}

/* ---- look up ---- */

/* The first point at the key or after it. */
static uint32_t find_point(const struct ring *r, uint64_t key)
{
	uint32_t at = starts_of(r)[key >> (64 - r->bucket_bits)];

	while (r->hashes[at] < key)
		at++;
	return at < r->point_count ? at : 0;
}

/* To the nearest of a server's points, clockwise. As far as the table has it, this is
 * the order in which a walk meets the servers. */
static uint64_t distance(const struct pick_view *view, uint32_t server, uint64_t key)
{
	uint32_t points = points_of(view->pool, server);
	uint64_t seed = view->servers[server].live->seed, nearest = UINT64_MAX;

	for (uint32_t n = 0; n < points; n++) {
		uint64_t far = point_hash(seed, n) - key;
		nearest = far < nearest ? far : nearest;
	}
	return nearest;
}

static uint32_t ring_pick(const struct pick_view *view, struct pick_state *state,
			  uint64_t key, const struct tried *tried)
{
	const struct ring *r = (const struct ring *)view->pool->table;
	must(r != NULL);
	const uint16_t *servers = servers_of(r);
	struct search search;
	uint32_t steps = r->point_count < WALK_MAX ? r->point_count : WALK_MAX;
	uint32_t at = find_point(r, key);

	search_begin(&search, view, state, tried);
	for (; steps > 0; steps--) {
		if (search_takes(&search, servers[at]))
			return servers[at];
		at = at + 1 < r->point_count ? at + 1 : 0;
	}
	return search_end(&search, distance, key);
}

/* ---- build ---- */

struct builder {
	const struct model_pool *pool;
	struct ring *ring;
	uint32_t *starts;	/* the ring's arrays, to be written */
	uint16_t *servers;
};

static uint64_t count_points(const struct model_pool *pool)
{
	uint64_t points = 0;

	for (uint32_t i = 0; i < pool->server_count; i++)
		points += (uint64_t)pool->ring_points * pool->servers[i].weight;
	return points;
}

static struct ring *new_ring(uint32_t point_count)
{
	uint32_t bits = 1;
	while ((UINT32_C(2) << bits) < point_count)
		bits++;
	size_t bytes = sizeof(struct ring);
	bytes += (point_count + (size_t)1) * sizeof(uint64_t);	/* hashes */
	bytes += ((size_t)1 << bits) * sizeof(uint32_t);	/* starts */
	bytes += (size_t)point_count * sizeof(uint16_t);	/* servers */
	struct ring *r = memory_new(1, bytes);

	r->table.bytes = bytes;
	r->point_count = point_count;
	r->bucket_bits = bits;
	r->hashes[point_count] = UINT64_MAX;
	return r;
}

static uint32_t *start_of(const struct builder *b, uint64_t hash)
{
	return &b->starts[hash >> (64 - b->ring->bucket_bits)];
}

static void count_point(struct builder *b, uint64_t hash, uint16_t server)
{
	(void)server;
	++*start_of(b, hash);
}

/* Of two equal points, the one comes first whose server's name does: not their order in
 * the file, which differs from balancer to balancer. */
static bool comes_later(const struct builder *b, uint32_t at, uint64_t hash,
			uint16_t server)
{
	const struct model_server *servers = b->pool->servers;

	if (b->ring->hashes[at] != hash)
		return b->ring->hashes[at] > hash;
	return strcmp(servers[b->servers[at]].address.text,
		      servers[server].address.text) > 0;
}

/* Into its bucket, behind those that come earlier. What stands before a bucket, whether
 * put there already or still 0, is less than all in it. */
static void put_point(struct builder *b, uint64_t hash, uint16_t server)
{
	uint64_t *hashes = b->ring->hashes;
	uint32_t at = (*start_of(b, hash))++;

	for (; at > 0 && comes_later(b, at - 1, hash, server); at--) {
		hashes[at] = hashes[at - 1];
		b->servers[at] = b->servers[at - 1];
	}
	hashes[at] = hash;
	b->servers[at] = server;
}

static void visit_points(struct builder *b,
			 void (*visit)(struct builder *b, uint64_t hash, uint16_t server))
{
	for (uint32_t i = 0; i < b->pool->server_count; i++) {
		const char *text = b->pool->servers[i].address.text;
		uint64_t seed = hash_bytes(text, strlen(text));
		uint32_t points = points_of(b->pool, i);
		for (uint32_t n = 0; n < points; n++)
			visit(b, point_hash(seed, n), (uint16_t)i);
	}
}

static int ring_check(const struct model_pool *pool, struct err *err)
{
	uint64_t points = count_points(pool);

	if (points <= RING_POINTS_MAX)
		return 0;
	return err_set(err, "pool %s: its ring would have %llu points, the limit is %d; "
		       "lower the weights of its servers or its `points`",
		       pool->name, (unsigned long long)points, RING_POINTS_MAX);
}

static struct pick_table *ring_build(const struct model_pool *pool, struct err *err)
{
	must(pool->server_count <= UINT16_MAX);
	if (ring_check(pool, err) != 0)
		return NULL;
	struct ring *r = new_ring((uint32_t)count_points(pool));
	struct builder b = {pool, r, starts_of(r), servers_of(r)};
	uint32_t bucket_count = UINT32_C(1) << r->bucket_bits, before = 0;

	/* How many are in each bucket; where it starts; then, with each point that is
	 * put there, the place of its next, which is the next one's start in the end. */
	visit_points(&b, count_point);
	for (uint32_t i = 0; i < bucket_count; i++) {
		uint32_t count = b.starts[i];
		b.starts[i] = before;
		before += count;
	}
	visit_points(&b, put_point);
	memmove(b.starts + 1, b.starts, (bucket_count - 1) * sizeof *b.starts);
	b.starts[0] = 0;
	return &r->table;
}

const struct policy policy_ring = {
	.name = "ring",
	.help = "by key, on a ring of hashes: no key moves between two servers that stay",
	.wants_key = true,
	.build = ring_build,
	.check = ring_check,
	.pick = ring_pick,
};
