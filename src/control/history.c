#include "control/history.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/must.h"
#include "model/live.h"
#include "model/live_registry.h"
#include "model/meter_reading.h"
#include "model/meter_window.h"
#include "model/model.h"

enum { MINUTE_SAMPLES = (int)METER_MINUTE_EVERY_MS / (int)HISTORY_EVERY_MS };
_Static_assert((int)METER_MOMENT_EVERY_MS == (int)HISTORY_EVERY_MS,
	       "the quantiles of a sample are those of the moment that ends with it");

struct history *history_create(void)
{
	struct history *h = memory_new(1, sizeof *h);

	h->whole.name = memory_text("");
	return h;
}

static void destroy_series(struct history_series *s)
{
	if (s != NULL)
		free(s->name);
	free(s);
}

static void drop_list(struct history_list *list)
{
	for (uint32_t i = 0; i < list->count; i++)
		destroy_series(list->all[i]);
	free(list->all);
}

void history_destroy(struct history *h)
{
	drop_list(&h->pools);
	drop_list(&h->listeners);
	free(h->whole.name);
	free(h);
}

/* ---- whose ---- */

/* What one is known by. */
struct identity {
	const char *name;
	bool        datagrams;
};

static bool is_of(const struct history_series *s, struct identity who)
{
	return s != NULL && s->datagrams == who.datagrams && strcmp(s->name, who.name) == 0;
}

/* Takes its series out of the list: mostly it stands where it stood. Else a new one. */
static struct history_series *claim(struct history_list *list, uint32_t place,
				    struct identity who, uint64_t first)
{
	struct history_series *s;

	if (place >= list->count || !is_of(list->all[place], who))
		for (place = 0; place < list->count; place++)
			if (is_of(list->all[place], who))
				break;
	if (place < list->count) {
		s = list->all[place];
		list->all[place] = NULL;
		return s;
	}
	s = memory_new(1, sizeof *s);
	s->name = memory_text(who.name);
	s->datagrams = who.datagrams;
	s->first = first;
	return s;
}

/* ---- a sample ---- */

/* How much a counter has grown since the last sample of what it is of. */
static uint32_t growth(uint64_t *was, uint64_t now)
{
	uint64_t more = now - *was;

	*was = now;
	return more < UINT32_MAX ? (uint32_t)more : UINT32_MAX;
}

static uint64_t count_of(const atomic_ullong *count)
{
	return atomic_load_explicit(count, memory_order_relaxed);
}

static uint32_t amount_of(const atomic_uint *amount)
{
	return atomic_load_explicit(amount, memory_order_relaxed);
}

static void set_times(struct history_sample *s, const struct histogram *times)
{
	uint64_t us[HISTOGRAM_TOLD];

	s->has_times = times->total > 0;
	if (!s->has_times)
		return;
	histogram_quantiles(times, histogram_told, HISTOGRAM_TOLD, us);
	for (unsigned i = 0; i < HISTOGRAM_TOLD; i++)
		s->us[i] = us[i] < UINT32_MAX ? (uint32_t)us[i] : UINT32_MAX;
}

/* What clients of HTTP have seen go wrong. */
static uint64_t errors_seen(const struct meter_reading *sum)
{
	return sum->responses[5] + sum->responses[0];
}

/* Reads meters, and leaves the times of the moment that ends now. */
static void read_moment(struct meters *meters, uint64_t now_ms, struct meter_reading *sum)
{
	memset(sum, 0, sizeof *sum);
	meters_add(meters, sum);
	meters_leave_window(meters, METER_MOMENT, now_ms, &sum->times_us);
	meters_mark(meters, METER_MOMENT, now_ms);
}

/* Each has its turn once in MINUTE_SAMPLES, so that a thousand servers are no lump. Of all
 * that is alive: who leaves is shown, too, and who comes back is as it was. */
static void mark_minutes(const struct live *live, uint64_t number, uint64_t now_ms)
{
	uint32_t turn = number % MINUTE_SAMPLES;

	for (const struct live_server *s = live->servers; s != NULL; s = s->next)
		if (s->id % MINUTE_SAMPLES == turn)
			meters_mark(s->meters, METER_MINUTE, now_ms);
	if (turn != 0)
		return;
	for (const struct live_pool *p = live->pools; p != NULL; p = p->next)
		meters_mark(p->meters, METER_MINUTE, now_ms);
	for (const struct live_listener *l = live->listeners; l != NULL; l = l->next)
		meters_mark(l->meters, METER_MINUTE, now_ms);
}

