/* spawn/docker.c - the driver of containers: a Docker Engine, or Podman's likeness.
 *
 * Its parts, from the wire up:
 *
 *   docker_wire     HTTP over the socket, by libcurl on our loop
 *   docker_client   version, so many calls at once, what a failed one means
 *   docker_ask      what we say            docker_answer   what is said to us   (pure)
 *   docker_events   who has ended          docker_network  made when it is missing
 *   docker_task     an operation; docker_start is the long one, the short are here
 */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/must.h"
#include "spawn/docker_ask.h"
#include "spawn/docker_task.h"

static struct spawn_engine *open_engine(const struct spawn_place *place, struct err *err)
{
	struct spawn_engine *e = memory_new(1, sizeof *e);

	(void)err;			/* what cannot be reached may be later */
	e->place = *place;
	list_init(&e->tasks);
	e->client = docker_client_open(place->loop, place->own->socket);
	docker_network_init(&e->network, place->loop, e->client, place->balancer);
	e->events = docker_events_open(&(struct docker_events_use){
		.loop = place->loop, .client = e->client, .balancer = place->balancer,
		.pool = place->pool, .on_gone = place->on_gone, .arg = place->arg,
	});
	return e;
}

static void close_engine(struct spawn_engine *e)
{
	LIST_EACH(&e->tasks, at, next)
		docker_task_drop(CONTAINER_OF(at, struct docker_task, link));
	docker_network_fini(&e->network);
	docker_events_close(e->events);
	docker_client_close(e->client);
	free(e);
}

static void use_recipe(struct spawn_engine *e, const struct model_own *own)
{
	e->place.own = own;
}

/* ---- list ---- */

static void on_listed(struct docker_task *t, const struct docker_reply *reply)
{
	const struct spawn_engine *e = t->engine;
	const struct docker_place where = {
		.balancer = e->place.balancer, .pool = e->place.pool,
		.network = e->place.own->network, .port = e->place.own->port,
	};
	struct spawn_server *found;
	uint32_t count;
	int unused;

	t->err = *reply->err;
	if (reply->status != 200 ||
	    docker_answer_list(reply->text, &where, &found, &count, &t->err) != 0) {
		docker_task_end(t, SPAWN_FAILED, NULL);
		return;
	}
	for (uint32_t i = 0; i < count; i++)
		if (found[i].running &&
		    !docker_events_watch(e->events, found[i].id, &unused))
			found[i].running = false;
	t->told->found = found;
	t->told->found_count = count;
	docker_task_end(t, SPAWN_DONE, found);
}

static void list_servers(struct spawn_engine *e, struct spawn_task *told)
{
	struct docker_task *t = docker_task_begin(e, told);

	docker_task_ask(t, "GET", docker_ask_list(e->place.balancer, e->place.pool),
			DOCKER_CALL_MS, on_listed);
}

/* ---- stop ---- */

static void on_stop_removed(struct docker_task *t, const struct err *err)
{
	if (err != NULL)
		err_set(&t->err, "%s cannot be removed: %s", t->name, err->text);
	docker_task_end(t, err == NULL ? SPAWN_DONE : SPAWN_FAILED, NULL);
}

/* Whatever it says, unless nobody answers: what has not ended is ended by force now. */
static void on_stopped(struct docker_task *t, const struct docker_reply *reply)
{
	if (reply->status == 404)
		on_stop_removed(t, NULL);
	else if (reply->status == 0)
		on_stop_removed(t, reply->err);
	else
		docker_task_remove(t, on_stop_removed);
}

static void stop_server(struct spawn_engine *e, const struct spawn_server *s,
			uint32_t grace_ms, struct spawn_task *told)
{
	struct docker_task *t = docker_task_begin(e, told);
	uint32_t grace_s = grace_ms / 1000 + (grace_ms % 1000 > 0);

	strcpy(t->name, s->name);
	strcpy(t->id, s->id);
	docker_events_forget(e->events, t->id);
	if (grace_ms == 0)
		docker_task_remove(t, on_stop_removed);
	else
		docker_task_post(t, docker_ask_path("/containers/%s/stop?t=%u", t->id,
						    (unsigned)grace_s),
				 "", grace_ms + DOCKER_CALL_MS, on_stopped);
}

const struct spawn_driver spawn_docker = {
	.name  = "docker",
	.open  = open_engine,
	.close = close_engine,
	.use   = use_recipe,
	.list  = list_servers,
	.start = docker_start_begin,
	.stop  = stop_server,
};
