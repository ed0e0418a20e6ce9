/* model/listener.h - what the operator asked for of an address that clients come to:
 * frozen data, part of model/model.h.
 */
#ifndef MODEL_LISTENER_H
#define MODEL_LISTENER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/address.h"

enum {
	MODEL_ROUTES_MAX    = 1024,	/* in one listener */
	MODEL_PEERS_MAX     = 64,	/* ranges of trusted peers of one listener */
};

struct live_listener;	/* model/live.h */

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

	uint32_t legacy_pool;		/* /rep, /add and /rm are about pool number this - 1;
					 * 0: they are paths as all others */
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
	bool     trace;			/* take part in W3C Trace Context */
	uint32_t trace_part;		/* one of so many that begin here is sampled; 0: none */
	struct live_listener *live;	/* held; set by model_attach */
};

#endif
