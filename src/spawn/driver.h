/* spawn/driver.h - how servers are made and ended: by containers, or by programs of this
 * machine. One small table for each way; who decides what is to be made is owner.c.
 *
 *   list    those of this pool that are there, whoever of us made them
 *   start   makes one and waits until it runs and its address is known; whether it
 *           answers is a matter of its check, not of the driver
 *   stop    asks it to end, ends it by force after a while, removes what is left of it
 *
 * Everything takes its time and blocks nobody: a task is told when it is done, never out
 * of the call that began it. What a driver did not make, it does not touch: it knows its
 * own by what it has written on them (labels, a file), the balancer's name and the pool's.
 *
 * Thread: control.
 */
#ifndef SPAWN_DRIVER_H
#define SPAWN_DRIVER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/address.h"
#include "base/err.h"
#include "model/own.h"

struct loop;

enum { SPAWN_ID_MAX = 127 };

/* A server as a driver knows it. */
struct spawn_server {
	char     name[OWN_NAME_MAX + 1];
	char     id[SPAWN_ID_MAX + 1];	/* the driver's own, never used twice */
	struct address address;		/* where it listens; len 0: not known */
	uint64_t recipe;		/* model_own_recipe of what it was made by */
	bool     running;
};

enum spawn_result {
	SPAWN_DONE,
	SPAWN_FAILED,		/* *err says what and what to do about it */
	SPAWN_NAME_TAKEN,	/* start: something that is not ours has this name */
};

/* An operation that is under way. Lives inside the struct that owns it. */
struct spawn_task {
	void (*on_done)(struct spawn_task *t, enum spawn_result result,
			const struct err *err);
	void *inside;			/* the driver's, NULL when it is not under way */
	struct spawn_server server;	/* start: what was made */
	struct spawn_server *found;	/* list: what there is; the driver's, until on_done
					 * returns */
	uint32_t found_count;
};

/* For whom servers are made. All is borrowed, until close; `own` until the next use. */
struct spawn_place {
	struct loop *loop;
	const char  *balancer;		/* its name; with the pool's, what is ours */
	const char  *pool;
	const char  *state;		/* folder for what must outlive us; NULL: none */
	const struct model_own *own;

	/* One has ended by itself. Not told of those that a stop is under way for. */
	void (*on_gone)(void *arg, const char *id, const char *why);
	void *arg;
};

/* A driver at work for one pool; each driver has a struct of its own behind it. */
struct spawn_engine;

struct spawn_driver {
	const char *name;		/* the word in the configuration */

	/* NULL and *err: it cannot work at all (the state folder is missing). An engine
	 * that cannot be reached is no such case: tasks say so, each time. */
	struct spawn_engine *(*open)(const struct spawn_place *place, struct err *err);

	/* Tasks that are under way are dropped, untold; servers go on. */
	void (*close)(struct spawn_engine *e);

	/* From now on servers are made by this; but the engine's socket stays the one that
	 * it was opened with, where what is there already is. */
	void (*use)(struct spawn_engine *e, const struct model_own *own);

	void (*list)(struct spawn_engine *e, struct spawn_task *t);

	/* When it fails, nothing is left of what it began. */
	void (*start)(struct spawn_engine *e, const char *name, struct spawn_task *t);

	/* grace_ms 0: by force at once. One that is not there any more is DONE. */
	void (*stop)(struct spawn_engine *e, const struct spawn_server *s, uint32_t grace_ms,
		     struct spawn_task *t);
};

extern const struct spawn_driver spawn_docker, spawn_process;

/* The one for this; there is always one. */
const struct spawn_driver *spawn_driver_of(enum own_driver driver);

/* Whether it may name a server: a letter or a digit, then letters, digits, ".", "_" and
 * "-", up to OWN_NAME_MAX (what Docker takes as a name). */
bool spawn_name_is_good(const char *name);

#endif
