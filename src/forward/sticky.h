/* forward/sticky.h - a client keeps its server by a cookie that names it.
 *
 * A request whose cookie names a server of the pool goes there, if that one may be picked
 * at all; the policy is not asked then, so neither its turns nor its bound on loads
 * count, and least-load learns of the request with the next probe. Everybody else goes
 * where the policy says, and is told the server's name with the response.
 *
 * A name is 16 hexadecimal digits, a hash of the server's address and of the pool's
 * name: equal on every balancer and over restarts, and no address in clear. It is no
 * secret. Who guesses an address can see whether it is the one; and a client may name
 * any server whose name it has seen, so a server must not take the cookie as proof of
 * anything. Two pools with the same cookie and the same clients take it from each other.
 *
 * The cookie is passed on to the server as it came, with the others.
 *
 * Threads: made on the control thread; then read only, by the edition's loop.
 */
#ifndef FORWARD_STICKY_H
#define FORWARD_STICKY_H

#include "model/model.h"
#include "parse/h1.h"

enum {
	/* "Set-Cookie: ", a name, "=", sixteen digits, attributes and CRLF. */
	STICKY_LINE_MAX = MODEL_TOKEN_MAX + 96,
};

struct sticky_name {
	uint64_t hash;
	uint32_t server;		/* index in the pool */
};

struct sticky {
	const struct model_pool *pool;	/* borrowed: as long as the model */
	uint64_t pool_hash;
	uint32_t count;
	struct sticky_name names[];	/* by hash: there may be thousands */
};

/* For a pool that has been attached. Heap memory, owned by the caller; NULL: the pool has
 * no sticky cookie. */
struct sticky *sticky_create(const struct model_pool *pool);

/* NULL is allowed. */
void sticky_destroy(struct sticky *s);

/* The server that the request's cookie names, up or not, or PICK_NONE. The head was
 * parsed at `at`. */
uint32_t sticky_find(const struct sticky *s, const struct h1_head *head, const char *at);

/* Writes the field line that names this server to a client, CRLF included; returns its
 * length. */
size_t sticky_write(const struct sticky *s, uint32_t server, char out[STICKY_LINE_MAX]);

#endif
