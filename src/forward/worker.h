/* forward/worker.h - one loop of the data path and all that it owns.
 *
 * A worker shares nothing with others but what model/live.h holds in atomics. The
 * control thread reaches it by messages (worker_adopt, worker_drain) only.
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
#include "forward/record.h"
#include "forward/splice.h"
#include "listen/acceptor.h"
#include "loop/loop.h"
#include "model/live.h"
#include "parse/h1.h"

enum {
	/* What one read may bring; also the most that ever waits for a slow peer. */
	SCRATCH_BYTES = 64 * 1024,
	/* Room before it, for a head that grows and for the size line of a chunk. */
	SCRATCH_HEADROOM = 2048,
	SCRATCH_TAILROOM = 64,
};

struct worker;

/* A listening socket of this loop. */
struct port {
	struct acceptor acceptor;
	struct worker  *worker;			/* borrowed */
	struct live_listener *live;		/* held by way of the edition */
	struct edition *edition;		/* worker->now; used (held) once it is removed */
	int32_t  door;				/* index in that edition */
	bool     removed;			/* accepts no more; its sessions are ending */
	struct link link;			/* in worker->ports */
	uint32_t sessions;			/* a removed port ends with the last one */
};

/* What a worker keeps for a server: idle connections, the last used one first. */
struct backend {
	struct link idle;
	uint32_t    idle_count;
	uint32_t    edition;			/* number of the newest edition that has it */
};

/* What the worker asks the control thread for. Called on the loop's thread: they
 * must post, not act. */
struct worker_hooks {
	/* `m` holds the live part; the receiver takes a hold of its own. */
	void (*marked_down)(void *arg, const struct model *m, struct live_server *s,
			    enum live_failure why);
	void (*check_due)(void *arg, const struct model *m, struct live_pool *pool);
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
	struct buf_pool bufs;
	struct pipes    pipes;
	struct link     sessions;		/* all */
	struct link     idle;			/* those without a request, longest idle first */
	struct link     holding;		/* those that hold answers back */
	struct loop_timer hold_limit;
	struct link     dead;			/* ended in this turn: freed in the next */
	uint32_t        session_count;

	char *scratch;				/* owned; SCRATCH_BYTES, with room around */
	char *head_out;				/* owned; where a response head is written anew */
	struct h1_head head;			/* the one being looked at */
	const char *head_at;			/* borrowed: its bytes, while a request begins */

	struct loop_job  wake;			/* "a gate you wait at has room" */
	atomic_bool      wake_posted;
	struct loop_job  room;			/* "a connection waits for a place" */
	atomic_bool      room_posted;
	struct loop_timer drain_limit;
	bool             draining;
	bool             drained;

	struct record_ring *records;		/* borrowed; NULL: no access log */
};

/* Makes the worker and its loop; nothing runs yet. Control thread. */
struct worker *worker_create(unsigned number, struct live *live, struct worker **all,
			     const struct worker_hooks *hooks, struct err *err);

/* Ends all that is still there. After the loop's thread has ended. */
void worker_destroy(struct worker *w);

/* A new listening socket that comes with an edition. */
struct port_opening {
	int fd;					/* given */
	struct live_listener *live;
};

/* From the control thread: from now on work by this edition, which is given.
 * `openings` (given, heap) are the listeners that it has and the last one had not;
 * listeners that it lacks are closed, their connections ended when idle. */
void worker_adopt(struct worker *w, struct edition *e, struct port_opening *openings,
		  uint32_t count);

/* From the control thread: accept no more, end idle connections, let requests finish;
 * after limit_ms cut what is left. hooks.drained is called when all is gone. May be
 * called again, with a shorter limit. */
void worker_drain(struct worker *w, uint32_t limit_ms);

/* Wakes the loops that a gate has told are waiting (a bit each). Any worker's
 * thread. */
void worker_wake(struct worker *w, uint64_t loops);

/* Frees what ended earlier; to be called first by each handler of an event. */
void worker_sweep(struct worker *w);

/* Called by sessions as they begin and end. */
void worker_count_session(struct worker *w, struct port *port, int one);

static inline struct backend *worker_backend(struct worker *w, const struct live_server *s)
{
	return &w->backends[s->id];
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
