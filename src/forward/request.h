/* forward/request.h - the life of one HTTP exchange, without the I/O.
 *
 *            room again            lost, may be sent again elsewhere
 *         .------------.  .----------------------------------------------.
 *         v            |  v                                              |
 *   NEW -> PICKING -> WAITING                                            |
 *            | ^ |  busy                                                 |
 *            | | |          connected           response head            |
 *            | | '--> CONNECTING ------> AWAITING ------------> ANSWERING |
 *            | '--- failed ---'             | | '--- lost -----------------'
 *            |  nobody                      | '--- 101 ---> TUNNEL   |
 *            |  over, late, malformed       |                 |      |
 *            '------------------------------'-----------------'------'---> DONE
 *
 * The shell (http_*.c) reports what happened as an event and carries out the action
 * it gets back. All decisions about trying again are here.
 *
 * A request is sent again only if that cannot be noticed (RFC 9110, section 9.2.2):
 * no byte of a response was passed on, all its bytes are still at hand, and either
 * its method is idempotent or no byte of it has reached a server. A server that
 * failed it is not asked again. An upstream connection that had served before and
 * was closed under the request says nothing about its server: the request goes to a
 * fresh connection, to the same server if need be, without counting as a retry.
 *
 * NEW -> HELD -> PICKING: in a pool that places its requests together (batch.h).
 * A patient request belongs to a pool that owns its servers: where nobody is up, somebody
 * soon will be, so it waits for that as others wait for room.
 */
#ifndef FORWARD_REQUEST_H
#define FORWARD_REQUEST_H

#include <stdbool.h>
#include <stdint.h>

enum request_state {
	REQUEST_BUG,		/* 0 on purpose: an edge nobody wrote */
	REQUEST_NEW, REQUEST_HELD, REQUEST_PICKING, REQUEST_WAITING, REQUEST_CONNECTING,
	REQUEST_AWAITING, REQUEST_ANSWERING, REQUEST_TUNNEL, REQUEST_DONE,
	REQUEST_STATES
};

enum request_event {
	EVENT_BEGUN,		/* the head is there and a pool is found; its batch is due */
	EVENT_HELD,		/* the same, but it is to be placed with others */
	EVENT_PICKED,		/* a server has been chosen */
	EVENT_BUSY,		/* all that could take it are at their limit */
	EVENT_NOBODY,		/* none is up, or all that are up have failed it */
	EVENT_ROOM,		/* somebody left, or has come up: try again */
	EVENT_WAIT_OVER,	/* waited too long, or the queue is full */
	EVENT_CONNECTED,
	EVENT_CONNECT_FAILED,	/* refused, unreachable, ... */
	EVENT_CONNECT_LATE,	/* the time limit for connecting is over */
	EVENT_LOST,		/* the connection ended before a response */
	EVENT_RESPONSE_LATE,
	EVENT_MALFORMED,	/* what came was no response */
	EVENT_RESPONSE,		/* a final head is on its way to the client */
	EVENT_SWITCHED,		/* 101 */
	EVENT_FINISHED,		/* the response is complete, or the tunnel closed */
	EVENT_BROKEN,		/* the response ends too early, or the client's time is over */
	EVENT_REFUSED,		/* a fault in the request's body: answered by us */
	EVENT_CLIENT_GONE,
	REQUEST_EVENTS
};

enum request_action {
	DO_NOTHING, DO_HOLD, DO_PICK, DO_WAIT, DO_CONNECT, DO_SEND, DO_FORWARD, DO_TUNNEL,
	DO_FINISH,	/* all well: the connection may go on */
	DO_ANSWER,	/* with life->status, made by us */
	DO_CUT,		/* close the client's connection so that it can tell */
};

/* Written by the two functions below; the shell sets what says so. */
struct request_life {
	enum request_state state;
	uint8_t  retries_left;
	bool     idempotent;
	bool     replayable;	/* shell: every byte of it so far is still at hand */
	bool     sent;		/* shell: a byte may have reached the server at hand */
	bool     reused;	/* shell: the connection at hand has served before */
	bool     budget_used_up;	/* shell: the retry budget is empty */
	bool     patient;	/* shell: it waits while nobody is up */
	bool     stale_before;	/* has met a stale connection: the next one is fresh */
	bool     retry_free;	/* out: this retry is not charged to server or budget */
	uint16_t status;	/* out: what DO_ANSWER answers; 0: nothing has failed */
};

void request_life_init(struct request_life *life, uint8_t retries_max, bool idempotent);

/* Moves on by one event and says what to do about it. An event that cannot happen
 * in the present state is a bug of the caller, never of a peer; after DONE every
 * event is nothing. */
enum request_action request_step(struct request_life *life, enum request_event event);

/* Whether a loss now would be tried again, budget apart: the shell asks before it
 * charges the budget. */
bool request_may_retry(const struct request_life *life, enum request_event event);

#endif
