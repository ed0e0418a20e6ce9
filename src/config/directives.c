#include "config/directives.h"

#include <string.h>

#include "base/log.h"
#include "base/must.h"
#include "model/model.h"
#include "pick/policy.h"

enum {
	SECOND = 1000, MINUTE = 60 * SECOND, HOUR = 60 * MINUTE,
	TIME_MAX        = 24 * HOUR,
	TUNNEL_TIME_MAX = 24 * 24 * HOUR,	/* fits in 31 bits of milliseconds */
	CONNECTIONS_MAX = 10 * 1000 * 1000,
	PARALLEL_MAX    = 1000 * 1000,
	QUEUE_MAX       = 1000 * 1000,
	REQUESTS_MAX    = 1000 * 1000 * 1000,
	HEAD_MIN        = 1024,
	HEAD_MAX        = 65535,
	FIELDS_MAX      = 256,
	TARGET_MIN      = 64,
	TRIES_MAX       = 15,
	STREAK_MAX      = 1000,
	KEEP_MAX        = 10000,
};
#define BODY_MAX (UINT64_C(1) << 50)	/* 1 PiB */

static const struct choice one_per_core[] = {{"auto", 0}, {NULL, 0}};
static const struct choice unlimited[]    = {{"unlimited", 0}, {NULL, 0}};
static const struct choice any_size[]     = {{"unlimited", UINT64_MAX}, {NULL, 0}};
static const struct choice off[]          = {{"off", 0}, {NULL, 0}};
static const struct choice on_off[]       = {{"on", true}, {"off", false}, {NULL, 0}};
static const struct choice log_levels[] = {
	{"error", LOG_LEVEL_ERROR}, {"warn", LOG_LEVEL_WARN},
	{"info", LOG_LEVEL_INFO}, {"debug", LOG_LEVEL_DEBUG}, {NULL, 0},
};
static const struct choice access_formats[] = {
	{"combined", ACCESS_COMBINED}, {"json", ACCESS_JSON}, {"off", ACCESS_OFF},
	{NULL, 0},
};
static const struct choice forwarded[] = {
	{"via", FORWARD_VIA}, {"x-forwarded", FORWARD_X_FORWARDED},
	{"forwarded", FORWARD_FORWARDED}, {"none", 0}, {NULL, 0},
};
static const struct choice error_forms[] = {
	{"status", false}, {"plain-500", true}, {NULL, 0},
};
static const struct choice host_modes[] = {
	{"preserve", HOST_PRESERVE}, {"server", HOST_SERVER}, {NULL, 0},
};

/* What an argument fills. */
#define FIELD(type, member) \
	{offsetof(struct type, member), sizeof(((struct type *)0)->member)}
#define FILE_FIELD(member)     .field = FIELD(model, member)
#define LISTENER_FIELD(member) .field = FIELD(model_listener, member)
#define ROUTE_FIELD(member)    .field = FIELD(model_route, member)
#define POOL_FIELD(member)     .field = FIELD(model_pool, member)
#define SERVER_FIELD(member)   .field = FIELD(model_server, member)

/* What it is, within which bounds. */
#define NUMBER(from, to) .kind = ARGUMENT_NUMBER, .min = from, .max = to
#define LIMIT(to)        NUMBER(1, to), .choices = unlimited
#define SIZE(from, to)   .kind = ARGUMENT_SIZE, .min = from, .max = to
#define PERCENT          .kind = ARGUMENT_PERCENT, .max = 100
#define TIME             .kind = ARGUMENT_TIME, .min = 1, .max = TIME_MAX
#define TIME_OR_NONE     .kind = ARGUMENT_TIME, .min = 0, .max = TIME_MAX
#define TUNNEL_TIME      .kind = ARGUMENT_TIME, .min = 1, .max = TUNNEL_TIME_MAX
#define CHOICE(list)     .kind = ARGUMENT_CHOICE, .choices = list

