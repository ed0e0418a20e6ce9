/* Goal: kv-worker's command line means what --help and the manual page say. */
#include "store/options.h"

#include <getopt.h>

#include "unit/page.h"

#include "base/must.h"

enum { NAMES_MAX = 40, WORDS_MAX = 8 };

struct names {
	char   name[NAMES_MAX][24];
	size_t count;
};

/* Of each line that begins with `before`: the word behind it. */
static struct names names_of(const char *text, const char *before)
{
	struct names n = {.count = 0};

	for (const char *at = text; (at = strstr(at, before)) != NULL;) {
		at += strlen(before);
		size_t len = strspn(at, "abcdefghijklmnopqrstuvwxyz-");
		assert_in_range(len, 1, sizeof n.name[0] - 1);
		assert_true(n.count < NAMES_MAX);
		memcpy(n.name[n.count], at, len);
		n.name[n.count++][len] = '\0';
	}
	return n;
}

static char *page(void)
{
	static char text[64 * 1024];
	FILE *f = fopen("doc/kv-worker.1", "r");

	assert_non_null(f);
	size_t len = fread(text, 1, sizeof text - 1, f);
	fclose(f);
	assert_true(len < sizeof text - 1);
	text[len] = '\0';
	return text;
}

static void same(const struct names *a, const struct names *b)
{
	assert_int_equal(a->count, b->count);
	for (size_t i = 0; i < a->count; i++)
		assert_string_equal(a->name[i], b->name[i]);
}

/* --help is printed from the table that reads them, so that these are all there are. */
static void the_page_has_the_options_of_the_table_and_no_other(void **unused)
{
	(void)unused;
	char *help = page_printed(worker_options_print);
	struct names known = names_of(help, "\n  --");
	struct names described = names_of(page(), "\n.It Fl -");

	assert_int_equal(known.count, 12);
	same(&known, &described);
	/* In the synopsis, too, but for --help. */
	struct names used = names_of(page(), "\n.Op Fl -");
	known.count--;
	assert_string_equal(known.name[known.count], "help");
	same(&known, &used);
	free(help);
}

static int read_line(struct worker_options *o, const char *line, struct err *err)
{
	static char text[200], program[] = "kv-worker";
	char *argv[WORDS_MAX + 2] = {program}, *rest = NULL;
	int argc = 1;

	assert_true(strlen(line) < sizeof text);
	strcpy(text, line);
	for (char *w = strtok_r(text, " ", &rest); w != NULL; w = strtok_r(NULL, " ", &rest)) {
		assert_true(argc <= WORDS_MAX);
		argv[argc++] = w;
	}
	optind = 0;		/* getopt begins anew */
	return worker_options_read(o, argc, argv, err);
}

static void nothing_given_means_what_help_says(void **unused)
{
	(void)unused;
	struct worker_options o;
	struct err err;

	assert_int_equal(read_line(&o, "", &err), 0);
	assert_string_equal(o.balancer.text, "127.0.0.1:5060");
	assert_string_equal(o.peers.text, "0.0.0.0:0");
	assert_int_equal(o.id, 0);
	assert_null(o.data);
	assert_null(o.secret);
	assert_int_equal(o.sync, LEDGER_SYNC_SECOND);
	assert_int_equal(o.memory_max, 0);
	assert_int_equal(o.threads, 1);
	assert_int_equal(o.backlog_max, 64 << 20);
	assert_int_equal(o.stats_ms, 0);
	assert_int_equal(o.speaks, 2);
	assert_false(o.help);
}

/* The bounds are those of the manual page. */
static void what_is_within_bounds_is_taken(void **unused)
{
	(void)unused;
	static const char *const lines[] = {
		"--id 1", "--id 2147483647", "--threads 1", "--threads 16", "--memory-max 1m",
		"--memory-max 1048576g", "--backlog 1m", "--backlog 1024g",
		"--stats-every 100ms", "--stats-every 24h", "--sync never", "--sync second",
		"--sync always", "--version 1", "--version 2", "--balancer store.example:5060",
		"--balancer [::1]:5060", "--peers 10.0.0.1:0", "--peers [::1]:0",
		"--peers 10.0.0.1:6000", "--secret f --version 2", "--threads 2 --version 2",
	};
	struct worker_options o;
	struct err err;

	for (size_t i = 0; i < COUNT_OF(lines); i++)
		if (read_line(&o, lines[i], &err) != 0)
			fail_msg("%s: %s", lines[i], err.text);
}

static void what_is_not_is_refused_and_says_what_would_do(void **unused)
{
	(void)unused;
	static const struct {
		const char *line, *says;
	} cases[] = {
		{"--id 0", "--id N: \"0\" is too small; expected 1 to 2147483647"},
		{"--id 2147483648", "expected 1 to 2147483647"},
		{"--threads 0", "expected 1 to 16"}, {"--threads 17", "expected 1 to 16"},
		{"--memory-max 1023k", "expected 1m to 1048576g"},
		{"--memory-max 1048577g", "expected 1m to 1048576g"},
		{"--backlog 1023k", "expected 1m to 1024g"},
		{"--backlog 1025g", "expected 1m to 1024g"},
		{"--stats-every 99ms", "expected 100ms to 24h"},
		{"--stats-every 25h", "expected 100ms to 24h"},
		{"--sync sometimes", "is none of: never, second, always"},
		{"--version 3", "there are 1 and 2"},
		{"--balancer localhost", "no port"}, {"--peers localhost:1", "numeric address"},
		{"--peers unix:/tmp/a", "numeric address"},
		{"--secret f --version 1", "leave out --version 1, or the secret"},
		{"--threads 2 --version 1", "leave out --version 1, or --threads"},
		{"more", "\"more\" is no flag; try --help"},
	};
	struct worker_options o;
	struct err err;

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		assert_int_equal(read_line(&o, cases[i].line, &err), -1);
		if (strstr(err.text, cases[i].says) == NULL)
			fail_msg("%s: %s", cases[i].line, err.text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_page_has_the_options_of_the_table_and_no_other),
		cmocka_unit_test(nothing_given_means_what_help_says),
		cmocka_unit_test(what_is_within_bounds_is_taken),
		cmocka_unit_test(what_is_not_is_refused_and_says_what_would_do),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
