#include "observe/metrics_rows.h"

#include <stdlib.h>

#include "base/memory.h"
#include "model/live_srv.h"
#include "model/model.h"
#include "model/srv.h"
#include "observe/exposition.h"

const struct row_bound row_buckets[ROW_BUCKETS] = {
	{100, "0.0001"}, {250, "0.00025"}, {500, "0.0005"},
	{1000, "0.001"}, {2500, "0.0025"}, {5000, "0.005"},
	{10 * 1000, "0.01"}, {25 * 1000, "0.025"}, {50 * 1000, "0.05"},
	{100 * 1000, "0.1"}, {250 * 1000, "0.25"}, {500 * 1000, "0.5"},
	{1000 * 1000, "1.0"}, {2500 * 1000, "2.5"}, {5000 * 1000, "5.0"},
	{10 * 1000 * 1000, "10.0"}, {30 * 1000 * 1000, "30.0"}, {60 * 1000 * 1000, "60.0"},
};

const char *const row_quantiles[HISTOGRAM_TOLD] = {"0.5", "0.9", "0.99", "0.999"};

/* ---- what meters came to ---- */

/* A bound within a place takes the whole place in, which is at most 1.6 % of it. */
static void read_buckets(const struct histogram *h, uint64_t buckets[ROW_BUCKETS])
{
	uint64_t seen = 0;
	unsigned place = 0;

	for (int i = 0; i < ROW_BUCKETS; i++) {
		for (unsigned last = histogram_place(row_buckets[i].us); place <= last; place++)
			seen += h->counts[place];
		buckets[i] = seen;
	}
}

static void read_meters(struct row *row, const struct meters *meters)
{
	struct meter_reading sum = {0};

	meters_add(meters, &sum);
	for (int i = 0; i < METER_CLASSES; i++)
		row->responses[i] = sum.responses[i];
	row->bytes_in = sum.bytes_in;
	row->bytes_out = sum.bytes_out;
	row->total_us = sum.total_us;
	row->count = sum.times_us.total;
	if (row->count == 0)
		return;
	histogram_quantiles(&sum.times_us, histogram_told, HISTOGRAM_TOLD, row->quantiles_us);
	read_buckets(&sum.times_us, row->buckets);
}

/* ---- rows ---- */

static struct rows rows_new(uint32_t room)
{
	return (struct rows){.all = memory_new(room, sizeof(struct row))};
}

static struct row *add(struct rows *rows, const void *live)
{
	struct row *row = &rows->all[rows->count++];

	row->live = live;
	row->labels = memory_new(1, ROW_LABELS_MAX);
	return row;
}

static void label(struct row *row, const char *name, const char *value)
{
	exposition_label(row->labels, ROW_LABELS_MAX, name, value);
}

struct rows rows_of_listeners(const struct model *m)
{
	static const char *const kinds[] = {
		[LISTEN_HTTP] = "http", [LISTEN_TCP] = "tcp", [LISTEN_UDP] = "udp",
		[LISTEN_KV] = "kv",
	};
	struct rows rows = rows_new(m->listener_count);

	for (uint32_t i = 0; i < m->listener_count; i++) {
		const struct model_listener *l = &m->listeners[i];
		struct row *row = add(&rows, l->live);
		label(row, "listener", l->address.text);
		label(row, "mode", kinds[l->kind]);
		row->is_metered = m->metered && l->kind == LISTEN_HTTP;
		read_meters(row, l->live->meters);
	}
	return rows;
}

static bool is_used_by_http(const struct model *m, uint32_t pool)
{
	for (uint32_t i = 0; i < m->listener_count; i++) {
		const struct model_listener *l = &m->listeners[i];
		for (uint32_t k = 0; l->kind == LISTEN_HTTP && k < l->route_count; k++)
			if (l->routes[k].pool == pool)
				return true;
	}
	return false;
}

static void count_servers(struct row *row, const struct model_pool *p)
{
	for (uint32_t i = 0; i < p->server_count; i++) {
		if (p->servers[i].drain)
			row->servers_draining++;
		else if (atomic_load_explicit(&p->servers[i].live->up, memory_order_relaxed))
			row->servers_up++;
		else
			row->servers_down++;
	}
}

static void count_look_ups(struct row *row, const struct model_pool *p)
{
	row->srv_count = p->srv_count;
	for (uint32_t i = 0; i < p->srv_count; i++) {
		const struct live_srv *live = live_srv_of(p->live, p->srvs[i].name);
		row->srv_answers += live->answers;
		row->srv_failures += live->failures;
		row->srv_left_out += live->left_out;
	}
}

struct rows rows_of_pools(const struct model *m)
{
	struct rows rows = rows_new(m->pool_count);

	for (uint32_t i = 0; i < m->pool_count; i++) {
		const struct model_pool *p = &m->pools[i];
		struct row *row = add(&rows, p->live);
		label(row, "pool", p->name);
		row->is_metered = m->metered && is_used_by_http(m, i);
		count_servers(row, p);
		count_look_ups(row, p);
		read_meters(row, p->live->meters);
	}
	return rows;
}

struct rows rows_of_servers(const struct model *m)
{
	uint32_t room = 0;

	for (uint32_t i = 0; i < m->pool_count; i++)
		room += m->pools[i].server_count;
	struct rows rows = rows_new(room);
	for (uint32_t i = 0; i < m->pool_count; i++) {
		const struct model_pool *p = &m->pools[i];
		bool is_metered = m->metered && is_used_by_http(m, i);
		for (uint32_t k = 0; k < p->server_count; k++) {
			struct row *row = add(&rows, p->servers[k].live);
			label(row, "pool", p->name);
			label(row, "server", p->servers[k].address.text);
			row->is_metered = is_metered;
			row->weight = p->servers[k].weight;
			row->drain = p->servers[k].drain;
			read_meters(row, p->servers[k].live->meters);
		}
	}
	return rows;
}

void rows_fini(struct rows *r)
{
	for (uint32_t i = 0; i < r->count; i++)
		free(r->all[i].labels);
	free(r->all);
	*r = (struct rows){0};
}
