/* model/model.h - what the operator asked for: frozen data.
 *
 * config/ makes one from a file or from a command line; nobody changes it after
 * model_attach. What is true at the moment (up, busy, counted) is in model/live.h,
 * which outlives any one model.
 *
 * Ownership: a model owns everything it points at, but for the `live` pointers,
 * which it holds. Held by reference count: the control thread holds the present
 * one, each loop those that its requests began with. Whoever puts the last hold
 * back ends it: at once, or, once it has live parts, by handing it to the control
 * thread (live_collect), to which those belong.
 */
#ifndef MODEL_MODEL_H
#define MODEL_MODEL_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/address.h"
#include "base/log.h"
#include "base/span.h"

enum {
	MODEL_LOOPS_MAX     = 64,
	MODEL_LISTENERS_MAX = 256,
	MODEL_POOLS_MAX     = 1024,
	MODEL_SERVERS_MAX   = 4096,	/* in one pool */
	MODEL_ROUTES_MAX    = 1024,	/* in one listener */
	MODEL_NAME_MAX      = 63,
	MODEL_TOKEN_MAX     = 255,	/* bytes of the name of a header field or a cookie */
	MODEL_WEIGHT_MAX    = 256,
	MODEL_PEERS_MAX     = 64,	/* ranges of trusted peers of one listener */
	MODEL_CONTROLS_MAX  = 4,	/* addresses of the control interface, over TCP */
	MODEL_KEY_MAX       = 32768,	/* bytes of a key, in key-value pools */
	MODEL_ENTRY_MAX     = 65503,	/* and of a key with its value: what a message holds */
};

struct policy;		/* pick/policy.h */
struct pick_table;
struct live;		/* model/live.h */
struct live_server;
struct live_pool;
struct live_listener;

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
	struct live_server *live;	/* held; set by model_attach */
};

enum host_mode { HOST_PRESERVE, HOST_SERVER, HOST_FIXED };

/* What of a client or a request is hashed, for policies that go by a key. All but the
 * first two are for HTTP; a request without it goes by the client's address. */
enum key_kind { KEY_ADDRESS, KEY_ADDRESS_PORT, KEY_HEADER, KEY_COOKIE, KEY_PATH, KEY_QUERY };

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
	uint32_t bounded_percent;	/* ring, maglev: at most so much over the mean; 0: any */
	enum key_kind key;
	char    *key_name;		/* owned; of the header, cookie or query argument */
	char    *sticky_cookie;		/* owned; NULL: a client keeps its server by key only */
	uint32_t sticky_s;		/* how long the client keeps it; 0: its session */

	struct model_server *servers;	/* owned */
	uint32_t server_count;
	struct model_check check;

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

struct model_route {
	char    *host;			/* owned, lower case; NULL: any; "*.": any label */
	char    *path;			/* owned prefix; NULL: any */
	uint32_t pool;			/* index into model.pools */
};

enum forwarded_headers {
	FORWARD_VIA = 1, FORWARD_X_FORWARDED = 2, FORWARD_FORWARDED = 4,
};

enum listener_kind { LISTEN_HTTP, LISTEN_TCP, LISTEN_UDP, LISTEN_KV };

/* What clients of a key-value listener speak. */
enum kv_protocol {
	KV_PROTOCOL_WIRE,	/* doc/kv-protocol.md */
	KV_PROTOCOL_RESP,	/* that of Redis, version 2 */
};

/* A range of addresses, such as 10.0.0.0/8. */
struct model_peers {
	uint8_t  bytes[16];		/* network order; IPv4 as ::ffff:a.b.c.d */
	uint8_t  bits;			/* 0 to 128, of these */
};

struct model_listener {
	enum listener_kind kind;
	struct address address;
	struct model_route *routes;	/* owned; the first that fits is taken */
	uint32_t route_count;		/* `to POOL` is the last route, with host and path NULL */

	struct model_peers *proxy_peers;	/* owned; whose connections begin with a PROXY */
	uint32_t proxy_peer_count;		/* header, which is believed */

	enum kv_protocol protocol;	/* key-value */
	struct address   workers;	/* key-value: where the pool's workers connect; len 0
					 * and an empty text: not through this listener */

