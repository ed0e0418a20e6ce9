/* store/door.h - where peers come in: accepts their connections, has them say who they
 * are, and gives each to a lane.
 *
 *   accepted --> SILENT --(HELLO of one whom the balancer has told of)--> GREETING --> given
 *                  |  '---(HELLO of another)--> UNKNOWN --(told of in time)--^
 *                  '------(anything else: version 1)-----------------------------> given
 *
 * The lane is the peer's own number among its lanes, modulo ours; so lane 0 hears lane 0,
 * which is the one that fills. A second connection of the same peer and lane takes the
 * place of the first, which the peer has lost.
 *
 * Version 1 comes in only where there is no secret. As long as the balancer has told of
 * such a peer, a connection may be silent for ever; else it has a few seconds.
 *
 * Thread: lane 0's.
 */
#ifndef STORE_DOOR_H
#define STORE_DOOR_H

#include "base/err.h"
#include "base/list.h"
#include "listen/acceptor.h"

enum {
	DOOR_VISITORS_MAX = 256,	/* that have not said who they are */
	DOOR_KNOWN_MAX = 4096,		/* connections of peers */
	DOOR_GREETING_MS = 5000, DOOR_UNKNOWN_MS = 5000,
};

struct member;

struct door {
	struct acceptor acceptor;	/* owned */
	struct member  *member;		/* borrowed */
	struct link     visitors;	/* struct visitor: not given yet */
	struct link     known;		/* struct known: those that were given */
	unsigned visitor_count, known_count;
	uint64_t serial;		/* of the last one that was given */
	uint64_t turned_away;
};

/* Accepts on this listening socket, given. */
void door_open(struct door *d, struct member *m, int fd);
void door_close(struct door *d);

/* The balancer has told of this peer: it may be waiting, or have come in already. */
void door_look(struct door *d, uint32_t id);

/* A connection that was given to a lane is over. Not called for those of door_close. */
void door_note_gone(struct door *d, uint64_t serial);

#endif
