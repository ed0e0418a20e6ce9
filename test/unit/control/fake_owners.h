/* Pools that own their servers, as the control interface sees them: servers that are only
 * names, and orders whose end the test decides. Used by the fuzz program too. */
#ifndef TEST_UNIT_CONTROL_FAKE_OWNERS_H
#define TEST_UNIT_CONTROL_FAKE_OWNERS_H

#include <stdio.h>
#include <string.h>

#include "base/must.h"
#include "spawn/owners.h"

enum { FAKE_ENTRIES_MAX = 8 };

struct owners {
	struct owners_entry entries[FAKE_ENTRIES_MAX];
	uint32_t entry_count;
	struct owners_figures figures;

	enum owners_result result;	/* of the next orders */
	enum owners_fault  fault;
	struct err err;
	bool later;			/* they are done by fake_order_done only */

	struct owners_order *under_way;
	uint32_t asked, forgotten;	/* orders, so far */
	enum owners_wish wish;		/* of the last one */
	uint32_t count;
	char names[256];		/* with a blank behind each */
};

static inline void fake_entry(struct owners *o, const char *name, const char *address,
			      const char *state, bool serves)
{
	must(o->entry_count < FAKE_ENTRIES_MAX);
	struct owners_entry *e = &o->entries[o->entry_count++];
	*e = (struct owners_entry){.state = state, .serves = serves, .since_ms = 1500};
	snprintf(e->name, sizeof e->name, "%s", name);
	snprintf(e->id, sizeof e->id, "id-of-%s", name);
	snprintf(e->address, sizeof e->address, "%s", address);
}

static inline void fake_order_done(struct owners *o)
{
	struct owners_order *order = o->under_way;

	o->under_way = NULL;
	order->fault = o->fault;
	order->on_done(order, o->result, &o->err);
}

void owners_ask(struct owners *o, struct owners_order *order)
{
	must(o->under_way == NULL);
	o->asked++;
	o->wish = order->wish;
	o->count = order->count;
	o->names[0] = '\0';
	for (uint32_t i = 0; i < order->name_count; i++) {
		size_t len = strlen(o->names);
		snprintf(o->names + len, sizeof o->names - len, "%s ", order->names[i]);
	}
	o->under_way = order;
	if (!o->later)
		fake_order_done(o);
}

void owners_forget(struct owners *o, struct owners_order *order)
{
	must(o->under_way == order);
	o->under_way = NULL;
	o->forgotten++;
}

bool owners_list(const struct owners *o, const char *pool,
		 void (*each)(void *arg, const struct owners_entry *e), void *arg)
{
	(void)pool;
	for (uint32_t i = 0; i < o->entry_count; i++)
		each(arg, &o->entries[i]);
	return true;
}

bool owners_figures(const struct owners *o, const char *pool, struct owners_figures *f)
{
	(void)pool;
	*f = o->figures;
	return true;
}

#endif
