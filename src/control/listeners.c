/* control/listeners.c - GET /v1/listeners. */
#include "control/ask.h"
#include "control/figures.h"

void listeners_get(const struct ask *ask, struct reply *r)
{
	json_t *object = json_object();
	struct figures f;

	figures_init(&f, ask->view);
	json_object_set_new(object, "listeners", figures_listeners(&f));
	figures_fini(&f);
	reply_json(r, 200, object);
}
