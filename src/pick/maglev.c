/* pick/maglev.c - a table that names a server for each of many equal parts of the keys.
 *
 * Eisenbud and others: "Maglev: A Fast and Reliable Software Network Load Balancer",
 * NSDI 2016, section 3.4. Each server has an order of its own of all entries, and the
 * servers take turns: whose turn it is takes the first entry of its order that is free.
 * So all have equally many, or as their weights: the most even of the policies by key,
 * and a look-up is one multiplication and one load at any size.
 *
 * The price: a server that leaves the pool, or joins it, makes the others take a few
 * entries from each other, so a small share of their keys moves (doc/hashing.md). One
 * that is down or drains stays in the table, and nothing of the others moves: its keys
 * are hashed again and again until they fall on one that may be picked.
 */
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/memory.h"
#include "base/must.h"
#include "pick/search.h"
#include "pick/table.h"

enum {
	MAGLEV_SIZE_MAX = 1 << 24,	/* entries: 32 MB */
	HASHES_MAX = 32,	/* of a key in one pick, before it asks the servers */
};

#define NOBODY UINT16_MAX	/* in an entry, while the table is built */

struct maglev {
	struct pick_table table;
	uint32_t size;		/* of entries; 0: no server has a weight */
	uint16_t entries[];	/* servers */
};

_Static_assert(MODEL_SERVERS_MAX < NOBODY, "a server's place has 16 bits");

/* From 0 to limit - 1, by the first bits of the hash: no division. */
static uint32_t below(uint64_t hash, uint32_t limit)
{
	return (uint32_t)((unsigned __int128)hash * limit >> 64);
}

/* ---- look up ---- */

/* As many bids as the server has weight, and the lowest of all servers' wins the key: so
 * they share the keys as their weights, whoever is left. */
static uint64_t distance(const struct pick_view *view, uint32_t server, uint64_t key)
{
	uint32_t weight = view->pool->servers[server].weight;
	uint64_t seed = view->servers[server].live->seed, lowest = UINT64_MAX;

	for (uint32_t n = 0; n < weight; n++) {
		uint64_t bid = hash_pair(key, hash_pair(seed, n));
		lowest = bid < lowest ? bid : lowest;
	}
	return lowest;
}

static uint32_t maglev_pick(const struct pick_view *view, struct pick_state *state,
			    uint64_t key, const struct tried *tried)
{
	const struct maglev *m = (const struct maglev *)view->pool->table;
	must(m != NULL);
	struct search search;
	uint32_t hashes = m->size > 0 ? HASHES_MAX : 0;
	uint64_t hash = key;

	search_begin(&search, view, state, tried);
	for (uint32_t n = 1; n <= hashes; n++) {
		uint32_t server = m->entries[below(hash, m->size)];
		if (search_takes(&search, server))
			return server;
		hash = hash_pair(key, n);
	}
	return search_end(&search, distance, key);
}

/* ---- build ---- */

/* A server while the table is filled. */
struct seat {
	uint64_t seed;
	const char *text;	/* borrowed from the model */
	uint32_t weight, credit;	/* a turn costs as much as the heaviest weighs */
	uint32_t at, skip;	/* next entry of its order, and from each to the next */
	uint16_t server;
};

static bool is_prime(uint32_t n)
{
	for (uint32_t i = 2; i <= n / i; i++)
		if (n % i == 0)
			return false;
	return n >= 2;
}

static int maglev_check(const struct model_pool *pool, struct err *err)
{
	uint32_t size = pool->maglev_size, seat_count = 0;

	/* Only a prime has no common divisor with any skip. */
	if (!is_prime(size) || size > MAGLEV_SIZE_MAX)
		return err_set(err, "pool %s: a table of %u entries; maglev needs a "
			       "prime below %d, such as 65537",
			       pool->name, size, MAGLEV_SIZE_MAX);
	for (uint32_t i = 0; i < pool->server_count; i++)
		seat_count += pool->servers[i].weight > 0;
	if (size < seat_count)
		return err_set(err, "pool %s: a table of %u entries for %u servers; "
			       "raise its `table` to a prime of a hundred times that",
			       pool->name, size, seat_count);
	return 0;
}

/* Not in the order of the file, which differs from balancer to balancer. */
static int compare_seats(const void *a, const void *b)
{
	const struct seat *one = a, *other = b;

	if (one->seed != other->seed)
		return one->seed < other->seed ? -1 : 1;
	return strcmp(one->text, other->text);
}

/* The servers with a weight, and an order of the table for each. */
static uint32_t take_seats(const struct model_pool *pool, struct seat *seats)
{
	uint32_t count = 0, size = pool->maglev_size;

	for (uint32_t i = 0; i < pool->server_count; i++) {
		const struct model_server *s = &pool->servers[i];
		uint64_t seed = hash_bytes(s->address.text, strlen(s->address.text));
		if (s->weight == 0)
			continue;
		seats[count++] = (struct seat){
			.seed = seed, .text = s->address.text, .weight = s->weight,
			.at = below(hash_pair(seed, 0), size),
			.skip = 1 + below(hash_pair(seed, 1), size - 1),
			.server = (uint16_t)i,
		};
	}
	qsort(seats, count, sizeof *seats, compare_seats);
	return count;
}

static void take_entry(struct maglev *m, struct seat *s)
{
	uint32_t at;

	do {
		at = s->at;
		s->at += s->skip;
		if (s->at >= m->size)
			s->at -= m->size;
	} while (m->entries[at] != NOBODY);
	m->entries[at] = s->server;
}

/* The heaviest have a turn in every round, the others as often as their weight is in
 * proportion; all have one in the first. */
static void fill(struct maglev *m, struct seat *seats, uint32_t count)
{
	uint32_t heaviest = 0, left = m->size;

	for (uint32_t i = 0; i < count; i++)
		heaviest = seats[i].weight > heaviest ? seats[i].weight : heaviest;
	for (uint32_t i = 0; i < count; i++)
		seats[i].credit = heaviest - seats[i].weight;
	memset(m->entries, 0xff, m->size * sizeof *m->entries);
	for (uint32_t i = 0; left > 0; i = i + 1 < count ? i + 1 : 0) {
		struct seat *s = &seats[i];
		s->credit += s->weight;
		if (s->credit < heaviest)
			continue;
		s->credit -= heaviest;
		take_entry(m, s);
		left--;
	}
}

static struct pick_table *maglev_build(const struct model_pool *pool, struct err *err)
{
	must(pool->server_count < NOBODY);
	if (maglev_check(pool, err) != 0)
		return NULL;
	struct seat *seats = memory_new(pool->server_count, sizeof *seats);
	uint32_t count = take_seats(pool, seats);
	uint32_t size = count > 0 ? pool->maglev_size : 0;
	size_t bytes = sizeof(struct maglev) + size * sizeof(uint16_t);
	struct maglev *m = memory_new(1, bytes);

	m->table.bytes = bytes;
	m->size = size;
	fill(m, seats, count);
	free(seats);
	return &m->table;
}

const struct policy policy_maglev = {
	.name = "maglev",
	.help = "by key, in a table: the most even, but some keys move between those "
		"that stay",
	.wants_key = true,
	.build = maglev_build,
	.check = maglev_check,
	.pick = maglev_pick,
};
