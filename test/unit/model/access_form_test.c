/* Goal: a form is read as it is meant, and what is wrong with one is said. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/must.h"
#include "model/access_form.h"

static struct access_form form;

static void fields_and_texts_take_turns(void **unused)
{
	struct err err;

	(void)unused;
	assert_int_equal(access_form_read(&form, "{{a}} {peer} \"{header X-A}\" {status}", &err),
			 0);
	assert_int_equal(form.item_count, 6);
	assert_int_equal(form.items[0].field, ACCESS_LITERAL);
	assert_memory_equal(form.literals + form.items[0].at, "{a} ", 4);
	assert_int_equal(form.items[1].field, ACCESS_PEER);
	assert_false(form.items[1].quoted);
	assert_int_equal(form.items[3].field, ACCESS_HEADER);
	assert_true(form.items[3].quoted);
	assert_string_equal(form.headers[0], "X-A:");
	assert_int_not_equal(form.stamp, 0);
	assert_int_equal(form.items[5].field, ACCESS_STATUS);
	assert_false(form.items[5].quoted);
}

static void each_field_is_known_by_its_name(void **unused)
{
	struct err err;

	(void)unused;
	for (int i = ACCESS_LITERAL + 1; i < ACCESS_HEADER; i++) {
		char text[64] = "{";
		strcat(strcat(text, access_field_name((enum access_field)i)), "}");
		assert_int_equal(access_form_read(&form, text, &err), 0);
		assert_int_equal(form.item_count, 1);
		assert_int_equal(form.items[0].field, i);
	}
}

static void what_is_wrong_is_said(void **unused)
{
	static char long_text[ACCESS_FORM_MAX + 2], long_name[128];
	static const struct {
		const char *text, *want;
	} cases[] = {
		{"{statsu}", "did you mean \"status\"?"},
		{"{peer} {peer}", "{peer} is there twice"}, {"{}", "unknown field"},
		{"{ peer}", "unknown field"}, {"{peer x}", "unknown field"},
		{"{peer", "without its \"}\""}, {"a}b", "without its \"{\""},
		{"{header}", "no name of a header field"}, {"{header A B}", "no name of a header"},
		{"{header A} {header a}", "{header a} is there twice"},
		{"{header A}{header B}{header C}{header D}{header E}", "more than 4"},
		{"", "1 to 1024 bytes"}, {long_text, "1 to 1024 bytes"}, {"a\nb", "one line"},
		{long_name, "at most 64 bytes"},
	};
	struct err err;

	(void)unused;
	memset(long_text, 'a', ACCESS_FORM_MAX + 1);
	strcpy(long_name, "{header ");
	memset(long_name + 8, 'a', 65);
	long_name[73] = '}';
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		assert_int_equal(access_form_read(&form, cases[i].text, &err), -1);
		if (strstr(err.text, cases[i].want) == NULL)
			assert_string_equal(err.text, cases[i].want);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fields_and_texts_take_turns),
		cmocka_unit_test(each_field_is_known_by_its_name),
		cmocka_unit_test(what_is_wrong_is_said),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
