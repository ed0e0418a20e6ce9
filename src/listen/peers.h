/* listen/peers.h - whether a connection comes from a peer whose PROXY header is believed.
 *
 * Pure. Ranges are few (MODEL_PEERS_MAX): they are looked at one by one.
 */
#ifndef LISTEN_PEERS_H
#define LISTEN_PEERS_H

#include <stdbool.h>
#include <sys/socket.h>

#include "model/model.h"

/* Whether the peer is in one of the listener's ranges. An IPv4 address is the same as
 * its IPv6 form ::ffff:a.b.c.d (RFC 4291, section 2.5.5.2), so a range of IPv4 has 96 bits
 * more than it is written with. UNIX peers are in none. */
bool peers_trust(const struct model_listener *l, const struct sockaddr *peer);

#endif
