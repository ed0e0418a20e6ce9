/* Goal: a file that is replaced is the old one or the new one as a whole, whatever stands in the
 * way, and nothing is left beside it. */
#include "unit/tree.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/folder.h"
#include "base/must.h"

static char folder[TREE_PATH_MAX], path[96], beside[96], other[96];

static int begin(void **unused)
{
	(void)unused;
	assert_int_equal(tree_make(folder, "folder_test"), 0);
	snprintf(path, sizeof path, "%s/file", folder);
	snprintf(beside, sizeof beside, "%s/file.new", folder);
	snprintf(other, sizeof other, "%s/other", folder);
	return 0;
}

static int end(void **unused)
{
	(void)unused;
	return tree_remove(folder);
}

static void put(const char *at, const char *text)
{
	FILE *f = fopen(at, "w");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

static void has(const char *at, const char *want)
{
	char got[64];
	FILE *f = fopen(at, "r");

	assert_non_null(f);
	got[fread(got, 1, sizeof got - 1, f)] = '\0';
	fclose(f);
	assert_string_equal(got, want);
}

static void is_replaced(const char *text)
{
	struct err err;

	assert_int_equal(folder_replace(folder, path, beside, text, &err), 0);
	has(path, text);
	assert_int_not_equal(access(beside, F_OK), 0);
}

static void it_is_made_and_replaced(void **unused)
{
	(void)unused;
	is_replaced("one");
	is_replaced("two, which is longer");
	is_replaced("");
}

static void what_a_killed_process_left_beside_does_not_matter(void **unused)
{
	(void)unused;
	put(beside, "half of some longer text");
	is_replaced("one");
}

static void what_is_no_file_beside_is_not_written_to(void **unused)
{
	(void)unused;
	put(other, "somebody else's");
	assert_int_equal(symlink(other, beside), 0);
	is_replaced("one");
	has(other, "somebody else's");
	assert_int_equal(mkfifo(beside, 0600), 0);
	alarm(30);			/* nobody will ever read from it */
	is_replaced("two");
	alarm(0);
}

static void a_disk_that_is_full_leaves_the_old_one_and_nothing_else(void **unused)
{
	char text[8192];
	struct rlimit before, few;
	struct err err;

	(void)unused;
	is_replaced("old");
	memset(text, 'x', sizeof text - 1);
	text[sizeof text - 1] = '\0';
	must(getrlimit(RLIMIT_FSIZE, &before) == 0);
	few = before;
	few.rlim_cur = 4096;
	signal(SIGXFSZ, SIG_IGN);
	must(setrlimit(RLIMIT_FSIZE, &few) == 0);
	int result = folder_replace(folder, path, beside, text, &err);
	must(setrlimit(RLIMIT_FSIZE, &before) == 0);
	assert_int_equal(result, -1);
	assert_non_null(strstr(err.text, "cannot write"));
	assert_non_null(strstr(err.text, "too large"));
	has(path, "old");
	assert_int_not_equal(access(beside, F_OK), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(it_is_made_and_replaced),
		TEST(what_a_killed_process_left_beside_does_not_matter),
		TEST(what_is_no_file_beside_is_not_written_to),
		TEST(a_disk_that_is_full_leaves_the_old_one_and_nothing_else),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
