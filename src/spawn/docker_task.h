/* spawn/docker_task.h - one operation of the docker driver that is under way, and what
 * all of them have in common: beginning, removing a container, ending.
 *
 * Invariant: each is told once, by docker_task_end, or dropped with its engine.
 * Thread: control.
 */
#ifndef SPAWN_DOCKER_TASK_H
#define SPAWN_DOCKER_TASK_H

#include "loop/loop.h"
#include "spawn/docker_client.h"
#include "spawn/docker_events.h"
#include "spawn/docker_network.h"
#include "spawn/driver.h"

enum {
	DOCKER_MAKE_MS     = 60 * 1000,	/* to create, to start, to remove one */
	DOCKER_PAUSE_MS    = 250,	/* while the engine is removing one */
	DOCKER_REMOVES_MAX = 120,	/* looks whether it has */
};

/* The driver's engine; docker.c fills and empties it. */
struct spawn_engine {
	struct spawn_place     place;
	struct docker_client  *client;	/* owned */
	struct docker_events  *events;	/* owned */
	struct docker_network  network;
	struct link            tasks;	/* under way */
};

struct docker_task {
	struct link          link;	/* in engine.tasks */
	struct spawn_engine *engine;	/* borrowed */
	struct spawn_task   *told;	/* borrowed */
	struct docker_call   call;	/* one at a time, */
	void (*on_reply)(struct docker_task *t, const struct docker_reply *reply);
	struct loop_timer    pause;
	char                 id[SPAWN_ID_MAX + 1];	/* its container; "": none yet */
	struct err           err;	/* why it fails */

	uint32_t removes;
	void (*on_removed)(struct docker_task *t, const struct err *err);

	/* start: what was asked for, and how far it is */
	struct docker_need need;	/* of a network */
	struct docker_place where;	/* its network is need.network */
	char    *body;			/* owned */
	uint64_t recipe;
	char     name[OWN_NAME_MAX + 1];
	bool     lost;			/* nobody knows whether it was created */
	bool     again;			/* it was tried a second time */
};

/* One that is under way, owned by the engine. */
struct docker_task *docker_task_begin(struct spawn_engine *e, struct spawn_task *told);

/* Ends it and tells. `found` (list) is freed afterwards; NULL: none. */
void docker_task_end(struct docker_task *t, enum spawn_result result,
		     struct spawn_server *found);

/* Ends it untold. */
void docker_task_drop(struct docker_task *t);

/* The next call of it, without a body; `path` is given. */
void docker_task_ask(struct docker_task *t, const char *method, char *path,
		     uint32_t limit_ms,
		     void (*on_reply)(struct docker_task *t,
				      const struct docker_reply *reply));

/* The same with a body, which is copied: POST. */
void docker_task_post(struct docker_task *t, char *path, const char *body,
		      uint32_t limit_ms,
		      void (*on_reply)(struct docker_task *t,
				       const struct docker_reply *reply));

/* Removes the container t->id by force, and waits until it is gone; *err is NULL then. */
void docker_task_remove(struct docker_task *t,
			void (*on_removed)(struct docker_task *t, const struct err *err));

/* The life of a start: docker_start.c. */
void docker_start_begin(struct spawn_engine *e, const char *name,
			struct spawn_task *told);

#endif
