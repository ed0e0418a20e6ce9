/* kv/request.h - one request of a client: what it asks, where it is, what was answered.
 *
 * A request travels: it is made by the hub of its client (its home), goes to the hub
 * that has the worker's connection, which may be the same, and comes back answered
 * or lost. It is never copied on the way; whoever has it may write it, and only the
 * home makes and frees it.
 *
 *                      picked                answered                  its turn in the line
 *   new --> WAITING -----------> SENT ------------------> ANSWERED ---------------------> gone
 *            ^   |                | | lost, tries left       ^
 *            |   '- too long -----|-|------------------------'
 *            '--------------------|-'                        |
 *                                 '-- lost, none left -------'
 *
 * An answer that comes for a client that has gone goes nowhere: `client` is NULL by then.
 *
 * Thread: the home's for what is said to be its; the rest follows the request.
 */
#ifndef KV_REQUEST_H
#define KV_REQUEST_H

#include <stdint.h>

#include "base/list.h"
#include "base/slab.h"
#include "base/span.h"
#include "parse/kv_wire.h"

struct kv_client;
struct kv_edition;
struct kv_pool;
struct kv_request;
struct live_server;

enum kv_request_state { KV_REQUEST_BUG, KV_WAITING, KV_SENT, KV_ANSWERED };

/* What came of it at the worker's hub. */
enum kv_outcome {
	KV_OUTCOME_ANSWER,
	KV_OUTCOME_LOST,	/* the worker has it, perhaps, and is gone */
	KV_OUTCOME_NOT_TAKEN,	/* it was not sent */
};

/* Says the answer to its client, in its turn. */
typedef void kv_say(struct kv_client *c, const struct kv_request *r, struct span answer);

enum { KV_REQUEST_SMALL = 384, KV_REQUEST_MEDIUM = 1024 };

struct kv_request {
	/* The home's. */
	struct kv_client  *client;	/* NULL: it has gone */
	struct kv_request *behind;	/* the next in the client's line */
	kv_say            *say;
	struct kv_pool    *pool;
	struct kv_edition *edition;	/* a user of it, while SENT */
	struct live_server *server;	/* whose place it has, while SENT */
	struct link        waiting;	/* in pool->waiting, while WAITING */
	uint64_t           since_ms;	/* when it began to wait */
	uint64_t           number;	/* in the order of asking, at its home */
	enum kv_request_state state;
	uint8_t            tries;	/* how often it was lost */
	bool               counts_write;	/* in client->writes */

	/* Whoever has it. */
	struct kv_request *next;	/* in an inbox, or in an outgoing list */
	uint32_t link;			/* the connection it is meant for */
	uint32_t tag;			/* of the client's OP */
	uint8_t  home;			/* number of its hub */
	uint8_t  size;			/* which slab; see request.c */
	uint8_t  verb, flags;		/* enum kv_verb, enum kv_op_flags */
	uint8_t  outcome;		/* enum kv_outcome */
	uint8_t  result;		/* enum kv_result */
	uint16_t key_len;
	uint64_t version, expires_ms;	/* asked for */
	uint64_t answer_version, answer_expires_ms;
	uint64_t hash;			/* of the key */
	uint32_t value_len;
	uint32_t answer_len;
	char    *answer;		/* owned; NULL: empty */
	char     bytes[];		/* key, value */
};

/* Where a hub's requests come from. */
struct kv_requests {
	struct slab small, medium;
	uint64_t    count;		/* that are there now */
};

void kv_requests_init(struct kv_requests *all);
void kv_requests_fini(struct kv_requests *all);

/* A new one with copies of key and value; NULL: out of memory. */
struct kv_request *kv_request_create(struct kv_requests *all, struct span key,
				     struct span value);
void kv_request_destroy(struct kv_requests *all, struct kv_request *r);

/* Sets what it is answered with, by a copy. Out of memory the result is KV_BUSY. */
void kv_request_answer(struct kv_request *r, enum kv_result result, struct span answer);

static inline struct span kv_request_key(const struct kv_request *r)
{
	return (struct span){r->bytes, r->key_len};
}

static inline struct span kv_request_value(const struct kv_request *r)
{
	return (struct span){r->bytes + r->key_len, r->value_len};
}

static inline bool kv_verb_writes(uint8_t verb)
{
	return verb == KV_VERB_SET || verb == KV_VERB_DELETE || verb == KV_VERB_EXPIRE;
}

#endif
