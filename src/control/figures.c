#include "control/figures.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/must.h"
#include "model/live_registry.h"
#include "model/live_srv.h"
#include "model/meter_reading.h"
#include "model/meter_window.h"
#include "model/srv.h"
#include "control/owned.h"
#include "pick/policy.h"

/* JSON's numbers are signed here; no counter comes so far. */
static void set_number(json_t *object, const char *name, uint64_t n)
{
	json_object_set_new(object, name, json_integer((json_int_t)n));
}

static void set_count(json_t *object, const char *name, const atomic_ullong *counter)
{
	set_number(object, name, atomic_load_explicit(counter, memory_order_relaxed));
}

static void set_amount(json_t *object, const char *name, const atomic_uint *amount)
{
	set_number(object, name, atomic_load_explicit(amount, memory_order_relaxed));
}

static void set_text(json_t *object, const char *name, const char *text)
{
	json_object_set_new(object, name, reply_text(text));
}

static void set_bool(json_t *object, const char *name, bool value)
{
	json_object_set_new(object, name, json_boolean(value));
}

const char *const figures_quantiles[HISTOGRAM_TOLD] = {
	"p50_ms", "p90_ms", "p99_ms", "p999_ms",
};

/* {"count", "p50_ms", ...} of these times. */
static json_t *times_of(const struct histogram *times)
{
	uint64_t us[HISTOGRAM_TOLD];
	json_t *object = json_object();

	histogram_quantiles(times, histogram_told, HISTOGRAM_TOLD, us);
	set_number(object, "count", times->total);
	for (int i = 0; i < HISTOGRAM_TOLD; i++)
		json_object_set_new(object, figures_quantiles[i],
				    json_real((double)us[i] / 1000));
	return object;
}

/* What meters have counted: answers by class, and how long they took, since the start
 * and of late. */
static void set_meters(json_t *object, const struct view *view,
		       const struct meters *meters)
{
	static const char *const classes[METER_CLASSES] = {
		"none", "1xx", "2xx", "3xx", "4xx", "5xx",
	};
	struct meter_reading sum = {0};
	json_t *responses = json_object();

	meters_add(meters, &sum);
	for (int i = 0; i < METER_CLASSES; i++)
		set_number(responses, classes[i], sum.responses[i]);
	json_object_set_new(object, "responses", responses);
	json_object_set_new(object, "times", times_of(&sum.times_us));
	uint64_t span_ms = meters_leave_window(meters, METER_MINUTE, view->uptime_ms,
					       &sum.times_us);
	json_t *recent = times_of(&sum.times_us);
	set_number(recent, "span_ms", span_ms < view->uptime_ms ? span_ms : view->uptime_ms);
	json_object_set_new(object, "recent", recent);
}

/* ---- who was changed at run time ---- */

static int compare(const void *left, const void *right)
{
	const struct change *a = &(*(const struct changes_entry *const *)left)->change;
	const struct change *b = &(*(const struct changes_entry *const *)right)->change;
	int order = strcmp(a->pool, b->pool);

	return order != 0 ? order : strcmp(a->server.text, b->server.text);
}

void figures_init(struct figures *f, const struct view *view)
{
	const struct changes *all = view->hooks->changes(view->hooks->arg);

	*f = (struct figures){.view = view, .model = view_model(view)};
	f->entry_count = changes_count(all);
	f->entries = memory_new(f->entry_count, sizeof(struct changes_entry *));
	for (uint32_t i = 0; i < f->entry_count; i++)
		f->entries[i] = changes_at(all, i);
	for (uint32_t i = 0; i < f->model->pool_count; i++)
		f->of_workers[i] = model_pool_is_kv(f->model, i);
	qsort(f->entries, f->entry_count, sizeof(struct changes_entry *), compare);
}

void figures_fini(struct figures *f)
{
	free(f->entries);
	f->entries = NULL;
	json_decref(f->owned);
	f->owned = NULL;
}

