/* forward/key.h - what of a client or of a request makes its server: a 64-bit key.
 *
 * Pure, and equal on every balancer: two that have the same pool send a client to the
 * same server. Policies that go by no key are given none (policy.wants_key).
 *
 * A key is a hash of bytes as they came. Nothing is decoded or made canonical, since
 * what two spellings of a value mean is the server's to say: /a and /%61 are two keys.
 */
#ifndef FORWARD_KEY_H
#define FORWARD_KEY_H

#include <stdint.h>
#include <sys/socket.h>

#include "model/model.h"
#include "parse/h1.h"

/* Of a client's address, without its port unless `kind` is KEY_ADDRESS_PORT. An IPv4
 * address has the same key when it is written as an IPv6 one. All clients of a UNIX
 * socket have one key. */
uint64_t key_of_peer(const struct sockaddr *peer, enum key_kind kind);

/* The two parts of the above: a connection that waits for requests to pools of either
 * kind keeps the key of KEY_ADDRESS and the port, and no more of its peer. */
uint16_t key_port_of(const struct sockaddr *peer);	/* UNIX socket: 0 */
uint64_t key_with_port(uint64_t address_key, uint16_t port);

/* What of a request is its key in this pool; it lies within the head, which was parsed at
 * `at`, unless a path had to be made up. By kind:
 *   header  the first field of that name, in any case; its value without blanks around it
 *   cookie  the first of that name (forward/cookie.h)
 *   path    up to the query; an absolute target that has none: "/"
 *   query   the value of the first argument of that name, arguments separated by "&"
 * False: it has no such part, the part is empty, or the kind is an address. */
bool key_find(const struct model_pool *pool, const struct h1_head *head, const char *at,
	      struct span *value);

/* Of a request; of its client, as key_of_peer has it, when key_find finds nothing. */
uint64_t key_of_request(const struct model_pool *pool, const struct h1_head *head,
			const char *at, uint64_t address_key, uint16_t port);

#endif
