/* control/exchange.h - the life of a connection, without its I/O: bytes of requests in,
 * bytes of answers out.
 *
 *              WAITING
 *               ^   \ (later)
 *   HEAD --> BODY --> ANSWER --(closes)--> LINGER --> OVER
 *    ^  \       \       |  ^                           ^
 *    |   \    STREAM ---|--| (the interface ends)      |
 *    |    '- refused ---|--'                           |
 *    '---- keeps alive -'     the client has ended ----'
 *
 *   HEAD    reads a request's head; a wrong token, no HTTP and a body that is too long
 *           are refused at once
 *   BODY    gathers its body, then has the request answered
 *   WAITING for an answer that comes later; nothing is read, and a client that only says
 *           no more still gets it
 *   STREAM  gives out an answer that goes on (stream.h), until the client is gone;
 *           nothing is read
 *   ANSWER  gives the answer out; the next request, which may be there already, waits
 *   LINGER  takes what still comes in, so that the end of the answer is not lost to a
 *           reset (RFC 9112, section 9.6)
 *
 * One request at a time. Memory is bounded: EXCHANGE_INPUT bytes, a body up to
 * CONTROL_BODY_MAX that grows as its bytes come, and the one answer at hand, or a piece of
 * it.
 *
 * Invariant: how the bytes were cut into reads changes no answer.
 * Pure but for what handlers do. Thread: control.
 */
#ifndef CONTROL_EXCHANGE_H
#define CONTROL_EXCHANGE_H

#include <stdbool.h>

#include "control/control.h"
#include "control/dispatch.h"
#include "control/gather.h"
#include "control/later.h"
#include "control/stream.h"
#include "control/token.h"
#include "forward/asked.h"
#include "model/pool.h"
#include "parse/h1.h"

enum {
	/* A head and, behind it, some of a body. */
	EXCHANGE_INPUT = CONTROL_HEAD_MAX + 8192,
	EXCHANGE_TARGET_MAX = 4096,
	EXCHANGE_FIELDS_MAX = 64,
};

enum exchange_state {
	EXCHANGE_BUG,		/* 0 on purpose: one that was not begun */
	EXCHANGE_HEAD, EXCHANGE_BODY, EXCHANGE_WAITING, EXCHANGE_STREAM, EXCHANGE_ANSWER,
	EXCHANGE_LINGER, EXCHANGE_OVER,
};

struct exchange {
	enum exchange_state state;
	const struct view   *view;	/* borrowed */
	const struct tokens *tokens;	/* borrowed; NULL: who can connect may do all */
	bool     busy;			/* there is no place: any request gets a 503 */
	bool     closes;		/* ends behind the answer at hand */
	bool     ended;			/* the client sends no more */
	uint32_t answers;		/* given so far */
	uint32_t phase;			/* another one when it waits for something else */

	/* Only the legacy calls, about this pool; "": the whole interface. */
	char legacy_pool[MODEL_NAME_MAX + 1];

	/* Told when the answer that it waits for is there, or more of it, out of whatever
	 * brought it: exchange_resume is due. NULL: nobody is. */
	void (*on_answered)(struct exchange *x);
	struct later *later;		/* owned; WAITING */
	struct stream_reader stream;	/* STREAM; else there is none */
	bool     stream_ends;		/* with what is there */

	/* the request at hand */
	struct h1_head head;
	enum role role;			/* of who asks */
	struct gather body;

	struct {			/* the last answer; status 0: none so far */
		uint16_t status;
		size_t   head_len, body_len;
		uint64_t bytes_in;	/* of the request's body */
	} said;

	/* what goes out */
	const char *output;		/* NULL: nothing waits */
	size_t      output_left;
	char       *output_owned;	/* what output points into, or NULL */

	/* what came in: a head up to head.length, then what was not used yet */
	uint32_t input_len, seen, used;
	char     input[EXCHANGE_INPUT];
};

void exchange_init(struct exchange *x, const struct view *view,
		   const struct tokens *tokens, bool busy);
void exchange_fini(struct exchange *x);

/* One that was begun just now answers one of the legacy calls (legacy.h) about this pool,
 * in their shape, and closes. */
void exchange_only_legacy(struct exchange *x, const char *pool);

/* Where bytes that come in are to be put; *size 0: none are wanted now. */
char *exchange_room(struct exchange *x, size_t *size);

/* So many bytes, at least one, were put there. May call handlers. */
void exchange_received(struct exchange *x, size_t len);

/* The client sends no more. */
void exchange_ended(struct exchange *x);

/* What is to be sent; exchange_sent tells how much of it was, and may call handlers:
 * the next request may be there already. */
struct span exchange_output(const struct exchange *x);
void exchange_sent(struct exchange *x, size_t len);

/* What has gone out of the last answer. */
void exchange_answered(const struct exchange *x, struct asked_answer *answer);

/* Takes the answer that it waited for, if it is there by now, or more of it. */
void exchange_resume(struct exchange *x);

/* exchange_limit_ms is over: says so to who waits for an answer, shows a stream's reader
 * that it goes on. False: the connection is to be ended. */
bool exchange_time_over(struct exchange *x);

/* No further request is wanted. One that has begun is still answered, and a stream ends
 * with what is there. */
void exchange_close(struct exchange *x);

/* How long what is waited for now may take. To be counted anew when `phase` is another
 * one. */
uint32_t exchange_limit_ms(const struct exchange *x);

#endif
