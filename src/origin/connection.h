/* origin/connection.h - the life of one connection: requests in, answers out.
 *
 *   HEAD --> BODY --> BEGIN --> SOURCE or ECHO --.          TUNNEL (after 101)
 *    ^  \               ^            |           |             |
 *    |   '- malformed --'            | dies      |             |
 *    |                               v           |             |
 *    |                             DYING         |             |
 *    '---------------- keeps alive --|-----------|             |
 *                                    v           v             |
 *                 end <-- LINGER <-- CLOSING <-----------------'
 *
 *   HEAD     reads a request head; a route decides what is answered
 *   BODY     reads the request's body, unless the answer is its echo
 *   BEGIN    waits if it was told to, then writes the answer's head
 *   SOURCE   sends a body whose length is known; ECHO sends back what comes in
 *   DYING    was told to die in mid-body, and makes sure that half has gone out
 *   CLOSING  sends the rest; LINGER reads what the client still sends, so that the
 *            end of the answer is not lost to a reset (RFC 9112, section 9.6)
 *   SILENT   (not drawn) was told never to answer
 *
 * Answers to pipelined requests gather in one buffer, which is sent when there is
 * nothing more to read or no more room. Nothing is read while something waits to be
 * sent: a client that does not take its answers is not listened to.
 *
 * Thread: the one that accepted it.
 */
#ifndef ORIGIN_CONNECTION_H
#define ORIGIN_CONNECTION_H

#include "origin/server.h"

enum {
	CONNECTION_IDLE_MS    = 60 * 1000,	/* without any progress */
	CONNECTION_LINGER_MS  = 1000,
	CONNECTION_HEAD_MAX   = 16 * 1024,	/* bytes of a request head */
	CONNECTION_TARGET_MAX = 8 * 1024,
	CONNECTION_FIELDS_MAX = 128,
	CONNECTION_DISCARD_MAX = 1024 * 1024,	/* of a body nobody wants; more: closed */
	CONNECTION_STEPS_MAX  = 128,		/* per turn */
};

/* What a listener's thread allocates for each. */
size_t origin_connection_size(void);

/* Serves the descriptor, which is given in any case. */
void origin_connection_open(struct listener *from, int fd);

/* Ends all connections of a thread, at once. */
void origin_connections_end(struct thread *t);

#endif
