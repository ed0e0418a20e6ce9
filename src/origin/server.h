/* origin/server.h - the origin as a whole: its ports, its threads, their listeners.
 *
 * Each port is a server of its own with its own counts. Each thread has one loop and
 * one listener per port (SO_REUSEPORT: the kernel spreads the connections), and owns
 * every connection it has accepted; there is no thread per connection.
 *
 * Threads: a `struct thread` belongs to its thread once the server runs. A `struct
 * server` is constant from then on. The counts are atomics that one thread writes
 * and all may read.
 */
#ifndef ORIGIN_SERVER_H
#define ORIGIN_SERVER_H

#include <pthread.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/slab.h"
#include "loop/loop.h"
#include "origin/options.h"
#include "origin/source.h"
#include "parse/h1.h"

enum {
	SERVER_CONNECTIONS_MAX = 65536,	/* per thread; more wait in the accept queue */
	SERVER_ACCEPTS_MAX     = 64,	/* per listener and turn */
	SERVER_REST_MS         = 100,	/* without accepting, when out of descriptors */
	SERVER_COMMON_MAX      = 96,	/* bytes of the header lines all answers have */
};

struct counts {
	uint64_t requests;
	uint64_t errors;	/* answers of status 400 and above */
};

struct listener {
	struct loop_watch watch;	/* owned */
	struct thread    *thread;
	unsigned          port;		/* index into the server's */
	struct counts     counts;	/* atomics, of this thread's part */
	char              common[SERVER_COMMON_MAX];
	size_t            common_len;
	uint64_t          common_until_ms;	/* then the date in it is old */
};

struct thread {
	struct server   *server;	/* borrowed */
	struct loop     *loop;		/* owned */
	pthread_t        id;
	struct buf_pool  buffers;
	struct slab      slab;		/* of connections */
	struct link      connections;
	unsigned         connection_count;
	struct loop_timer rest;		/* armed while it does not accept */
	uint64_t         rolls;		/* state of the chance for faults */
	struct h1_head   head;		/* scratch: the request at hand */
	struct listener  listeners[OPTIONS_PORTS_MAX];
};

struct server {
	const struct options *options;	/* borrowed */
	uint16_t       ports[OPTIONS_PORTS_MAX];	/* the real ones, none is 0 */
	int            directory;	/* owned */
	struct pattern pattern;		/* owned */
	struct thread *threads[OPTIONS_THREADS_MAX];	/* owned */
};

/* Opens all listeners and starts all threads. On an error everything is undone. The
 * calling thread should have blocked its signals: the new ones inherit that. */
int origin_server_start(struct server *s, const struct options *o, struct err *err);

/* Ends all connections at once, and all threads. */
void origin_server_stop(struct server *s);

/* What all threads counted on this port. Any thread. */
struct counts origin_server_counts(const struct server *s, unsigned port);

/* The header lines of every answer: Date and X-Origin. Borrowed, for this turn. */
struct span origin_listener_common(struct listener *l);

/* The next roll of the dice. The same sequence in every run. */
uint64_t origin_thread_roll(struct thread *t);

#endif
