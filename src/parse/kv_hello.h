/* parse/kv_hello.h - how two programs of version 2 get to know each other: HELLO, and
 * PROOF where there is a secret. doc/kv-protocol.md has the exchange.
 *
 * Pure but for libcrypto's arithmetic: messages in, what to send out. The caller makes
 * the nonce (hmac_random) and owns the connection.
 *
 *            connector                              acceptor
 *   hello_first ---------- HELLO ------------------> hello_take: HELLO_SEND
 *   hello_take <---------- HELLO --------------------'
 *     no secret: HELLO_DONE                           no secret: HELLO_DONE
 *     a secret:  HELLO_SEND --- PROOF --------------> hello_take: HELLO_SEND | done
 *   hello_take: done <-------- PROOF -----------------'
 */
#ifndef PARSE_KV_HELLO_H
#define PARSE_KV_HELLO_H

#include "base/hmac.h"
#include "parse/kv_wire.h"

enum { KV_SECRET_MAX = 1024, KV_HELLO_OUT_MAX = 160 };

/* What one side says of itself. */
struct kv_self {
	uint8_t     role;		/* enum kv_role */
	uint8_t     lane, lanes;
	uint32_t    id;
	uint16_t    port;
	uint64_t    newest, entries;
	uint8_t     pool_key[KV_POOL_KEY_BYTES];
	struct span secret;		/* borrowed; len 0: none */
};

struct kv_hello {
	struct kv_self self;
	uint8_t  nonce[KV_NONCE_BYTES];
	bool     connector;
	bool     heard;			/* the other's HELLO */
	bool     proved;		/* the other has, under the secret;
					 * never without one */
	/* Of the other, once heard. */
	uint8_t  role, lane, lanes;
	uint32_t id;
	uint16_t port;
	uint64_t newest, entries;
	uint8_t  pool_key[KV_POOL_KEY_BYTES], other_nonce[KV_NONCE_BYTES];
	/* What is to be sent. */
	uint8_t  out[KV_HELLO_OUT_MAX];
	size_t   out_len;
};

enum kv_hello_state {
	KV_HELLO_GOES_ON,	/* send out[0, out_len), if any, and wait for more */
	KV_HELLO_DONE,		/* send it, if any; from now on anything may be said */
	KV_HELLO_REFUSED,	/* *why: a text for people; ERROR 7 or 6
				 * (*code), and close */
};

/* For either side; who connects sends out[0, out_len) at once. `nonce` was never used
 * before. `self` is copied, but for the secret. A number of lanes of 0 is taken for 1.
 *
 * Who accepts may change h->self up to the other's HELLO, when it is in hand and not yet
 * taken: what it then says of itself may depend on who asks. */
void kv_hello_init(struct kv_hello *h, const struct kv_self *self, bool connector,
		   const uint8_t nonce[KV_NONCE_BYTES]);

/* A message has come before the exchange was over. What is of the other is worth nothing
 * until KV_HELLO_DONE. An ERROR of the other's is a refusal, too; its text is in *m. */
enum kv_hello_state kv_hello_take(struct kv_hello *h, const struct kv_message *m,
				  enum kv_result *code, const char **why);

#endif
