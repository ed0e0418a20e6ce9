/* config/rows_listen.c - the directives in a listen block, of whatever kind. */
#include "config/rows.h"

enum {
	HEAD_MIN   = 1024,
	HEAD_MAX   = 65535,
	FIELDS_MAX = 256,
	TARGET_MIN = 64,
	PROBE_MAX  = 9 * HOUR,		/* the kernel knows up to 32767 s */
};
#define BODY_MAX (UINT64_C(1) << 50)	/* 1 PiB */

static const struct choice any_size[] = {{"unlimited", UINT64_MAX}, {NULL, 0}};
static const struct choice forwarded[] = {
	{"via", FORWARD_VIA}, {"x-forwarded", FORWARD_X_FORWARDED},
	{"forwarded", FORWARD_FORWARDED}, {"none", 0}, {NULL, 0},
};
static const struct choice no_sample[] = {{"none", 0}, {NULL, 0}};
static const struct choice kv_protocols[] = {
	{"kv", KV_PROTOCOL_WIRE}, {"resp", KV_PROTOCOL_RESP}, {NULL, 0},
};
static const struct choice error_forms[] = {
	{"status", false}, {"plain-500", true}, {NULL, 0},
};

static const struct directive rows[] = {
	/* In each of them. */
	{
		.word = "to", .in = IN_LISTEN, .makes = MAKES_ROUTE,
		.help = "Where everything goes that no route takes. Without it such "
			"requests are answered 404. Where there are no routes it is "
			"needed.",
		.arguments = {
			{NULL, "POOL", .kind = ARGUMENT_POOL, ROUTE_FIELD(pool)},
		},
	}, {
		.word = "connections", .in = IN_LISTEN,
		.help = "Connections of this listener that are served at once. Further "
			"ones wait unaccepted; none is refused. For UDP it is flows, "
			"16384 if nothing is said; a datagram that would begin one more "
			"is dropped.",
		.arguments = {
			{NULL, "N", LIMIT(CONNECTIONS_MAX),
			 LISTENER_FIELD(connections_max)},
		},
	}, {
		.word = "timeout", .in = IN_HTTP | IN_TCP | IN_UDP, .merges = true,
		.help = "How long a client may take. May be given several times with "
			"different words.",
		.arguments = {
			{"head", "TIME", TIME, .in = IN_HTTP, LISTENER_FIELD(head_ms),
			 .help = "from a request's first byte to the end of its head"},
			{"body", "TIME", TIME, .in = IN_HTTP, LISTENER_FIELD(body_ms),
			 .help = "without a byte of a body, in either direction"},
			{"keep-alive", "TIME", TIME, .in = IN_HTTP,
			 LISTENER_FIELD(keep_alive_ms), .help = "without a request"},
			{"linger", "TIME", TIME, .in = IN_HTTP, LISTENER_FIELD(linger_ms),
			 .help = "reading on after an answer that came before the "
				 "request had ended"},
			{"tunnel", "TIME", LASTING_TIME, .in = IN_HTTP,
			 LISTENER_FIELD(tunnel_ms),
			 .help = "without a byte in a tunnel (WebSocket and the like)"},
			{"idle", "TIME", LASTING_TIME, .in = IN_TCP | IN_UDP,
			 LISTENER_FIELD(idle_ms),
			 .help = "without a byte, in either direction"},
			{"lifetime", "TIME", LASTING_TIME, .in = IN_TCP,
			 .choices = choice_unlimited, LISTENER_FIELD(lifetime_ms),
			 .help = "of a connection, whatever goes on in it"},
		},
	},

	/* For keys and values. */
	{
		.word = "timeout", .in = IN_KV, .merges = true,
		.help = "How long a client may say nothing.",
		.arguments = {
			{"idle", "TIME", LASTING_TIME, .choices = choice_unlimited,
			 LISTENER_FIELD(idle_ms),
			 .help = "without a request"},
		},
	}, {
		.word = "workers", .in = IN_KV,
		.help = "Where the workers of the pool connect, which join it by that. A "
			"pool needs this in one of its listeners.",
		.arguments = {
			{NULL, "ADDRESS", .kind = ARGUMENT_LISTEN,
			 LISTENER_FIELD(workers),
			 .help = ":5060 for every IPv4 address of the machine, "
				 "127.0.0.1:5060, [::1]:5060"},
		},
	}, {
		.word = "protocol", .in = IN_KV,
		.help = "What clients speak here: the protocol of kv-client, or that of "
			"Redis.",
		.arguments = {
			{NULL, NULL, CHOICE(kv_protocols), LISTENER_FIELD(protocol)},
		},
	},

	/* For connections, whatever is said in them. */
	{
		.word = "proxy-protocol", .second = "from", .in = IN_HTTP | IN_TCP,
		.help = "Connections from these addresses begin with a PROXY header, of "
			"version 1 or 2, which says who the client is and is believed. "
			"Those from others must not.",
		.arguments = {
			{NULL, "ADDRESS[/BITS] ...", .kind = ARGUMENT_PEERS,
			 LISTENER_FIELD(proxy_peers),
			 .help = "10.0.0.0/8, 192.0.2.1, fd00::/8"},
		},
	}, {
		.word = "keep-alive-probe", .in = IN_TCP,
		.help = "Silence after which the kernel asks whether the other side is "
			"still there, of clients and servers.",
		.arguments = {
			{NULL, "TIME", TIME_FROM(SECOND, PROBE_MAX),
			 .choices = choice_off, LISTENER_FIELD(keep_alive_probe_ms)},
		},
	},

	/* For requests. */
	{
		.word = "route", .in = IN_HTTP, .makes = MAKES_ROUTE, .repeats = true,
		.help = "Sends the requests that fit to a pool. Routes are tried in "
			"their order, the first that fits is taken. At least one of host "
			"and path is needed.",
		.arguments = {
			{"host", "HOST", .kind = ARGUMENT_HOST_PATTERN, ROUTE_FIELD(host),
			 .help = "what the Host field says, without its port; "
				 "*.example.com: every host below example.com"},
			{"path", "PATH", .kind = ARGUMENT_PREFIX, ROUTE_FIELD(path),
			 .help = "what the path begins with"},
			{"to", "POOL", .kind = ARGUMENT_POOL, .required = true,
			 ROUTE_FIELD(pool), .help = "the pool that serves them"},
		},
	}, {
		.word = "parallel", .in = IN_HTTP,
		.help = "Requests of this listener that are served at once.",
		.arguments = {
			{NULL, "N", LIMIT(PARALLEL_MAX), LISTENER_FIELD(parallel_max)},
			{"queue", "N", NUMBER(0, QUEUE_MAX), LISTENER_FIELD(queue_max),
			 .help = "requests that may wait behind them; one more is "
				 "answered 503"},
			{"wait", "TIME", TIME_OR_NONE, LISTENER_FIELD(queue_ms),
			 .help = "how long a request waits before it is answered 503"},
		},
	}, {
		.word = "requests", .in = IN_HTTP,
		.help = "Requests that one connection may make before it is closed.",
		.arguments = {
			{NULL, "N", LIMIT(REQUESTS_MAX), LISTENER_FIELD(requests_max)},
		},
	}, {
		.word = "head-size", .in = IN_HTTP,
		.help = "Bytes of a request's head; a longer one is answered 431.",
		.arguments = {
			{NULL, "SIZE", SIZE(HEAD_MIN, HEAD_MAX),
			 LISTENER_FIELD(head_max)},
		},
	}, {
		.word = "head-fields", .in = IN_HTTP,
		.help = "Fields of a request's head; one more is answered 431.",
		.arguments = {
			{NULL, "N", NUMBER(1, FIELDS_MAX), LISTENER_FIELD(fields_max)},
		},
	}, {
		.word = "target-size", .in = IN_HTTP,
		.help = "Bytes of a request's target; a longer one is answered 414.",
		.arguments = {
			{NULL, "SIZE", SIZE(TARGET_MIN, HEAD_MAX),
			 LISTENER_FIELD(target_max)},
		},
	}, {
		.word = "body-size", .in = IN_HTTP,
		.help = "Bytes of a request's body; a longer one is answered 413.",
		.arguments = {
			{NULL, "SIZE", SIZE(0, BODY_MAX), LISTENER_FIELD(body_max),
			 .choices = any_size},
		},
	}, {
		.word = "headers", .in = IN_HTTP,
		.help = "The fields that tell servers about the client: Via; "
			"X-Forwarded-For, -Proto and -Host; Forwarded.",
		.arguments = {
			{NULL, NULL, .kind = ARGUMENT_CHOICES, .choices = forwarded,
			 LISTENER_FIELD(forwarded)},
		},
	}, {
		.word = "access-log", .in = IN_HTTP,
		.help = "Whether requests of this listener are in the access log, if "
			"there is one.",
		.arguments = {
			{NULL, NULL, CHOICE(choice_on_off), LISTENER_FIELD(access_log)},
		},
	}, {
		.word = "trace", .in = IN_HTTP,
		.help = "Whether this is a step of traces (W3C Trace Context): a request's "
			"traceparent is passed on with a number of our own as its parent, "
			"and one that has none, or no valid one, begins a trace. Off: "
			"both fields are passed on as they are.",
		.arguments = {
			{NULL, NULL, CHOICE(choice_on_off), LISTENER_FIELD(trace)},
			{"sample", "1/N", PART_OF(PART_MAX), .choices = no_sample,
			 LISTENER_FIELD(trace_part),
			 .help = "one of so many traces that begin here is marked as "
				 "sampled; those that others began stay as they are"},
		},
	}, {
		.word = "admin", .second = "legacy", .in = IN_HTTP,
		.help = "GET /rep lists the servers of a pool that owns them, POST /add "
			"and DELETE /rm start and end some, as JSON says how many or "
			"which; all else is for the routes. Whoever reaches this "
			"listener may do that. They are in the listener's figures and "
			"in the access log as other requests are, and in none of the "
			"pool.",
		.arguments = {
			{NULL, "POOL", .kind = ARGUMENT_OWNING_POOL, .optional = true,
			 LISTENER_FIELD(legacy_pool),
			 .help = "without it the first of those that the routes lead to "
				 "that owns its servers"},
		},
	}, {
		.word = "errors", .in = IN_HTTP,
		.help = "How a request is answered that no server could serve: 502, 503 "
			"or 504 with a short text that says why, or always an empty 500.",
		.arguments = {
			{NULL, NULL, CHOICE(error_forms), LISTENER_FIELD(plain_500)},
		},
	},
};

const struct directive_table rows_listen = {rows, COUNT_OF(rows)};
