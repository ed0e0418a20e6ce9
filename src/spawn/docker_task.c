#include "spawn/docker_task.h"

#include <stdlib.h>

#include "base/memory.h"
#include "base/must.h"
#include "spawn/docker_ask.h"

static void remove_again(struct docker_task *t);

static void on_pause_over(struct loop_timer *timer)
{
	remove_again(CONTAINER_OF(timer, struct docker_task, pause));
}

struct docker_task *docker_task_begin(struct spawn_engine *e, struct spawn_task *told)
{
	struct docker_task *t = memory_new(1, sizeof *t);

	must(told->inside == NULL);
	t->engine = e;
	t->told = told;
	loop_timer_init(&t->pause, on_pause_over);
	list_push_last(&e->tasks, &t->link);
	told->inside = t;
	told->found = NULL;
	told->found_count = 0;
	return t;
}

void docker_task_drop(struct docker_task *t)
{
	docker_client_cancel(&t->call);
	docker_network_cancel(&t->need);
	loop_timer_stop(t->engine->place.loop, &t->pause);
	list_remove(&t->link);
	t->told->inside = NULL;
	free(t->body);
	free(t);
}

void docker_task_end(struct docker_task *t, enum spawn_result result,
		     struct spawn_server *found)
{
	struct spawn_task *told = t->told;
	struct err err = t->err;

	docker_task_drop(t);
	told->on_done(told, result, &err);	/* which may free `told` */
	free(found);
}

static void on_call_done(struct docker_call *call, const struct docker_reply *reply)
{
	struct docker_task *t = CONTAINER_OF(call, struct docker_task, call);

	t->on_reply(t, reply);
}

void docker_task_ask(struct docker_task *t, const char *method, char *path,
		     uint32_t limit_ms,
		     void (*on_reply)(struct docker_task *t,
				      const struct docker_reply *reply))
{
	t->on_reply = on_reply;
	t->call.on_done = on_call_done;
	t->call.limit_ms = limit_ms;
	docker_client_call(t->engine->client, &t->call, method, path, NULL);
}

void docker_task_post(struct docker_task *t, char *path, const char *body,
		      uint32_t limit_ms,
		      void (*on_reply)(struct docker_task *t,
				       const struct docker_reply *reply))
{
	t->on_reply = on_reply;
	t->call.on_done = on_call_done;
	t->call.limit_ms = limit_ms;
	docker_client_call(t->engine->client, &t->call, "POST", path, memory_text(body));
}

static void on_remove_answered(struct docker_task *t, const struct docker_reply *reply)
{
	bool gone = reply->status == 404 ||
		    (reply->status >= 200 && reply->status <= 299);

	if (reply->status == 409 && ++t->removes < DOCKER_REMOVES_MAX)
		loop_timer_start(t->engine->place.loop, &t->pause, DOCKER_PAUSE_MS);
	else
		t->on_removed(t, gone ? NULL : reply->err);
}

static void remove_again(struct docker_task *t)
{
	docker_task_ask(t, "DELETE",
			docker_ask_path("/containers/%s?force=true&v=true", t->id),
			DOCKER_MAKE_MS, on_remove_answered);
}

void docker_task_remove(struct docker_task *t,
			void (*on_removed)(struct docker_task *t, const struct err *err))
{
	t->removes = 0;
	t->on_removed = on_removed;
	remove_again(t);
}
