/* spawn/docker_events.h - hears from the engine when containers of ours end.
 *
 * One endless stream of events. When it breaks off it is asked for again, later and
 * later, from where it broke; and each time it stands, and each time it could not, the
 * containers that are watched are compared with a list of those that run: so none that
 * ends is missed for longer than DOCKER_EVENTS_RETRY_MS_MAX.
 *
 * Invariant: each one watched is told of at most once, and forgotten then.
 * Thread: control.
 */
#ifndef SPAWN_DOCKER_EVENTS_H
#define SPAWN_DOCKER_EVENTS_H

#include <stdbool.h>

#include "spawn/docker_client.h"

struct loop;

enum {
	DOCKER_EVENTS_RETRY_MS_MIN = 250,
	DOCKER_EVENTS_RETRY_MS_MAX = 16 * 1000,
	DOCKER_EVENTS_HEAD_MS_MAX  = 30 * 1000,	/* until the stream stands */
	DOCKER_EVENTS_LINE_MAX     = 64 * 1024,
	DOCKER_EVENTS_DIED_MAX     = 256,	/* that are remembered, watched or not */
};

struct docker_events;

/* Where it comes from and whom it is told. All is borrowed. */
struct docker_events_use {
	struct loop          *loop;
	struct docker_client *client;
	const char *balancer, *pool;
	void (*on_gone)(void *arg, const char *id, const char *why);
	void *arg;
};

struct docker_events *docker_events_open(const struct docker_events_use *use);

/* Before the client. May be called out of on_gone. */
void docker_events_close(struct docker_events *e);

/* Tells of its end from now on. False: it has ended already, as *exit_code says (-1:
 * not known). */
bool docker_events_watch(struct docker_events *e, const char *id, int *exit_code);

/* Nothing happens when it is not watched. */
void docker_events_forget(struct docker_events *e, const char *id);

#endif