/* Whatever is probed, it is probed like this. */
#define CHECK_ARGUMENTS                                                                  \
	{"every", "TIME", TIME, POOL_FIELD(check.every_ms),                              \
	 .help = "from one probe of a server to the next"},                              \
	{"timeout", "TIME", TIME, POOL_FIELD(check.timeout_ms),                          \
	 .help = "silence for so long is a failure"},                                    \
	{"rise", "N", NUMBER(1, STREAK_MAX), POOL_FIELD(check.rise),                     \
	 .help = "good probes in a row that bring a server up"},                         \
	{"fall", "N", NUMBER(1, STREAK_MAX), POOL_FIELD(check.fall),                     \
	 .help = "bad probes in a row that take it down"}

const struct directive directives[] = {
	/* At the top of the file. */
	{
		.word = "listen", .second = "http", .in = IN_FILE,
		.makes = MAKES_LISTENER, .opens = IN_LISTEN, .repeats = true,
		.help = "Accepts HTTP/1.1 connections on an address and hands each "
			"request to a pool.",
		.arguments = {
			{NULL, "ADDRESS", .kind = ARGUMENT_LISTEN,
			 LISTENER_FIELD(address),
			 .help = ":8080 for every IPv4 address of the machine, "
				 "127.0.0.1:8080, [::1]:8080"},
		},
	}, {
		.word = "listen", .second = "tcp", .in = IN_FILE,
		.refused = "this version balances http only",
	}, {
		.word = "listen", .second = "kv", .in = IN_FILE,
		.refused = "this version balances http only",
	}, {
		.word = "pool", .in = IN_FILE,
		.makes = MAKES_POOL, .opens = IN_POOL, .repeats = true,
		.help = "Names a set of servers and says how to choose among them.",
		.arguments = {
			{NULL, "NAME", .kind = ARGUMENT_NAME, POOL_FIELD(name),
			 .help = "letters, digits, -, _ and ., at most 63 of them"},
		},
	}, {
		.word = "threads", .in = IN_FILE,
		.help = "Threads that serve connections; auto: one for each core. Takes "
			"effect at a start, not at a reload.",
		.arguments = {
			{NULL, "N", NUMBER(1, MODEL_LOOPS_MAX), FILE_FIELD(threads),
			 .choices = one_per_core},
		},
	}, {
		.word = "connections", .in = IN_FILE,
		.help = "Client connections at once over all listeners; unlimited: as "
			"many as there are descriptors for. Further ones wait "
			"unaccepted.",
		.arguments = {
			{NULL, "N", LIMIT(CONNECTIONS_MAX), FILE_FIELD(connections_max)},
		},
	}, {
		.word = "drain", .in = IN_FILE,
		.help = "At the end no new connection is accepted and running requests "
			"may finish, for so long at most.",
		.arguments = {
			{NULL, "TIME", TIME_OR_NONE, FILE_FIELD(drain_ms)},
		},
	}, {
		.word = "log", .in = IN_FILE,
		.help = "What the program says about itself: lines of that urgency and "
			"above.",
		.arguments = {
			{NULL, NULL, CHOICE(log_levels), FILE_FIELD(log_level)},
			{"to", "PATH", .kind = ARGUMENT_FILE, FILE_FIELD(log_path),
			 .help = "a file to append to; without it standard error"},
		},
	}, {
		.word = "access-log", .in = IN_FILE,
		.help = "A line for each request, in the form that web servers share or "
			"as JSON.",
		.arguments = {
			{NULL, NULL, CHOICE(access_formats), FILE_FIELD(access_format)},
			{"to", "PATH", .kind = ARGUMENT_FILE, FILE_FIELD(access_path),
			 .help = "a file to append to; without it standard output"},
		},
	},

	/* In a listen block. */
	{
		.word = "route", .in = IN_LISTEN, .makes = MAKES_ROUTE, .repeats = true,
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
		.word = "to", .in = IN_LISTEN, .makes = MAKES_ROUTE,
		.help = "Where requests go that no route takes. Without it they are "
			"answered 404.",
		.arguments = {
			{NULL, "POOL", .kind = ARGUMENT_POOL, ROUTE_FIELD(pool)},
		},
	}, {
		.word = "connections", .in = IN_LISTEN,
		.help = "Connections of this listener that are served at once. Further "
			"ones wait unaccepted; none is refused.",
		.arguments = {
			{NULL, "N", LIMIT(CONNECTIONS_MAX),
			 LISTENER_FIELD(connections_max)},
		},
	}, {
		.word = "parallel", .in = IN_LISTEN,
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
		.word = "requests", .in = IN_LISTEN,
		.help = "Requests that one connection may make before it is closed.",
		.arguments = {
			{NULL, "N", LIMIT(REQUESTS_MAX), LISTENER_FIELD(requests_max)},
		},
	}, {
		.word = "head-size", .in = IN_LISTEN,
		.help = "Bytes of a request's head; a longer one is answered 431.",
		.arguments = {
			{NULL, "SIZE", SIZE(HEAD_MIN, HEAD_MAX),
			 LISTENER_FIELD(head_max)},
		},
	}, {
		.word = "head-fields", .in = IN_LISTEN,
		.help = "Fields of a request's head; one more is answered 431.",
		.arguments = {
			{NULL, "N", NUMBER(1, FIELDS_MAX), LISTENER_FIELD(fields_max)},
		},
	}, {
		.word = "target-size", .in = IN_LISTEN,
		.help = "Bytes of a request's target; a longer one is answered 414.",
		.arguments = {
			{NULL, "SIZE", SIZE(TARGET_MIN, HEAD_MAX),
			 LISTENER_FIELD(target_max)},
		},
	}, {
		.word = "body-size", .in = IN_LISTEN,
		.help = "Bytes of a request's body; a longer one is answered 413.",
		.arguments = {
			{NULL, "SIZE", SIZE(0, BODY_MAX), LISTENER_FIELD(body_max),
			 .choices = any_size},
		},
	}, {
		.word = "timeout", .in = IN_LISTEN, .merges = true,
		.help = "How long a client may take. May be given several times with "
			"different words.",
		.arguments = {
			{"head", "TIME", TIME, LISTENER_FIELD(head_ms),
			 .help = "from a request's first byte to the end of its head"},
			{"body", "TIME", TIME, LISTENER_FIELD(body_ms),
			 .help = "without a byte of a body, in either direction"},
			{"keep-alive", "TIME", TIME, LISTENER_FIELD(keep_alive_ms),
			 .help = "without a request"},
			{"linger", "TIME", TIME, LISTENER_FIELD(linger_ms),
			 .help = "reading on after an answer that came before the "
				 "request had ended"},
			{"tunnel", "TIME", TUNNEL_TIME, LISTENER_FIELD(tunnel_ms),
			 .help = "without a byte in a tunnel (WebSocket and the like)"},
		},
	}, {
		.word = "headers", .in = IN_LISTEN,
		.help = "The fields that tell servers about the client: Via; "
			"X-Forwarded-For, -Proto and -Host; Forwarded.",
		.arguments = {
			{NULL, NULL, .kind = ARGUMENT_CHOICES, .choices = forwarded,
			 LISTENER_FIELD(forwarded)},
		},
	}, {
		.word = "access-log", .in = IN_LISTEN,
		.help = "Whether requests of this listener are in the access log, if "
			"there is one.",
		.arguments = {
			{NULL, NULL, CHOICE(on_off), LISTENER_FIELD(access_log)},
		},
	}, {
		.word = "errors", .in = IN_LISTEN,
		.help = "How a request is answered that no server could serve: 502, 503 "
			"or 504 with a short text that says why, or always an empty 500.",
		.arguments = {
			{NULL, NULL, CHOICE(error_forms), LISTENER_FIELD(plain_500)},
		},
	},

	/* In a pool block. */
	{
		.word = "balance", .in = IN_POOL,
		.help = "How a server is chosen for a request.",
		.arguments = {
			{NULL, NULL, .kind = ARGUMENT_POLICY, POOL_FIELD(policy)},
		},
	}, {
		.word = "server", .in = IN_POOL, .makes = MAKES_SERVER, .repeats = true,
		.help = "One server of the pool. A name is looked up again and again "
			"while the program runs; one that is not known yet prevents no "
			"start.",
		.arguments = {
			{NULL, "ADDRESS", .kind = ARGUMENT_SERVER, SERVER_FIELD(address),
			 .help = "app1:8080, 127.0.0.1:8080, [::1]:8080, "
				 "unix:/run/app.sock; 8080: a port of this machine"},
			{"weight", "N", NUMBER(0, MODEL_WEIGHT_MAX), SERVER_FIELD(weight),
			 .help = "its share beside the others; 0: no new requests"},
			{"parallel", "N", NUMBER(1, PARALLEL_MAX),
			 SERVER_FIELD(parallel_max),
			 .help = "requests at once; without it what the pool says"},
			{"drain", NULL, .kind = ARGUMENT_FLAG, SERVER_FIELD(drain),
			 .help = "finishes what it has and gets nothing new"},
		},
	}, {
		.word = "check", .second = "http", .in = IN_POOL,
		.constant_field = FIELD(model_pool, check.kind), .constant = CHECK_HTTP,
		.help = "Asks each server for a path again and again; who does not "
			"answer as expected gets no requests.",
		.arguments = {
			{NULL, "PATH", .kind = ARGUMENT_TARGET, POOL_FIELD(check.path)},
			{"expect", "STATUS|STATUS-STATUS|load", .kind = ARGUMENT_EXPECT,
			 POOL_FIELD(check),
			 .help = "a status, one of a range, or 200 with two numbers in "
				 "two lines, the server's errors and its load; that is "
				 "what least-load reads, and the default there"},
			CHECK_ARGUMENTS,
			{"after", "N", NUMBER(1, REQUESTS_MAX), .unit = "requests",
			 POOL_FIELD(check.after_requests),
			 .help = "probes all servers after so many requests as well"},
			{"host", "NAME", .kind = ARGUMENT_HOST, POOL_FIELD(check.host),
			 .help = "the probe's Host field; without it the address"},
		},
	}, {
		.word = "check", .second = "tcp", .in = IN_POOL,
		.constant_field = FIELD(model_pool, check.kind), .constant = CHECK_TCP,
		.help = "Connects to each server again and again; who refuses gets no "
			"requests.",
		.arguments = {CHECK_ARGUMENTS},
	}, {
		.word = "check", .second = "off", .in = IN_POOL,
		.constant_field = FIELD(model_pool, check.kind), .constant = CHECK_OFF,
		.help = "Probes nobody: a server is up unless requests fail (see "
			"passive). This is so without any check, too.",
	}, {
		.word = "passive", .in = IN_POOL,
		.help = "Takes a server down after so many failed requests in a row.",
		.arguments = {
			{NULL, "N", NUMBER(1, STREAK_MAX), POOL_FIELD(passive_fails),
			 .choices = off},
			{"for", "TIME", TIME, POOL_FIELD(passive_ms),
			 .help = "how long, where no check brings it back"},
		},
	}, {
		.word = "retry", .in = IN_POOL,
		.help = "When a request failed that may safely be repeated: to how many "
			"further servers it is sent.",
		.arguments = {
			{NULL, "N", NUMBER(0, TRIES_MAX), POOL_FIELD(retries_max),
			 .choices = off},
			{"budget", "PERCENT", PERCENT, POOL_FIELD(retry_percent),
			 .help = "retries at most, of all requests"},
			{"reserve", "N", NUMBER(0, PARALLEL_MAX),
			 POOL_FIELD(retry_reserve),
			 .help = "and so many beyond that in each thread"},
		},
	}, {
		.word = "parallel", .in = IN_POOL,
		.help = "Requests at once for each server that sets no limit of its own.",
		.arguments = {
			{NULL, "N", LIMIT(PARALLEL_MAX), POOL_FIELD(server_parallel_max)},
		},
	}, {
		.word = "queue", .in = IN_POOL,
		.help = "Requests that may wait while every server has as many as it "
			"may; one more is answered 503.",
		.arguments = {
			{NULL, "N", NUMBER(0, QUEUE_MAX), POOL_FIELD(queue_max)},
			{"wait", "TIME", TIME_OR_NONE, POOL_FIELD(queue_ms),
			 .help = "how long a request waits before it is answered 503"},
		},
	}, {
		.word = "timeout", .in = IN_POOL, .merges = true,
		.help = "How long a server may take. May be given several times with "
			"different words.",
		.arguments = {
			{"connect", "TIME", TIME, POOL_FIELD(connect_ms),
			 .help = "until it is connected"},
			{"response", "TIME", TIME, POOL_FIELD(response_ms),
			 .help = "from the end of the request to the head of its answer"},
			{"body", "TIME", TIME, POOL_FIELD(body_ms),
			 .help = "without a byte of a body, in either direction"},
			{"idle", "TIME", TIME, POOL_FIELD(idle_ms),
			 .help = "until a connection without work is closed"},
		},
	}, {
		.word = "keep", .in = IN_POOL,
		.help = "Connections without work that are kept open for the next "
			"request, for each server and thread.",
		.arguments = {
			{NULL, "N", NUMBER(0, KEEP_MAX), POOL_FIELD(idle_max)},
		},
	}, {
		.word = "host", .in = IN_POOL,
		.help = "The Host field that servers get: what the client sent, the "
			"server's address, or this name.",
		.arguments = {
			{NULL, "NAME", .kind = ARGUMENT_HOST_MODE, .choices = host_modes,
			 POOL_FIELD(host_mode)},
		},
	},
};

