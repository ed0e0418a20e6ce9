/* pick/search.h - what policies by key share: an order of servers, and bounded loads.
 *
 * A key puts all servers in an order of its own; the first that may be picked and is
 * within its bound is the answer. That is all that keeps keys in place: a server that
 * goes takes nothing but its own keys along, and gets them back when it returns.
 *
 * The first servers of the order come from a table, each in O(1). A policy that has met
 * too many closed ones asks all servers at once instead (search_end): who may be picked
 * says how far from the key it stands. That keeps a pick bounded however many are down.
 *
 * The bound is that of Mirrokni, Thorup, Zadimoghaddam: "Consistent hashing with bounded
 * loads", 2016: no server is given more than
 *
 *     ceil((1 + epsilon) x in flight in the pool x weight / weights of all that are open)
 *
 * where the new one counts as in flight. So somebody is always within the bound, unless
 * those are tried or busy: then the bound gives way. Two loops that pick in the same
 * moment do not see each other's pick, so it may be exceeded by one for each further
 * loop. What is in flight on servers that are closed counts in the pool.
 */
#ifndef PICK_SEARCH_H
#define PICK_SEARCH_H

#include "pick/state.h"

struct bound {
	uint64_t load;		/* of the pool, (1 + epsilon) times, in hundredths */
	uint64_t weight;	/* of all that are open, in hundredths; 0: no bound */
};

struct search {
	const struct pick_view *view;
	const struct tried *tried;
	struct pick_state *state;
	struct bound bound;
	uint32_t first;		/* of the order, that may be picked but for its bound;
				 * PICK_NONE: not met yet */
};

/* How far from the key a server stands, among those that the table did not lead to.
 * UINT64_MAX for one that is not in the table, since its weight was 0. */
typedef uint64_t search_distance(const struct pick_view *view, uint32_t server,
				 uint64_t key);

/* The bound of this moment, of a pool that has one. */
struct bound search_bound(const struct pick_view *view, struct pick_state *state);

/* In place: a struct that is returned would be copied, a third of a pick's time. */
static inline void search_begin(struct search *s, const struct pick_view *view,
				struct pick_state *state, const struct tried *tried)
{
	s->view = view;
	s->tried = tried;
	s->state = state;
	s->bound.weight = 0;
	if (view->pool->bounded_percent > 0)
		s->bound = search_bound(view, state);
	s->first = PICK_NONE;
}

static inline bool search_is_within(const struct search *s, uint32_t server)
{
	const struct pick_server *p = &s->view->servers[server];

	/* in flight + 1 <= ceil(bound), without a division. */
	return s->bound.weight == 0 ||
	       pick_in_flight(p) * s->bound.weight < s->bound.load * pick_weight(p);
}

/* The next of the order: true when it is the answer. */
static inline bool search_takes(struct search *s, uint32_t server)
{
	if (!pick_may(s->view, server, s->tried))
		return false;
	if (search_is_within(s, server))
		return true;
	if (s->first == PICK_NONE)
		s->first = server;
	return false;
}

/* The answer among all, nearest first; PICK_NONE: nobody may be picked. */
uint32_t search_end(const struct search *s, search_distance *distance, uint64_t key);

#endif
