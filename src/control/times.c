/* control/times.c - GET /v1/times: how often which time was counted, by pool, since the
 * start. Who asks twice has, in the difference, the quantiles of what was between.
 */
#include <string.h>

#include "control/ask.h"
#include "model/live.h"
#include "model/meter_reading.h"

/* [microseconds, count], the shortest first, without what was never counted. */
static json_t *counts_of(const struct histogram *h)
{
	json_t *list = json_array();

	for (unsigned place = 0; place < HISTOGRAM_PLACES; place++)
		if (h->counts[place] > 0)
			json_array_append_new(list, json_pack("[I,I]",
				(json_int_t)histogram_middle(place),
				(json_int_t)h->counts[place]));
	return list;
}

void times_get(const struct ask *ask, struct reply *r)
{
	const struct model *m = view_model(ask->view);
	json_t *object = json_object(), *list = json_array();
	struct meter_reading sum;

	for (uint32_t i = 0; i < m->pool_count; i++) {
		json_t *one = json_object();
		memset(&sum, 0, sizeof sum);
		meters_add(m->pools[i].live->meters, &sum);
		json_object_set_new(one, "name", reply_text(m->pools[i].name));
		json_object_set_new(one, "counts_us", counts_of(&sum.times_us));
		json_array_append_new(list, one);
	}
	json_object_set_new(object, "pools", list);
	reply_json(r, 200, object);
}
