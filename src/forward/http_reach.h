/* forward/http_reach.h - which server takes a request, and a connection to it: pick, wait
 * for room or for somebody to come up, connect, let go.
 *
 * Thread: the loop's.
 */
#ifndef FORWARD_HTTP_REACH_H
#define FORWARD_HTTP_REACH_H

#include "forward/http_request.h"

/* Chooses a server and takes a place there; reports what came of it as an event. */
void request_pick(struct request *r);

/* Joins the batch of its pool. */
void request_hold(struct request *r);

/* Joins the queue of its pool, or of its listener. */
void request_wait(struct request *r);

/* The balancer ends, and it waits: where nobody is up, it is answered now. */
void request_give_up_waiting(struct request *r);

/* It waits, and may try again those that have failed it. */
void request_look_again(struct request *r);

/* Leaves the queue or the batch. Nothing happens when it is in none. */
void request_stop_waiting(struct request *r);

/* Takes an idle connection to the server at hand, or dials one. */
void request_connect(struct request *r);

/* Holds a failure against the server at hand, as passive health. */
void request_fail_server(struct request *r, enum live_failure why);

/* Lets go of the server at hand; its connection is kept if `keep`. */
void request_drop_server(struct request *r, bool keep);

/* Lets go of a server that has failed, not to ask it again, unless the loss says nothing
 * about it. */
void request_leave_failed(struct request *r);

#endif
