/* pump.h - both ends of a proxy in one thread: the clients and the origin.
 *
 * Only a load that is cheaper than a proxy saturates it. One thread that is both
 * ends takes all that is ready with one epoll_wait and says precomputed texts: one
 * recv and one send each for a request and its answer. pump.c runs it, client.c
 * asks, origin.c answers, connection.c is what the two have in common.
 */
#ifndef PUMP_PUMP_H
#define PUMP_PUMP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/list.h"
#include "base/histogram.h"

enum {
	HEAD_MAX = 4096,		/* of a request or an answer, in bytes */
	SCRATCH_SIZE = 256 * 1024,	/* heard at once */
	CHUNK_SIZE = 64 * 1024,		/* said at once, where one text is shorter */
	PART_SIZE = 256 * 1024,		/* said at once of a longer answer without HTTP */
};

struct pump;
struct connection;

/* What a side says again and again: `copies` in a row, so that many are one send. A
 * large text is a file in memory too, which is sent without a copy. */
struct text {
	int    fd;			/* -1: none, it is small */
	char  *bytes;
	size_t size;			/* of one copy */
	size_t copies;
	size_t parts;			/* copies that are one request or answer */
};

/* The side of a connection. */
struct role {
	/* Size bytes in the pump's scratch, none if they were skipped. False: that
	 * was not what had to come, and on_end follows. */
	bool (*on_bytes)(struct pump *pump, struct connection *c, size_t size);

	/* The other side has ended the connection, or something is wrong with it.
	 * Closes it. */
	void (*on_end)(struct pump *pump, struct connection *c, bool broken);
};

struct connection {
	struct link        link;	/* among those of its side */
	const struct role *role;
	const struct text *text;	/* borrowed: what this side says */
	int    fd;
	size_t offset;			/* of the next byte to say, in one copy */
	size_t owed;			/* bytes still to say */
	size_t skip;			/* bytes to hear that nobody looks at */
	size_t held;			/* bytes in `head`, which has not ended */
	char   head[HEAD_MAX];
};

struct plan {
	unsigned proxy_port;
	unsigned origin_port;
	unsigned body;			/* bytes of each answer */
	unsigned connections;
	unsigned depth;			/* requests that a client sends at once */
	unsigned warm_up_ms;
	unsigned ms;
	bool     close;			/* a new connection for each request */
	bool     plain;			/* no HTTP: `ask` bytes, answered with `body` bytes */
	unsigned ask;
};

struct pump {
	struct plan plan;
	int    epoll;			/* the origin's listener has no data.ptr in it */
	struct text request, answer;

	struct client *clients;		/* as many as the plan says */
	unsigned busy;			/* clients that wait for something */
	int      listener;
	struct link served;		/* the origin's connections */

	bool     counting;		/* warm, and not yet at the end */
	bool     ending;		/* no client asks again */
	uint64_t requests, bytes;	/* answered while counting; bytes of bodies */
	uint64_t failed;		/* from first to last */
	struct histogram latencies;	/* in nanoseconds, while counting */
	char     scratch[SCRATCH_SIZE];
};

/* Nanoseconds of the monotonic clock. */
uint64_t clock_now(void);

/* Says why on standard error and exits. */
__attribute__((noreturn, format(printf, 1, 2)))
void die(const char *format, ...);

/* Watches a given descriptor for everything, edge-triggered. */
void connection_start(struct pump *pump, struct connection *c, int fd);

/* Says so many requests or answers more. What the kernel does not take at once follows
 * when it has room; that a connection is broken is heard from it in any case. */
void connection_say(struct connection *c, size_t times);

/* Keeps the start of a head, until more of it is there. False: it is too long. */
bool connection_hold(struct connection *c, const char *bytes, size_t size);

/* Carries out what epoll has reported. */
void connection_on_ready(struct pump *pump, struct connection *c, uint32_t events);

/* Opens all clients, each of which asks at once. */
void clients_open(struct pump *pump);

/* Ends all, and counts what is unanswered as failed. */
void clients_close(struct pump *pump);

void origin_open(struct pump *pump);
void origin_close(struct pump *pump);

/* Accepts all that wait. */
void origin_on_ready(struct pump *pump);

#endif
