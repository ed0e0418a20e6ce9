/* config/rows_file.c - the directives at the top of the file. */
#include "config/rows.h"

#include "base/log_level.h"

enum { LOG_SAME_LIMIT = 1000 * 1000 };

static const struct choice one_per_core[] = {{"auto", 0}, {NULL, 0}};
static const struct choice log_levels[] = {
	{"error", LOG_LEVEL_ERROR}, {"warn", LOG_LEVEL_WARN},
	{"info", LOG_LEVEL_INFO}, {"debug", LOG_LEVEL_DEBUG}, {NULL, 0},
};
static const struct choice log_forms[] = {
	{"logfmt", LOG_FORM_LOGFMT}, {"json", LOG_FORM_JSON}, {NULL, 0},
};

#define ACCESS_PLACE                                                                     \
	{"to", "PATH", .kind = ARGUMENT_FILE, FILE_FIELD(access_path),                   \
	 .help = "a file to append to, or a pipe; without it standard output"}
#define ACCESS_SAMPLE                                                                    \
	{"sample", "1/N", PART_OF(PART_MAX), FILE_FIELD(access_part),                    \
	 .help = "one request of so many, chosen at random; an answer of 5xx is in it "  \
		 "always"}

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
			"a service its last servers, also over an upgrade and a restart.",
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
			{"to", "PLACE", .kind = ARGUMENT_FILE, FILE_FIELD(log_path),
			 .help = "a file to append to; stderr; journald or syslog, which "
				 "may be followed by a colon and the path of another "
				 "socket: never waited for, and while nobody has it the "
				 "log goes to standard error; without it standard error"},
			{"form", NULL, CHOICE(log_forms), FILE_FIELD(log_form),
			 .help = "how lines are written; to journald each pair is a field "
				 "of its own in any form"},
			{"same", "N", NUMBER(1, LOG_SAME_LIMIT), FILE_FIELD(log_same_max),
			 .choices = choice_unlimited,
			 .help = "lines of the same kind in 10 s; a line says how many "
				 "more there were. Errors, and answers to what a person "
				 "asked for, are always written"},
		},
	}, {
		.word = "access-log", .second = "combined", .in = IN_FILE,
		SETS(model, access_format, ACCESS_COMBINED),
		.help = "A line for each request, in the form that web servers share.",
		.arguments = {ACCESS_PLACE, ACCESS_SAMPLE},
	}, {
		.word = "access-log", .second = "json", .in = IN_FILE,
		SETS(model, access_format, ACCESS_JSON),
		.help = "The same as a JSON object with all that is known.",
		.arguments = {ACCESS_PLACE, ACCESS_SAMPLE},
	}, {
		.word = "access-log", .second = "format", .in = IN_FILE,
		SETS(model, access_format, ACCESS_OWN),
		.help = "The same in a form of one's own: text with fields in braces, "
			"each at most once: {time} (RFC 3339) {date} (as in combined) "
			"{peer} {method} {target} {host} {http} {status} {bytes} "
			"{time_ms} {server_ms} {pool} {server} {tries} {request_id} "
			"{trace_id} {referer} {user_agent}, and up to four fields of the "
			"request as the server got it, {header X-Forwarded-For}. {{ and }} "
			"are braces. What is not there is a dash; bytes that would end "
			"a field or a line are written as \\xHH, and so are spaces outside "
			"of double quotes.",
		.arguments = {
			{NULL, "FORMAT", .kind = ARGUMENT_ACCESS_FORM,
			 FILE_FIELD(access_form)},
			ACCESS_PLACE, ACCESS_SAMPLE,
		},
	}, {
		.word = "access-log", .second = "off", .in = IN_FILE,
		SETS(model, access_format, ACCESS_OFF),
		.help = "No line for any request.",
		.arguments = {ACCESS_PLACE, ACCESS_SAMPLE},
	}, {
		.word = "metrics", .in = IN_FILE,
		.help = "Whether HTTP requests are counted by status, bytes and time, for "
			"each listener, pool and server: a hundredth of what a request "
			"costs. Off: /metrics has none of these, and elsewhere they "
			"stand still; all other figures are there.",
		.arguments = {
			{NULL, NULL, CHOICE(choice_on_off), FILE_FIELD(metered)},
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
		.help = "The folder where changes that were made at run time, and what names "
			"stand for, are kept over a restart. --state comes before it.",
		.arguments = {
			{NULL, "PATH", .kind = ARGUMENT_FILE, FILE_FIELD(state_path)},
		},
	},
};

const struct directive_table rows_file = {rows, COUNT_OF(rows)};
