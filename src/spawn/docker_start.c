/* spawn/docker_start.c - the life of a start.
 *
 *   network there? --> create --> start --> look: runs, has an address --> DONE
 *                       |  ^        |         |
 *                  409  |  |        |         '-- ended: its last line
 *                       v  | once   |         |
 *           whose is the name?      v         v
 *             |       '-- ours    remove it, then FAILED
 *             '-- NAME_TAKEN      (or once more, when its network was there twice)
 *
 * When the answer to "create" is lost, the name is looked for: one of ours that does not
 * run is what we made.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/must.h"
#include "base/text.h"
#include "spawn/docker_ask.h"
#include "spawn/docker_task.h"

static void create(struct docker_task *t);

static bool is_good(const struct docker_reply *reply)
{
	return reply->status >= 200 && reply->status <= 299;
}

static void fail(struct docker_task *t)
{
	docker_task_end(t, SPAWN_FAILED, NULL);
}

/* ---- taking it back ---- */

static void on_taken_back(struct docker_task *t, const struct err *err)
{
	if (err != NULL)
		log_warn("a container that did not start is left, remove it: docker rm "
			 "-f %s pool=%s reason=\"%s\"", t->name, t->engine->place.pool,
			 err->text);
	t->id[0] = '\0';
	if (err == NULL && !t->again && strstr(t->err.text, "ambiguous") != NULL) {
		t->again = true;	/* another balancer made the same network */
		docker_network_need(&t->engine->network, &t->need);
		return;
	}
	fail(t);
}

static void take_back(struct docker_task *t)
{
	docker_task_remove(t, on_taken_back);
}

static void on_log(struct docker_task *t, const struct docker_reply *reply)
{
	char line[DOCKER_WHY_SIZE];
	struct err ended = t->err;

	docker_answer_last_line(is_good(reply) ? reply->text : (struct span){0}, line);
	if (*line != '\0')
		err_set(&t->err, "%s; the last it said: %s", ended.text, line);
	take_back(t);
}

static void fail_by_end(struct docker_task *t, const struct docker_container *c)
{
	char why[DOCKER_WHY_SIZE];

	docker_answer_exit(c->exit_code, c->out_of_memory, why);
	err_set(&t->err, "%s %s as soon as it was started%s%s", t->name, why,
		c->trouble[0] != '\0' ? ": " : "", c->trouble);
	docker_task_ask(t, "GET", docker_ask_path("/containers/%s/logs?stdout=true"
						  "&stderr=true&tail=5", t->id),
			DOCKER_CALL_MS, on_log);
}

/* ---- created: start, look ---- */

static void succeed(struct docker_task *t, const struct docker_container *c)
{
	struct spawn_server *s = &t->told->server;

	*s = c->server;
	strcpy(s->name, t->name);
	strcpy(s->id, t->id);
	s->recipe = t->recipe;
	docker_task_end(t, SPAWN_DONE, NULL);
}

static void on_looked_at(struct docker_task *t, const struct docker_reply *reply)
{
	struct docker_container c;

	t->err = *reply->err;
	if (!is_good(reply) ||
	    docker_answer_container(reply->text, &t->where, &c, &t->err) != 0) {
		take_back(t);
	} else if (!c.server.running) {
		fail_by_end(t, &c);
	} else if (c.server.address.len == 0) {
		err_set(&t->err, "%s has no address in the network %s; a pool's network "
			"has to be one of the kind \"bridge\" or the like", t->name,
			quote(t->need.network).text);
		take_back(t);
	} else if (!docker_events_watch(t->engine->events, t->id, &c.exit_code)) {
		fail_by_end(t, &c);
	} else {
		succeed(t, &c);
	}
}

static void on_started(struct docker_task *t, const struct docker_reply *reply)
{
	if (!is_good(reply) && reply->status != 304) {
		err_set(&t->err, "%s does not start: %s", t->name, reply->err->text);
		take_back(t);
		return;
	}
	docker_task_ask(t, "GET", docker_ask_path("/containers/%s/json", t->id),
			DOCKER_CALL_MS, on_looked_at);
}

