/* store/pool.h - what the worker does about what the balancer says of the pool: connects
 * to peers, fills newcomers, has itself filled, and says that it is ready.
 *
 * It decides by the roster, and acts through the lanes.
 *
 * Thread: lane 0's.
 */
#ifndef STORE_POOL_H
#define STORE_POOL_H

#include "parse/kv_wire.h"
#include "store/member.h"

/* The balancer has accepted us, speaking this version. */
void pool_greeted(struct member *m);

/* It is lost. */
void pool_left(struct member *m);

/* REGISTRY_START, _END, PEER, WORKER_ENTRY, PEER_GONE. False: it makes no
 * sense, *why says why. */
bool pool_hear(struct member *m, const struct kv_message *message, const char **why);

/* A peer's connection to us has come or gone, or its offer is there, or our filling is
 * over: looks what follows. */
void pool_look(struct member *m);

/* A peer cannot be reached. */
void pool_peer_lost(struct member *m, uint32_t id);

/* A peer has gone; nobody waits for it any more. Nothing happens when it is not known. */
void pool_remove(struct member *m, uint32_t id);

/* The data is there. */
void pool_filled(struct member *m);

#endif
