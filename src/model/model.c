/* model/model.c - makes, shares and frees models, and holds the defaults.
 *
 * What a limit's default is can be read here and nowhere else. Nothing here knows
 * what is true at the moment: that is live.c.
 */
#include "model/model.h"

#include <stdlib.h>

#include "base/memory.h"
#include "base/must.h"
#include "model/live.h"

struct model *model_create(void)
{
	struct model *m = memory_new(1, sizeof *m);

	m->drain_ms = 30000;
	m->log_level = LOG_LEVEL_INFO;
	atomic_init(&m->holders, 1);
	return m;
}

/* Holding does not change what a model says: const is about that. */
static struct model *countable(const struct model *m)
{
	return (struct model *)m;
}

const struct model *model_get(const struct model *m)
{
	unsigned before = atomic_fetch_add_explicit(&countable(m)->holders, 1,
						    memory_order_relaxed);
	must(before > 0);
	return m;
}

void model_put(const struct model *shared)
{
	if (shared == NULL)
		return;
	struct model *m = countable(shared);
	/* Released: what this holder did comes before the end. Acquired: the last one
	 * sees what all others did. */
	unsigned before = atomic_fetch_sub_explicit(&m->holders, 1, memory_order_acq_rel);
	must(before > 0);
	if (before > 1)
		return;
	if (m->live != NULL)
		live_release(m->live, m);
	else
		model_destroy(m);
}

static void listener_fini(struct model_listener *l)
{
	for (uint32_t i = 0; i < l->route_count; i++) {
		free(l->routes[i].host);
		free(l->routes[i].path);
	}
	free(l->routes);
}

static void pool_fini(struct model_pool *p)
{
	free(p->name);
	free(p->servers);
	free(p->check.path);
	free(p->check.host);
	free(p->host);
}

void model_destroy(struct model *m)
{
	must(m->live == NULL && atomic_load(&m->holders) == 0);
	for (uint32_t i = 0; i < m->listener_count; i++)
		listener_fini(&m->listeners[i]);
	for (uint32_t i = 0; i < m->pool_count; i++)
		pool_fini(&m->pools[i]);
	free(m->listeners);
	free(m->pools);
	free(m->log_path);
	free(m->access_path);
	free(m);
}

int model_pool_find(const struct model *m, struct span name)
{
	for (uint32_t i = 0; i < m->pool_count; i++)
		if (span_equals(span_of(m->pools[i].name), name))
			return (int)i;
	return -1;
}

void model_listener_defaults(struct model_listener *l)
{
	l->connections_max = 0;
	l->parallel_max = 0;
	l->queue_max = 1024;
	l->queue_ms = 5000;

	l->head_max = 16384;
	l->fields_max = 100;
	l->target_max = 8192;
	l->body_max = UINT64_MAX;

	l->head_ms = 10000;
	l->body_ms = 30000;
	l->keep_alive_ms = 60000;
	l->linger_ms = 2000;
	l->tunnel_ms = 3600 * 1000;
	l->requests_max = 0;

	l->forwarded = FORWARD_VIA | FORWARD_X_FORWARDED;
	l->plain_500 = false;
	l->access_log = true;
}

void model_pool_defaults(struct model_pool *p)
{
	p->check = (struct model_check){
		.kind = CHECK_OFF,
		.expect = EXPECT_STATUS, .status_min = 200, .status_max = 399,
		.every_ms = 3000, .timeout_ms = 1000, .rise = 2, .fall = 3,
	};

	p->server_parallel_max = 0;
	p->queue_max = 1024;
	p->queue_ms = 5000;

	p->retries_max = 3;
	p->retry_percent = 20;
	p->retry_reserve = 100;
	p->passive_fails = 3;
	p->passive_ms = 10000;

	p->connect_ms = 2000;
	p->response_ms = 60000;
	p->body_ms = 30000;
	p->idle_ms = 4000;	/* below the 5 s after which common servers hang up */
	p->idle_max = 256;

	p->host_mode = HOST_PRESERVE;
}

void model_server_defaults(struct model_server *s)
{
	s->weight = 1;
	s->parallel_max = 0;
	s->drain = false;
}
