/* origin/delivery.h - sends the body of an answer: at once, in chunks, slowly, or only
 * half of it; from a source, or as the echo of what comes in.
 *
 * Does one step at a time and says what it needs before the next one; it does not
 * wait. A source of at most DELIVERY_INLINE_MAX bytes is copied behind the head, so
 * that both go out together; a larger one goes from its file to the socket.
 *
 * Thread: the one that owns the connection.
 */
#ifndef ORIGIN_DELIVERY_H
#define ORIGIN_DELIVERY_H

#include "origin/answer.h"
#include "origin/intake.h"
#include "origin/wire.h"

enum {
	DELIVERY_INLINE_MAX = 64 * 1024,
	DELIVERY_CHUNK_MAX  = 16 * 1024,
	DELIVERY_ECHO_MAX   = 64 * 1024,	/* bytes in one step */
};

enum delivery_state {
	DELIVERY_GOES_ON,
	DELIVERY_DONE,		/* all of it is in the wire */
	DELIVERY_DIES,		/* half of it is; the connection must die now */
};

struct delivery {
	struct wire     *wire;		/* all four borrowed */
	struct buf_pool *pool;
	const struct faults *faults;
	struct answer   *answer;
	enum delivery_state state;
	uint64_t echoed;		/* bytes of payload */
	uint64_t chunk_left;		/* bytes of the chunk that is being sent */
	uint32_t allowance;		/* bytes that may go before the next pause */
	uint32_t pause_ms;		/* how long, after WANT_TIME */
};

/* Begins with an answer whose head is in the wire or about to be. */
void delivery_init(struct delivery *d, struct wire *w, struct buf_pool *pool,
		   struct answer *a);

/* The next step of sending the answer's source. */
enum want delivery_send(struct delivery *d);

/* The next step of sending back the body of the request, which `from` takes in. */
enum want delivery_echo(struct delivery *d, struct intake *from);

#endif
