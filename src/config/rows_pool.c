/* config/rows_pool.c - the directives in a pool block. */
#include "config/rows.h"

#include "model/own.h"
#include "model/srv.h"

enum {
	TRIES_MAX      = 15,
	STREAK_MAX     = 1000,
	KEEP_MAX       = 10000,
	POINTS_MAX     = 10000,
	TABLE_MAX      = 1048573,	/* the largest prime of 20 bits: built in some 40 ms */
	SLOTS_MAX      = 65536,
	VIRTUAL_MAX    = 1000,
	BOUNDED_MAX    = 1000,
	REPLAY_MAX     = 64 * 1024,
	QUIET_MAX      = 10 * SECOND,
	BATCH_TIME_MAX = 10 * SECOND,
	STICKY_MAX     = 400 * 24 * 3600,	/* seconds; browsers keep none longer */
};

static const struct choice host_modes[] = {
	{"preserve", HOST_PRESERVE}, {"server", HOST_SERVER}, {NULL, 0},
};
static const struct choice slot_hashes[] = {
	{"quadratic", SLOT_QUADRATIC}, {"mixed", SLOT_MIXED}, {NULL, 0},
};
static const struct choice redistributions[] = {
	{"idle", REDISTRIBUTE_IDLE}, {"replay", REDISTRIBUTE_REPLAY},
	{"off", REDISTRIBUTE_OFF}, {NULL, 0},
};
static const struct choice ack_counts[] = {
	{"none", ACKS_NONE}, {"one", ACKS_ONE}, {"all", ACKS_ALL}, {NULL, 0},
};
static const struct choice proxy_versions[] = {{"v1", 1}, {"v2", 2}, {NULL, 0}};

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

