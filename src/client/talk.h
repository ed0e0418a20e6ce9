/* client/talk.h - one connection to the balancer: dialed, greeted, asked, lost.
 *
 * It knows requests, not why they are asked: ask.h asks one and waits, load.h asks many.
 *
 *   CLOSED --talk_open--> DIALING --> GREETING --HELLO--> OPEN
 *     ^                    |   ^  \      |                ^ |
 *     |                    |   |   '-----|-- version 1 ---' |
 *     |                    |   '---------'                  |
 *     |                    |    closed or ERROR 6, and no   |
 *     |                    |    HELLO was ever answered:    |
 *     |                    |    again, for version 1        |
 *     '------ on_lost -----'--------------------------------'
 *
 * A balancer that has answered one HELLO speaks version 2 from then on: a connection
 * that ends early is a lost one, and no reason to take it for an older program. One that
 * was taken for an older program is greeted again after a loss: it may be another by
 * then.
 *
 * Limits: `depth` requests wait for answers; a balancer from which no answer comes for
 * timeout_ms while one is due is lost (TALK_SILENT).
 *
 * Thread: the loop's.
 */
#ifndef CLIENT_TALK_H
#define CLIENT_TALK_H

#include "base/address.h"
#include "base/bytes.h"
#include "client/asking.h"
#include "loop/dial.h"
#include "loop/turn.h"

enum { TALK_SCRATCH_BYTES = 128 * 1024 };

/* The balancer, shared by all connections of one loop. */
struct talk_balancer {
	struct loop   *loop;		/* borrowed */
	struct address address;
	uint64_t       timeout_ms;	/* to connect, to be greeted, and for an answer */
	uint8_t        version;		/* 1 or 2; 0: not known (any more) */
	bool           certain;		/* of the version: it is not tried out */
	char           scratch[TALK_SCRATCH_BYTES];
};

enum talk_state { TALK_CLOSED, TALK_DIALING, TALK_GREETING, TALK_OPEN };

/* Why a connection is no more. */
enum talk_loss {
	TALK_UNREACHED,		/* it never stood */
	TALK_REFUSED,		/* the balancer said why, in an ERROR or by its HELLO */
	TALK_ENDED,		/* closed or reset */
	TALK_STOPPED,		/* the balancer had said that it stops */
	TALK_SILENT,		/* no answer for timeout_ms */
	TALK_MALFORMED,		/* what came is no message, or answers nothing asked */
	TALK_LOSSES
};

struct talk;

struct talk_hooks {
	void (*on_open)(struct talk *t);
	/* May ask more, may close. */
	void (*on_answer)(struct talk *t, uint32_t tag, const struct answer *answer);
	/* It is closed; t->why says so in words, and asking_is_pending what was not
	 * answered. May open it again. */
	void (*on_lost)(struct talk *t, enum talk_loss loss);
};

struct kv_hello;

struct talk {
	struct talk_balancer    *balancer;	/* borrowed */
	const struct talk_hooks *hooks;
	enum talk_state   state;
	struct dial       dial;
	struct loop_watch watch;
	struct loop_timer limit;	/* armed while the balancer owes us something */
	struct loop_task  flush;	/* what was asked in a turn is sent at its end */
	struct bytes      in, out;	/* what is incomplete; what is not sent yet */
	uint32_t          life;		/* another one whenever it is opened or closed */
	uint8_t           version;	/* that is spoken; 0 until it is known */
	bool              stopping;	/* SHUTDOWN has come: nothing more is asked */
	struct kv_hello  *hello;	/* owned; while GREETING */
	struct asking     asking;
	struct err        why;		/* of the last loss */
};

/* For up to `depth` requests at once. */
void talk_init(struct talk *t, struct talk_balancer *b, const struct talk_hooks *hooks,
	       uint32_t depth);

/* Closes without telling, and lets go of everything. */
void talk_fini(struct talk *t);

/* Connects; it was closed. on_open or on_lost follows, maybe before this returns. */
void talk_open(struct talk *t);

/* Closes without on_lost; what waits stays pending until talk_open. Nothing happens when
 * it is closed. */
void talk_close(struct talk *t);

/* Asks, at the end of the turn, and returns the tag. The connection is open, and the
 * request has passed asking_check. */
uint32_t talk_ask(struct talk *t, const struct request *r);

/* "unreachable", "closed", ...: for figures by kind. */
const char *talk_loss_name(enum talk_loss loss);

#endif