/* By pool: whether requests of HTTP come to it. */
static void find_http(const struct model *m, bool is_http[MODEL_POOLS_MAX])
{
	memset(is_http, 0, MODEL_POOLS_MAX * sizeof *is_http);
	for (uint32_t i = 0; i < m->listener_count; i++)
		for (uint32_t j = 0; j < m->listeners[i].route_count; j++)
			if (m->listeners[i].kind == LISTEN_HTTP)
				is_http[m->listeners[i].routes[j].pool] = true;
}

/* Each server's own growth, so that one which comes or goes is no jump. */
static void add_servers(struct history_sample *sample, const struct model_pool *p, bool http)
{
	for (uint32_t i = 0; i < p->server_count; i++) {
		struct live_server *live = p->servers[i].live;
		uint32_t more = growth(&live->sampled_failures,
				       live_server_failures(live));
		sample->errors += http ? 0 : more;
		sample->requests += growth(&live->sampled_requests,
					   count_of(&live->requests));
		sample->in_flight += amount_of(&live->in_flight);
	}
}

static void add_counts(struct history_sample *to, const struct history_sample *one)
{
	to->requests += one->requests;
	to->errors += one->errors;
	to->in_flight += one->in_flight;
	to->waiting += one->waiting;
}

static void add_times(struct histogram *to, const struct histogram *one)
{
	for (unsigned place = 0; one->total > 0 && place < HISTOGRAM_PLACES; place++)
		if (one->counts[place] > 0)
			histogram_add_place(to, place, one->counts[place]);
}

static struct history_sample *begin_sample(struct history_series *s, uint64_t number)
{
	struct history_sample *sample = &s->samples[number % HISTORY_SAMPLES];

	*sample = (struct history_sample){0};
	return sample;
}

static void take_pools(struct history *h, const struct model *m, uint64_t now_ms)
{
	struct history_list new = {memory_new(m->pool_count, sizeof *new.all), m->pool_count};
	struct history_sample *whole = begin_sample(&h->whole, h->taken);
	struct histogram all = {0};
	bool is_http[MODEL_POOLS_MAX];
	struct meter_reading sum;

	find_http(m, is_http);
	for (uint32_t i = 0; i < m->pool_count; i++) {
		const struct model_pool *p = &m->pools[i];
		struct history_series *s =
			claim(&h->pools, i, (struct identity){p->name, false}, h->taken);
		struct history_sample *sample = begin_sample(s, h->taken);
		new.all[i] = s;
		read_moment(p->live->meters, now_ms, &sum);
		add_servers(sample, p, is_http[i]);
		uint32_t seen = growth(&p->live->sampled_errors, errors_seen(&sum));
		sample->errors += is_http[i] ? seen : 0;
		sample->waiting = amount_of(&p->live->waiting);
		set_times(sample, &sum.times_us);
		add_counts(whole, sample);
		add_times(&all, &sum.times_us);
	}
	set_times(whole, &all);
	drop_list(&h->pools);
	h->pools = new;
}

static void take_listeners(struct history *h, const struct model *m, uint64_t now_ms)
{
	struct history_list new = {memory_new(m->listener_count, sizeof *new.all),
				   m->listener_count};
	struct meter_reading sum;

	for (uint32_t i = 0; i < m->listener_count; i++) {
		struct live_listener *live = m->listeners[i].live;
		bool is_udp = m->listeners[i].kind == LISTEN_UDP;
		struct history_series *s = claim(&h->listeners, i,
			(struct identity){m->listeners[i].address.text, is_udp}, h->taken);
		struct history_sample *sample = begin_sample(s, h->taken);
		new.all[i] = s;
		read_moment(live->meters, now_ms, &sum);
		sample->requests = growth(&live->sampled_requests, count_of(&live->requests));
		sample->accepted = growth(&live->sampled_accepted, count_of(&live->accepted));
		sample->errors = growth(&live->sampled_errors, errors_seen(&sum));
		sample->waiting = amount_of(&live->waiting);
		sample->connections =
			amount_of(is_udp ? &live->flows : &live->connections.inside);
		set_times(sample, &sum.times_us);
	}
	drop_list(&h->listeners);
	h->listeners = new;
}

void history_take(struct history *h, const struct model *m, const struct live *live,
		  uint64_t now_ms)
{
	uint32_t place = h->taken % HISTORY_SAMPLES;

	must(now_ms > h->last_ms);
	take_pools(h, m, now_ms);
	take_listeners(h, m, now_ms);
	h->whole.samples[place].connections = amount_of(&live->connections.inside);
	h->at_ms[place] = now_ms;
	h->took_ms[place] = (uint32_t)(now_ms - h->last_ms);
	h->last_ms = now_ms;
	mark_minutes(live, h->taken, now_ms);
	h->taken++;
}
