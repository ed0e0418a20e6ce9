/* control/pools.c - GET /v1/pools and /v1/pools/POOL. */
#include "control/ask.h"
#include "control/figures.h"

void pools_get(const struct ask *ask, struct reply *r)
{
	json_t *list = json_array(), *object = json_object();
	struct figures f;

	figures_init(&f, ask->view);
	for (uint32_t i = 0; i < f.model->pool_count; i++)
		json_array_append_new(list, figures_pool(&f, &f.model->pools[i]));
	figures_fini(&f);
	json_object_set_new(object, "pools", list);
	reply_json(r, 200, object);
}

void pools_get_one(const struct ask *ask, struct reply *r)
{
	const struct model_pool *p = ask_pool(ask, r);
	struct figures f;

	if (p == NULL)
		return;
	figures_init(&f, ask->view);
	reply_json(r, 200, figures_pool(&f, p));
	figures_fini(&f);
}
