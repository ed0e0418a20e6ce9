/* loop/dial.h - connecting to an address, with a time limit.
 *
 * The descriptor is registered once, with the caller's handler, which hands what it
 * is told to dial_on_ready as long as the dial is pending: no second registration
 * when the connection stands.
 *
 * Invariant: before on_done is called, `pending` is false.
 * Thread: the loop's.
 */
#ifndef LOOP_DIAL_H
#define LOOP_DIAL_H

#include "base/address.h"
#include "loop/loop.h"

enum dial_result {
	DIAL_OPEN = 0,
	DIAL_REFUSED,		/* nobody listens there */
	DIAL_TIMED_OUT,
	DIAL_UNREACHABLE,	/* no route, host down, and whatever else the net says */
	DIAL_NO_DESCRIPTORS,	/* our own limit, says nothing about the server */
	DIAL_NO_PORTS,		/* no local port is free for this address */
	DIAL_RESULTS
};

struct dial {
	struct loop       *loop;
	struct loop_watch *watch;	/* borrowed */
	struct loop_timer  limit;	/* of the whole, or until the next call */
	bool               pending;
	const struct address *full;	/* borrowed: a UNIX socket without room; else NULL */
	uint32_t           pause_ms;	/* between two calls for it */
	uint64_t           until_ms;
	void (*on_done)(struct dial *d, enum dial_result result);
};

void dial_init(struct dial *d, struct loop *l,
	       void (*on_done)(struct dial *d, enum dial_result result));

/* Connects w, which must not be open, to `to`, borrowed while pending. True: the
 * connection stands already or failed already, and *result says which; on_done is not
 * called. False: on_done will be called once, out of dial_on_ready or a timer. On
 * DIAL_OPEN w is open and registered; on anything else it is closed. TCP_NODELAY is set.
 *
 * A UNIX socket whose queue is full refuses at once, where one of TCP lets wait. It is
 * called again and again up to the time limit, since nothing tells that it has room. */
bool dial_start(struct dial *d, struct loop_watch *w, const struct address *to,
		uint64_t limit_ms, void (*on_ready)(struct loop_watch *w, unsigned events),
		enum dial_result *result);

/* To be called by the watch's handler while `pending`: finds out whether the
 * connection stands and calls on_done. */
void dial_on_ready(struct dial *d, unsigned events);

/* Closes the watch and forgets the call. Nothing happens when none is pending. */
void dial_cancel(struct dial *d);

/* "connection refused", "timed out", ... */
const char *dial_result_text(enum dial_result result);

#endif
