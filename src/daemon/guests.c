#include "daemon/guests.h"

#include <stdio.h>

#include "base/log.h"
#include "daemon/inside.h"
#include "daemon/steering.h"
#include "model/live_registry.h"

static struct change change_of(enum change_kind kind, const char *pool,
			       const struct address *at, uint32_t limit_ms)
{
	struct change c = {
		.kind = kind, .server = *at, .temporary = true, .limit_ms = limit_ms,
	};

	snprintf(c.pool, sizeof c.pool, "%s", pool);
	return c;
}

static struct live_server *find(const struct service *s, const char *pool,
				const struct address *at)
{
	int i = model_pool_find(s->model, span_of(pool));
	const struct model_server *server =
		i >= 0 ? model_server_find(&s->model->pools[i], at) : NULL;

	return server != NULL ? server->live : NULL;
}

struct live_server *guests_add(struct service *s, const char *pool,
			       const struct address *at, struct err *err)
{
	struct change c = change_of(CHANGE_ADD, pool, at, UINT32_MAX);
	enum change_fault fault = CHANGE_FINE;
	enum control_result result = steering_change(s, &c, &fault, err);

	/* One that was left behind, by a reload without the pool. */
	if (result != CONTROL_DONE && fault != CHANGE_SERVER_EXISTS)
		return NULL;
	return find(s, pool, at);
}

/* Requests that are under way keep its live part, and who comes next may find it. */
static void set_down(struct service *s, const char *pool, const struct address *at)
{
	struct live_server *live = live_server_find(&s->live, pool, at);

	if (live != NULL)
		live_server_set_up(live, false);
}

void guests_remove(struct service *s, const char *pool, const struct address *at,
		   uint32_t limit_ms)
{
	struct change c = change_of(CHANGE_REMOVE, pool, at, limit_ms);
	enum change_fault fault = CHANGE_FINE;
	struct err err;

	if (s->draining)
		return;
	if (steering_change(s, &c, &fault, &err) == CONTROL_DONE)
		set_down(s, pool, at);
	/* Its pool is gone with the last reload: it is not to come back with the next. */
	else if (fault == CHANGE_POOL_UNKNOWN)
		changes_forget(s->wanted.changes, pool, at);
	else
		log_warn("a server that has left is still listed: %s", err.text);
}
