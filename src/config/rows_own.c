/* config/rows_own.c - the directives in an own block: by what a pool's servers are made,
 * how many there are, and what they may take. */
#include "config/rows.h"

#include "model/own.h"

enum {
	STARTS_MAX    = 10000,			/* in a minute */
	LOAD_MAX      = 1000 * 1000,		/* requests per server */
	CPU_MAX       = 102400,			/* per cent: 1024 cores */
	FILES_MIN     = 16,
	FILES_MAX     = 1024 * 1024,		/* the kernel's own limit, as it comes */
	PROCESSES_MAX = 4 * 1024 * 1024,
	MEMORY_MIN    = 6 * 1024 * 1024,	/* Docker takes no less */
};
#define MEMORY_MAX (UINT64_C(1) << 50)		/* 1 PiB */

static const struct choice any_port[] = {{"any", 0}, {NULL, 0}};
static const struct choice ends[] = {{"stop", false}, {"leave", true}, {NULL, 0}};

static const struct directive rows[] = {
	/* Containers. */
	{
		.word = "image", .in = IN_DOCKER,
		.help = "What containers are made of. It has to be there: none is ever "
			"pulled. Required.",
		.arguments = {
			{NULL, "IMAGE", .kind = ARGUMENT_IMAGE, OWN_FIELD(image)},
		},
	}, {
		.word = "network", .in = IN_DOCKER,
		.help = "The network that they are in, each by its name. It is made when "
			"it is missing. The balancer has to reach their addresses there.",
		.arguments = {
			{NULL, "NAME", .kind = ARGUMENT_NETWORK, OWN_FIELD(network)},
		},
	}, {
		.word = "socket", .in = IN_DOCKER,
		.help = "Where the Docker Engine, or another of the same language, is "
			"asked. Who may write there rules the machine.",
		.arguments = {
			{NULL, "PATH", .kind = ARGUMENT_ENGINE, OWN_FIELD(socket)},
		},
	}, {
		.word = "port", .in = IN_DOCKER,
		.help = "Where each listens, inside. It is told so by PORT in its "
			"environment.",
		.arguments = {
			{NULL, "N", NUMBER(1, UINT16_MAX), OWN_FIELD(port)},
		},
	}, {
		.word = "cpu", .in = IN_DOCKER,
		.help = "What each may take of the time of one core; 200% are two of "
			"them.",
		.arguments = {
			{NULL, "PERCENT", PERCENT(1, CPU_MAX), OWN_FIELD(cpu_percent),
			 .choices = choice_unlimited},
		},
	}, {
		.word = "processes", .in = IN_DOCKER,
		.help = "Processes and threads in each.",
		.arguments = {
			{NULL, "N", LIMIT(PROCESSES_MAX), OWN_FIELD(processes_max)},
		},
	},

	/* Programs of this machine. */
	{
		.word = "directory", .in = IN_PROCESS,
		.help = "Where the program runs; without it, where the balancer does.",
		.arguments = {
			{NULL, "PATH", .kind = ARGUMENT_FOLDER, OWN_FIELD(directory)},
		},
	}, {
		.word = "port", .in = IN_PROCESS,
		.help = "The first port of this machine that is given to one; the next "
			"ones get those behind it. any: whichever is free. Each is told "
			"its own by PORT in its environment, and has to listen at "
			"127.0.0.1.",
		.arguments = {
			{NULL, "N", NUMBER(1, UINT16_MAX), OWN_FIELD(port),
			 .choices = any_port},
		},
	},

	/* Either. */
	{
		.word = "command", .in = IN_OWN,
		.help = "The program and its words, at most 64, without a shell. "
			"Required for processes; containers run it instead of what their "
			"image says.",
		.arguments = {
			{NULL, "WORD", .kind = ARGUMENT_COMMAND, OWN_FIELD(command)},
		},
	}, {
		.word = "env", .in = IN_OWN, .makes = MAKES_VARIABLE, .repeats = true,
		.help = "A variable of their environment, at most 64. PORT and "
			"SERVER_ID, the server's name, are there in any case.",
		.arguments = {
			{NULL, "NAME", .kind = ARGUMENT_VARIABLE},
			{NULL, "VALUE", .kind = ARGUMENT_VARIABLE_VALUE},
		},
	}, {
		.word = "min", .in = IN_OWN,
		.help = "So many there are at least; who fails is replaced. 0: none "
			"until a request comes, which waits for it.",
		.arguments = {
			{NULL, "N", NUMBER(0, OWN_SERVERS_MAX), OWN_FIELD(min)},
		},
	}, {
		.word = "max", .in = IN_OWN,
		.help = "So many there are at most, whoever asks for more.",
		.arguments = {
			{NULL, "N", NUMBER(1, OWN_SERVERS_MAX), OWN_FIELD(max)},
		},
	}, {
		.word = "names", .in = IN_OWN,
		.help = "What a name begins with that nobody has chosen; the lowest "
			"number that is free follows.",
		.arguments = {
			{NULL, "PREFIX", .kind = ARGUMENT_SERVER_PREFIX,
			 OWN_FIELD(prefix)},
		},
	}, {
		.word = "start-time", .in = IN_OWN,
		.help = "From the start of a server until it has to have answered its "
			"check; else the start has failed.",
		.arguments = {
			{NULL, "TIME", TIME, OWN_FIELD(start_ms)},
		},
	}, {
		.word = "stop-time", .in = IN_OWN,
		.help = "From SIGTERM, which asks a server to end, to SIGKILL; 0s: at "
			"once.",
		.arguments = {
			{NULL, "TIME", TIME_OR_NONE, OWN_FIELD(stop_ms)},
		},
	}, {
		.word = "drain-time", .in = IN_OWN,
		.help = "What a server has when it is taken out may go on so long, "
			"before it is asked to end.",
		.arguments = {
			{NULL, "TIME", TIME_OR_NONE, OWN_FIELD(drain_ms)},
		},
	}, {
		.word = "starts-per-minute", .in = IN_OWN,
		.help = "Starts that nobody has asked for: of replacements, by load, of "
			"those that fail again and again. Filling the pool when the balancer "
			"begins does not count.",
		.arguments = {
			{NULL, "N", NUMBER(1, STARTS_MAX), OWN_FIELD(starts_max)},
		},
	}, {
		.word = "at-end", .in = IN_OWN,
		.help = "When the balancer ends, they are stopped, or left: then they go "
			"on, and the next balancer of that name has them again. After a "
			"crash it has in any case.",
		.arguments = {
			{NULL, NULL, CHOICE(ends), OWN_FIELD(leave)},
		},
	}, {
		.word = "memory", .in = IN_OWN,
		.help = "What each may take. Of a process it is what it has mapped.",
		.arguments = {
			{NULL, "SIZE", SIZE(MEMORY_MIN, MEMORY_MAX),
			 OWN_FIELD(memory_max), .choices = choice_unlimited},
		},
	}, {
		.word = "files", .in = IN_OWN,
		.help = "Descriptors that a process of theirs may have open.",
		.arguments = {
			{NULL, "N", NUMBER(FILES_MIN, FILES_MAX), OWN_FIELD(files_max),
			 .choices = choice_unlimited},
		},
	}, {
		.word = "scale", .in = IN_OWN,
		.help = "How many there are between min and max goes by load: requests "
			"that are served or wait, for each server. Without it there are "
			"as many as were last asked for, at first min.",
		.arguments = {
			{"up-above", "N", NUMBER(1, LOAD_MAX), .required = true,
			 OWN_FIELD(scale_up), .help = "one more while there are more"},
			{"down-below", "N", NUMBER(0, LOAD_MAX), .required = true,
			 OWN_FIELD(scale_down),
			 .help = "one less while there are fewer; 0: never"},
			{"up-after", "TIME", TIME_OR_NONE, OWN_FIELD(scale_up_ms),
			 .help = "if it was so for so long"},
			{"down-after", "TIME", TIME_OR_NONE, OWN_FIELD(scale_down_ms),
			 .help = "if it was so for so long"},
		},
	},
};

const struct directive_table rows_own = {rows, COUNT_OF(rows)};
