/* kv/dispatch.h - which worker gets a request, and what becomes of those that had none.
 *
 * All writes of a key go to one worker, by rendezvous hashing over those that are ready,
 * so that they have an order there, and conditions a judge. Reads go by the pool's
 * policy; those of a client that has writes under way go where the key's writes go, so
 * that it reads what it wrote. A request whose worker is lost goes to another, up to the
 * pool's `retry`; it keeps its version, so that it counts once.
 *
 * Nobody ready, or all have as much as they may: the request waits, in order, up to the
 * pool's `queue` and `wait`; then its client hears so.
 *
 * Thread: the loop's.
 */
#ifndef KV_DISPATCH_H
#define KV_DISPATCH_H

#include "kv/hub.h"

/* A request that has just been made, with all that is asked: it is sent,
 * waits, or is answered. */
void kv_dispatch(struct kv_hub *hub, struct kv_request *r);

/* It has come back. `answer` is borrowed: r->answer, or bytes that only
 * last for this call. */
void kv_dispatch_returned(struct kv_hub *hub, struct kv_request *r, struct span answer);

/* From a link of this hub: hands r to its home. */
void kv_dispatch_return(struct kv_hub *hub, struct kv_request *r, enum kv_outcome outcome,
			enum kv_result result, struct span answer);

/* Sees whether those that wait have somewhere to go by now, and who
 * has waited too long. */
void kv_dispatch_waiting(struct kv_pool *p);

/* Its client has gone: forgets it, if nobody else has it. */
void kv_dispatch_abandon(struct kv_hub *hub, struct kv_request *r);

/* Whether so much waits that nothing more should be read. */
bool kv_dispatch_is_full(const struct kv_pool *p);

#endif
