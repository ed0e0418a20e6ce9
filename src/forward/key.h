/* forward/key.h - what of a client or of a request makes its server: a 64-bit key.
 *
 * Pure, and equal on every balancer: two that have the same pool send a client to the
 * same server. Policies that go by no key are given none (policy.wants_key).
 */
#ifndef FORWARD_KEY_H
#define FORWARD_KEY_H

#include <stdint.h>
#include <sys/socket.h>

#include "model/model.h"

/* Of a client's address, without its port unless `kind` is KEY_ADDRESS_PORT. An IPv4
 * address has the same key when it is written as an IPv6 one. All clients of a UNIX
 * socket have one key. */
uint64_t key_of_peer(const struct sockaddr *peer, enum key_kind kind);

#endif