/* What was changed of this server, or NULL. */
static const struct change *find_change(const struct figures *f, const char *pool,
					const char *text)
{
	uint32_t low = 0, high = f->entry_count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		const struct change *c = &f->entries[middle]->change;
		int order = strcmp(c->pool, pool);
		if (order == 0)
			order = strcmp(c->server.text, text);
		if (order == 0)
			return c;
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

/* ---- servers ---- */

static const char *state_of(const struct model_server *s)
{
	if (s->drain)
		return "draining";
	if (s->weight == 0)
		return "off";
	return atomic_load_explicit(&s->live->up, memory_order_relaxed) ? "up" : "down";
}

/* Where it came from. One that leaves and was never in the file has no entry left. */
static const char *source_of(const struct figures *f, int pool, const struct change *c,
			     bool leaving)
{
	if (pool >= 0 && f->of_workers[pool])
		return "worker";
	if (pool >= 0 && f->model->pools[pool].own != NULL)
		return "owned";
	if (c != NULL ? c->kind == CHANGE_ADD : leaving)
		return "change";
	return f->view->facts->config_path != NULL ? "file" : "command";
}

static void set_counters(json_t *object, const struct live_server *s)
{
	set_amount(object, "in_flight", &s->in_flight);
	set_count(object, "requests", &s->requests);
	set_number(object, "failures", live_server_failures(s));
}

static json_t *begin_server(const struct live_server *s, const char *state)
{
	bool up = atomic_load_explicit(&s->up, memory_order_relaxed);
	json_t *object = json_object();

	set_text(object, "address", s->text);
	set_text(object, "pool", s->pool);
	set_text(object, "state", state);
	set_text(object, "reason", up ? "" : s->reason);
	return object;
}

/* pool: its index, -1: it is no longer there. */
static void end_server(json_t *object, const struct figures *f, int pool,
		       const struct live_server *s, bool leaving)
{
	const struct change *c = find_change(f, s->pool, s->text);

	set_counters(object, s);
	set_meters(object, f->view, s->meters);
	set_text(object, "from", source_of(f, pool, c, leaving));
	set_bool(object, "temporary", c != NULL && c->temporary);
}

/* What is known of a server that we have made, or NULL. */
static const json_t *find_owned(struct figures *f, const struct model_pool *p,
				const struct model_server *s)
{
	if (f->owned_pool != p) {
		json_decref(f->owned);
		f->owned = owned_by_address(f->view, p);
		f->owned_pool = p;
	}
	return json_object_get(f->owned, s->live->text);
}

json_t *figures_server(struct figures *f, const struct model_pool *p,
		       const struct model_server *s)
{
	const json_t *owned = find_owned(f, p, s);
	const char *state = state_of(s);

	/* One that has not been up yet is no cause for alarm. */
	if (strcmp(state, "down") == 0 && json_is_false(json_object_get(owned, "serves")))
		state = "starting";
	json_t *object = begin_server(s->live, state);
	if (owned != NULL)
		json_object_set(object, "name", json_object_get(owned, "name"));

	set_number(object, "weight", s->weight);
	set_bool(object, "drain", s->drain);
	end_server(object, f, (int)(p - f->model->pools), s->live, false);
	uint32_t srv = model_server_srv(s);
	if (srv != 0) {
		set_text(object, "from", "srv");
		set_text(object, "srv", p->srvs[srv - 1].name);
	}
	return object;
}

json_t *figures_leaving(const struct figures *f, const struct live_server *s)
{
	json_t *object = begin_server(s, "leaving");

	set_amount(object, "weight", &s->weight);
	set_bool(object, "drain",
		 atomic_load_explicit(&s->draining, memory_order_relaxed));
	end_server(object, f, model_pool_find(f->model, span_of(s->pool)), s, true);
	return object;
}

json_t *figures_servers(struct figures *f, const struct model_pool *p)
{
	json_t *list = json_array();

	for (uint32_t i = 0; i < p->server_count; i++)
		json_array_append_new(list, figures_server(f, p, &p->servers[i]));
	return list;
}

/* ---- pools and listeners ---- */

static json_t *moved(const struct live_pool *live)
{
	json_t *object = json_object();

	set_count(object, "replayed", &live->moved_replayed);
	set_count(object, "idle", &live->moved_idle);
	set_count(object, "closed", &live->not_moved);
	return object;
}

/* What became of the look-ups of each name whose records lead to servers. */
static json_t *srvs_of(const struct model_pool *p)
{
	json_t *list = json_array();

	for (uint32_t i = 0; i < p->srv_count; i++) {
		const struct live_srv *live = live_srv_of(p->live, p->srvs[i].name);
		json_t *object = json_object();
		uint32_t servers = 0;
		for (uint32_t j = 0; j < p->server_count; j++)
			servers += p->servers[j].srv_weights[i] != 0;
		set_text(object, "name", p->srvs[i].name);
		set_bool(object, "known", p->srvs[i].known);
		set_text(object, "reason", live->reason);
		set_number(object, "servers", servers);
		set_number(object, "priority", live->priority);
		set_number(object, "left_out", live->left_out);
		set_number(object, "unusable", live->unusable);
		set_number(object, "answers", live->answers);
		set_number(object, "failures", live->failures);
		json_array_append_new(list, object);
	}
	return list;
}

json_t *figures_pool(struct figures *f, const struct model_pool *p)
{
	uint64_t in_flight = 0, requests = 0;
	json_t *object = json_object();

	for (uint32_t i = 0; i < p->server_count; i++) {
		const struct live_server *s = p->servers[i].live;
		in_flight += atomic_load_explicit(&s->in_flight, memory_order_relaxed);
		requests += atomic_load_explicit(&s->requests, memory_order_relaxed);
	}
	set_text(object, "name", p->name);
	set_text(object, "balance", p->policy->name);
	set_text(object, "of", f->of_workers[p - f->model->pools] ? "workers" : "servers");
	json_object_set_new(object, "servers", figures_servers(f, p));
	json_object_set_new(object, "srv", srvs_of(p));
	set_number(object, "in_flight", in_flight);
	set_number(object, "requests", requests);
	set_amount(object, "waiting", &p->live->waiting);
	set_count(object, "retries", &p->live->retries);
	set_meters(object, f->view, p->live->meters);
	set_count(object, "bytes_up", &p->live->bytes_up);
	set_count(object, "bytes_down", &p->live->bytes_down);
	json_object_set_new(object, "moved", moved(p->live));
	json_object_set_new(object, "owned", owned_figures(f->view, p));
	return object;
}

static const char *kind_name(enum listener_kind kind)
{
	switch (kind) {
	case LISTEN_HTTP: return "http";
	case LISTEN_TCP:  return "tcp";
	case LISTEN_UDP:  return "udp";
	case LISTEN_KV:   return "kv";
	}
	return "";
}

static void set_kv(json_t *object, const struct model_listener *l)
{
	set_text(object, "protocol", l->protocol == KV_PROTOCOL_RESP ? "resp" : "kv");
	if (*l->workers.text != '\0')
		set_text(object, "workers", l->workers.text);
}

/* The pools that it leads to, each once, in the order of its routes. */
static json_t *pools_of(const struct figures *f, const struct model_listener *l)
{
	json_t *list = json_array();
	bool named[MODEL_POOLS_MAX] = {false};

	for (uint32_t i = 0; i < l->route_count; i++) {
		uint32_t pool = l->routes[i].pool;
		if (named[pool])
			continue;
		named[pool] = true;
		json_array_append_new(list, reply_text(f->model->pools[pool].name));
	}
	return list;
}

json_t *figures_listener(const struct figures *f, const struct model_listener *l)
{
	const struct live_listener *live = l->live;
	bool is_udp = l->kind == LISTEN_UDP;
	json_t *object = json_object();

	set_text(object, "address", l->address.text);
	set_text(object, "kind", kind_name(l->kind));
	if (l->kind == LISTEN_KV)
		set_kv(object, l);
	json_object_set_new(object, "pools", pools_of(f, l));
	set_amount(object, "connections",
		   is_udp ? &live->flows : &live->connections.inside);
	set_count(object, "accepted", &live->accepted);
	set_count(object, "requests", &live->requests);
	set_meters(object, f->view, live->meters);
	return object;
}

json_t *figures_listeners(const struct figures *f)
{
	json_t *list = json_array();

	for (uint32_t i = 0; i < f->model->listener_count; i++)
		json_array_append_new(list, figures_listener(f, &f->model->listeners[i]));
	return list;
}
