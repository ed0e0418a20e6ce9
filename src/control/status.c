/* control/status.c - the process as a whole: how it is, and its end. */
#include <unistd.h>

#include "base/log.h"
#include "base/must.h"
#include "control/ask.h"
#include "control/body.h"
#include "control/figures.h"
#include "control/stream.h"

enum { LIMIT_MS_MAX = 24 * 3600 * 1000 };

static json_t *text_or_null(const char *text)
{
	return text != NULL ? reply_text(text) : json_null();
}

static void count_servers(const struct model *m, json_t *object)
{
	json_int_t servers = 0, up = 0;

	for (uint32_t i = 0; i < m->pool_count; i++) {
		const struct model_pool *p = &m->pools[i];
		servers += p->server_count;
		for (uint32_t j = 0; j < p->server_count; j++)
			up += atomic_load_explicit(&p->servers[j].live->up,
						   memory_order_relaxed);
	}
	json_object_set_new(object, "pools", json_integer(m->pool_count));
	json_object_set_new(object, "servers", json_integer(servers));
	json_object_set_new(object, "servers_up", json_integer(up));
}

/* Answers that go on. */
static json_t *streams_of(const struct streams *s)
{
	json_t *o = json_object();

	json_object_set_new(o, "open", json_integer(s->open));
	json_object_set_new(o, "refused", json_integer((json_int_t)s->refused));
	json_object_set_new(o, "dropped", json_integer((json_int_t)s->dropped));
	return o;
}

void status_get(const struct ask *ask, struct reply *r)
{
	const struct view *v = ask->view;
	bool draining = v->hooks->draining(v->hooks->arg);
	json_t *o = json_object();
	struct log_losses losses = log_losses();
	struct figures f;

	figures_init(&f, v);
	json_object_set_new(o, "name", reply_text(v->facts->name));
	json_object_set_new(o, "version", reply_text(v->facts->version));
	json_object_set_new(o, "pid", json_integer(getpid()));
	json_object_set_new(o, "uptime_s", json_integer((json_int_t)v->uptime_s));
	json_object_set_new(o, "state", json_string(draining ? "draining" : "running"));
	json_object_set_new(o, "file", text_or_null(v->facts->config_path));
	json_object_set_new(o, "threads", json_integer(v->facts->threads));
	json_object_set_new(o, "connections", json_integer(atomic_load_explicit(
		&v->live->connections.inside, memory_order_relaxed)));
	json_object_set_new(o, "heap_bytes", json_integer(
		(json_int_t)v->hooks->heap_bytes(v->hooks->arg)));
	json_object_set_new(o, "access_log_dropped", json_integer(
		(json_int_t)v->hooks->access_log_dropped(v->hooks->arg)));
	json_object_set_new(o, "log_left_out", json_integer((json_int_t)(
		losses.repeated + losses.many + losses.full)));
	json_object_set_new(o, "lasting", json_boolean(v->facts->state_file != NULL));
	json_object_set_new(o, "state_file", text_or_null(v->facts->state_file));
	json_object_set_new(o, "streams", streams_of(v->streams));
	json_object_set_new(o, "listeners", figures_listeners(&f));
	count_servers(f.model, o);
	figures_fini(&f);
	reply_json(r, 200, o);
}

void status_stop(const struct ask *ask, struct reply *r)
{
	const struct control_hooks *hooks = ask->view->hooks;
	uint32_t limit_ms = UINT32_MAX;
	const struct member members[] = {
		{.name = "limit_ms", .kind = MEMBER_NUMBER, .max = LIMIT_MS_MAX,
		 .value = &limit_ms},
	};
	json_t *body = body_read(ask->body, members, COUNT_OF(members), r);

	if (body == NULL)
		return;
	json_decref(body);
	hooks->stop(hooks->arg, limit_ms);
	body = json_object();
	json_object_set_new(body, "pid", json_integer(getpid()));
	reply_json(r, 202, body);
}
