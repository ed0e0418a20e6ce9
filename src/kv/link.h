/* kv/link.h - a worker's connection to the balancer.
 *
 *   GREETING --(READY, or HELLO and PROOF)--> JOINING --(the registry says yes)--> MEMBER
 *       |                                        |                                    |
 *       '----------------------------------------'--(refused, lost, at fault)---------'--> ended
 *
 * What is under way at the worker stands in slots; the tag that goes with a request is
 * its slot's number and how often that was used, so that an answer finds its request in
 * one step and a wrong one finds none.
 *
 * Thread: the loop's.
 */
#ifndef KV_LINK_H
#define KV_LINK_H

#include "kv/hub.h"
#include "listen/stream.h"
#include "parse/kv_hello.h"

enum {
	KV_SLOTS_MAX = 2 * KV_WINDOW_MAX,	/* loops do not see each
						 * other's last ones */
	KV_GREETING_MS = 5000,			/* for HELLO and PROOF, or READY; and once
						 * more for its other lanes */
	KV_LINK_OUT_MAX = 8 * 1024 * 1024,	/* bytes that a worker has not
						 * taken; more wait */
	KV_GOODBYE_MS = 1000,			/* for its last words */
	KV_PROBE_MS = 10 * 1000,		/* silence after which the kernel asks */
};

/* How far the newest version of a worker may lie ahead of the balancer's clock: versions
 * follow it, and must not be led to their end. */
#define KV_AHEAD_US_MAX (UINT64_C(24) * 3600 * 1000 * 1000)

enum kv_link_state { KV_LINK_GREETING, KV_LINK_JOINING, KV_LINK_MEMBER };

struct kv_slot {
	struct kv_request *request;	/* borrowed; NULL: free, or nobody
					 * wants the answer */
	uint16_t generation;
	uint16_t next_free;
	bool     taken;
	uint64_t since_ms;
};

struct kv_link {
	struct stream stream;		/* owned */
	struct kv_hub  *hub;		/* borrowed */
	struct kv_pool *pool;		/* a user of it */
	enum kv_link_state state;
	bool     ended;
	bool     closing;		/* ends when all is sent */
	bool     lingering;		/* and all has been: waits for the
					 * worker to close */
	bool     withdrawn;		/* it has said that it is not ready */
	uint8_t  speaks;
	uint8_t  lane;
	uint32_t number;		/* of the link: the hub's, used once */
	uint32_t worker;		/* its id */
	struct live_server *server;	/* held by way of the model, which has it until
					 * the registry hears of this link's end, or has
					 * it closed; NULL before it is a member, and once
					 * it is closing */
	struct bytes in, out;		/* owned */
	struct kv_slot *slots;		/* owned; slot_count of them */
	uint32_t slot_count, in_flight;
	uint32_t first_free;
	uint64_t heard_ms;		/* when the last byte came */
	struct kv_hello *hello;		/* owned, while GREETING */
	char    *secret;		/* owned, so too */
	struct loop_timer limit;	/* of greeting and joining, and of
					 * the last words */
	struct link unsent;		/* in hub->unsent_links, or of the ended */
};

/* A connection; fd is given. */
void kv_link_begin(struct kv_port *port, int fd);

/* The link with this number, if it is a member. */
struct kv_link *kv_link_find(const struct kv_hub *hub, uint32_t number);

/* Sends a request there; false: it is not ready, or has no room for it. */
bool kv_link_send(struct kv_link *l, struct kv_request *r);

/* Ends it: all that is under way there is lost, the registry is told. */
void kv_link_end(struct kv_link *l);

/* Ends up to `max` of those that are still in their greeting, the oldest first;
 * returns how many. */
uint32_t kv_link_end_silent(struct kv_hub *hub, uint32_t max);

/* Says something last, and ends. `at` may be NULL. */
void kv_link_close(struct kv_link *l, const void *at, size_t len);

/* Sends what waits, as far as the kernel takes it. */
void kv_link_flush(struct kv_link *l);

/* Of one that has ended, at the end of the turn. */
void kv_link_free(struct kv_link *l);

/* Called each second: is its worker silent for too long? */
void kv_link_look(struct kv_link *l);

/* ---- from the registry, by message ---- */

/* It is a member from now on, as this server. */
void kv_link_accept(struct kv_link *l, struct live_server *server);
void kv_link_say(struct kv_link *l, const void *at, size_t len);

/* ---- link_talk.c ---- */

/* Takes what it can of what the worker has said; returns how much that was. */
size_t kv_link_take(struct kv_link *l, const char *at, size_t len);

/* ---- for link_talk.c ---- */

/* The slot of a tag, or NULL. And frees it; the request in it is the caller's. */
struct kv_slot *kv_link_slot(struct kv_link *l, uint32_t tag);
void kv_link_free_slot(struct kv_link *l, struct kv_slot *slot);

/* It is at fault: logged, told, ended. */
void kv_link_refuse(struct kv_link *l, enum kv_result code, const char *why);

/* It is not ready: no request goes there, reads that are under way go elsewhere. */
void kv_link_withdraw(struct kv_link *l);

#endif
