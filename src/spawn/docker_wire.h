/* spawn/docker_wire.h - HTTP over a UNIX socket, by libcurl on our loop.
 *
 * One wire, any number of transfers, each over a connection of its own: that costs
 * little there, and none is ever found stale. What libcurl calls us for only takes
 * down what has come; the owners of transfers are told when it has returned, so that
 * they may do what they like: start, cancel, or close it all. Neither how many there
 * are at once nor what an answer means is decided here: docker_client.c.
 *
 * Thread: the loop's.
 */
#ifndef SPAWN_DOCKER_WIRE_H
#define SPAWN_DOCKER_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/list.h"

struct loop;
struct docker_wire;

struct docker_request {
	const char *method;		/* static */
	const char *path;		/* with all that follows it */
	const char *body;		/* JSON; NULL: none */
	uint32_t    limit_ms;		/* of all of it; 0: none */
};

/* One question and its answer. Lives inside the struct that owns it; zeroed memory is
 * one that is not under way. */
struct docker_transfer {
	/* It is over; nothing of it is under way any more. `failed` is 0, or a CURLcode
	 * and there is no answer; `system` is the errno behind it, or 0. */
	void (*on_done)(struct docker_transfer *t);
	/* If there is one, it is told of each piece, the first time when the head has
	 * come, and takes `text` off by docker_wire_take. */
	void (*on_piece)(struct docker_transfer *t);

	size_t text_max;		/* a longer answer fails: CURLE_WRITE_ERROR */
	int    status;			/* of HTTP; 0: no head yet */
	int    failed, system;
	char  *text;			/* owned: what has come; NULL: nothing */
	size_t len;

	struct docker_wire *wire;	/* NULL: not under way */
	void       *easy;		/* owned, libcurl's */
	struct link link;		/* in wire.all */
	struct link news;		/* in wire.news, or in none */
	bool        over;
};

/* `socket` is borrowed. */
struct docker_wire *docker_wire_open(struct loop *loop, const char *socket);

/* What is under way is cancelled. May be called out of what the wire tells. */
void docker_wire_close(struct docker_wire *w);

/* Nothing of the request is needed after it has returned. Told later, never before it
 * has returned. */
void docker_wire_start(struct docker_wire *w, struct docker_transfer *t,
		       const struct docker_request *request);

/* Ends it untold, and frees its text. Nothing happens when there is nothing. */
void docker_wire_cancel(struct docker_transfer *t);

/* The text so far is done with. */
void docker_wire_take(struct docker_transfer *t);

#endif
