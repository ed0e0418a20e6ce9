/* forward/tcp_life.h - the life of a TCP session, without the I/O: a client's connection
 * and what it is joined to.
 *
 *            room again         the server failed, or died before it answered
 *         .------------.  .----------------------------------------------------.
 *         v            |  v                                                    |
 *   NEW -> PICKING -> WAITING                         the server speaks        |
 *           ^ | ^ busy                             .------------------.        |
 *           | | '- failed --.                      |                  v        |
 *           | '--------> CONNECTING ----------> ASKING             ANSWERING   |
 *           |                        connected     ^                  |  |     |
 *           |                                      '------------------'  |     |
 *     the client                                    the client speaks    |     |
 *      speaks                                                            |     |
 *           |    died between exchanges     the connection ended in silence    |
 *         PARKED <-------------- VERIFYING <-----------------------------'     |
 *                                    | '---------------------------------------'
 *                              lives |
 *                                    v
 *                                 ENDING (bytes still to be delivered) ---> DONE
 *
 * The shell (tcp_*.c) reports what happened as an event and carries out the action that
 * it gets back. All decisions about moving a client to another server are here.
 *
 * A client is moved only where it cannot notice:
 *   - replayed: nothing has been answered to what it said last, and every byte of that is
 *     at hand: another server is told the same. That needs a beginning: nothing was said
 *     before, or silence (`quiet`) lies between the last answer and what the client says.
 *     With REDISTRIBUTE_REPLAY only as long as no server has ever answered;
 *   - idle: what the server said last was delivered, and silence followed. The client is
 *     parked, and its next byte goes to another server.
 * Never once a server has spoken first: another one would greet the client again. A
 * server that ends a connection may mean it, so it is moved away from only when it turns
 * out to be dead; the end that a living server makes is passed on.
 *
 * Silence is taken for the end of an answer, and an answer for one to all that was asked:
 * where both sides speak as they like and pause in between, REDISTRIBUTE_REPLAY is right.
 */
#ifndef FORWARD_TCP_LIFE_H
#define FORWARD_TCP_LIFE_H

#include <stdbool.h>
#include <stdint.h>

#include "model/model.h"

enum tcp_state {
	TCP_BUG,		/* 0 on purpose: an edge nobody wrote */
	TCP_NEW,		/* a PROXY header may be awaited */
	TCP_PICKING, TCP_WAITING, TCP_CONNECTING,
	TCP_ASKING,		/* joined; the client spoke last, or nobody yet */
	TCP_ANSWERING,		/* joined; the server spoke last */
	TCP_VERIFYING,		/* the server's connection ended: is the server alive? */
	TCP_PARKED,		/* no server; the client's next byte picks one */
	TCP_ENDING,		/* the server has ended, or will say no more */
	TCP_DONE,
	TCP_STATES
};

enum tcp_event {
	TCP_EVENT_BEGUN,
	TCP_EVENT_REFUSED,		/* no PROXY header from who has to send one */
	TCP_EVENT_PICKED,		/* a server has been chosen */
	TCP_EVENT_BUSY,			/* all that could take it are at their limit */
	TCP_EVENT_NOBODY,		/* none is up, or all that are up have failed it */
	TCP_EVENT_ROOM,			/* somebody left: try again */
	TCP_EVENT_WAIT_OVER,		/* waited for room too long, or the queue is full */
	TCP_EVENT_CONNECTED,
	TCP_EVENT_CONNECT_FAILED,	/* refused, late, unreachable, ... */
	TCP_EVENT_CLIENT_SPOKE,		/* its bytes are at hand, and not sent yet */
	TCP_EVENT_SERVER_SPOKE,
	TCP_EVENT_SERVER_ENDED,		/* FIN, after all that it said */
	TCP_EVENT_SERVER_RESET,		/* RST, or it takes no more */
	TCP_EVENT_SERVER_LIVES,		/* what was verified */
	TCP_EVENT_SERVER_DIED,
	TCP_EVENT_SERVER_LEAVES,	/* taken out, its time is over: move if that goes now */
	TCP_EVENT_SERVER_LEFT,		/* move, or end */
	TCP_EVENT_CLIENT_GONE,		/* RST */
	TCP_EVENT_FINISHED,		/* both have ended, and all is delivered */
	TCP_EVENT_TIME_OVER,		/* of a session */
	TCP_EVENTS
};

enum tcp_action {
	TCP_DO_NOTHING, TCP_DO_PICK, TCP_DO_WAIT, TCP_DO_CONNECT,
	TCP_DO_RELAY,		/* what the client said goes to the server, from its beginning */
	TCP_DO_VERIFY,
	TCP_DO_MOVE,		/* let go of the server, keep what the client said, and pick */
	TCP_DO_PARK,		/* let go of the server; nothing is at hand */
	TCP_DO_PASS_END,	/* the client hears of the server's FIN */
	TCP_DO_CLOSE,		/* FIN for whoever is still connected */
	TCP_DO_CUT,		/* RST: what was said was not all */
};

/* What became of a client whose server left: to be counted by the shell. */
enum tcp_count { TCP_COUNT_NOTHING, TCP_COUNT_REPLAYED, TCP_COUNT_IDLE, TCP_COUNT_NOT_MOVED };

/* Written by the functions below; the shell sets what says so, before it tells an event. */
struct tcp_life {
	uint8_t state;		/* enum tcp_state */
	uint8_t mode;		/* enum redistribute */
	uint8_t retries_left, retries_max;	/* servers to try after the first, per exchange */
	uint8_t count;		/* out: enum tcp_count, by the last event */
	uint8_t moving;		/* what will be counted when it is connected again */
	bool greeted;		/* a server spoke first */
	bool asked;		/* the client has spoken */
	bool answered;		/* a server has spoken */
	bool overlapping;	/* the client has spoken into an answer */
	bool asking;		/* VERIFYING: it was ASKING before */
	bool reset;		/* VERIFYING: the end was a RST */
	bool replayable;	/* shell: every byte since the server last spoke is at hand */
	bool quiet;		/* shell: all that both said is delivered, and the server has
				 * been silent since */
	bool down;		/* shell: the server is known to be dead */
	bool client_ended;	/* shell: the client sends no more */
	bool patient;		/* shell: it waits while nobody is up, as for room */
};

void tcp_life_init(struct tcp_life *life, enum redistribute mode, uint8_t retries_max);

/* Moves on by one event and says what to do about it. An event that cannot happen in the
 * present state is a bug of the caller, never of a peer; after DONE every event is
 * nothing. */
enum tcp_action tcp_life_step(struct tcp_life *life, enum tcp_event event);

/* Whether what the client says is worth keeping, to be told to another server. */
static inline bool tcp_life_keeps(const struct tcp_life *life)
{
	return life->mode != REDISTRIBUTE_OFF && life->replayable && !life->greeted &&
	       !life->overlapping && (life->mode == REDISTRIBUTE_IDLE || !life->answered);
}

/* Whether bytes pass. */
static inline bool tcp_life_is_joined(const struct tcp_life *life)
{
	return life->state == TCP_ASKING || life->state == TCP_ANSWERING ||
	       life->state == TCP_ENDING;
}

#endif
