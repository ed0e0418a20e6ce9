#include "daemon/naming.h"

#include "daemon/inside.h"
#include "daemon/kept_names.h"
#include "daemon/srv.h"
#include "daemon/steering.h"
#include "health/prober.h"
#include "loop/loop.h"
#include "model/srv.h"

/* The first model, m, which is given: with what names stood for last, if that is possible. */
static int use(struct service *s, struct model *m, struct err *err)
{
	struct model *led = kept_names_lead(s, m);
	struct err why;

	if (led == NULL)
		return steering_use_file(s, m, err);
	if (steering_use_file(s, led, &why) == 0) {
		model_put(m);
		names_ask_anew(&s->names);
		kept_names_say(s);
		return 0;
	}
	/* If it cannot be without either, that is the reason to tell. */
	kept_names_forget(s);
	if (steering_use_file(s, m, err) != 0)
		return -1;
	kept_names_say_unused(s, &why);
	return 0;
}

static bool knows_all(const struct model *m)
{
	for (uint32_t i = 0; i < m->pool_count; i++) {
		const struct model_pool *p = &m->pools[i];
		if (model_pool_awaits_srv(p))
			return false;
		for (uint32_t j = 0; j < p->server_count; j++)
			if (atomic_load(&p->servers[j].live->address) == NULL)
				return false;
	}
	return true;
}

/* Names may take a moment; what they lead to would be missed by the first requests. What they
 * led to before is as good, but for a name server that answers at once, which knows better. */
static void wait_for_names(struct service *s)
{
	loop_turn(s->loop, 0);		/* its time is from before all that was read and opened */
	uint64_t begun_ms = loop_now_ms(s->loop), waited_ms = 0;

	while (s->names.asked + srv_asked(s) > 0 &&
	       (waited_ms < NAMING_KNOWN_MS ||
		(waited_ms < NAMING_START_MS && !knows_all(s->model)))) {
		loop_turn(s->loop, 100);
		waited_ms = loop_now_ms(s->loop) - begun_ms;
	}
}

int naming_use_first(struct service *s, struct model *m, struct err *err)
{
	kept_names_open(s);
	if (use(s, m, err) != 0)
		return -1;
	wait_for_names(s);
	return 0;
}

static void on_resolved(void *arg, struct live_server *server)
{
	struct service *s = arg;

	prober_check_server(s->prober, server);
	kept_names_changed(s);
}

int naming_open(struct service *s, struct err *err)
{
	if (names_open(&s->names, s->loop, on_resolved, s, err) != 0)
		return -1;
	srv_open(s);
	return 0;
}

void naming_begin(struct service *s)
{
	kept_names_begin(s);
}

void naming_end(struct service *s)
{
	kept_names_close(s);
}

void naming_close(struct service *s)
{
	srv_close(s);
	names_close(&s->names);
}
