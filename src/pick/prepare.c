/* pick/prepare.c - gives every pool of a model its table, before it comes into force.
 *
 * Most changes of a model leave most pools as they are: those get a copy of the table
 * that is in use, which costs far less than building it (doc/hashing.md). Tables name
 * servers by their place in the pool, so only a pool with the same servers in the same
 * places will do. Who drains is no part of a table: it is passed over while it does.
 */
#include <string.h>

#include "base/memory.h"
#include "pick/policy.h"
#include "pick/table.h"

static bool has_same_servers(const struct model_pool *a, const struct model_pool *b)
{
	if (a->server_count != b->server_count)
		return false;
	for (uint32_t i = 0; i < a->server_count; i++)
		if (a->servers[i].weight != b->servers[i].weight ||
		    a->servers[i].number != b->servers[i].number ||
		    strcmp(a->servers[i].address.text, b->servers[i].address.text) != 0)
			return false;
	return true;
}

/* A table in use that p's would be equal to, or NULL. */
static const struct pick_table *find_equal(const struct model_pool *p,
					   const struct model *before)
{
	int at = before != NULL ? model_pool_find(before, span_of(p->name)) : -1;
	if (at < 0)
		return NULL;
	const struct model_pool *old = &before->pools[at];
	bool is_equal = old->policy == p->policy && old->ring_points == p->ring_points &&
			old->maglev_size == p->maglev_size &&
			old->slot_count == p->slot_count &&
			old->slot_virtual == p->slot_virtual &&
			old->slot_hash == p->slot_hash && has_same_servers(old, p);
	return is_equal ? old->table : NULL;
}

static struct pick_table *copy(const struct pick_table *table)
{
	return memcpy(memory_new(1, table->bytes), table, table->bytes);
}

int pick_prepare(struct model *m, const struct model *before, struct err *err)
{
	for (uint32_t i = 0; i < m->pool_count; i++) {
		struct model_pool *p = &m->pools[i];
		if (p->policy->build == NULL || p->table != NULL)
			continue;
		const struct pick_table *equal = find_equal(p, before);
		p->table = equal != NULL ? copy(equal) : p->policy->build(p, err);
		if (p->table == NULL)
			return -1;
	}
	return 0;
}
