/* config/rows_file.c - the directives at the top of the file. */
#include "config/rows.h"

#include "base/log.h"

static const struct choice one_per_core[] = {{"auto", 0}, {NULL, 0}};
static const struct choice log_levels[] = {
	{"error", LOG_LEVEL_ERROR}, {"warn", LOG_LEVEL_WARN},
	{"info", LOG_LEVEL_INFO}, {"debug", LOG_LEVEL_DEBUG}, {NULL, 0},
};
static const struct choice access_formats[] = {
	{"combined", ACCESS_COMBINED}, {"json", ACCESS_JSON}, {"off", ACCESS_OFF},
	{NULL, 0},
};

#define LISTEN_ADDRESS                                                                   \
	{NULL, "ADDRESS", .kind = ARGUMENT_LISTEN, LISTENER_FIELD(address),              \
	 .help = ":8080 for every IPv4 address of the machine, 127.0.0.1:8080, "         \
		 "[::1]:8080"}

static const struct directive rows[] = {
	{
		.word = "listen", .second = "http", .in = IN_FILE,
		.makes = MAKES_LISTENER, .opens = IN_HTTP, .repeats = true,
		SETS(model_listener, kind, LISTEN_HTTP),
		.help = "Accepts HTTP/1.1 connections on an address and hands each "
			"request to a pool.",
		.arguments = {LISTEN_ADDRESS},
	}, {
		.word = "listen", .second = "tcp", .in = IN_FILE,
		.makes = MAKES_LISTENER, .opens = IN_TCP, .repeats = true,
		SETS(model_listener, kind, LISTEN_TCP),
		.help = "Accepts TCP connections on an address and joins each to one "
			"of a server, whatever is said in it.",
		.arguments = {LISTEN_ADDRESS},
	}, {
		.word = "listen", .second = "udp", .in = IN_FILE,
		.makes = MAKES_LISTENER, .opens = IN_UDP, .repeats = true,
		SETS(model_listener, kind, LISTEN_UDP),
		.help = "Takes datagrams on an address. Those of one client address and "
			"port are a flow: they all go to one server, whose answers go "
			"back.",
		.arguments = {LISTEN_ADDRESS},
	}, {
		.word = "listen", .second = "kv", .in = IN_FILE,
		.makes = MAKES_LISTENER, .opens = IN_KV, .repeats = true,
		SETS(model_listener, kind, LISTEN_KV),
		.help = "Takes the requests of key-value clients on an address, and the "
			"workers that hold the data on another.",
		.arguments = {LISTEN_ADDRESS},
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
		.word = "resolve", .in = IN_FILE, .merges = true,
		.help = "How the names of servers are looked up, again and again while the "
			"program runs. One that stops resolving keeps its last address, and "
			"a service its last servers.",
		.arguments = {
			{"every", "TIME", TIME_FROM(SECOND, TIME_MAX), FILE_FIELD(resolve_ms),
			 .help = "how often; SRV records sooner where they say so, but with "
				 "5s between, or this if it is less"},
			{"from", "ADDRESS[:PORT] ...", .kind = ARGUMENT_NAME_SERVERS,
			 FILE_FIELD(name_servers),
			 .help = "up to three name servers that are asked for all of them, "
				 "and nobody else; without it names go the system's way, and "
				 "SRV records to its name servers"},
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
	}, {
		.word = "control", .begins = "unix:", .in = IN_FILE,
		.help = "Where the control socket is, through which balancerctl looks "
			"and changes. --socket, --name and BALANCERD_SOCKET come before "
			"it.",
		.arguments = {
			{NULL, "unix:PATH", .kind = ARGUMENT_SOCKET,
			 FILE_FIELD(control_path)},
		},
	}, {
		.word = "control", .in = IN_FILE,
		.makes = MAKES_CONTROL, .repeats = true,
		.help = "Offers the control interface over TCP too, to those who have a "
			"token.",
		.arguments = {
			{NULL, "ADDRESS", .kind = ARGUMENT_CONTROL,
			 CONTROL_FIELD(address),
			 .help = "127.0.0.1:9900, [::1]:9900; 9900: for this machine "
				 "alone"},
			{"token", "PATH", .kind = ARGUMENT_FILE, .required = true,
			 CONTROL_FIELD(token_path),
			 .help = "a file; who knows its first line may do everything"},
			{"read-token", "PATH", .kind = ARGUMENT_FILE,
			 CONTROL_FIELD(read_token_path),
			 .help = "a file; who knows its first line may look"},
		},
	}, {
		.word = "state", .in = IN_FILE,
		.help = "The folder where changes that were made at run time are kept "
			"over a restart. --state comes before it.",
		.arguments = {
			{NULL, "PATH", .kind = ARGUMENT_FILE, FILE_FIELD(state_path)},
		},
	},
};

const struct directive_table rows_file = {rows, COUNT_OF(rows)};