	uint32_t connections_max;	/* at once, further ones wait unaccepted; 0: no limit.
					 * UDP: flows, a datagram of one more is dropped */
	uint32_t parallel_max;		/* requests at once; 0: no limit */
	uint32_t queue_max;		/* requests that wait behind parallel_max */
	uint32_t queue_ms;

	uint32_t head_max, fields_max, target_max;
	uint64_t body_max;		/* bytes; UINT64_MAX: no limit */
	uint32_t head_ms;		/* from the first byte of a request to its empty line */
	uint32_t body_ms;		/* without a byte of a body, either direction */
	uint32_t keep_alive_ms;		/* without a request */
	uint32_t linger_ms;		/* to read on after an early answer */
	uint32_t tunnel_ms;		/* without a byte in a tunnel */
	uint32_t idle_ms;		/* TCP, UDP: without a byte, either direction;
					 * key-value: without a request; 0: no limit */
	uint32_t lifetime_ms;		/* TCP: of a connection; 0: no limit */
	uint32_t keep_alive_probe_ms;	/* TCP: silence after which the kernel asks whether the
					 * peer is there, both sides; 0: never */
	uint32_t requests_max;		/* per connection; 0: no limit */

	unsigned forwarded;		/* enum forwarded_headers */
	bool     plain_500;		/* the quick form's: any failure is an empty 500 */
	bool     access_log;
	struct live_listener *live;	/* held; set by model_attach */
};

enum access_format { ACCESS_OFF, ACCESS_COMBINED, ACCESS_JSON };

/* Where the control interface is to be had over TCP. Files with a token each. */
struct model_control {
	struct address address;
	char *token_path;		/* owned; who has it may do everything */
	char *read_token_path;		/* owned; may look only; NULL: nobody */
};

struct model {
	struct model_listener *listeners;	/* owned */
	uint32_t listener_count;
	struct model_pool *pools;		/* owned */
	uint32_t pool_count;

	uint32_t threads;		/* loops; 0: one per core; needs a restart */
	uint32_t connections_max;	/* client connections in all; 0: as descriptors allow */
	uint32_t drain_ms;		/* how long running requests may go on at the end */
	enum log_level log_level;
	char    *log_path;		/* owned; NULL: standard error */
	enum access_format access_format;
	char    *access_path;		/* owned; NULL: standard output */

	char    *control_path;		/* owned; the control socket; NULL: by the name */
	char    *state_path;		/* owned; folder of the journal; NULL: the usual one */
	struct model_control *controls;	/* owned */
	uint32_t control_count;

	atomic_uint   holders;
	struct live  *live;			/* borrowed; NULL until model_attach */
	struct model *next_released;		/* while in live->released */
};

/* An empty model with one holder: the caller. */
struct model *model_create(void);

/* A copy of all that was asked for, without live parts and without tables, with one
 * holder: the caller, who may change it. */
struct model *model_copy(const struct model *m);

/* One more holder; returns m. Any thread. */
const struct model *model_get(const struct model *m);

/* One holder less; NULL is allowed. The last one's call frees a model without live
 * parts, and hands one that has them to the control thread. Any thread. */
void model_put(const struct model *m);

/* Frees a model that nobody holds and that has no live parts: the end of model_put
 * and of live_collect, and nobody else's to call. */
void model_destroy(struct model *m);

/* The pool's index, or -1. */
int model_pool_find(const struct model *m, struct span name);

/* Whether a key-value listener leads to this pool: its servers are workers, which come
 * and go by themselves. */
bool model_pool_is_kv(const struct model *m, uint32_t pool);

/* The pool's server with this address, however it is spelled (address_equals), or NULL. */
struct model_server *model_server_find(const struct model_pool *p, const struct address *a);

/* Room for one more at the end, with the defaults set; NULL: MODEL_SERVERS_MAX are there.
 * Earlier pointers to servers of the pool are no longer valid. */
struct model_server *model_server_add(struct model_pool *p);

/* The order of the others stays. */
void model_server_remove(struct model_pool *p, uint32_t at);

/* Defaults, in one place: config starts from these for each new block, in zeroed
 * memory. What a block is about (address, name, servers, routes) is the caller's to
 * set, and so is a pool's policy: policies[0] (pick/policy.h) unless one is named. A
 * listener's kind is set before, since some of its defaults go by it. */
void model_listener_defaults(struct model_listener *l);
void model_pool_defaults(struct model_pool *p);
void model_server_defaults(struct model_server *s);

#endif