static void start(struct docker_task *t)
{
	docker_task_post(t, docker_ask_path("/containers/%s/start", t->id), "",
			 DOCKER_MAKE_MS, on_started);
}

/* ---- the name is there already, or may be ---- */

static void on_old_removed(struct docker_task *t, const struct err *err)
{
	t->id[0] = '\0';
	if (err == NULL) {
		create(t);
		return;
	}
	err_set(&t->err, "what is left of an earlier %s cannot be removed: %s", t->name,
		err->text);
	fail(t);
}

static void judge_name(struct docker_task *t, const struct docker_container *c)
{
	bool dead = c->ours && !c->server.running;

	if (dead && t->lost) {
		strcpy(t->id, c->server.id);
		take_back(t);
	} else if (t->lost) {
		fail(t);
	} else if (dead && !t->again) {
		t->again = true;
		strcpy(t->id, c->server.id);
		docker_task_remove(t, on_old_removed);
	} else {
		err_set(&t->err, c->ours ? "the container %s of this pool runs already"
			: "there is a container %s already that is not one of this pool",
			t->name);
		docker_task_end(t, SPAWN_NAME_TAKEN, NULL);
	}
}

static void on_name_looked_at(struct docker_task *t, const struct docker_reply *reply)
{
	struct docker_container c;

	if (is_good(reply) &&
	    docker_answer_container(reply->text, &t->where, &c, &t->err) == 0) {
		judge_name(t, &c);
	} else if (reply->status == 404 && !t->lost && !t->again) {
		t->again = true;	/* it went away in between */
		create(t);
	} else {
		fail(t);		/* t->err is that of "create" */
	}
}

static void look_at_name(struct docker_task *t)
{
	docker_task_ask(t, "GET", docker_ask_path("/containers/%s/json", t->name),
			DOCKER_CALL_MS, on_name_looked_at);
}

/* ---- create ---- */

static void explain_refused(struct docker_task *t, const struct docker_reply *reply)
{
	const char *image = t->engine->place.own->image;
	const char *said = reply->err->text;

	if (reply->status == 404 && strcasestr(said, "image") != NULL)
		err_set(&t->err, "the image %s is not there; build it, or pull it: "
			"docker pull %s", image, image);
	else if (reply->status == 0)
		t->err = *reply->err;
	else
		err_set(&t->err, "%s cannot be created: %s", t->name, said);
}

static void on_created(struct docker_task *t, const struct docker_reply *reply)
{
	if (is_good(reply) && docker_answer_created(reply->text, t->id, &t->err) == 0) {
		start(t);
		return;
	}
	if (!is_good(reply))
		explain_refused(t, reply);
	t->lost = reply->status == 0 || is_good(reply);
	if (t->lost || reply->status == 409)
		look_at_name(t);
	else
		fail(t);
}

static void create(struct docker_task *t)
{
	docker_task_post(t, docker_ask_path("/containers/create?name=%s", t->name),
			 t->body, DOCKER_MAKE_MS, on_created);
}

static void on_network_there(struct docker_need *need, const struct err *err)
{
	struct docker_task *t = CONTAINER_OF(need, struct docker_task, need);

	if (err != NULL)
		t->err = *err;
	if (err != NULL || t->body == NULL)
		fail(t);
	else
		create(t);
}

void docker_start_begin(struct spawn_engine *e, const char *name, struct spawn_task *told)
{
	const struct model_own *own = e->place.own;
	struct docker_task *t = docker_task_begin(e, told);

	snprintf(t->name, sizeof t->name, "%s", name);
	snprintf(t->need.network, sizeof t->need.network, "%s", own->network);
	t->need.on_there = on_network_there;
	t->where = (struct docker_place){.balancer = e->place.balancer,
					 .pool = e->place.pool, .port = own->port,
					 .network = t->need.network};
	t->recipe = model_own_recipe(own);
	t->body = docker_ask_container(own, &t->where, name, &t->err);
	docker_network_need(&e->network, &t->need);
}
