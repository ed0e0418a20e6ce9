/* client/asking.h - requests on one connection, the messages they become, and which
 * answer is whose.
 *
 * Version 2 answers carry the tag of their request and may come in any order. Those of
 * version 1 come in the order of asking and repeat the key, which is looked at. An ERROR
 * belongs to the oldest request that waits. An answer that fits no request is no answer:
 * whoever sent it cannot be believed any more.
 *
 * Pure. Invariant: pending are the tags [first, next), less those marked as answered;
 * `first` is never marked.
 */
#ifndef CLIENT_ASKING_H
#define CLIENT_ASKING_H

#include "base/err.h"
#include "parse/kv_wire.h"

enum { ASKING_DEPTH_MAX = 1024 };

struct request {
	uint8_t     verb;		/* enum kv_verb; version 1 has GET and SET */
	uint8_t     flags;		/* enum kv_op_flags */
	uint64_t    expires_ms;
	struct span key, value;		/* borrowed during the call */
};

struct answer {
	uint8_t     result;		/* enum kv_result */
	uint64_t    version, expires_ms;	/* 0 in version 1 */
	struct span value;		/* borrowed from the message; of an error, text */
};

struct asking_slot {
	uint8_t  verb;
	bool     answered;		/* ahead of an older one */
	uint64_t key_hash;
};

struct asking {
	struct asking_slot *slots;	/* owned: `depth` of them, by tag */
	uint32_t depth;			/* a power of two */
	uint32_t first, next;
	uint32_t waiting;		/* not answered */
};

enum asking_result {
	ASKING_ANSWER,	/* *tag and *answer are set */
	ASKING_STOPPING,	/* the balancer is about to close */
	ASKING_REFUSED,	/* an ERROR for nobody; *why is set */
	ASKING_MALFORMED,	/* *why is set */
};

/* Room for `depth` requests at once, rounded up to a power of two. */
void asking_init(struct asking *x, uint32_t depth);
void asking_fini(struct asking *x);

/* Whether it can be asked in this version: 0, or -1 and *err. */
int asking_check(const struct request *r, uint8_t version, struct err *err);

/* Notes it and makes its message, whose spans are the request's. It has passed
 * asking_check, and there is room. Returns its tag; tags count up by one for good. */
uint32_t asking_ask(struct asking *x, uint8_t version, const struct request *r,
		      struct kv_message *m);

/* What a message from the balancer means. */
enum asking_result asking_take(struct asking *x, const struct kv_message *m,
				   uint32_t *tag, struct answer *answer, struct err *why);

/* All that wait are given up: nothing is pending. */
void asking_reset(struct asking *x);

static inline bool asking_has_room(const struct asking *x)
{
	return x->next - x->first < x->depth;
}

static inline bool asking_is_pending(const struct asking *x, uint32_t tag)
{
	return tag - x->first < x->next - x->first &&
	       !x->slots[tag & (x->depth - 1)].answered;
}

#endif
