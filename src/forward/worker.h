/* forward/worker.h - one loop of the data path and all that it owns.
 *
 * A worker shares nothing with others but what model/live.h holds in atomics. The
 * control thread reaches it by messages only (worker_thread.h).
 *
 *   control thread --(edition, ports)--> worker --> acceptor --> session
 *                                           '--> backends: idle upstream connections
 *
 * Thread: the loop's, unless it says otherwise.
 */
#ifndef FORWARD_WORKER_H
#define FORWARD_WORKER_H

#include <stdatomic.h>

#include "base/buf.h"
#include "base/slab.h"
#include "forward/edition.h"
#include "forward/splice.h"
#include "listen/acceptor.h"
#include "loop/loop.h"
#include "model/live.h"

enum {
	/* What one read may bring; also the most that ever waits for a slow peer. */
	SCRATCH_BYTES = 64 * 1024,
	/* Room before it, for a head that grows and for the size line of a chunk. */
	SCRATCH_HEADROOM = 2048,
	SCRATCH_TAILROOM = 64,
};

struct worker;
struct port;
struct udp;
struct asked;		/* forward/asked.h */
struct h1_head;		/* parse/h1.h */
struct record_ring;	/* forward/record.h */

/* What a kind of listener does with its connections: one per mode, but for UDP, which has
 * none (udp.h). Each function is called on the loop's thread; a port is named where only
 * its connections are meant, NULL means those of all ports of the kind. */
struct protocol {
	/* A connection, whose place is taken; fd is given. */
	void (*begin)(struct port *port, int fd, const struct sockaddr *peer);

	/* No new work comes any more, by the worker's drain or since the listener was
	 * removed: connections end as soon as they may. */
	void (*begin_drain)(struct worker *w, const struct port *port);

	/* Time is over: all end at once. */
	void (*end_all)(struct worker *w, const struct port *port);

	/* A new edition is in force, w->now; backends that it lacks are orphans
	 * (worker_is_orphan). */
	void (*adopt)(struct worker *w);
};
extern const struct protocol protocol_http;	/* http_session.c */
extern const struct protocol protocol_tcp;	/* tcp_session.c */

/* What may end deep inside a call begins with one: it is marked dead, and its memory
 * stays until the next event (worker_sweep), so that callers can look at the mark. */
struct grave {
	struct grave *next;
	struct slab  *slab;
};

/* A listening socket of this loop. */
struct port {
	struct acceptor acceptor;
	const struct protocol *protocol;
	struct worker  *worker;			/* borrowed */
	struct live_listener *live;		/* held by way of the edition */
	struct edition *edition;		/* worker->now; used (held) once it is removed */
	int32_t  door;				/* index in that edition */
	bool     removed;			/* accepts no more; its sessions are ending */
	struct link link;			/* in worker->ports */
	uint32_t sessions;			/* a removed port ends with the last one */
	struct loop_timer limit;		/* tcp: of these, once it is removed */
};

/* What a worker keeps for a server: idle connections, the last used one first, and the
 * TCP sessions that are joined to it. A session outlives editions: it asks its backend
 * for its pool's lane, in the newest edition that has the server. */
struct backend {
	struct link idle;			/* upstream connections (http) */
	uint32_t    idle_count;
	struct link joined;			/* sessions (tcp) */
	struct tcp_verdict   *verdict;		/* owned; tcp_verify.c; NULL: nobody asks */
	struct tcp_departure *departure;	/* owned; tcp_leave.c; NULL: it stays */
	struct edition *edition;		/* w->now; of an orphan that has sessions, the
						 * last that had it, used (held); else NULL */
	uint32_t    edition_number;		/* of the newest edition that has it */
	uint32_t    lane;			/* index in that edition */
};

/* What the worker asks the control thread for. Called on the loop's thread: they
 * must post, not act. */
struct worker_hooks {
	/* `m` holds the live part; the receiver takes a hold of its own. */
	void (*marked_down)(void *arg, const struct model *m, struct live_server *s,
			    enum live_failure why);
	void (*proved)(void *arg, const struct model *m, struct live_server *s);
	void (*check_due)(void *arg, const struct model *m, struct live_pool *pool);
	/* Somebody waits in a pool that owns its servers, and nobody is up: told once,
	 * until pool->need_told is taken back. */
	void (*server_needed)(void *arg, const struct model *m, struct live_pool *pool);
	/* A client asks to have a pool changed or shown (asked.h). False: not at present.
	 * True: it is given, and will be answered, noted and closed. */
	bool (*admin_asked)(void *arg, struct asked *a);
	void (*drained)(void *arg, struct worker *w);
	void *arg;
};

