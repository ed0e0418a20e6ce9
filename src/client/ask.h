/* client/ask.h - one question at a time: sends it, waits for the answer, and connects as
 * needed.
 *
 * A connection that was lost while nobody asked is made again silently. One that is lost
 * with a question on it is not asked again: a put that was not answered may have
 * happened, and only the person who wanted it knows whether twice is as good as once.
 *
 * Thread: the one that made it; ask() runs the loop.
 */
#ifndef CLIENT_ASK_H
#define CLIENT_ASK_H

#include "base/bytes.h"
#include "client/talk.h"
#include "loop/signals.h"

enum ask_result {
	ASK_ANSWERED,		/* *answer is set; its value stays until the next ask() */
	ASK_WRONG,		/* this cannot be asked, *err */
	ASK_LOST,		/* connection lost, *err */
	ASK_UNREACHED,		/* no connection, *err */
	ASK_INTERRUPTED,	/* by SIGINT, if that was wanted; *err */
};

struct ask {
	struct talk_balancer balancer;
	struct talk    talk;
	struct signals signals;
	bool           interrupted, waiting;
	enum talk_loss loss;
	struct answer  answer;
	struct bytes   value;		/* of the answer */
};

/* `version` 0: as the balancer has it. */
void ask_init(struct ask *a, struct loop *loop, const struct address *address,
	      uint8_t version, uint64_t timeout_ms);
void ask_fini(struct ask *a);

/* Blocks SIGINT in this thread; from now on it ends an ask(). */
int ask_heed_signals(struct ask *a, struct err *err);

/* Connects, if it is not. ASK_ANSWERED: the version is known. */
enum ask_result ask_connect(struct ask *a, struct err *err);

enum ask_result ask(struct ask *a, const struct request *r, struct answer *answer,
		    struct err *err);

#endif
