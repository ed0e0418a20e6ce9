/* model/model.c - makes, shares and frees models, and holds the defaults.
 *
 * What a limit's default is can be read here and nowhere else. Nothing here knows
 * what is true at the moment: that is live.c.
 */
#include "model/model.h"

#include <stdlib.h>

#include "base/memory.h"
#include "base/must.h"
#include "model/access_form.h"
#include "model/live_registry.h"
#include "model/own.h"
#include "model/srv.h"

struct model *model_create(void)
{
	struct model *m = memory_new(1, sizeof *m);

	m->drain_ms = 30000;
	m->resolve_ms = 30000;
	m->log_level = LOG_LEVEL_INFO;
	m->log_same_max = LOG_SAME_MAX;
	m->access_part = 1;
	m->metered = true;
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
	free(l->proxy_peers);
}

static void pool_fini(struct model_pool *p)
{
	free(p->name);
	free(p->table);
	free(p->key_name);
	free(p->sticky_cookie);
	free(p->servers);
	for (uint32_t i = 0; i < p->srv_count; i++)
		free(p->srvs[i].name);
	free(p->srvs);
	free(p->check.path);
	free(p->check.host);
	free(p->host);
	free(p->secret_path);
	model_own_destroy(p->own);
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
	free(m->access_form);
	free(m->control_path);
	free(m->state_path);
	for (uint32_t i = 0; i < m->control_count; i++) {
		free(m->controls[i].token_path);
		free(m->controls[i].read_token_path);
	}
	free(m->controls);
	free(m);
}

/* ---- copying: each struct by value, then what it owns anew ---- */

static char *text_copy(const char *text)
{
	return text != NULL ? memory_text(text) : NULL;
}

static void *array_copy(const void *from, uint32_t count, size_t size)
{
	void *to = memory_new(count, size);

	if (count > 0)
		memcpy(to, from, count * size);
	return to;
}

static void listener_copy(struct model_listener *l)
{
	l->live = NULL;
	l->proxy_peers = array_copy(l->proxy_peers, l->proxy_peer_count,
				    sizeof *l->proxy_peers);
	l->routes = array_copy(l->routes, l->route_count, sizeof *l->routes);
	for (uint32_t i = 0; i < l->route_count; i++) {
		l->routes[i].host = text_copy(l->routes[i].host);
		l->routes[i].path = text_copy(l->routes[i].path);
	}
}

static void pool_copy(struct model_pool *p)
{
	p->live = NULL;
	p->table = NULL;
	p->name = text_copy(p->name);
	p->key_name = text_copy(p->key_name);
	p->sticky_cookie = text_copy(p->sticky_cookie);
	p->check.path = text_copy(p->check.path);
	p->check.host = text_copy(p->check.host);
	p->host = text_copy(p->host);
	p->secret_path = text_copy(p->secret_path);
	p->own = model_own_copy(p->own);
	p->srvs = array_copy(p->srvs, p->srv_count, sizeof *p->srvs);
	for (uint32_t i = 0; i < p->srv_count; i++)
		p->srvs[i].name = text_copy(p->srvs[i].name);
	p->servers = array_copy(p->servers, p->server_count, sizeof *p->servers);
	for (uint32_t i = 0; i < p->server_count; i++)
		p->servers[i].live = NULL;
}

struct model *model_copy(const struct model *from)
{
	struct model *m = memory_new(1, sizeof *m);

	memcpy(m, from, sizeof *m);
	atomic_init(&m->holders, 1);
	m->live = NULL;
	m->next_released = NULL;
	m->listeners = array_copy(m->listeners, m->listener_count, sizeof *m->listeners);
	for (uint32_t i = 0; i < m->listener_count; i++)
		listener_copy(&m->listeners[i]);
	m->pools = array_copy(m->pools, m->pool_count, sizeof *m->pools);
	for (uint32_t i = 0; i < m->pool_count; i++)
		pool_copy(&m->pools[i]);
	m->log_path = text_copy(m->log_path);
	m->access_path = text_copy(m->access_path);
	if (m->access_form != NULL)
		m->access_form = array_copy(m->access_form, 1, sizeof *m->access_form);
	m->control_path = text_copy(m->control_path);
	m->state_path = text_copy(m->state_path);
	m->controls = array_copy(m->controls, m->control_count, sizeof *m->controls);
	for (uint32_t i = 0; i < m->control_count; i++) {
		struct model_control *c = &m->controls[i];
		c->token_path = text_copy(c->token_path);
		c->read_token_path = text_copy(c->read_token_path);
	}
	return m;
}

/* ---- looking up and changing ---- */