struct worker {
	unsigned number;
	struct loop *loop;			/* owned */
	struct live *live;			/* borrowed */
	struct worker **all;			/* borrowed; MODEL_LOOPS_MAX, some NULL */
	struct worker_hooks hooks;

	struct edition *now;			/* the newest; NULL before the first */
	struct link     editions;		/* all that are in use */
	uint32_t        edition_number;
	struct link     ports;
	struct backend *backends;		/* owned, by live_server.id */
	uint32_t        backend_count;

	struct slab     sessions_slab, requests_slab, upstreams_slab;
	struct slab     tcp_slab, tcp_reach_slab;
	struct buf_pool bufs;
	struct pipes    pipes;
	struct link     sessions;		/* http: all */
	struct link     idle;			/* those without a request, longest idle first */
	struct link     holding;		/* those that hold answers back */
	struct loop_timer hold_limit;
	struct link     tcp_sessions;		/* tcp: all */
	struct link     udp_ports;		/* udp: their sockets and flows, udp.h */
	struct udp     *udp;			/* owned: what those share; NULL: none yet */
	struct grave   *dead;			/* ended in this turn: freed in the next */
	uint32_t        session_count;		/* of all kinds */

	char *scratch;				/* owned; SCRATCH_BYTES, with room around */
	char *head_out;				/* owned; where a response head is written anew */
	struct h1_head *head;			/* owned: the one being looked at */
	const char *head_at;			/* borrowed: its bytes, while a request begins */

	struct loop_job  wake;			/* "a gate you wait at has room" */
	atomic_bool      wake_posted;
	struct loop_job  room;			/* "a connection waits for a place" */
	atomic_bool      room_posted;
	struct loop_timer drain_limit;
	bool             draining;
	bool             unhurried;		/* draining, since another process accepts */
	bool             drained;

	struct record_ring *records;		/* borrowed; NULL: no access log */
	uint64_t random[2];			/* states of a generator */
	uint64_t proxy_said_ms;			/* when a refused PROXY header was logged last */
};

/* The next random number: no secret, and none twice on any two loops or machines. */
uint64_t worker_random(struct worker *w);
bool worker_samples(struct worker *w);	/* whether the access log is to have this request */

/* Wakes the loops that a gate has told are waiting (a bit each). Any worker's
 * thread. */
void worker_wake(struct worker *w, uint64_t loops);

/* Frees what ended earlier; to be called first by each handler of an event. */
void worker_sweep(struct worker *w);

/* A session that is connected to this backend's server, by this edition and lane; from
 * now on it asks worker_lane. And one that is no longer. */
void worker_join(struct worker *w, struct backend *b, struct link *session,
		 struct edition *e, uint32_t lane);
void worker_part(struct worker *w, struct backend *b, struct link *session);

/* Called by sessions as they begin and end. */
void worker_count_session(struct worker *w, struct port *port, int one);

/* To be called when something has ended that a drain waits for. */
void worker_look_whether_drained(struct worker *w);

/* A trusted peer's connection did not begin with a good PROXY header: counted, and said
 * in the log at most once a second. `peer` is its numeric address. */
void worker_refuse_proxy(struct port *port, const char *peer, const char *why);

/* To be freed by worker_sweep: g is the first member of an object of this slab. */
static inline void worker_bury(struct worker *w, struct grave *g, struct slab *slab)
{
	*g = (struct grave){w->dead, slab};
	w->dead = g;
}

static inline struct backend *worker_backend(struct worker *w, const struct live_server *s)
{
	return &w->backends[s->id];
}

/* The newest edition has no such server: reload or removal took it out. */
static inline bool worker_is_orphan(const struct worker *w, const struct backend *b)
{
	return b->edition_number != w->edition_number;
}

/* The pool of a backend that somebody is joined to. */
static inline struct lane *worker_lane(const struct backend *b)
{
	return &b->edition->lanes[b->lane];
}

/* The port's listener, in the edition that it works by. */
static inline struct door *port_door(const struct port *port)
{
	return &port->edition->doors[port->door];
}

/* A pipe to splice through, or NULL, which is counted: then bytes are copied. */
static inline struct pipe *worker_pipe(struct worker *w)
{
	struct pipe *p = pipe_get(&w->pipes);

	if (p == NULL)
		live_count(&w->live->pipes_none_left);
	return p;
}

/* Gives a pipe back that has nothing in it, while there is nothing to move. */
static inline void worker_pipe_back(struct worker *w, struct pipe **p)
{
	if ((*p)->held > 0)
		return;
	pipe_put(&w->pipes, *p);
	*p = NULL;
}

#endif
