/* pick/rendezvous.c - every server bids for the key, and the highest bid has it.
 *
 * Thaler, Ravishankar: "Using name-based mappings to increase hit rates", IEEE/ACM
 * Transactions on Networking, 1998 (highest random weight). A server that goes loses its
 * own keys and moves no other; one that comes takes its share from all alike. There is no
 * table: nothing is built, a change of weight is seen by the next pick, and keys are
 * spread as if by lot. The price is a look at all servers for each pick.
 *
 * Weights by the logarithm method: with u a number by lot from 0 to 1, the least of
 * -ln(u) / weight belongs to each server with a chance in proportion to its weight, since
 * these are exponential times of which the first one counts. Of two with the same weight
 * the greater u wins, so that the logarithm is seldom needed.
 */
#include <string.h>

#include "base/hash.h"
#include "pick/search.h"

/* Fractions of 64 bits: what is below 1 fills the word. */
#define FRACTION(above, below) ((uint64_t)(((unsigned __int128)(above) << 64) / (below)))

enum { LOG_BITS = 57 };		/* of a logarithm's fraction; before it 0 to 44 */

#define LN_2        UINT64_C(0xb17217f7d1cf79ab)		/* ln(2), of 64 bits */
#define SQRT_2_LESS UINT64_C(0x6a09e667f3bcc908)		/* sqrt(2) - 1, likewise */

static uint64_t times(uint64_t a, uint64_t b)
{
	return (uint64_t)((unsigned __int128)a * b >> 64);
}

/* -ln(hash / 2^64), with LOG_BITS behind the point, by integers alone: every machine has
 * to find the same servers, and no two mathematical libraries round alike. hash not 0.
 *
 * -ln(v) = 2 atanh(z), z = (1 - v) / (1 + v), where v is brought between
 * sqrt(1/2) and 1 first; then z is at most 0.172, and what the series leaves out
 * is beyond the last bit. */
static uint64_t minus_log(uint64_t hash)
{
	static const uint64_t coefficients[] = {	/* 1/23, 1/21, ... 1/3 */
		FRACTION(1, 23), FRACTION(1, 21), FRACTION(1, 19), FRACTION(1, 17),
		FRACTION(1, 15), FRACTION(1, 13), FRACTION(1, 11), FRACTION(1, 9),
		FRACTION(1, 7), FRACTION(1, 5), FRACTION(1, 3),
	};
	int zeros = __builtin_clzll(hash);
	uint64_t v = hash << zeros, halves = 2 * (uint64_t)zeros;

	if (v < UINT64_C(0xb504f333f9de6484)) {		/* sqrt(1/2) */
		v += times(v, SQRT_2_LESS);
		halves++;
	}
	uint64_t z = (uint64_t)(((unsigned __int128)(0 - v) << 63) /
				((UINT64_C(1) << 63) + v / 2));
	uint64_t squared = times(z, z), sum = 0;
	for (size_t i = 0; i < sizeof coefficients / sizeof *coefficients; i++)
		sum = times(squared, sum + coefficients[i]);
	return halves * (LN_2 >> (65 - LOG_BITS)) +
	       ((z + times(z, sum)) >> (63 - LOG_BITS));
}

struct bid {
	uint32_t server;	/* PICK_NONE: nobody has made one */
	uint32_t weight;
	uint64_t lot;
};

/* Of two alike, the one whose name comes first: not their order in the file, which
 * differs from balancer to balancer. */
static bool comes_first(const struct pick_view *view, uint32_t one, uint32_t other)
{
	const struct model_server *servers = view->pool->servers;

	return strcmp(servers[one].address.text, servers[other].address.text) < 0;
}

static bool beats(const struct pick_view *view, const struct bid *new,
		  const struct bid *best)
{
	if (best->server == PICK_NONE)
		return true;
	if (new->weight == best->weight && new->lot == best->lot)
		return comes_first(view, new->server, best->server);
	if (new->weight >= best->weight && new->lot >= best->lot)
		return true;
	if (new->weight <= best->weight && new->lot <= best->lot)
		return false;
	return (unsigned __int128)minus_log(new->lot) * best->weight <
	       (unsigned __int128)minus_log(best->lot) * new->weight;
}

static uint32_t rendezvous_pick(const struct pick_view *view, struct pick_state *state,
				uint64_t key, const struct tried *tried)
{
	struct bid within = {.server = PICK_NONE}, beyond = within;
	struct search search;

	search_begin(&search, view, state, tried);
	for (uint32_t i = 0; i < view->count; i++) {
		const struct pick_server *s = &view->servers[i];
		struct bid new = {i, pick_weight(s), hash_pair(key, s->live->seed) | 1};
		struct bid *best = search_is_within(&search, i) ? &within : &beyond;
		/* Few beat the best so far, so it is cheaper to ask that first. */
		if (new.weight > 0 && beats(view, &new, best) && pick_may(view, i, tried))
			*best = new;
	}
	if (within.server != PICK_NONE)
		return within.server;
	/* Nobody is within the bound: perhaps because servers have gone since the
	 * weights were added up. */
	state->unseen = 0;
	return beyond.server;
}

const struct policy policy_rendezvous = {
	.name = "rendezvous",
	.help = "by key, the highest of all servers' bids: even and without a table, at "
		"the price of a look at each",
	.wants_key = true,
	.pick = rendezvous_pick,
};
