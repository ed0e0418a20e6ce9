#include "store/options.h"

#include <getopt.h>
#include <string.h>

#include "base/must.h"
#include "base/text.h"
#include "base/value.h"

enum { ID_FIRST = 128 };	/* getopt's, apart from any letter; then the
				 * table's index */

static int read_balancer(struct worker_options *o, const char *word, struct err *err)
{
	return address_parse(&o->balancer, word, "127.0.0.1", err);
}

static int read_peers(struct worker_options *o, const char *word, struct err *err)
{
	struct address at;
	size_t len = strlen(word);

	/* The balancer's file has no port 0, so that its reader does not know one. */
	if (len > 2 && strcmp(word + len - 2, ":0") == 0) {
		char text[ADDRESS_TEXT_MAX];
		int n = snprintf(text, sizeof text, "%.*s:1", (int)len - 2, word);
		if (n < 0 || (size_t)n >= sizeof text)
			return err_set(err, "%s is too long", quote(word).text);
		if (address_parse(&at, text, "0.0.0.0", err) != 0)
			return -1;
		if (at.any.sa_family == AF_INET6)
			at.in6.sin6_port = 0;
		else if (at.any.sa_family == AF_INET)
			at.in4.sin_port = 0;
	} else if (address_parse(&at, word, "0.0.0.0", err) != 0) {
		return -1;
	}
	if (at.len == 0 || at.any.sa_family == AF_UNIX)
		return err_set(err, "%s is no numeric address with a port; as an "
			       "example, 0.0.0.0:0 lets the kernel choose one", quote(word).text);
	address_format(&at);
	o->peers = at;
	return 0;
}

static int read_id(struct worker_options *o, const char *word, struct err *err)
{
	static const struct value_range range = {VALUE_NUMBER, 1, WORKER_ID_MAX};
	uint64_t id;

	if (value_read(&range, word, &id, err) != 0)
		return -1;
	o->id = (uint32_t)id;
	return 0;
}

static int read_threads(struct worker_options *o, const char *word, struct err *err)
{
	static const struct value_range range = {VALUE_NUMBER, 1, WORKER_THREADS_MAX};
	uint64_t threads;

	if (value_read(&range, word, &threads, err) != 0)
		return -1;
	o->threads = (uint32_t)threads;
	return 0;
}

static int read_memory(struct worker_options *o, const char *word, struct err *err)
{
	static const struct value_range range = {VALUE_SIZE, 1 << 20, UINT64_C(1) << 50};

	return value_read(&range, word, &o->memory_max, err);
}

static int read_backlog(struct worker_options *o, const char *word, struct err *err)
{
	static const struct value_range range = {VALUE_SIZE, 1 << 20, UINT64_C(1) << 40};

	return value_read(&range, word, &o->backlog_max, err);
}

static int read_stats(struct worker_options *o, const char *word, struct err *err)
{
	static const struct value_range range = {VALUE_TIME, 100, 24 * 3600 * 1000};

	return value_read(&range, word, &o->stats_ms, err);
}

static int read_sync(struct worker_options *o, const char *word, struct err *err)
{
	static const char *const words[] = {
		[LEDGER_SYNC_NEVER] = "never", [LEDGER_SYNC_SECOND] = "second",
		[LEDGER_SYNC_ALWAYS] = "always",
	};

	for (size_t i = 0; i < COUNT_OF(words); i++)
		if (strcmp(words[i], word) == 0) {
			o->sync = (enum ledger_sync)i;
			return 0;
		}
	return err_set(err, "%s is none of: never, second, always", quote(word).text);
}

static int read_speaks(struct worker_options *o, const char *word, struct err *err)
{
	if (strcmp(word, "1") != 0 && strcmp(word, "2") != 0)
		return err_set(err, "%s is no version of the protocol; there are 1 and 2",
			       quote(word).text);
	o->speaks = (uint8_t)(word[0] - '0');
	return 0;
}

static int read_data(struct worker_options *o, const char *word, struct err *err)
{
	if (*word == '\0')
		return err_set(err, "expected the name of a folder");
	o->data = word;
	return 0;
}

static int read_secret(struct worker_options *o, const char *word, struct err *err)
{
	if (*word == '\0')
		return err_set(err, "expected the name of a file");
	o->secret = word;
	return 0;
}

