/* control/history_get.c - GET /v1/history: what history.h has, as lists side by side, the
 * oldest sample first. Where one was not there yet, null stands in its place.
 */
#include <stddef.h>
#include <unistd.h>

#include "base/must.h"
#include "control/ask.h"
#include "control/body.h"
#include "control/figures.h"
#include "control/history.h"

enum { OF_WHOLE = 1, OF_POOL = 2, OF_LISTENER = 4 };

/* Which samples are told: from the first one up to the one before the end. */
struct range {
	const struct history *history;
	uint64_t first, end;
};

static json_t *number(uint64_t n)
{
	return json_integer((json_int_t)n);
}

static void set_counts(json_t *object, const struct range *range, unsigned of,
		       const struct history_series *s)
{
	static const struct {
		const char *name;
		size_t      offset;
		unsigned    of;
	} counts[] = {
#define COUNT(name, of) {#name, offsetof(struct history_sample, name), (of)}
		COUNT(requests, OF_WHOLE | OF_POOL | OF_LISTENER),
		COUNT(errors, OF_WHOLE | OF_POOL | OF_LISTENER),
		COUNT(accepted, OF_LISTENER),
		COUNT(in_flight, OF_WHOLE | OF_POOL),
		COUNT(waiting, OF_WHOLE | OF_POOL | OF_LISTENER),
		COUNT(connections, OF_WHOLE | OF_LISTENER),
#undef COUNT
	};

	for (size_t i = 0; i < COUNT_OF(counts); i++) {
		if ((counts[i].of & of) == 0)
			continue;
		json_t *list = json_array();
		for (uint64_t n = range->first; n < range->end; n++) {
			const char *sample =
				(const char *)&s->samples[n % HISTORY_SAMPLES];
			json_array_append_new(list, n < s->first ? json_null() :
				number(*(const uint32_t *)(sample + counts[i].offset)));
		}
		json_object_set_new(object, counts[i].name, list);
	}
}

static void set_times(json_t *object, const struct range *range,
		      const struct history_series *s)
{
	for (int i = 0; i < HISTOGRAM_TOLD; i++) {
		json_t *list = json_array();
		for (uint64_t n = range->first; n < range->end; n++) {
			const struct history_sample *sample =
				&s->samples[n % HISTORY_SAMPLES];
			json_array_append_new(list,
				n < s->first || !sample->has_times ? json_null() :
				json_real((double)sample->us[i] / 1000));
		}
		json_object_set_new(object, figures_quantiles[i], list);
	}
}

static json_t *series_of(const struct range *range, unsigned of,
			 const struct history_series *s)
{
	json_t *object = json_object();

	if (of != OF_WHOLE)
		json_object_set_new(object, of == OF_POOL ? "name" : "address",
				    reply_text(s->name));
	if (of == OF_LISTENER)
		json_object_set_new(object, "datagrams", json_boolean(s->datagrams));
	set_counts(object, range, of, s);
	set_times(object, range, s);
	return object;
}

static json_t *list_of(const struct range *range, unsigned of,
		       const struct history_list *all)
{
	json_t *list = json_array();

	for (uint32_t i = 0; i < all->count; i++)
		json_array_append_new(list, series_of(range, of, all->all[i]));
	return list;
}

static void set_moments(json_t *object, const struct range *range)
{
	const struct history *h = range->history;
	json_t *at = json_array(), *took = json_array();

	for (uint64_t n = range->first; n < range->end; n++) {
		json_array_append_new(at, number(h->at_ms[n % HISTORY_SAMPLES]));
		json_array_append_new(took, number(h->took_ms[n % HISTORY_SAMPLES]));
	}
	json_object_set_new(object, "at_ms", at);
	json_object_set_new(object, "took_ms", took);
}

void history_get(const struct ask *ask, struct reply *r)
{
	const struct history *h = ask->view->history;
	uint32_t last = HISTORY_SAMPLES;
	const struct member members[] = {
		{.name = "last", .kind = MEMBER_NUMBER, .max = HISTORY_SAMPLES,
		 .value = &last},
	};

	if (!body_read_query(ask->query, members, COUNT_OF(members), r))
		return;
	const struct range range = {h, h->taken - (h->taken < last ? h->taken : last),
				    h->taken};
	json_t *object = json_object();
	json_object_set_new(object, "pid", json_integer(getpid()));
	json_object_set_new(object, "now_ms", number(ask->view->uptime_ms));
	json_object_set_new(object, "every_ms", number(HISTORY_EVERY_MS));
	set_moments(object, &range);
	json_object_set_new(object, "whole", series_of(&range, OF_WHOLE, &h->whole));
	json_object_set_new(object, "pools", list_of(&range, OF_POOL, &h->pools));
	json_object_set_new(object, "listeners",
			    list_of(&range, OF_LISTENER, &h->listeners));
	reply_json(r, 200, object);
}
