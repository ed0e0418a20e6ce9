/* model/pool.h - what the operator asked for of a set of servers, or of the workers that
 * join it, and of how to choose among them: frozen data, part of model/model.h.
 */
#ifndef MODEL_POOL_H
#define MODEL_POOL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/address.h"

enum {
	MODEL_SERVERS_MAX   = 4096,	/* in one pool */
	MODEL_SRVS_MAX      = 16,	/* likewise */
	MODEL_NAME_MAX      = 63,
	MODEL_TOKEN_MAX     = 255,	/* bytes of the name of a header field or a cookie */
	MODEL_WEIGHT_MAX    = 256,
	MODEL_KEY_MAX       = 32768,	/* bytes of a key, in key-value pools */
	MODEL_ENTRY_MAX     = 65503,	/* and of a key with its value: what a message holds */
};

struct policy;		/* pick/policy.h */
struct pick_table;
struct live_server;	/* model/live.h */
struct live_pool;
struct model_own;	/* model/own.h */
struct model_srv;	/* model/srv.h */

enum check_kind { CHECK_OFF, CHECK_HTTP, CHECK_TCP };

/* What an HTTP probe has to answer to count as good. */
enum check_expect {
	EXPECT_STATUS,		/* a status from status_min to status_max */
	EXPECT_LOAD,		/* 200 and two numbers: errors, newline, total */
};

struct model_check {
	enum check_kind   kind;
	char             *path;		/* owned; HTTP only */
	char             *host;		/* owned; Host of the probe, NULL: the server's address */
	enum check_expect expect;
	uint16_t status_min, status_max;
	uint32_t every_ms, timeout_ms;
	uint16_t rise, fall;		/* results in a row, at least 1 */
	uint32_t after_requests;	/* probe all after so many requests too; 0: never */
};

struct model_server {
	struct address address;		/* len 0: a name, not resolved here */
	uint32_t weight;		/* 0 to MODEL_WEIGHT_MAX; 0: takes no new request */
	uint32_t parallel_max;		/* requests at once; 0: no limit */
	bool     drain;			/* as weight 0, and said so */
	uint16_t srv_weights[MODEL_SRVS_MAX];	/* what each of the pool's srvs that leads to it
					 * says; 0: that one does not. None: it is written
					 * down, or was added at run time */
	uint32_t number;		/* from 1: the lowest that was free in the pool when it
					 * was added, and its own as long as it stays; 0: it has
					 * none */
	struct live_server *live;	/* held; set by model_attach */
};

enum host_mode { HOST_PRESERVE, HOST_SERVER, HOST_FIXED };

/* What of a client or a request is hashed, for policies that go by a key. All but the
 * first two are for HTTP; a request without it goes by the client's address. */
enum key_kind {
	KEY_ADDRESS, KEY_ADDRESS_PORT, KEY_HEADER, KEY_COOKIE, KEY_PATH, KEY_QUERY,
	KEY_REQUEST_ID,		/* the request's own number (model_pool.request_ids) */
};

/* What numbers of requests and of servers become slots by (pick/slots.c). */
enum slot_hash { SLOT_QUADRATIC, SLOT_MIXED };

/* What becomes of TCP clients whose server has left (forward/tcp_life.h). */
enum redistribute {
	REDISTRIBUTE_OFF,	/* closed */
	REDISTRIBUTE_REPLAY,	/* moved while the server has answered nothing at all */
	REDISTRIBUTE_IDLE,	/* moved between exchanges too */
};

/* Who has to have a write, in a key-value pool, before its client is answered. */
enum acks {
	ACKS_NONE,		/* the worker that took it */
	ACKS_ONE,		/* one more */
	ACKS_ALL,		/* all that are ready */
};

struct model_pool {
	char *name;			/* owned */
	const struct policy *policy;
	struct pick_table *table;	/* owned, one block; pick_prepare makes it, or NULL */
	uint32_t ring_points;		/* ring: for each unit of weight */
	uint32_t maglev_size;		/* maglev: entries of its table, a prime */
	uint32_t slot_count;		/* slots: of the whole circle */
	uint32_t slot_virtual;		/* slots: for each unit of weight */
	enum slot_hash slot_hash;
	uint32_t bounded_percent;	/* by key: at most so much over the mean; 0: any */
	enum key_kind key;
	char    *key_name;		/* owned; of the header, cookie or query argument */
	char    *sticky_cookie;		/* owned; NULL: a client keeps its server by key only */
	uint32_t sticky_s;		/* how long the client keeps it; 0: its session */

	struct model_server *servers;	/* owned */
	uint32_t server_count;
	struct model_srv *srvs;		/* owned */
	uint32_t srv_count;
	struct model_check check;
	struct model_own *own;		/* owned; NULL: its servers are not made by us */

	bool     request_ids;		/* each request has a number; X-Request-Id says it */
	uint32_t batch_ms, batch_max;	/* requests are placed together, after so long or when
					 * so many wait; 0 ms: at once */

	uint32_t server_parallel_max;	/* for servers that set none; 0: no limit */
	uint32_t queue_max;		/* requests that wait for a free server, all loops */
	uint32_t queue_ms;		/* and how long */

	uint32_t retries_max;		/* further tries after the first, 0 to 15 */
	uint32_t retry_percent;		/* budget: retries per hundred requests */
	uint32_t retry_reserve;		/* and so many beyond it, per loop */
	uint32_t passive_fails;		/* failures in a row that mark a server down; 0: none */
	uint32_t passive_ms;		/* and for how long, where no check brings it back */

	uint32_t connect_ms, response_ms, body_ms;
	uint32_t idle_ms;		/* how long an idle upstream connection is kept */
	uint32_t idle_max;		/* idle upstream connections kept, per server and loop */

	enum host_mode host_mode;
	char *host;			/* owned; HOST_FIXED */

	/* TCP only. */
	enum redistribute redistribute;
	uint32_t replay_max;		/* bytes of a client kept to be sent again */
	uint32_t quiet_ms;		/* silent so long after an answer, it was whole */
	uint32_t proxy_version;		/* of the PROXY header for servers, 1 or 2; 0: none */

	/* Key-value only. Such a pool has no servers of its own: workers join it. */
	enum acks acks;
	char    *secret_path;		/* owned; the file of the secret that workers have to
					 * know; NULL: none */
	uint32_t key_max, value_max;	/* bytes; together at most MODEL_ENTRY_MAX */

	struct live_pool *live;		/* held; set by model_attach */
};

#endif
