/* model/live.h - what is true now: up or down, busy, counted. Outlives models.
 *
 * A server, pool or listener keeps its live part over a reload as long as its name
 * stays (server: pool name and address text; pool: name; listener: address text and
 * whether it is UDP), so that a reload loses no verdict and no count. How they begin and
 * end: live_registry.h.
 *
 * Threads: the lists and the ids belong to the control thread. Fields marked with a
 * writer are written by that one only; counters are added to by any loop with relaxed
 * atomics; everybody may read everything else, relaxed.
 */
#ifndef MODEL_LIVE_H
#define MODEL_LIVE_H

#include <stdalign.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/address.h"
#include "model/gate.h"
#include "model/model.h"

enum { LIVE_REASON_MAX = 120, LIVE_SERVER_IDS_MAX = 65536, LIVE_BUCKETS = 4096 };

/* Why the data path could not use a server. */
enum live_failure {
	FAILURE_NONE,
	FAILURE_REFUSED, FAILURE_CONNECT_TIMEOUT, FAILURE_UNREACHABLE,
	FAILURE_RESET,			/* closed before the first byte of a response */
	FAILURE_RESPONSE_TIMEOUT,
	FAILURE_MALFORMED,		/* what came was no HTTP response */
	FAILURE_CUT,			/* closed in the middle of a response */
	FAILURES
};
const char *live_failure_text(enum live_failure f);

struct live_address;
struct live_srv;	/* model/live_srv.h */
struct meters;		/* model/meter.h */

struct live_server {
	/* Read by every pick. */
	alignas(64) atomic_bool up;	/* writer: control thread (health) and passive marks */
	atomic_bool   draining;		/* writer: control thread */
	atomic_uint   weight;		/* writer: control thread */
	atomic_ullong load_total;	/* least-load: probe's answer plus requests since */
	atomic_ullong load_errors;

	/* Written by every request. */
	alignas(64) atomic_uint in_flight;
	atomic_uint   failures_in_row;	/* reset by each good response */
	atomic_bool   proof_told;	/* that it answers although it is down: by a loop; the
					 * control thread takes it back */
	atomic_ullong requests, responses, retried_away, failures[FAILURES];
	struct gate   gate;		/* parallel_max */
	struct meters *meters;		/* owned; times: from the pick to the answer's head */

	/* Rarely touched. */
	alignas(64) _Atomic(const struct address *) address;	/* NULL until resolved */
	atomic_uint silent_ends;	/* TCP connections that it has ended in silence, so far */
	uint32_t id;			/* dense: index of per-loop tables, see model_attach */
	uint64_t seed;			/* hash of the address text */
	char     text[ADDRESS_TEXT_MAX];
	char     pool[MODEL_NAME_MAX + 1];
	atomic_uint leave_ms;		/* how long sessions may stay once no model has it any
					 * more; writer: control thread, before the change.
					 * 0: as the pool's model says; UINT32_MAX: not at all */

	/* Control thread only. */
	char     reason[LIVE_REASON_MAX];	/* of the present verdict */
	uint32_t holders;		/* models */
	void    *prober;		/* owned by health/prober.c, NULL again before the end */
	uint64_t sampled_requests, sampled_failures;	/* when control/history.c saw it last */
	struct live_address *addresses;	/* owned: all that were ever published */
	struct live_server  *next;
	struct live_server  *next_in_bucket;
};

struct live_pool {
	char name[MODEL_NAME_MAX + 1];
	alignas(64) atomic_ullong requests;	/* counted only where a check is `after` */
	atomic_bool   check_asked;		/* by a loop; the control thread takes it back */
	atomic_bool   need_told;		/* likewise: somebody waits, and nobody is up */
	atomic_ullong retries, retries_over_budget, no_server_up, queued, queue_full,
		      queue_timeouts;
	atomic_uint   waiting;			/* requests in queues, all loops */
	atomic_ullong waiting_loops;		/* bit per loop that has some */
	atomic_uint   in_flight;		/* of all its servers; counted only where loads are
						 * bounded (model_pool.bounded_percent) */
	atomic_ullong bytes_up, bytes_down;	/* TCP, UDP: to servers, to clients */

