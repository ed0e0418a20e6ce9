#include "daemon/workers.h"

#include <stdio.h>

#include "base/log.h"
#include "daemon/inside.h"
#include "daemon/steering.h"
#include "kv/registry.h"

static struct change change_of(enum change_kind kind, const char *pool,
			       const struct address *at)
{
	struct change c = {
		.kind = kind, .server = *at, .temporary = true, .limit_ms = UINT32_MAX,
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

static struct live_server *add(void *arg, const char *pool, const struct address *at,
			       struct err *err)
{
	struct service *s = arg;
	struct change c = change_of(CHANGE_ADD, pool, at);
	enum change_fault fault = CHANGE_FINE;
	enum control_result result = steering_change(s, &c, &fault, err);

	/* One that was left behind, by a reload without the pool, is taken as it is. */
	if (result != CONTROL_DONE && fault != CHANGE_SERVER_EXISTS)
		return NULL;
	return find(s, pool, at);
}

static void drop(void *arg, const char *pool, const struct address *at)
{
	struct service *s = arg;
	struct change c = change_of(CHANGE_REMOVE, pool, at);
	enum change_fault fault;
	struct err err;

	if (!s->draining && steering_change(s, &c, &fault, &err) != CONTROL_DONE)
		log_warn("a worker that has left is still listed: %s", err.text);
}

static void set_ready(void *arg, struct live_server *server, bool ready, const char *why)
{
	(void)arg;
	snprintf(server->reason, sizeof server->reason, "%s", why);
	if (live_server_set_up(server, ready))
		log_info("worker is %s pool=%s server=%s", why, server->pool,
			 server->text);
}

struct kv_registry *workers_registry(struct service *s)
{
	const struct kv_registry_hooks hooks = {
		.add = add, .remove = drop, .set_ready = set_ready, .arg = s,
	};

	return kv_registry_create(s->loop, s->hubs, &hooks);
}

void workers_end(struct service *s)
{
	if (s->registry != NULL)
		kv_registry_destroy(s->registry);
	s->registry = NULL;
}