const uint32_t directive_count = COUNT_OF(directives);
_Static_assert(COUNT_OF(directives) <= DIRECTIVES_MAX, "raise DIRECTIVES_MAX");

const struct directive *directive_find(enum context in, const char *word)
{
	for (uint32_t i = 0; i < directive_count; i++)
		if (directives[i].in == in && strcmp(directives[i].word, word) == 0)
			return &directives[i];
	return NULL;
}

const struct directive *directive_find_second(const struct directive *first,
					      const char *second)
{
	const struct directive *end = directives + directive_count;

	for (const struct directive *d = first; d < end; d++)
		if (d->in == first->in && strcmp(d->word, first->word) == 0 &&
		    strcmp(d->second, second) == 0)
			return d;
	return NULL;
}

const char *directive_alias(const char *theirs)
{
	static const struct {
		const char *theirs, *ours;
	} aliases[] = {
		{"upstream", "pool"}, {"backend", "pool"}, {"cluster", "pool"},
		{"frontend", "listen"}, {"bind", "listen"}, {"entrypoint", "listen"},
		{"location", "route"}, {"use_backend", "route"},
		{"proxy_pass", "to"}, {"reverse_proxy", "to"}, {"default_backend", "to"},
		{"worker_processes", "threads"}, {"nbthread", "threads"},
		{"worker_connections", "connections"}, {"maxconn", "connections"},
		{"error_log", "log"}, {"access_log", "access-log"},
		{"client_max_body_size", "body-size"}, {"keepalive", "keep"},
		{"health_check", "check"}, {"httpchk", "check"},
	};
	for (size_t i = 0; i < COUNT_OF(aliases); i++)
		if (strcmp(aliases[i].theirs, theirs) == 0)
			return aliases[i].ours;
	return NULL;
}

const char *context_text(enum context in)
{
	static const char *const texts[CONTEXTS] = {
		[IN_FILE]   = "at the top of the file",
		[IN_LISTEN] = "in a listen block",
		[IN_POOL]   = "in a pool block",
	};
	return texts[in];
}

uint32_t directive_argument_count(const struct directive *d)
{
	uint32_t n = 0;

	while (n < ARGUMENTS_MAX && d->arguments[n].kind != ARGUMENT_NONE)
		n++;
	return n;
}