	/* TCP: what became of clients whose server left. */
	atomic_ullong moved_replayed, moved_idle, not_moved;
	struct meters *meters;			/* owned; times: of whole requests */
	uint64_t sampled_errors;		/* as a server's; control thread only */
	uint32_t holders;			/* models */
	struct live_srv *srvs;			/* owned; control thread only */
	struct live_pool *next;
};

struct live_listener {
	char text[ADDRESS_TEXT_MAX];
	bool datagrams;			/* UDP, which may have the same address as TCP */
	bool kv;			/* key-value, in the newest model that holds it */
	struct gate connections;
	struct gate parallel;
	atomic_uint   waiting;			/* requests behind `parallel`, all loops */
	atomic_ullong accepted, requests;
	atomic_ullong bad_requests, timeouts, client_gone, cut, accept_paused, queue_full;
	atomic_ullong proxy_refused;	/* a trusted peer sent no PROXY header, or a bad one */
	atomic_uint   flows;		/* UDP: at present */
	atomic_ullong flows_full, datagrams_dropped;
	struct meters *meters;			/* owned; as a pool's */
	uint64_t sampled_requests, sampled_accepted, sampled_errors;	/* likewise */
	uint32_t holders;		/* models */
	struct live_listener *next;
};

/* Everything that is known at present. One per process, made by daemon. */
struct live {
	struct live_server   *servers;
	struct live_pool     *pools;
	struct live_listener *listeners;
	struct live_server   *buckets[LIVE_BUCKETS];	/* servers, by pool and text */
	uint64_t ids[LIVE_SERVER_IDS_MAX / 64];		/* taken ones */

	_Atomic(struct model *) released;	/* given by model_put, for live_collect */

	/* Told, on whichever thread, when `released` is no longer empty, and not again
	 * before live_collect. Set before the first model_attach, if at all. */
	void (*on_released)(struct live *live);

	struct gate   connections;	/* in all */
	atomic_uint   connections_max;	/* as the model says, or as descriptors allow; 0: no
					 * limit; writer: control thread */
	atomic_ullong request_ids;	/* given so far, from anywhere on (request_id.h) */
	atomic_ullong accept_out_of_descriptors, dials_out_of_descriptors, pipes_none_left,
		      memory_refused;
};

/* How many of a server's are under way: one more, one less. Where loads are bounded
 * (bounded_percent is not 0) its pool counts too; who entered bounded leaves bounded,
 * whatever the model says by then. Any loop. */
static inline void live_server_enter(struct live_server *s, struct live_pool *pool, bool bounded)
{
	atomic_fetch_add_explicit(&s->in_flight, 1, memory_order_relaxed);
	if (bounded)
		atomic_fetch_add_explicit(&pool->in_flight, 1, memory_order_relaxed);
}

static inline void live_server_leave(struct live_server *s, struct live_pool *pool, bool bounded)
{
	atomic_fetch_sub_explicit(&s->in_flight, 1, memory_order_relaxed);
	if (bounded)
		atomic_fetch_sub_explicit(&pool->in_flight, 1, memory_order_relaxed);
}

/* Sets the verdict. True when it changed: the caller logs, once. Any thread for
 * passive marks; `up` again only from the control thread, and with a clean count of
 * failures in a row. */
bool live_server_set_up(struct live_server *s, bool up);

/* One more. Any thread; nobody waits for it. */
static inline void live_count(atomic_ullong *counter)
{
	atomic_fetch_add_explicit(counter, 1, memory_order_relaxed);
}

/* Passive health: what the data path itself has seen of a server. Any loop.
 * A good response resets the count of failures in a row; it costs a load when
 * nothing was wrong before. */
static inline void live_server_succeeded(struct live_server *s)
{
	if (atomic_load_explicit(&s->failures_in_row, memory_order_relaxed) != 0)
		atomic_store_explicit(&s->failures_in_row, 0, memory_order_relaxed);
}

/* A failure. True when this very call has marked the server down (fails_max in a
 * row; 0: never): the caller then tells the control thread, which logs the mark
 * and probes. */
bool live_server_failed(struct live_server *s, enum live_failure why, uint32_t fails_max);

#endif
