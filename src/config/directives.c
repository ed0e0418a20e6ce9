#include "config/directives.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/must.h"
#include "model/model.h"
#include "pick/policy.h"

#define FIELD(type, member) \
	{offsetof(struct type, member), sizeof(((struct type *)0)->member)}

#define KIBI 1024ull
#define MEBI (1024 * KIBI)
#define GIBI (1024 * MEBI)
#define TEBI (1024 * GIBI)

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

static const struct choice threads_auto[] = {{"auto", 0}, {NULL, 0}};
static const struct choice unlimited[]    = {{"unlimited", 0}, {NULL, 0}};
static const struct choice any_size[]     = {{"unlimited", UINT64_MAX}, {NULL, 0}};
static const struct choice off[]          = {{"off", 0}, {NULL, 0}};
static const struct choice on_off[]       = {{"on", true}, {"off", false}, {NULL, 0}};
static const struct choice log_levels[] = {
	{"error", LOG_LEVEL_ERROR}, {"warn", LOG_LEVEL_WARN},
	{"info", LOG_LEVEL_INFO}, {"debug", LOG_LEVEL_DEBUG}, {NULL, 0},
};
static const struct choice access_formats[] = {
	{"combined", ACCESS_COMBINED}, {"json", ACCESS_JSON}, {"off", ACCESS_OFF}, {NULL, 0},
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

/* Arguments that several directives have. */
#define TIME_ARGUMENT(word, type, member, text)                               \
	{.keyword = word, .shown = "TIME", .kind = ARGUMENT_TIME, .min = 1,    \
	 .max = TIME_MAX, .field = FIELD(type, member), .help = text}
#define NUMBER_ARGUMENT(word, from, to, type, member, text)                   \
	{.keyword = word, .shown = "N", .kind = ARGUMENT_NUMBER, .min = from,  \
	 .max = to, .field = FIELD(type, member), .help = text}
#define LIMIT_ARGUMENT(word, to, type, member, text)                          \
	{.keyword = word, .shown = "N", .kind = ARGUMENT_NUMBER, .min = 1,     \
	 .max = to, .choices = unlimited, .field = FIELD(type, member), .help = text}
#define WAIT_ARGUMENT(type, member)                                           \
	{.keyword = "wait", .shown = "TIME", .kind = ARGUMENT_TIME, .min = 0,  \
	 .max = TIME_MAX, .field = FIELD(type, member),                        \
	 .help = "how long a request waits before it is answered 503"}
#define FILE_ARGUMENT(type, member, text)                                     \
	{.keyword = "to", .shown = "PATH", .kind = ARGUMENT_FILE,              \
	 .field = FIELD(type, member), .help = text}
#define CHECK_ARGUMENTS                                                       \
	TIME_ARGUMENT("every", model_pool, check.every_ms,                     \
		      "time from one probe of a server to the next"),          \
	TIME_ARGUMENT("timeout", model_pool, check.timeout_ms,                 \
		      "silence for so long is a failure"),                     \
	NUMBER_ARGUMENT("rise", 1, STREAK_MAX, model_pool, check.rise,         \
			"good probes in a row that bring a server up"),        \
	NUMBER_ARGUMENT("fall", 1, STREAK_MAX, model_pool, check.fall,         \
			"bad probes in a row that take it down")

const struct directive directives[] = {
	{
		.word = "listen", .second = "http", .in = IN_FILE,
		.makes = MAKES_LISTENER, .opens = IN_LISTEN, .repeats = true,
		.help = "Accepts HTTP/1.1 connections on an address and hands each request "
			"to a pool.",
		.arguments = {{
			.shown = "ADDRESS", .kind = ARGUMENT_LISTEN,
			.field = FIELD(model_listener, address),
			.help = ":8080 for every IPv4 address of the machine, 127.0.0.1:8080, "
				"[::1]:8080",
		}},
	}, {
		.word = "listen", .second = "tcp", .in = IN_FILE, .repeats = true,
		.refused = "this version balances http only",
	}, {
		.word = "listen", .second = "kv", .in = IN_FILE, .repeats = true,
		.refused = "this version balances http only",
	}, {
		.word = "pool", .in = IN_FILE, .makes = MAKES_POOL, .opens = IN_POOL,
		.repeats = true,
		.help = "Names a set of servers and says how to choose among them.",
		.arguments = {{
			.shown = "NAME", .kind = ARGUMENT_NAME, .field = FIELD(model_pool, name),
			.help = "letters, digits, -, _ and ., at most 63 of them",
		}},
	}, {
		.word = "threads", .in = IN_FILE,
		.help = "Threads that serve connections; auto: one for each core. Takes effect "
			"at a start, not at a reload.",
		.arguments = {{
			.shown = "N", .kind = ARGUMENT_NUMBER, .min = 1, .max = MODEL_LOOPS_MAX,
			.choices = threads_auto, .field = FIELD(model, threads),
			.help = "how many",
		}},
	}, {
		.word = "connections", .in = IN_FILE,
		.help = "Client connections at once over all listeners. Further ones wait "
			"unaccepted.",
		.arguments = {
			LIMIT_ARGUMENT(NULL, CONNECTIONS_MAX, model, connections_max,
				       "how many; unlimited: as descriptors allow"),
		},
	}, {
		.word = "drain", .in = IN_FILE,
		.help = "At the end no new connection is accepted and running requests may "
			"finish, for so long at most.",
		.arguments = {{
			.shown = "TIME", .kind = ARGUMENT_TIME, .min = 0, .max = TIME_MAX,
			.field = FIELD(model, drain_ms), .help = "how long",
		}},
	}, {
		.word = "log", .in = IN_FILE,
		.help = "What the program says about itself: lines of that urgency and above.",
		.arguments = {
			{.kind = ARGUMENT_CHOICE, .choices = log_levels,
			 .field = FIELD(model, log_level), .help = "the least urgent to be written"},
			FILE_ARGUMENT(model, log_path, "a file to append to; without it "
				      "standard error"),
		},
	}, {
		.word = "access-log", .in = IN_FILE,
		.help = "A line for each request.",
		.arguments = {
			{.kind = ARGUMENT_CHOICE, .choices = access_formats,
			 .field = FIELD(model, access_format),
			 .help = "the form of the lines: as web servers have it, or JSON"},
			FILE_ARGUMENT(model, access_path, "a file to append to; without it "
				      "standard output"),
		},
	},

	{
		.word = "route", .in = IN_LISTEN, .makes = MAKES_ROUTE, .repeats = true,
		.help = "Sends the requests that fit to a pool. Routes are tried in their order, "
			"the first that fits is taken. At least one of host and path is needed.",
		.arguments = {
			{.keyword = "host", .shown = "HOST", .kind = ARGUMENT_HOST_PATTERN,
			 .field = FIELD(model_route, host),
			 .help = "what the Host field says, without its port; *.example.com: "
				 "every host below example.com"},
			{.keyword = "path", .shown = "PATH", .kind = ARGUMENT_PREFIX,
			 .field = FIELD(model_route, path),
			 .help = "what the path begins with"},
			{.keyword = "to", .shown = "POOL", .kind = ARGUMENT_POOL, .required = true,
			 .field = FIELD(model_route, pool), .help = "the pool that serves them"},
		},
	}, {
		.word = "to", .in = IN_LISTEN, .makes = MAKES_ROUTE,
		.help = "Where requests go that no route takes. Without it they are answered "
			"404.",
		.arguments = {{
			.shown = "POOL", .kind = ARGUMENT_POOL, .field = FIELD(model_route, pool),
			.help = "the pool that serves them",
		}},
	}, {
		.word = "connections", .in = IN_LISTEN,
		.help = "Connections of this listener that are served at once. Further ones "
			"wait unaccepted; none is refused.",
		.arguments = {
			LIMIT_ARGUMENT(NULL, CONNECTIONS_MAX, model_listener, connections_max,
				       "how many"),
		},
	}, {
		.word = "parallel", .in = IN_LISTEN,
		.help = "Requests of this listener that are served at once.",
		.arguments = {
			LIMIT_ARGUMENT(NULL, PARALLEL_MAX, model_listener, parallel_max,
				       "how many"),
			NUMBER_ARGUMENT("queue", 0, QUEUE_MAX, model_listener, queue_max,
					"requests that may wait behind them; one more is "
					"answered 503"),
			WAIT_ARGUMENT(model_listener, queue_ms),
		},
	}, {
		.word = "requests", .in = IN_LISTEN,
		.help = "Requests that one connection may make before it is closed.",
		.arguments = {
			LIMIT_ARGUMENT(NULL, REQUESTS_MAX, model_listener, requests_max,
				       "how many"),
		},
	}, {
		.word = "head-size", .in = IN_LISTEN,
		.help = "Bytes of a request's head; a longer one is answered 431.",
		.arguments = {{
			.shown = "SIZE", .kind = ARGUMENT_SIZE, .min = HEAD_MIN, .max = HEAD_MAX,
			.field = FIELD(model_listener, head_max), .help = "how many",
		}},
	}, {
		.word = "head-fields", .in = IN_LISTEN,
		.help = "Fields of a request's head; one more is answered 431.",
		.arguments = {
			NUMBER_ARGUMENT(NULL, 1, FIELDS_MAX, model_listener, fields_max,
					"how many"),
		},
	}, {
		.word = "target-size", .in = IN_LISTEN,
		.help = "Bytes of a request's target; a longer one is answered 414.",
		.arguments = {{
			.shown = "SIZE", .kind = ARGUMENT_SIZE, .min = TARGET_MIN, .max = HEAD_MAX,
			.field = FIELD(model_listener, target_max), .help = "how many",
		}},
	}, {
		.word = "body-size", .in = IN_LISTEN,
		.help = "Bytes of a request's body; a longer one is answered 413.",
		.arguments = {{
			.shown = "SIZE", .kind = ARGUMENT_SIZE, .min = 0, .max = 1024 * TEBI,
			.choices = any_size, .field = FIELD(model_listener, body_max),
			.help = "how many",
		}},
	}, {
		.word = "timeout", .in = IN_LISTEN, .merges = true,
		.help = "How long a client may take. May be given several times with different "
			"words.",
		.arguments = {
			TIME_ARGUMENT("head", model_listener, head_ms,
				      "from the first byte of a request to the end of its head"),
			TIME_ARGUMENT("body", model_listener, body_ms,
				      "without a byte of a body, in either direction"),
			TIME_ARGUMENT("keep-alive", model_listener, keep_alive_ms,
				      "without a request"),
			TIME_ARGUMENT("linger", model_listener, linger_ms,
				      "reading on after an answer that came before the request "
				      "had ended"),
			{.keyword = "tunnel", .shown = "TIME", .kind = ARGUMENT_TIME, .min = 1,
			 .max = TUNNEL_TIME_MAX, .field = FIELD(model_listener, tunnel_ms),
			 .help = "without a byte in a tunnel (WebSocket and the like)"},
		},
	}, {
		.word = "headers", .in = IN_LISTEN,
		.help = "What servers are told about the client.",
		.arguments = {{
			.kind = ARGUMENT_CHOICES, .choices = forwarded,
			.field = FIELD(model_listener, forwarded),
			.help = "the fields Via; X-Forwarded-For, -Proto and -Host; Forwarded",
		}},
	}, {
		.word = "access-log", .in = IN_LISTEN,
		.help = "Whether requests of this listener are in the access log, if there is "
			"one.",
		.arguments = {{
			.kind = ARGUMENT_CHOICE, .choices = on_off,
			.field = FIELD(model_listener, access_log), .help = "yes or no",
		}},
	}, {
		.word = "errors", .in = IN_LISTEN,
		.help = "How a request is answered that no server could serve.",
		.arguments = {{
			.kind = ARGUMENT_CHOICE, .choices = error_forms,
			.field = FIELD(model_listener, plain_500),
			.help = "502, 503 or 504 with a short text that says why, or an empty 500 "
				"for all",
		}},
	},

	{
		.word = "balance", .in = IN_POOL,
		.help = "How a server is chosen for a request.",
		.arguments = {{
			.kind = ARGUMENT_POLICY, .field = FIELD(model_pool, policy),
			.help = "the policy",
		}},
	}, {
		.word = "server", .in = IN_POOL, .makes = MAKES_SERVER, .repeats = true,
		.help = "One server of the pool. A name is looked up again and again while the "
			"program runs; one that is not known yet prevents no start.",
		.arguments = {
			{.shown = "ADDRESS", .kind = ARGUMENT_SERVER,
			 .field = FIELD(model_server, address),
			 .help = "app1:8080, 127.0.0.1:8080, [::1]:8080, unix:/run/app.sock, or "
				 "8080 for a port of this machine"},
			NUMBER_ARGUMENT("weight", 0, MODEL_WEIGHT_MAX, model_server, weight,
					"its share compared with the others; 0: no new requests"),
			LIMIT_ARGUMENT("parallel", PARALLEL_MAX, model_server, parallel_max,
				       "requests at once; without it what the pool says"),
			{.keyword = "drain", .kind = ARGUMENT_FLAG,
			 .field = FIELD(model_server, drain),
			 .help = "finishes what it has and gets nothing new"},
		},
	}, {
		.word = "check", .second = "http", .in = IN_POOL,
		.constant_field = FIELD(model_pool, check.kind), .constant = CHECK_HTTP,
		.help = "Asks each server for a path again and again; who does not answer as "
			"expected gets no requests.",
		.arguments = {
			{.shown = "PATH", .kind = ARGUMENT_TARGET,
			 .field = FIELD(model_pool, check.path), .help = "what is asked for"},
			{.keyword = "expect", .shown = "STATUS|STATUS-STATUS|load",
			 .kind = ARGUMENT_EXPECT, .field = FIELD(model_pool, check),
			 .help = "a status, one of a range, or 200 with the server's errors and its "
				 "load in two lines (what least-load reads, and then the default)"},
			CHECK_ARGUMENTS,
			{.keyword = "after", .shown = "N", .unit = "requests",
			 .kind = ARGUMENT_NUMBER, .min = 1, .max = REQUESTS_MAX,
			 .field = FIELD(model_pool, check.after_requests),
			 .help = "probes all servers after so many requests as well"},
			{.keyword = "host", .shown = "NAME", .kind = ARGUMENT_HOST,
			 .field = FIELD(model_pool, check.host),
			 .help = "the Host field of the probe; without it the server's address"},
		},
	}, {
		.word = "check", .second = "tcp", .in = IN_POOL,
		.constant_field = FIELD(model_pool, check.kind), .constant = CHECK_TCP,
		.help = "Connects to each server again and again; who refuses gets no requests.",
		.arguments = {CHECK_ARGUMENTS},
	}, {
		.word = "check", .second = "off", .in = IN_POOL,
		.constant_field = FIELD(model_pool, check.kind), .constant = CHECK_OFF,
		.help = "Probes nobody: a server is up unless requests fail (see passive).",
	}, {
		.word = "passive", .in = IN_POOL,
		.help = "Takes a server down when requests to it fail.",
		.arguments = {
			{.shown = "N", .kind = ARGUMENT_NUMBER, .min = 1, .max = STREAK_MAX,
			 .choices = off, .field = FIELD(model_pool, passive_fails),
			 .help = "failures in a row"},
			TIME_ARGUMENT("for", model_pool, passive_ms,
				      "how long, where no check brings it back"),
		},
	}, {
		.word = "retry", .in = IN_POOL,
		.help = "Sends a request again to another server when the first one failed and "
			"the request may safely be repeated.",
		.arguments = {
			{.shown = "N", .kind = ARGUMENT_NUMBER, .min = 1, .max = TRIES_MAX,
			 .choices = off, .field = FIELD(model_pool, retries_max),
			 .help = "further servers for one request"},
			{.keyword = "budget", .shown = "PERCENT", .kind = ARGUMENT_PERCENT,
			 .min = 0, .max = 100, .field = FIELD(model_pool, retry_percent),
			 .help = "retries at most, of all requests"},
			NUMBER_ARGUMENT("reserve", 0, PARALLEL_MAX, model_pool, retry_reserve,
					"and so many beyond that in each thread"),
		},
	}, {
		.word = "parallel", .in = IN_POOL,
		.help = "Requests at once for each server that sets no limit of its own.",
		.arguments = {
			LIMIT_ARGUMENT(NULL, PARALLEL_MAX, model_pool, server_parallel_max,
				       "how many"),
		},
	}, {
		.word = "queue", .in = IN_POOL,
		.help = "Requests that may wait while every server has as many as it may; one "
			"more is answered 503.",
		.arguments = {
			NUMBER_ARGUMENT(NULL, 0, QUEUE_MAX, model_pool, queue_max, "how many"),
			WAIT_ARGUMENT(model_pool, queue_ms),
		},
	}, {
		.word = "timeout", .in = IN_POOL, .merges = true,
		.help = "How long a server may take. May be given several times with different "
			"words.",
		.arguments = {
			TIME_ARGUMENT("connect", model_pool, connect_ms, "until it is connected"),
			TIME_ARGUMENT("response", model_pool, response_ms,
				      "from the end of the request to the head of its answer"),
			TIME_ARGUMENT("body", model_pool, body_ms,
				      "without a byte of a body, in either direction"),
			TIME_ARGUMENT("idle", model_pool, idle_ms,
				      "until a connection without work is closed"),
		},
	}, {
		.word = "keep", .in = IN_POOL,
		.help = "Connections without work that are kept open for the next request.",
		.arguments = {
			NUMBER_ARGUMENT(NULL, 0, KEEP_MAX, model_pool, idle_max,
					"how many for each server and thread"),
		},
	}, {
		.word = "host", .in = IN_POOL,
		.help = "The Host field that servers get.",
		.arguments = {{
			.shown = "NAME", .kind = ARGUMENT_HOST_MODE, .choices = host_modes,
			.field = FIELD(model_pool, host_mode),
			.help = "what the client sent, the server's address, or this name",
		}},
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

	while (n < ARGUMENTS_MAX && d->arguments[n].help != NULL)
		n++;
	return n;
}

__attribute__((format(printf, 2, 3)))
static void append(struct directive_usage *u, const char *format, ...)
{
	size_t used = strlen(u->text);
	va_list args;

	va_start(args, format);
	int len = vsnprintf(u->text + used, sizeof u->text - used, format, args);
	va_end(args);
	must(len >= 0 && used + (size_t)len < sizeof u->text);
}

struct directive_usage argument_usage(const struct argument *a)
{
	struct directive_usage u = {{'\0'}};
	const char *between = "";

	if (a->shown != NULL) {
		append(&u, "%s", a->shown);
		between = "|";
	}
	for (const struct choice *c = a->choices; c != NULL && c->word != NULL; c++) {
		append(&u, "%s%s", between, c->word);
		between = "|";
	}
	if (a->kind == ARGUMENT_POLICY)
		for (uint32_t i = 0; policies[i] != NULL; i++) {
			append(&u, "%s%s", between, policies[i]->name);
			between = "|";
		}
	if (a->kind == ARGUMENT_CHOICES)
		append(&u, " ...");
	if (a->unit != NULL)
		append(&u, " %s", a->unit);
	return u;
}

struct directive_usage directive_usage(const struct directive *d)
{
	struct directive_usage u = {{'\0'}};

	append(&u, "%s", d->word);
	if (d->second != NULL)
		append(&u, " %s", d->second);
	for (uint32_t i = 0; i < directive_argument_count(d); i++) {
		const struct argument *a = &d->arguments[i];
		struct directive_usage value = argument_usage(a);
		const char *space = value.text[0] != '\0' ? " " : "";
		if (a->keyword == NULL)
			append(&u, " %s", value.text);
		else if (a->required)
			append(&u, " %s%s%s", a->keyword, space, value.text);
		else
			append(&u, " [%s%s%s]", a->keyword, space, value.text);
	}
	if (d->opens != IN_FILE)
		append(&u, " { ... }");
	return u;
}
