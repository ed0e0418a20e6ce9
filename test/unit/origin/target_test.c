/* Goal: no path leaves the directory by its text, and a query means what it says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/must.h"
#include "origin/target.h"

static void the_first_question_mark_begins_the_query(void **state)
{
	struct span path, query;

	(void)state;
	target_split(SPAN("/a/b?c=d?e"), &path, &query);
	assert_true(span_equals(path, SPAN("/a/b")));
	assert_true(span_equals(query, SPAN("c=d?e")));
	target_split(SPAN("/a"), &path, &query);
	assert_true(span_equals(path, SPAN("/a")));
	assert_int_equal(query.len, 0);
	target_split(SPAN("/a?"), &path, &query);
	assert_true(span_equals(path, SPAN("/a")));
	assert_int_equal(query.len, 0);
}

static void a_query_is_read_pair_by_pair(void **state)
{
	static const struct {
		struct span key, value;
	} wanted[] = {
		{SPAN("a"), SPAN("1")}, {SPAN("b"), SPAN("")}, {SPAN("c"), SPAN("")},
		{SPAN("d"), SPAN("2=3")}, {SPAN(""), SPAN("4")},
	};
	struct span query = SPAN("&a=1&b&&c=&d=2=3&=4&"), key, value;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(wanted); i++) {
		assert_true(target_query_next(&query, &key, &value));
		assert_true(span_equals(key, wanted[i].key));
		assert_true(span_equals(value, wanted[i].value));
	}
	assert_false(target_query_next(&query, &key, &value));
}

static void a_key_is_found_as_a_whole(void **state)
{
	(void)state;
	assert_true(target_query_has(SPAN("a=1&trailer"), SPAN("trailer")));
	assert_true(target_query_has(SPAN("trailer=x"), SPAN("trailer")));
	assert_false(target_query_has(SPAN("trailers&xtrailer"), SPAN("trailer")));
	assert_false(target_query_has(SPAN(""), SPAN("trailer")));
}

struct path_case {
	struct span          path;
	enum target_file result;
	const char          *file;
};

static void paths_become_files_or_are_refused(void **state)
{
	static const struct path_case cases[] = {
		{SPAN("/"), TARGET_FILE_OK, "."},
		{SPAN("///"), TARGET_FILE_OK, "."},
		{SPAN("/a/b.txt"), TARGET_FILE_OK, "a/b.txt"},
		{SPAN("//etc/passwd"), TARGET_FILE_OK, "etc/passwd"},
		{SPAN("/%2fetc"), TARGET_FILE_OK, "etc"},
		{SPAN("/a%20b%C3%a4"), TARGET_FILE_OK, "a b\xc3\xa4"},
		{SPAN("/..."), TARGET_FILE_OK, "..."},
		{SPAN("/a..b"), TARGET_FILE_OK, "a..b"},
		{SPAN("/.."), TARGET_FILE_OUTSIDE, NULL},
		{SPAN("/../x"), TARGET_FILE_OUTSIDE, NULL},
		{SPAN("/a/../../x"), TARGET_FILE_OUTSIDE, NULL},
		{SPAN("/a/.."), TARGET_FILE_OUTSIDE, NULL},
		{SPAN("/%2e%2E/x"), TARGET_FILE_OUTSIDE, NULL},
		{SPAN("/a%2f..%2fx"), TARGET_FILE_OUTSIDE, NULL},
		{SPAN("/%"), TARGET_FILE_MALFORMED, NULL},
		{SPAN("/%4"), TARGET_FILE_MALFORMED, NULL},
		{SPAN("/%4x"), TARGET_FILE_MALFORMED, NULL},
		{SPAN("/a%00b"), TARGET_FILE_MALFORMED, NULL},
		{SPAN("/%%41"), TARGET_FILE_MALFORMED, NULL},
	};
	char file[PATH_MAX];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		assert_int_equal(target_to_file(cases[i].path, file), cases[i].result);
		if (cases[i].file != NULL)
			assert_string_equal(file, cases[i].file);
	}
}

static void a_path_that_no_file_can_have_is_refused(void **state)
{
	static char path[2 * PATH_MAX];
	char file[PATH_MAX];

	(void)state;
	memset(path, 'a', sizeof path);
	for (size_t len = PATH_MAX - 4; len < PATH_MAX + 4; len++) {
		enum target_file result = target_to_file((struct span){path, len}, file);
		enum target_file wanted = TARGET_FILE_OK;
		if (len >= PATH_MAX - 1)
			wanted = TARGET_FILE_LONG;
		assert_int_equal(result, wanted);
		assert_true(strlen(file) < PATH_MAX);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_question_mark_begins_the_query),
		cmocka_unit_test(a_query_is_read_pair_by_pair),
		cmocka_unit_test(a_key_is_found_as_a_whole),
		cmocka_unit_test(paths_become_files_or_are_refused),
		cmocka_unit_test(a_path_that_no_file_can_have_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