static const struct directive rows[] = {
	{
		.word = "balance", .in = IN_POOL,
		.help = "How a server is chosen for a request.",
		.arguments = {
			{NULL, NULL, .kind = ARGUMENT_POLICY, POOL_FIELD(policy)},
			{"points", "N", NUMBER(1, POINTS_MAX), POOL_FIELD(ring_points),
			 .help = "of a server on the ring, for each unit of its weight; "
				 "more spread the load more evenly"},
			{"table", "N", .kind = ARGUMENT_PRIME, .min = 2, .max = TABLE_MAX,
			 POOL_FIELD(maglev_size),
			 .help = "entries of maglev's table, a prime; at least a "
				 "hundred for each server spread the load evenly"},
			{"slots", "N", NUMBER(2, SLOTS_MAX), POOL_FIELD(slot_count),
			 .help = "on the circle of slots; the servers have to fit"},
			{"virtual", "N", NUMBER(1, VIRTUAL_MAX), POOL_FIELD(slot_virtual),
			 .help = "virtual servers of a server, a slot each, for each unit "
				 "of its weight"},
			{"hash", NULL, CHOICE(slot_hashes), POOL_FIELD(slot_hash),
			 .help = "what becomes a slot: quadratic spreads badly, mixed as "
				 "by lot"},
			{"bounded", "PERCENT", PERCENT(1, BOUNDED_MAX),
			 POOL_FIELD(bounded_percent),
			 .help = "by key: a server that has so much more than the "
				 "mean gets no more; the next one does"},
		},
	}, {
		.word = "key", .second = "address", .in = IN_POOL,
		SETS(model_pool, key, KEY_ADDRESS),
		.help = "What ring, maglev, rendezvous and slots go by: the client's "
			"address, so that a client keeps its server. This is so without "
			"any key, too.",
	}, {
		.word = "key", .second = "address-port", .in = IN_POOL,
		SETS(model_pool, key, KEY_ADDRESS_PORT),
		.help = "They go by the client's address and port: each connection may "
			"have another server.",
	}, {
		.word = "key", .second = "path", .in = IN_POOL,
		SETS(model_pool, key, KEY_PATH),
		.help = "They go by the path of a request, without its query. HTTP only.",
	}, {
		.word = "key", .second = "request-id", .in = IN_POOL,
		SETS(model_pool, key, KEY_REQUEST_ID),
		.help = "They go by a number that each request has of its own. This is "
			"so without any key where a pool owns its servers and balances "
			"by slots. HTTP only.",
	}, {
		.word = "key", .second = "header", .in = IN_POOL,
		SETS(model_pool, key, KEY_HEADER),
		.help = "They go by a field of a request's head; one without it goes by "
			"the client's address. HTTP only.",
		.arguments = {
			{NULL, "NAME", .kind = ARGUMENT_TOKEN, POOL_FIELD(key_name)},
		},
	}, {
		.word = "key", .second = "cookie", .in = IN_POOL,
		SETS(model_pool, key, KEY_COOKIE),
		.help = "They go by a cookie; a request without it goes by the client's "
			"address. HTTP only.",
		.arguments = {
			{NULL, "NAME", .kind = ARGUMENT_TOKEN, POOL_FIELD(key_name)},
		},
	}, {
		.word = "key", .second = "query", .in = IN_POOL,
		SETS(model_pool, key, KEY_QUERY),
		.help = "They go by the value of an argument of the query, undecoded; a "
			"request without it goes by the client's address. HTTP only.",
		.arguments = {
			{NULL, "NAME", .kind = ARGUMENT_QUERY_NAME, POOL_FIELD(key_name)},
		},
	}, {
		.word = "sticky", .second = "cookie", .in = IN_POOL,
		.help = "Names a client's server to it in a cookie, and a client that "
			"sends the cookie gets that server as long as it is up, whatever "
			"the policy. HTTP only.",
		.arguments = {
			{NULL, "NAME", .kind = ARGUMENT_TOKEN, POOL_FIELD(sticky_cookie)},
			{"for", "TIME", .kind = ARGUMENT_SECONDS, .min = 1,
			 .max = STICKY_MAX, POOL_FIELD(sticky_s),
			 .help = "how long the client keeps it; without it, until the "
				 "browser ends"},
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
		.word = "server", .second = "srv", .in = IN_POOL, .makes = MAKES_SRV,
		.repeats = true,
		.help = "The servers that the SRV records of a name lead to, with the port and "
			"the weight of each, as they come and go. Of several priorities the "
			"first alone serves.",
		.arguments = {
			{NULL, "NAME", .kind = ARGUMENT_SERVICE, SRV_FIELD(name),
			 .help = "_http._tcp.example.com, web.service.consul"},
			{"parallel", "N", NUMBER(1, PARALLEL_MAX), SRV_FIELD(parallel_max),
			 .help = "requests at once for each; without it what the pool says"},
		},
	}, {
		.word = "own", .second = "docker", .in = IN_POOL,
		.makes = MAKES_OWN, .opens = IN_DOCKER,
		SETS(model_own, driver, OWN_DOCKER),
		.help = "The pool's servers are containers that the balancer starts by "
			"the Docker Engine, checks, replaces and stops; there are no "
			"others.",
	}, {
		.word = "own", .second = "process", .in = IN_POOL,
		.makes = MAKES_OWN, .opens = IN_PROCESS,
		SETS(model_own, driver, OWN_PROCESS),
		.help = "The same with programs of this machine.",
	}, {
		.word = "check", .second = "http", .in = IN_POOL,
		SETS(model_pool, check.kind, CHECK_HTTP),
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
		SETS(model_pool, check.kind, CHECK_TCP),
		.help = "Connects to each server again and again; who refuses gets no "
			"requests.",
		.arguments = {CHECK_ARGUMENTS},
	}, {
		.word = "check", .second = "off", .in = IN_POOL,
		SETS(model_pool, check.kind, CHECK_OFF),
		.help = "Probes nobody: a server is up unless requests fail (see "
			"passive). This is so without any check, too.",
	}, {
		.word = "passive", .in = IN_POOL,
		.help = "Takes a server down after so many failed requests in a row. Where that "
			"is so of all, and no check tells, they are asked all the same.",
		.arguments = {
			{NULL, "N", NUMBER(1, STREAK_MAX), POOL_FIELD(passive_fails),
			 .choices = choice_off},
			{"for", "TIME", TIME, POOL_FIELD(passive_ms),
			 .help = "how long, where no check brings it back"},
		},
	}, {
		.word = "retry", .in = IN_POOL,
		.help = "When a request failed that may safely be repeated: to how many "
			"further servers it is sent.",
		.arguments = {
			{NULL, "N", NUMBER(0, TRIES_MAX), POOL_FIELD(retries_max),
			 .choices = choice_off},
			{"budget", "PERCENT", PERCENT(0, 100), POOL_FIELD(retry_percent),
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
			"may, or while none is up, where the pool owns them; one more is "
			"answered 503.",
		.arguments = {
			{NULL, "N", NUMBER(0, QUEUE_MAX), POOL_FIELD(queue_max)},
			{"wait", "TIME", TIME_OR_NONE, POOL_FIELD(queue_ms),
			 .help = "how long a request waits before it is answered 503"},
		},
	}, {
		.word = "request-id", .in = IN_POOL,
		.help = "Whether each request gets a number of six digits, which servers "
			"see as X-Request-Id where the client sent none. HTTP only.",
		.arguments = {
			{NULL, NULL, CHOICE(choice_on_off), POOL_FIELD(request_ids)},
		},
	}, {
		.word = "batch", .in = IN_POOL,
		.help = "Requests are gathered, and servers chosen for all of them at "
			"once. HTTP only.",
		.arguments = {
			{"window", "TIME", TIME_FROM(0, BATCH_TIME_MAX), .required = true,
			 POOL_FIELD(batch_ms),
			 .help = "how long; 0s: not at all, so that none waits"},
			{"count", "N", NUMBER(1, QUEUE_MAX), POOL_FIELD(batch_max),
			 .help = "so many do not wait any longer"},
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
	}, {
		.word = "redistribute", .in = IN_POOL,
		.help = "What becomes of TCP clients whose server has left. replay: one "
			"to whom no server has said anything is moved to another, which "
			"is told all that the client said. idle: so is one whose last "
			"question has no answer yet, or a whole one. off: none. In the "
			"middle of an answer a client is closed in any case.",
		.arguments = {
			{NULL, NULL, CHOICE(redistributions), POOL_FIELD(redistribute)},
			{"buffer", "SIZE", SIZE(0, REPLAY_MAX), POOL_FIELD(replay_max),
			 .help = "bytes of a client that are kept, to be said again to "
				 "another server; one that said more is closed"},
			{"quiet", "TIME", TIME_FROM(0, QUIET_MAX), POOL_FIELD(quiet_ms),
			 .help = "silence after which an answer counts as whole"},
		},
	}, {
		.word = "proxy-protocol", .in = IN_POOL,
		.help = "Connections to servers begin with a PROXY header of this "
			"version, which says who the client is. TCP only; over HTTP "
			"X-Forwarded-For says it (see headers).",
		.arguments = {
			{NULL, NULL, CHOICE(proxy_versions), POOL_FIELD(proxy_version)},
		},
	}, {
		.word = "acks", .in = IN_POOL,
		.help = "When a write is answered: as soon as the worker that took it has "
			"it (none), once one other has it too (one), or once all have "
			"it (all), so that whoever is asked then knows it. Key-value only.",
		.arguments = {
			{NULL, NULL, CHOICE(ack_counts), POOL_FIELD(acks)},
		},
	}, {
		.word = "secret", .in = IN_POOL,
		.help = "A file whose first line workers have to know, too, or they are "
			"turned away. Key-value only.",
		.arguments = {
			{NULL, "FILE", .kind = ARGUMENT_FILE, POOL_FIELD(secret_path)},
		},
	}, {
		.word = "key-size", .in = IN_POOL,
		.help = "Bytes of a key at most. Workers of version 1 take 256. "
			"Key-value only.",
		.arguments = {
			{NULL, "SIZE", SIZE(1, MODEL_KEY_MAX), POOL_FIELD(key_max)},
		},
	}, {
		.word = "value-size", .in = IN_POOL,
		.help = "Bytes of a value at most; with the longest key they have to fit "
			"into a message, which has room for 65503. Workers of version 1 "
			"take 256. Key-value only.",
		.arguments = {
			{NULL, "SIZE", SIZE(0, MODEL_ENTRY_MAX), POOL_FIELD(value_max)},
		},
	},
};

const struct directive_table rows_pool = {rows, COUNT_OF(rows)};
