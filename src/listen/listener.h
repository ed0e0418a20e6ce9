/* listen/listener.h - an address becomes listening sockets, one per loop.
 *
 * With several loops each has a socket of its own on the same port (SO_REUSEPORT),
 * and the kernel spreads the connections. All are opened before any loop sees one,
 * so that an address in use is an error of the start or of the reload.
 *
 * Thread: control.
 */
#ifndef LISTEN_LISTENER_H
#define LISTEN_LISTENER_H

#include <stdbool.h>

#include "base/address.h"
#include "base/err.h"

enum {
	LISTENER_DEFER_S = 10,
	/* Asked for, both ways; the system may grant less (net.core.rmem_max). */
	LISTENER_DATAGRAM_BYTES = 4 * 1024 * 1024,
};

/* Opens `count` listening, non-blocking TCP sockets on `at` into fds, owned by the
 * caller. An address that somebody else listens on is an error, even where that
 * one would share it. On an error nothing is open. */
int listener_open(int *fds, uint32_t count, const struct address *at, struct err *err);

/* The same beside sockets of our own on that address, which are about to be closed. */
int listener_open_beside(int *fds, uint32_t count, const struct address *at, struct err *err);

/* The same for UDP (listen/datagrams.h). The kernel keeps what one client sends to one
 * address on one of the sockets, until one more or less of them is open. */
int listener_open_datagrams(int *fds, uint32_t count, const struct address *at,
			    struct err *err);

/* The same beside datagram sockets of our own, which stay: some of their clients are heard
 * by the new ones from now on. */
int listener_open_datagrams_beside(int *fds, uint32_t count, const struct address *at,
				   struct err *err);

/* On: a connection comes to be accepted with its first bytes only, or after
 * LISTENER_DEFER_S without any; one that says nothing takes nobody's place. For
 * protocols in which the client speaks first. */
void listener_defer(const int *fds, uint32_t count, bool on);

#endif
