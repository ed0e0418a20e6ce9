/* spawn/docker_answer.h - what a Docker Engine answers, read from its JSON: just the few
 * members that we need, of versions 1.24 and up, and of Podman's likeness.
 *
 * Nothing is taken for granted: what is no JSON, of another type, too long or missing is
 * an error that says which. Pure. Thread: any.
 */
#ifndef SPAWN_DOCKER_ANSWER_H
#define SPAWN_DOCKER_ANSWER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/span.h"
#include "spawn/driver.h"

enum {
	DOCKER_VERSION_SIZE = 16,
	DOCKER_MESSAGE_SIZE = 320,
	DOCKER_WHY_SIZE     = 160,
	DOCKER_CREATED_SIZE = 40,	/* a time as the engine writes it */
};

/* Whose containers are ours, and where they are to be found. All is borrowed. */
struct docker_place {
	const char *balancer, *pool;
	const char *network;
	uint16_t    port;		/* of those that do not say theirs */
};

/* A container. */
struct docker_container {
	struct spawn_server server;	/* name and recipe only if it is ours */
	bool ours;
	bool out_of_memory;
	int  exit_code;
	char trouble[DOCKER_WHY_SIZE];	/* the engine's words for why it did not start */
};

/* What has happened to a container. */
struct docker_event {
	char id[SPAWN_ID_MAX + 1];
	bool died;			/* else it was removed */
	int  exit_code;			/* -1: not said */
};

/* One of the networks of a name: there may be two when two made it at once. */
struct docker_networks {
	uint32_t count;
	char oldest[SPAWN_ID_MAX + 1];	/* the id of the one that stays */
};

/* The version to speak: the newest that we and the engine know. */
int docker_answer_version(struct span text, char version[DOCKER_VERSION_SIZE],
			  struct err *err);

/* The id of what was created. */
int docker_answer_created(struct span text, char id[SPAWN_ID_MAX + 1], struct err *err);

/* A container, looked at by itself. */
int docker_answer_container(struct span text, const struct docker_place *place,
			    struct docker_container *c, struct err *err);

/* Those of ours in a list; what is not ours, or has no name, is left out. *found is the
 * caller's (free), NULL when there is none; more than OWN_SERVERS_MAX are an error. */
int docker_answer_list(struct span text, const struct docker_place *place,
		       struct spawn_server **found, uint32_t *count, struct err *err);

/* The networks in a list that have exactly this name. */
int docker_answer_networks(struct span text, const char *name,
			   struct docker_networks *networks, struct err *err);

/* A line of the stream of events; false: nothing that concerns us. */
bool docker_answer_event(struct span line, const struct docker_place *place,
			 struct docker_event *event);

/* What the engine says went wrong, on one line, cut; false: it says nothing. */
bool docker_answer_message(struct span text, char message[DOCKER_MESSAGE_SIZE]);

/* The last line of what a container has written, out of the frames that the engine sends
 * it in (or without them, as a terminal's); "" if there is none. */
void docker_answer_last_line(struct span log, char line[DOCKER_WHY_SIZE]);

/* "exited with status 137 (killed)"; code -1: "exited". */
void docker_answer_exit(int code, bool out_of_memory, char why[DOCKER_WHY_SIZE]);

#endif
