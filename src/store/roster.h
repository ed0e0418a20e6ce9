/* store/roster.h - who belongs to the pool, as the balancer has told; who of them has
 * connected to this worker; and whether this worker may serve.
 *
 * Pure: what was heard goes in, what follows can be asked. Lane 0 acts on it.
 *
 *   OUT --(greeted)--> TOLD_NOTHING --(registry's end, nobody fills)--> READY
 *    ^                      '--(its end, somebody fills)--> FILLING --(filled)--^
 *    '--(the balancer is lost)-- from each
 *
 * A newcomer asks its filler for the data only when all whom it was told of have
 * connected: from then on it hears of every write.
 *
 * Thread: lane 0's.
 */
#ifndef STORE_ROSTER_H
#define STORE_ROSTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/address.h"

enum { ROSTER_PEERS_MAX = 1024, ROSTER_LANES_MAX = 64 };

enum roster_state { ROSTER_OUT, ROSTER_TOLD_NOTHING, ROSTER_FILLING, ROSTER_READY };

struct roster_peer {
	uint32_t id;
	uint8_t  speaks;
	bool     told;			/* in the registry that is being told */
	uint8_t  lanes;			/* how many connections it makes;
					 * 0: none stands */
	uint64_t connected;		/* a bit for each that stands */
	struct address at;
};

struct roster {
	enum roster_state state;
	struct roster_peer *peers;	/* owned */
	size_t   count, size;
	uint32_t filler;		/* who fills this one; 0: nobody, or not known */
	bool     plain_fill;		/* by version 1, where nobody says who */
	bool     fills_others;		/* version 1: an entry has said that we export */
	bool     exported;		/* a peer of version 1 has given all,
					 * since we came */
	bool     offered;		/* the filler has said that it can begin */
	unsigned plain;			/* connections to us that have not said HELLO */
};

void roster_fini(struct roster *r);

/* The balancer has accepted us, as a newcomer: nothing is known until it has told all. */
void roster_greeted(struct roster *r);

/* The balancer is lost. Peers stay: they may well be there still. */
void roster_left(struct roster *r);

/* REGISTRY_START. */
void roster_begins(struct roster *r);

enum roster_news { ROSTER_SAME, ROSTER_NEW, ROSTER_MOVED, ROSTER_TOO_MANY };

/* PEER or WORKER_ENTRY of another worker. MOVED: it has another address, or speaks
 * another version, than before; it is to be given up and begun anew. */
enum roster_news roster_told(struct roster *r, uint32_t id, uint8_t speaks,
			     const struct address *at);

/* It was said that this peer fills us, or, with version 1, that we export to it. */
void roster_note_filler(struct roster *r, uint32_t id);
void roster_note_export(struct roster *r);

/* REGISTRY_END, of version 1 or 2. After the first one, those who were not told of are to
 * be removed: roster_untold gives them, one after the other, 0 at last. */
void roster_ends(struct roster *r, bool plain);
uint32_t roster_untold(const struct roster *r);

/* PEER_GONE. Nothing happens when it is not there. */
void roster_remove(struct roster *r, uint32_t id);

/* NULL: the balancer has not told of it. */
struct roster_peer *roster_find(const struct roster *r, uint32_t id);

/* Whether there is one of version 1. */
bool roster_has_plain(const struct roster *r);

/* A peer's connection to us, number `lane` of `lanes`, stands, or does not any more. */
void roster_connected(struct roster *r, uint32_t id, uint8_t lane, uint8_t lanes);
void roster_disconnected(struct roster *r, uint32_t id, uint8_t lane);

/* Whether the filler may be answered now. */
bool roster_may_ask(const struct roster *r);

/* The data is there. */
void roster_filled(struct roster *r);

/* A peer of version 1 has given all, which may come before the registry's end. True: it
 * is what we were waiting for. */
bool roster_exported(struct roster *r);

#endif
