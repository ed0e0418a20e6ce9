/* forward/udp_table.h - which flow a datagram belongs to: a table by the client's address
 * and port, and by the address of ours that it asked.
 *
 * Chains in as many buckets as flows are allowed, so they stay short; the hash is keyed,
 * so that nobody can choose addresses that share a chain. Memory for buckets is touched
 * only where flows are.
 *
 * Pure. Thread: one.
 */
#ifndef FORWARD_UDP_TABLE_H
#define FORWARD_UDP_TABLE_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/siphash.h"

enum { FLOW_BUCKETS_MIN = 64, FLOW_BUCKETS_MAX = 1 << 20 };

/* Compared and hashed as bytes: there is no gap between members. */
struct flow_key {
	struct in6_addr client;		/* IPv4 as ::ffff:a.b.c.d, RFC 4291, section 2.5.5.2 */
	struct in6_addr local;		/* so too; zeros where the socket has one address */
	uint32_t scope;			/* of a link-local client */
	uint32_t port;			/* the client's, in network order */
};

/* Of a peer that a socket of IPv4 or IPv6 has told of; local may be NULL. */
struct flow_key flow_key_of(const struct sockaddr *peer, const struct in6_addr *local);

bool flow_key_equals(const struct flow_key *a, const struct flow_key *b);

union flow_address {
	struct sockaddr     any;
	struct sockaddr_in  in4;
	struct sockaddr_in6 in6;
};

/* The client, for a socket of this family: what flow_key_of was given. */
void flow_key_client(const struct flow_key *key, sa_family_t family,
		     union flow_address *client);

/* Lives inside the struct of a flow. */
struct flow_entry {
	struct flow_entry *next;	/* in its chain */
	uint64_t           hash;
	struct flow_key    key;
};

struct flow_table {
	struct flow_entry **buckets;	/* owned */
	uint32_t bucket_count;		/* a power of two */
	uint32_t count;			/* of flows */
	struct siphash_key secret;
};

/* For about so many flows; more may be added, their chains are longer then. */
void flow_table_init(struct flow_table *t, uint32_t flows, const struct siphash_key *secret);

/* Every flow must have been removed. */
void flow_table_fini(struct flow_table *t);

/* The same flows, with buckets for another number. */
void flow_table_resize(struct flow_table *t, uint32_t flows);

/* The flow with this key, or NULL. */
struct flow_entry *flow_table_find(const struct flow_table *t, const struct flow_key *key);

/* There must be none with this key. */
void flow_table_add(struct flow_table *t, struct flow_entry *flow,
		    const struct flow_key *key);
void flow_table_remove(struct flow_table *t, struct flow_entry *flow);

/* Any flow, to be removed; NULL: there is none left. *from is 0 at first. */
struct flow_entry *flow_table_any(const struct flow_table *t, uint32_t *from);

#endif
