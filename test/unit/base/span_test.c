/* Goal: runs of bytes compare as bytes, ASCII only ignores case, and a number is all
 * digits and fits.
 */
#include "base/span.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/must.h"

static void equal_means_the_same_bytes(void **unused)
{
	struct span none = {NULL, 0};

	(void)unused;
	assert_true(span_equals(SPAN("host"), span_of("host")));
	assert_false(span_equals(SPAN("host"), SPAN("Host")));
	assert_false(span_equals(SPAN("host"), SPAN("hos")));
	assert_true(span_equals(SPAN("a\0b"), SPAN("a\0b")));
	assert_false(span_equals(SPAN("a\0b"), SPAN("a\0c")));
	assert_true(span_equals(none, none));
	assert_true(span_equals(none, SPAN("")));
	assert_false(span_equals(none, SPAN("a")));
}

static void only_ascii_letters_ignore_case(void **unused)
{
	(void)unused;
	for (int a = 0; a < 256; a++) {
		for (int b = 0; b < 256; b++) {
			char x = (char)a, y = (char)b;
			bool letters = (a | 0x20) >= 'a' && (a | 0x20) <= 'z' && a < 128;
			bool same = a == b || (letters && (a ^ 0x20) == b);
			assert_int_equal(span_equals_nocase((struct span){&x, 1},
							    (struct span){&y, 1}), same);
		}
	}
	assert_true(span_equals_nocase(SPAN("Content-Length"), SPAN("cONTENT-lENGTH")));
	assert_false(span_equals_nocase(SPAN("Host"), SPAN("Hosts")));
}

static void a_start_is_a_start(void **unused)
{
	struct span none = {NULL, 0};

	(void)unused;
	assert_true(span_starts_with(SPAN("/v1/users"), SPAN("/v1/")));
	assert_true(span_starts_with(SPAN("/v1/"), SPAN("/v1/")));
	assert_true(span_starts_with(SPAN("/v1/"), none));
	assert_true(span_starts_with(none, none));
	assert_false(span_starts_with(SPAN("/v1"), SPAN("/v1/")));
	assert_false(span_starts_with(SPAN("/V1/"), SPAN("/v1/")));
}

/* Joined by the mark again they are the list, a mark at its end apart. */
static void a_list_is_cut_into_its_items(void **unused)
{
	static const char *const lists[] = {"a", "a;b", ";", ";;a", "a;", "a;;b", " a ; b "};

	(void)unused;
	for (size_t i = 0; i < COUNT_OF(lists); i++) {
		struct span rest = span_of(lists[i]), item;
		const char *at = lists[i];
		while (span_cut(&rest, ';', &item)) {
			assert_ptr_equal(item.at, at);
			assert_true(item.len == 0 || memchr(item.at, ';', item.len) == NULL);
			at += item.len + (at[item.len] == ';');
		}
		assert_ptr_equal(at, lists[i] + strlen(lists[i]));
	}
	struct span none = {0}, item;
	assert_false(span_cut(&none, ';', &item));
}

static void a_name_ends_at_its_equals_sign(void **unused)
{
	static const char *const others[] = {"", "=", "i", "id", "i=", "idx=1", "xid=1", "ID=1"};
	struct span value = {0};

	(void)unused;
	for (size_t i = 0; i < COUNT_OF(others); i++)
		assert_false(span_is_named(span_of(others[i]), SPAN("id"), &value));
	assert_null(value.at);
	assert_true(span_is_named(SPAN("id="), SPAN("id"), &value));
	assert_int_equal(value.len, 0);
	assert_true(span_is_named(SPAN("id=a=b"), SPAN("id"), &value));
	assert_true(span_equals(value, SPAN("a=b")));
}

static void numbers_are_read_back_as_they_were_written(void **unused)
{
	static const uint64_t numbers[] = {
		0, 1, 9, 10, 65535, UINT32_MAX, UINT64_MAX / 10, UINT64_MAX - 1,
		UINT64_MAX,
	};

	(void)unused;
	for (size_t i = 0; i < COUNT_OF(numbers); i++) {
		char text[32];
		uint64_t value = 7;
		snprintf(text, sizeof text, "%llu", (unsigned long long)numbers[i]);
		assert_true(span_to_u64(span_of(text), &value));
		assert_true(value == numbers[i]);
	}
}

static void what_is_no_number_changes_nothing(void **unused)
{
	static const char *const texts[] = {
		"", " ", "-1", "+1", "1 ", " 1", "1a", "0x1", "1.0", "1,000",
		"18446744073709551616", "99999999999999999999999", "\xd9\xa1",
	};

	(void)unused;
	for (size_t i = 0; i < COUNT_OF(texts); i++) {
		uint64_t value = 7;
		assert_false(span_to_u64(span_of(texts[i]), &value));
		assert_int_equal(value, 7);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(equal_means_the_same_bytes),
		cmocka_unit_test(only_ascii_letters_ignore_case),
		cmocka_unit_test(a_start_is_a_start),
		cmocka_unit_test(a_list_is_cut_into_its_items),
		cmocka_unit_test(a_name_ends_at_its_equals_sign),
		cmocka_unit_test(numbers_are_read_back_as_they_were_written),
		cmocka_unit_test(what_is_no_number_changes_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
