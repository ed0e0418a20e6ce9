/* forward/upstream.h - connections to servers: dialed, lent to a request, kept idle.
 *
 *   dial --> lent to a request --> idle --> lent again --> ... --> closed
 *
 * Idle ones are kept per loop and server, the last used first; whatever a server
 * sends or closes on an idle one ends it.
 *
 * Thread: the loop's.
 */
#ifndef FORWARD_UPSTREAM_H
#define FORWARD_UPSTREAM_H

#include "forward/worker.h"
#include "listen/stream.h"
#include "loop/dial.h"

struct request;

struct upstream {
	struct stream  server;		/* owned */
	struct dial    dial;
	struct worker *worker;		/* borrowed */
	struct live_server *live;	/* held by way of its request's edition, or the newest */
	struct request *request;	/* borrowed, NULL while idle */
	struct buf    *in;		/* owned: the beginning of a response head, or NULL */
	struct loop_timer idle_limit;
	struct link    link;		/* in backend.idle */
	uint32_t       served;		/* responses that came over it */
};

/* An idle connection to this server, now lent to the request; NULL: there is none.
 * `careful`: look whether the server has closed it before trusting it, for what may
 * not be sent twice. */
struct upstream *upstream_take(struct worker *w, struct live_server *s,
			       struct request *r, bool careful);

/* Begins a new one for the request, which hears of it by request_on_connected. With
 * no descriptor left, an idle connection to any server is given up for it. NULL and
 * *result: it failed at once. */
struct upstream *upstream_dial(struct worker *w, struct live_server *s, struct request *r,
			       uint32_t limit_ms, enum dial_result *result);

/* Takes a connection back from its request to be kept idle, for idle_ms and while
 * fewer than idle_max are kept; otherwise it is closed. */
void upstream_keep(struct upstream *u, uint32_t idle_ms, uint32_t idle_max);

/* Gives up an idle connection for its descriptor: to any server, or else a client's. False:
 * there is none. */
bool upstream_give_up_one(struct worker *w);

/* Closes it, whatever it does. NULL is allowed. */
void upstream_close(struct upstream *u);

/* Closes the idle ones of a server, or of all servers that the newest edition lacks. */
void upstream_close_idle(struct backend *b);
void upstream_close_orphans(struct worker *w);

/* What upstream tells a request (http_request.c, http_response.c). */
void request_on_connected(struct request *r, enum dial_result result);
void request_on_server_ready(struct request *r);

#endif
