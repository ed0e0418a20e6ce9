/* spawn/docker_client.h - calls to a Docker Engine, or what speaks its language: which
 * version of it, how many at once, for how long, and what a failed one means.
 *
 * The first call asks for the version and the others wait for it; an engine that was
 * lost is asked anew. At most DOCKER_CALLS_MAX are under way, the rest wait in their
 * order; streams are not counted. What is said in calls and answers is docker_ask.h
 * and docker_answer.h.
 *
 * Invariant: a call is told once, or was cancelled; never out of what began it.
 * Thread: control.
 */
#ifndef SPAWN_DOCKER_CLIENT_H
#define SPAWN_DOCKER_CLIENT_H

#include "base/err.h"
#include "base/list.h"
#include "base/span.h"
#include "spawn/docker_answer.h"
#include "spawn/docker_wire.h"

enum {
	DOCKER_CALLS_MAX   = 16,
	DOCKER_ANSWER_MAX  = 4 << 20,	/* bytes: a list of 1000 containers has 2 MiB */
	DOCKER_CALL_MS     = 30 * 1000,	/* of most calls */
	DOCKER_VERSION_MS  = 10 * 1000,
	DOCKER_SOCKET_SIZE = 108,	/* sun_path and its NUL */
};

/* What came of a call. */
struct docker_reply {
	int         status;		/* of HTTP; 0: no answer, *err says why */
	struct span text;		/* until on_done returns */
	const struct err *err;		/* what went wrong if the status is not 2xx */
};

/* A call that waits or is under way. Lives inside the struct that owns it; zeroed
 * memory is one that is neither. */
struct docker_call {
	void (*on_done)(struct docker_call *c, const struct docker_reply *reply);
	/* A stream, if there is one: told of the head with 200, and of the text. */
	void (*on_piece)(struct docker_call *c, struct span piece);

	struct docker_client  *client;	/* NULL: neither */
	struct docker_transfer transfer;
	struct link            link;	/* in one of the client's lists */
	bool                   counted;	/* as one under way */
	const char            *method;
	char    *path, *body;		/* owned */
	uint32_t limit_ms;
};

struct docker_client;

/* `socket` is copied. */
struct docker_client *docker_client_open(struct loop *loop, const char *socket);

/* Calls are dropped. May be called out of what it tells. */
void docker_client_close(struct docker_client *c);

/* `path` (without the version) and `body` (NULL: none) are given. limit_ms 0: none, for
 * a stream. */
void docker_client_call(struct docker_client *c, struct docker_call *call,
			const char *method, char *path, char *body);

/* Nothing happens when it neither waits nor is under way. */
void docker_client_cancel(struct docker_call *call);

#endif
