/* Goal: what a pool was asked for is known after a restart, and a file that is damaged
 * does no harm. */
#include "unit/tree.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/must.h"
#include "spawn/record.h"

static char folder[TREE_PATH_MAX];
static char inside[TREE_PATH_MAX + 8], path[512];	/* of the record, made when it is missing */

static int begin(void **unused)
{
	(void)unused;
	assert_int_equal(tree_make(folder, "record_test"), 0);
	snprintf(inside, sizeof inside, "%s/a/b", folder);
	return 0;
}

static int end(void **unused)
{
	(void)unused;
	return tree_remove(folder);
}

/* How many files there are; `path` is one of them. */
static int files(void)
{
	int count = 0;
	DIR *d = opendir(inside);

	for (struct dirent *e; d != NULL && (e = readdir(d)) != NULL; ) {
		if (e->d_name[0] == '.')
			continue;
		snprintf(path, sizeof path, "%s/%s", inside, e->d_name);
		count++;
	}
	if (d != NULL)
		closedir(d);
	return count;
}

static const struct record_pool web = {
	.wanted = 3, .name_count = 2, .names = {"S1", "db"},
};

static void write_web(const char *serves)
{
	struct record *r = record_open(inside, serves);

	record_set(r, "web", &web);
	record_write(r);
	record_close(r);
}

/* What is known of web, how often it is: 0 or 1. */
static bool knows_web(const char *serves)
{
	struct record *r = record_open(inside, serves);
	struct record_pool p;
	bool known = record_find(r, "web", &p);

	if (known) {
		assert_int_equal(p.wanted, 3);
		assert_int_equal(p.name_count, 2);
		assert_string_equal(p.names[0], "S1");
		assert_string_equal(p.names[1], "db");
	}
	record_close(r);
	return known;
}

static void what_was_asked_for_is_known_again(void **unused)
{
	(void)unused;
	assert_false(knows_web("a"));
	write_web("a");
	assert_int_equal(files(), 1);
	assert_true(knows_web("a"));
	assert_false(knows_web("b"));
}

static void nothing_is_made_before_there_is_something_to_keep(void **unused)
{
	struct record *r = record_open(inside, "a");

	(void)unused;
	record_write(r);
	record_remove(r, "web");
	record_write(r);
	record_close(r);
	assert_int_equal(files(), 0);
}

static void what_is_removed_is_not_known_any_more(void **unused)
{
	(void)unused;
	write_web("a");
	struct record *r = record_open(inside, "a");
	record_remove(r, "web");
	record_write(r);
	record_close(r);
	assert_false(knows_web("a"));
}

static void the_file_is_written_only_when_it_changes(void **unused)
{
	struct record *r;

	(void)unused;
	write_web("a");
	assert_int_equal(files(), 1);
	r = record_open(inside, "a");
	assert_int_equal(remove(path), 0);
	record_set(r, "web", &web);
	record_write(r);
	assert_int_equal(files(), 0);
	struct record_pool more = web;
	more.wanted = 4;
	record_set(r, "web", &more);
	record_write(r);
	assert_int_equal(files(), 1);
	record_close(r);
}

static void without_a_folder_it_is_known_while_the_process_runs(void **unused)
{
	struct record *r = record_open(NULL, "a");
	struct record_pool p;

	(void)unused;
	record_set(r, "web", &web);
	record_write(r);
	assert_true(record_find(r, "web", &p));
	record_close(r);
}

static void a_damaged_file_is_as_good_as_none(void **unused)
{
	static const char *const damaged[] = {
		"", "{", "[]", "{}", "{\"format\": 1}",
		"{\"format\": 2, \"serves\": \"a\", \"pools\": {}}",
		"{\"format\": 1, \"serves\": \"b\", \"pools\": {}}",
		"{\"format\": 1, \"serves\": \"a\", \"pools\": []}",
		"{\"format\": 1, \"serves\": \"a\", \"pools\": {\"web\": {}}}",
		"{\"format\": 1, \"serves\": \"a\", \"pools\": {\"web\": {\"wanted\": -1, "
		"\"names\": []}}}",
		"{\"format\": 1, \"serves\": \"a\", \"pools\": {\"web\": {\"wanted\": 1001, "
		"\"names\": []}}}",
		"{\"format\": 1, \"serves\": \"a\", \"pools\": {\"web\": {\"wanted\": 1, "
		"\"names\": [7]}}}",
	};

	(void)unused;
	for (size_t i = 0; i < COUNT_OF(damaged); i++) {
		write_web("a");
		assert_int_equal(files(), 1);
		FILE *f = fopen(path, "w");
		assert_non_null(f);
		fputs(damaged[i], f);
		fclose(f);
		assert_false(knows_web("a"));
		write_web("a");
		assert_true(knows_web("a"));
		assert_int_equal(files(), 1);
	}
}

static void what_is_no_file_is_as_good_as_none(void **unused)
{
	(void)unused;
	write_web("a");
	assert_int_equal(files(), 1);
	assert_int_equal(remove(path), 0);
	assert_int_equal(mkdir(path, 0755), 0);
	assert_false(knows_web("a"));
	write_web("a");			/* cannot be, and is said; nothing else happens */
	assert_false(knows_web("a"));
}

static void bytes_that_are_no_text_do_not_matter(void **unused)
{
	(void)unused;
	write_web("/etc/\xff.conf");
	assert_true(knows_web("/etc/\xff.conf"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
	const struct CMUnitTest tests[] = {
		TEST(what_was_asked_for_is_known_again),
		TEST(nothing_is_made_before_there_is_something_to_keep),
		TEST(what_is_removed_is_not_known_any_more),
		TEST(the_file_is_written_only_when_it_changes),
		TEST(without_a_folder_it_is_known_while_the_process_runs),
		TEST(a_damaged_file_is_as_good_as_none),
		TEST(what_is_no_file_is_as_good_as_none),
		TEST(bytes_that_are_no_text_do_not_matter),
	};

	log_set_level(0);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