static int read_help(struct worker_options *o, const char *word, struct err *err)
{
	(void)word;
	(void)err;
	o->help = true;
	return 0;
}

static const struct {
	const char *name, *argument;
	const char *help;
	int (*read)(struct worker_options *o, const char *word, struct err *err);
} flags[] = {
	{"balancer", "HOST:PORT", "the balancer's port for workers (127.0.0.1:5060)",
	 read_balancer},
	{"peers", "ADDRESS:PORT", "where other workers reach this one (0.0.0.0:0)", read_peers},
	{"id", "N", "its number in the pool (random, kept in the data folder)", read_id},
	{"data", "DIR", "keep the data there over restarts (memory only)", read_data},
	{"sync", "WHEN", "never, second or always: when a write counts as kept (second)",
	 read_sync},
	{"memory-max", "SIZE", "refuse clients' writes beyond this (none)", read_memory},
	{"threads", "N", "loops, each with connections of its own (1)", read_threads},
	{"secret", "FILE", "what balancer and workers prove to each other (none)",
	 read_secret},
	{"backlog", "SIZE", "how far a peer may be behind before it is filled anew (64m)",
	 read_backlog},
	{"stats-every", "TIME", "statistics in the log, so often (never)", read_stats},
	{"version", "N", "the highest version of the protocol to speak: 1 or 2 (2)",
	 read_speaks},
	{"help", NULL, "print this", read_help},
};

static void list_long(struct option list[COUNT_OF(flags) + 1])
{
	memset(list, 0, sizeof(struct option) * (COUNT_OF(flags) + 1));
	for (size_t i = 0; i < COUNT_OF(flags); i++)
		list[i] = (struct option){
			.name = flags[i].name, .val = ID_FIRST + (int)i,
			.has_arg = flags[i].argument != NULL,
		};
}

static int read_flag(struct worker_options *o, int id, const char *word, struct err *err)
{
	struct err why;

	if (id < ID_FIRST)
		return err_set(err, "try --help");	/* getopt has said what is wrong */
	size_t i = (size_t)(id - ID_FIRST);
	if (flags[i].read(o, word, &why) != 0)
		return err_set(err, "--%s %s: %.400s", flags[i].name, flags[i].argument,
			       why.text);
	return 0;
}

/* What does not go together. */
static int check(const struct worker_options *o, struct err *err)
{
	if (o->speaks == 1 && o->secret != NULL)
		return err_set(err, "--secret needs version 2 of the protocol; leave out "
			       "--version 1, or the secret");
	if (o->speaks == 1 && o->threads > 1)
		return err_set(err, "version 1 of the protocol has one connection for "
			       "each worker; leave out --version 1, or --threads");
	return 0;
}

int worker_options_read(struct worker_options *o, int argc, char **argv, struct err *err)
{
	struct option list[COUNT_OF(flags) + 1];
	int id;

	list_long(list);
	*o = (struct worker_options){
		.threads = 1, .speaks = 2, .sync = LEDGER_SYNC_SECOND,
		.backlog_max = WORKER_BACKLOG_BYTES,
	};
	if (read_balancer(o, "127.0.0.1:5060", err) != 0 ||
	    read_peers(o, "0.0.0.0:0", err) != 0)
		return -1;
	while ((id = getopt_long(argc, argv, "", list, NULL)) != -1)
		if (read_flag(o, id, optarg, err) != 0)
			return -1;
	if (optind < argc)
		return err_set(err, "%s is no flag; try --help",
			       quote(argv[optind]).text);
	return check(o, err);
}

void worker_options_print(FILE *out)
{
	char left[40];

	fprintf(out, "usage: kv-worker [--balancer HOST:PORT] [--peers ADDRESS:PORT] "
		     "[--id N] [--data DIR]\n                 [flags]\n\nHolds all data "
		     "of a pool in memory, for balancerd in key-value mode.\n\n");
	for (size_t i = 0; i < COUNT_OF(flags); i++) {
		snprintf(left, sizeof left, "--%s %s", flags[i].name,
			 flags[i].argument != NULL ? flags[i].argument : "");
		fprintf(out, "  %-22s  %s\n", left, flags[i].help);
	}
	fprintf(out, "\nOn a terminal, s prints statistics and q stops; without one, "
		     "SIGUSR1 and SIGTERM do.\n");
}
