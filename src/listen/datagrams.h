/* listen/datagrams.h - a batch of datagrams: received with one call, sent with one or two.
 *
 * What recvmmsg(2) has brought lies in the batch and is sent from there, unbroken and
 * uncopied, to somebody else. The memory for a batch of the longest datagrams is reserved,
 * and the system gives only as much as ever was filled.
 *
 * Thread: the loop's.
 */
#ifndef LISTEN_DATAGRAMS_H
#define LISTEN_DATAGRAMS_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

enum {
	DATAGRAMS_MAX = 32,		/* in a batch */
	DATAGRAM_ROOM = 64 * 1024,	/* more than UDP has: none is ever cut */
};

struct datagrams;

/* Owned by the caller. Control side or when a listener is opened: it ends the process
 * when there is no memory. */
struct datagrams *datagrams_create(void);
void datagrams_destroy(struct datagrams *d);	/* NULL is allowed */

/* Fills the batch anew from a listening socket, with who has sent each datagram and to
 * which address; or from a connected one. Returns how many there are; 0: none, and *error
 * is EAGAIN or what is wrong with the socket. */
uint32_t datagrams_receive(struct datagrams *d, int fd, int *error);
uint32_t datagrams_receive_connected(struct datagrams *d, int fd, int *error);

/* Of number i. */
uint32_t datagrams_length(const struct datagrams *d, uint32_t i);
const struct sockaddr *datagrams_peer(const struct datagrams *d, uint32_t i);

/* The address of ours that it was sent to, IPv4 as ::ffff:a.b.c.d, for a socket that
 * listener_open_datagrams has bound to all addresses. False: it is bound to one. */
bool datagrams_local(const struct datagrams *d, uint32_t i, struct in6_addr *local);

/* All that are in the batch go to `peer`, and come from `local` unless that is NULL.
 * `family` is the socket's. For datagrams_send on a listening socket; on a connected one
 * datagrams_send_connected knows where. */
void datagrams_address(struct datagrams *d, const struct sockaddr *peer, sa_family_t family,
		       const struct in6_addr *local);

/* Sends `count` datagrams, at least one, from number `first` on. Returns how many the
 * kernel has taken, which may be fewer; 0: *error says why not the first. Never waits. */
uint32_t datagrams_send(struct datagrams *d, int fd, uint32_t first, uint32_t count,
			int *error);
uint32_t datagrams_send_connected(struct datagrams *d, int fd, uint32_t first, uint32_t count,
				  int *error);

#endif
