/* origin/routes.h - what is answered to which method and path: one table.
 *
 * A route looks at a request and fills in an answer; it neither waits nor sends.
 * The help is printed from the same table.
 */
#ifndef ORIGIN_ROUTES_H
#define ORIGIN_ROUTES_H

#include <stdio.h>

#include "base/buf.h"
#include "origin/answer.h"
#include "parse/h1.h"

struct server;

/* A request, as long as its head stands in the buffer. All of it is borrowed. */
struct request {
	const struct h1_head *head;
	const char           *bytes;	/* where the head's offsets begin */
	struct span           path, query;
	struct span           rest;	/* of the path, behind the route's own */
	struct server        *server;
	unsigned              port;	/* index of the one it came to */
	struct buf_pool      *pool;
	uint64_t              roll;	/* chance, for the faults */
};

/* Decides what is answered, faults included. `a` must have been initialized. */
void origin_routes_answer(struct request *r, struct answer *a);

/* Prints what can be asked for. */
void origin_routes_print(FILE *out);

#endif
