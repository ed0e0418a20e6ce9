/* store/peer_in.h - a connection that a peer has made to this worker, after the greeting:
 * its writes are applied and acknowledged, and we are filled by way of it.
 *
 * One of version 1 brings PEER_NOTIFY, and may bring an export.
 *
 * Acknowledged is what the store has; with --data, what the ledger has kept.
 *
 * Thread: the lane's.
 */
#ifndef STORE_PEER_IN_H
#define STORE_PEER_IN_H

#include "store/channel.h"
#include "store/lane.h"
#include "store/sync_take.h"

struct peer_in_applied {
	uint64_t seq;			/* the peer's number of a write */
	uint64_t kept;			/* our ledger's, of the same moment */
};

struct peer_in {
	struct lane_grave grave;
	struct channel channel;		/* owned */
	struct lane   *lane;		/* borrowed */
	struct link    link;		/* in lane->visitors_in */
	uint64_t serial;		/* the door's name for it */
	uint32_t id;			/* 0: version 1, not known */
	uint8_t  number;		/* of the peer's lane */
	struct peer_in_applied last;	/* applied */
	struct peer_in_applied awaited;	/* so too, and on its way to the disk */
	uint64_t acked;			/* what it was told last */
	struct sync_take take;
};

/* Who it is, and how it is called. */
struct peer_in_who {
	uint32_t id;
	uint8_t  number;
	uint64_t serial;
};

/* Begins with a descriptor, given, and bytes that were read from it already. */
void peer_in_begin(struct lane *l, const struct peer_in_who *who, int fd,
		   struct span bytes);

/* Closes the one of this name; another has come in its place. */
void peer_in_close(struct lane *l, uint64_t serial);
void peer_in_close_all(struct lane *l);

/* Acknowledges what can be; at the end of a turn. */
void peer_in_acknowledge(struct lane *l);

/* Answers the offer of this peer, if there is one: by it we are filled.
 * True: there was one. */
bool peer_in_ask(struct lane *l, uint32_t id);

/* Whether there is one. */
bool peer_in_offers(const struct lane *l, uint32_t id);

/* Answers the offers of all, which have waited until we were filled. */
void peer_in_ask_all(struct lane *l);

/* Nothing is read from now on, or again: the ledger is full. */
void peer_in_pause_all(struct lane *l, bool on);

#endif
