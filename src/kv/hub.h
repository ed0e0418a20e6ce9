/* kv/hub.h - what one loop of the balancer has of key-value mode: listeners, clients, the
 * connections of workers, and the requests between them.
 *
 *   client ---> speech_*.c ---> dispatch.c ---> link.c ---> worker          one loop
 *      ^------- speech_*.c <--- dispatch.c <--- link.c <------'
 *
 *   client ---> dispatch.c -(inbox of the other hub)-> link.c ---> worker   two loops
 *      ^------- dispatch.c <-(inbox of its home)------ link.c <------'
 *
 * A worker has one connection (or one for each of its lanes), which belongs to one hub;
 * the others reach it through that one's inbox, a list that many may push to and one
 * takes, whole, without a lock. What a turn has produced is sent at its end: one call for
 * each connection, one push for each other hub.
 *
 * Who is in the pool is decided by the registry on the control thread,
 * and told by messages.
 *
 * Thread: the loop's, unless it says otherwise.
 */
#ifndef KV_HUB_H
#define KV_HUB_H

#include <stdalign.h>
#include <stdatomic.h>

#include "base/bytes.h"
#include "base/list.h"
#include "kv/edition.h"
#include "kv/pool.h"
#include "kv/port.h"
#include "kv/request.h"
#include "loop/turn.h"
#include "model/live.h"

enum {
	KV_SCRATCH_BYTES = 256 * 1024,	/* what one read may bring */
	KV_LINKS_MAX = 512,		/* connections of workers, of one loop */
	KV_WORKERS_MAX = 256,		/* of one pool */
	KV_WINDOW_MAX = 4096,		/* requests under way at one worker; more wait.
					 * Fewer by the pool's `parallel` */
	KV_RETRY_MS = 5,		/* how often those look again, where
					 * nothing wakes them */
	KV_BUSY_MIN = 8,		/* clients that wait, from which on
					 * requests may gather */
};

struct kv_registry;
struct kv_link;
struct stream;

/* What the hub asks the daemon for. On the loop's thread. */
struct kv_hub_hooks {
	/* Wakes those that wait at a gate, on these loops (a bit each). */
	void (*wake)(void *arg, uint64_t loops);
	/* kv_hub_drain: no client is left; and after kv_hub_part: no worker either. */
	void (*clients_gone)(void *arg, struct kv_hub *hub);
	void (*parted)(void *arg, struct kv_hub *hub);
	void *arg;
};

struct kv_hub {
	unsigned number;
	struct loop *loop;		/* borrowed */
	struct live *live;		/* borrowed */
	struct kv_registry *registry;	/* borrowed; told of things from any thread */
	struct kv_hub **all;		/* borrowed; MODEL_LOOPS_MAX, some NULL */
	struct kv_hub_hooks hooks;

	struct kv_edition *now;		/* NULL before the first */
	struct link ports, pools, routes;
	struct link clients;
	uint32_t    client_count, link_count;
	uint64_t    clients_begun, requests_begun;
	struct slab clients_slab;
	struct kv_requests requests;
	struct kv_link *links[KV_LINKS_MAX];	/* owned; by the low bits of
						 * their numbers */
	uint32_t    link_generation;
	char       *scratch;		/* owned; KV_SCRATCH_BYTES */

	struct loop_task end_of_turn;
	struct link unsent_clients, unsent_links, ended_clients, ended_links;
	struct loop_timer every_second;	/* while there are links */
	uint32_t asking;		/* clients that wait for answers */
	uint64_t clients_seen;		/* clients_begun when memory was
					 * given back last */
	struct {			/* the most of them, in this ms and
					 * the one before */
		uint64_t at_ms;
		uint32_t most, most_before;
	} busy;

	/* Any hub pushes, this one takes. */
	alignas(64) _Atomic(struct kv_request *) inbox;
	struct loop_job inbox_job;
	alignas(64) struct kv_request *outgoing[MODEL_LOOPS_MAX];	/* last first */
	uint64_t outgoing_hubs;		/* a bit for each that has some */

	bool draining, parting;
	bool told_clients_gone, told_parted;
	struct loop_timer drain_limit;
};

/* ---- control thread ---- */

/* On this loop, which is not running yet. */
struct kv_hub *kv_hub_create(unsigned number, struct loop *loop, struct live *live,
			     struct kv_hub **all, const struct kv_hub_hooks *hooks);

/* Set once, before anything else. */
void kv_hub_use_registry(struct kv_hub *hub, struct kv_registry *registry);

/* After the loop's thread has ended, on any: ends all clients and workers. What
 * of their requests is with other hubs comes home by messages (loop_turn), and
 * then the hub may go. */
void kv_hub_end_all(struct kv_hub *hub);
void kv_hub_destroy(struct kv_hub *hub);

/* From now on work by m, of which the hub takes a hold; `openings` are copied, as many as
 * `count`. Listeners that m lacks are closed, their clients ended when idle. */
void kv_hub_adopt(struct kv_hub *hub, const struct model *m,
		  const struct kv_opening *openings, uint32_t count);

/* Accept no more; clients end as soon as they have their answers, after
 * limit_ms at once. */
void kv_hub_drain(struct kv_hub *hub, uint32_t limit_ms);

/* The same, while another process accepts at the same sockets: what waits there is its. */
void kv_hub_leave(struct kv_hub *hub, uint32_t limit_ms);

/* Says SHUTDOWN to the workers and closes. When no hub has clients any more. */
void kv_hub_part(struct kv_hub *hub);

/* ---- hub.c ---- */

/* Has kv_hub's end of turn come in this one. */
static inline void kv_hub_at_end(struct kv_hub *hub)
{
	loop_at_end(hub->loop, &hub->end_of_turn);
}

/* Gives a request to another hub, at the end of this turn. */
void kv_hub_pass(struct kv_hub *hub, unsigned to, struct kv_request *r);

/* Reads what a peer still says that will not be heard any more. True: it has ended. */
bool kv_hub_leave_unread(struct kv_hub *hub, struct stream *s);

/* To be called when a client or a link has ended. */
void kv_hub_look_whether_done(struct kv_hub *hub);

#endif
