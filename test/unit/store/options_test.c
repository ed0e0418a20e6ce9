/* Goal: each flag sets what it names, within its bounds, and what is wrong is said with the
 * flag and what it takes. */
#include "store/options.h"

#include <getopt.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { WORDS_MAX = 8 };

static int read_words(struct worker_options *o, const char *const *words, struct err *err)
{
	char *argv[WORDS_MAX + 2] = {(char[]){"kv-worker"}};
	char copies[WORDS_MAX][64];
	int argc = 1;

	for (; words[argc - 1] != NULL; argc++) {
		strcpy(copies[argc - 1], words[argc - 1]);
		argv[argc] = copies[argc - 1];
	}
	optind = 0;	/* getopt(3): begin anew */
	opterr = 0;
	return worker_options_read(o, argc, argv, err);
}

#define READ(o, err, ...) read_words(o, (const char *const[]){__VA_ARGS__, NULL}, err)

static void what_is_not_given_has_its_default(void **state)
{
	struct worker_options o;
	struct err err;

	(void)state;
	assert_int_equal(READ(&o, &err, NULL), 0);
	assert_string_equal(o.balancer.text, "127.0.0.1:5060");
	assert_string_equal(o.peers.text, "0.0.0.0:0");
	assert_int_equal(address_port(&o.peers), 0);
	assert_int_equal(o.threads, 1);
	assert_int_equal(o.speaks, 2);
	assert_int_equal(o.sync, LEDGER_SYNC_SECOND);
	assert_int_equal(o.backlog_max, 64 << 20);
	assert_int_equal(o.memory_max + o.id + o.stats_ms, 0);
	assert_null(o.data);
	assert_null(o.secret);
	assert_false(o.help);
}

static void each_flag_sets_what_it_names(void **state)
{
	struct worker_options o;
	struct err err;

	(void)state;
	assert_int_equal(READ(&o, &err, "--balancer=box:7000", "--peers", "[::1]:0"), 0);
	assert_string_equal(o.balancer.text, "box:7000");
	assert_int_equal(o.balancer.len, 0);	/* a name, to be looked up */
	assert_string_equal(o.peers.text, "[::1]:0");
	assert_int_equal(READ(&o, &err, "--peers", "127.0.0.1:8000", "--id", "2147483647",
			      "--threads=16", "--memory-max", "1g"), 0);
	assert_int_equal(address_port(&o.peers), 8000);
	assert_int_equal(o.id, 2147483647);
	assert_int_equal(o.threads, 16);
	assert_int_equal(o.memory_max, 1 << 30);
	assert_int_equal(READ(&o, &err, "--sync", "always", "--backlog", "2m", "--stats-every",
			      "3s"), 0);
	assert_int_equal(o.sync, LEDGER_SYNC_ALWAYS);
	assert_int_equal(o.backlog_max, 2 << 20);
	assert_int_equal(o.stats_ms, 3000);
	assert_int_equal(READ(&o, &err, "--data=d", "--secret=s", "--help"), 0);
	assert_true(o.help);
	assert_int_equal(READ(&o, &err, "--version", "1"), 0);
	assert_int_equal(o.speaks, 1);
}

static void what_is_wrong_is_said(void **state)
{
	static const struct {
		const char *words[5], *said;
	} bad[] = {
		{{"--id", "0"}, "--id N"},
		{{"--id", "2147483648"}, "too large"},
		{{"--id", "x"}, "no number"},
		{{"--threads", "17"}, "1 to 16"},
		{{"--threads", "0"}, "1 to 16"},
		{{"--memory-max", "5"}, "too small"},
		{{"--memory-max", "5x"}, "no size"},
		{{"--backlog", "1k"}, "too small"},
		{{"--stats-every", "5"}, "has no unit"},
		{{"--sync", "often"}, "never, second, always"},
		{{"--version", "3"}, "there are 1 and 2"},
		{{"--balancer", "127.0.0.1:0"}, "no port from 1 to 65535"},
		{{"--balancer", "a:b"}, "--balancer HOST:PORT"},
		{{"--peers", "box:0"}, "no numeric address"},
		{{"--peers", "unix:/x"}, "no numeric address"},
		{{"--data", ""}, "--data DIR"},
		{{"--secret", ""}, "--secret FILE"},
		{{"--nonsense"}, "try --help"},
		{{"word"}, "\"word\" is no flag"},
		{{"--version", "1", "--secret", "s"}, "needs version 2"},
		{{"--version", "1", "--threads", "2"}, "leave out"},
	};
	struct worker_options o;
	struct err err;

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		assert_int_equal(read_words(&o, bad[i].words, &err), -1);
		if (strstr(err.text, bad[i].said) == NULL)
			fail_msg("%s: \"%s\" instead of \"%s\"", bad[i].words[0], err.text,
				 bad[i].said);
	}
}

static void help_names_every_flag(void **state)
{
	static const char *const flags[] = {
		"--balancer", "--peers", "--id", "--data", "--sync", "--memory-max",
		"--threads", "--secret", "--backlog", "--stats-every", "--version", "--help",
	};
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	(void)state;
	worker_options_print(out);
	fclose(out);
	for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++)
		assert_non_null(strstr(text, flags[i]));
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_not_given_has_its_default),
		cmocka_unit_test(each_flag_sets_what_it_names),
		cmocka_unit_test(what_is_wrong_is_said),
		cmocka_unit_test(help_names_every_flag),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