int model_pool_find(const struct model *m, struct span name)
{
	for (uint32_t i = 0; i < m->pool_count; i++)
		if (span_equals(span_of(m->pools[i].name), name))
			return (int)i;
	return -1;
}

bool model_pool_is_kv(const struct model *m, uint32_t pool)
{
	for (uint32_t i = 0; i < m->listener_count; i++) {
		const struct model_listener *l = &m->listeners[i];
		for (uint32_t k = 0; k < l->route_count; k++)
			if (l->kind == LISTEN_KV && l->routes[k].pool == pool)
				return true;
	}
	return false;
}

bool model_pool_awaits_srv(const struct model_pool *p)
{
	for (uint32_t i = 0; i < p->srv_count; i++)
		if (!p->srvs[i].known)
			return true;
	return false;
}

struct model_server *model_server_find(const struct model_pool *p, const struct address *a)
{
	for (uint32_t i = 0; i < p->server_count; i++)
		if (address_equals(&p->servers[i].address, a))
			return &p->servers[i];
	return NULL;
}

static uint32_t lowest_free_number(const struct model_pool *p)
{
	uint64_t taken[MODEL_SERVERS_MAX / 64 + 1] = {1};	/* number 0: nobody's */
	uint32_t free = 0;

	for (uint32_t i = 0; i < p->server_count; i++)
		taken[p->servers[i].number / 64] |= UINT64_C(1)
						    << p->servers[i].number % 64;
	while (taken[free / 64] >> free % 64 & 1)
		free++;
	return free;
}

struct model_server *model_server_add(struct model_pool *p)
{
	if (p->server_count == MODEL_SERVERS_MAX)
		return NULL;
	uint32_t number = lowest_free_number(p);
	p->servers = memory_grow(p->servers, p->server_count + 1, sizeof *p->servers);
	struct model_server *s = &p->servers[p->server_count++];
	*s = (struct model_server){0};
	model_server_defaults(s);
	s->number = number;
	return s;
}

void model_server_remove(struct model_pool *p, uint32_t at)
{
	must(at < p->server_count);
	memmove(&p->servers[at], &p->servers[at + 1],
		(p->server_count - at - 1) * sizeof *p->servers);
	p->server_count--;
}

/* ---- defaults ---- */

/* By kind. Nobody says that a flow of datagrams is over: only silence ends it. Clients
 * of a key-value store are programs that keep a connection for as long as they run. */
static const uint32_t idle_defaults_ms[] = {
	[LISTEN_HTTP] = 3600 * 1000, [LISTEN_TCP] = 3600 * 1000, [LISTEN_UDP] = 30 * 1000,
	[LISTEN_KV] = 0,
};

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
	l->idle_ms = idle_defaults_ms[l->kind];
	l->lifetime_ms = 0;
	l->keep_alive_probe_ms = 60 * 1000;
	l->requests_max = 0;

	l->forwarded = FORWARD_VIA | FORWARD_X_FORWARDED;
	l->plain_500 = false;
	l->access_log = true;
	l->trace = false;
	l->trace_part = 1;
}

void model_pool_defaults(struct model_pool *p)
{
	p->check = (struct model_check){
		.kind = CHECK_OFF,
		.expect = EXPECT_STATUS, .status_min = 200, .status_max = 399,
		.every_ms = 3000, .timeout_ms = 1000, .rise = 2, .fall = 3,
	};

	p->ring_points = 160;
	p->maglev_size = 65537;
	p->slot_count = 512;
	p->slot_virtual = 9;
	p->slot_hash = SLOT_QUADRATIC;
	p->bounded_percent = 0;
	p->key = KEY_ADDRESS;
	p->sticky_s = 0;

	p->batch_max = 1000;

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

	p->redistribute = REDISTRIBUTE_IDLE;
	p->replay_max = 16 * 1024;
	p->quiet_ms = 300;	/* a round trip, or the kernel's first repetition */
	p->proxy_version = 0;

	p->acks = ACKS_ALL;
	p->key_max = 256;	/* what peers of version 1 take */
	p->value_max = 256;
}

/* Who fails is replaced, so one bad probe is enough, and a request may as well wait for
 * the one that comes. */
void model_owning_pool_defaults(struct model_pool *p)
{
	p->check.kind = CHECK_HTTP;
	free(p->check.path);
	p->check.path = memory_text("/heartbeat");
	p->check.every_ms = 3000;
	p->check.timeout_ms = 5000;
	p->check.rise = 1;
	p->check.fall = 1;

	p->queue_ms = 30000;
	p->retries_max = 4;
	p->request_ids = true;
}

void model_server_defaults(struct model_server *s)
{
	s->weight = 1;
	s->parallel_max = 0;
	s->drain = false;
}
