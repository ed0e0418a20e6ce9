/* listen/acceptor.h - takes connections off one listening socket of one loop.
 *
 * Before each accept the owner is asked for a place; without one, or when the
 * process is out of descriptors, accepting pauses: the socket is no longer watched,
 * nothing spins, and the connections stay in the kernel's queue. It goes on when
 * acceptor_resume is called, at the latest PAUSE_MS later where descriptors were
 * missing.
 *
 * Thread: the loop's.
 */
#ifndef LISTEN_ACCEPTOR_H
#define LISTEN_ACCEPTOR_H

#include <netinet/in.h>

#include "base/address.h"
#include "loop/loop.h"

enum { ACCEPT_PER_TURN_MAX = 64, ACCEPT_PAUSE_MS = 100 };

struct acceptor {
	struct loop      *loop;		/* borrowed */
	struct loop_watch watch;	/* owned */
	struct loop_timer retry;
	uint32_t burst;			/* how many to take before looking elsewhere */
	bool     paused;

	/* Takes a place for one more connection; false: there is none, and the owner
	 * will call acceptor_resume when there is. */
	bool (*enter)(struct acceptor *a);
	/* Whether there seems to be a place, without a note that one is wanted. */
	bool (*has_place)(struct acceptor *a);
	/* The place is not needed: there was no connection. */
	void (*leave)(struct acceptor *a);
	/* A connection; fd is given, the place stays taken. */
	void (*on_accept)(struct acceptor *a, int fd, const struct sockaddr *peer);
	/* Out of descriptors or kernel memory: for counting. */
	void (*on_starved)(struct acceptor *a);
};

/* fd is given. The five functions must have been set. */
void acceptor_start(struct acceptor *a, struct loop *loop, int fd);

/* Goes on after a pause; nothing happens when it is not paused or not open. */
void acceptor_resume(struct acceptor *a);

/* Takes none until acceptor_resume; they stay in the kernel's queue. */
void acceptor_hold(struct acceptor *a);

/* Takes what is waiting in the queue, as far as places and the budget allow, and
 * closes the socket. Nothing happens when it is not open. */
void acceptor_stop(struct acceptor *a);

/* Closes the socket; what is waiting in its queue is another process's, or nobody's. */
void acceptor_close(struct acceptor *a);

#endif
