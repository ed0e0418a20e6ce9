/* Goal: a body or a query is taken whole or refused with the member that is wrong. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/must.h"
#include "control/body.h"

static const char *text;
static uint32_t number;
static bool flag, flag_given;
static json_t *list;
static struct reply reply;

static const struct member members[] = {
	{.name = "address", .kind = MEMBER_TEXT, .required = true, .value = &text},
	{.name = "weight", .kind = MEMBER_NUMBER, .min = 1, .max = 256, .value = &number},
	{.name = "drain", .kind = MEMBER_BOOL, .value = &flag, .given = &flag_given},
	{.name = "list", .kind = MEMBER_ARRAY, .value = &list},
};

static void reset(void)
{
	text = NULL;
	number = 1000;
	flag = flag_given = false;
	list = NULL;
	reply_fini(&reply);
}

/* The message, if this is what is wrong; field may be NULL. */
static const char *error_of(const char *field)
{
	const json_t *error = json_object_get(reply.body, "error");
	const char *said = json_string_value(json_object_get(error, "field"));
	const char *code = json_string_value(json_object_get(error, "code"));

	assert_int_equal(reply.status, 400);
	assert_string_equal(code, "bad-request");
	assert_int_equal(said != NULL, field != NULL);
	if (field != NULL)
		assert_string_equal(said, field);
	return json_string_value(json_object_get(error, "message"));
}

static json_t *read_text(const char *body)
{
	reset();
	return body_read(span_of(body), members, COUNT_OF(members), &reply);
}

static void refused(const char *body, const char *field, const char *part)
{
	assert_null(read_text(body));
	assert_non_null(strstr(error_of(field), part));
	/* Nothing was taken. */
	assert_true(text == NULL && number == 1000 && !flag_given && list == NULL);
}

static void members_are_taken_with_their_types(void **unused)
{
	(void)unused;
	json_t *body = read_text("{\"address\": \"a:1\", \"weight\": 256, "
				 "\"drain\": true, \"list\": [1]}");
	assert_non_null(body);
	assert_string_equal(text, "a:1");
	assert_int_equal(number, 256);
	assert_true(flag && flag_given);
	assert_int_equal(json_array_size(list), 1);
	json_decref(body);
}

static void what_is_not_given_stays(void **unused)
{
	(void)unused;
	json_t *body = read_text(" {\"address\": \"\"} ");
	assert_non_null(body);
	assert_int_equal(number, 1000);
	assert_false(flag_given);
	json_decref(body);
}

static void wrong_members_are_named(void **unused)
{
	(void)unused;
	refused("{\"address\": 80}", "address", "text");
	refused("{\"address\": \"a\", \"weight\": 0}", "weight", "from 1 to 256");
	refused("{\"address\": \"a\", \"weight\": 257}", "weight", "from 1 to 256");
	refused("{\"address\": \"a\", \"weight\": 2.0}", "weight", "whole number");
	refused("{\"address\": \"a\", \"weight\": \"2\"}", "weight", "whole number");
	refused("{\"address\": \"a\", \"weight\": -1}", "weight", "whole number");
	refused("{\"address\": \"a\", \"weight\": null}", "weight", "whole number");
	refused("{\"address\": \"a\", \"drain\": 1}", "drain", "true or false");
	refused("{\"address\": \"a\", \"list\": {}}", "list", "array");
	refused("{\"weight\": 2}", "address", "missing");
	refused("", "address", "missing");
	refused("{\"address\": \"a\", \"wieght\": 2}", "wieght",
		"did you mean \"weight\"?");
}

static void what_is_no_object_is_refused(void **unused)
{
	(void)unused;
	refused("[1]", NULL, "object");
	refused("\"a\"", NULL, "no JSON");
	refused("{", NULL, "no JSON");
	refused("{} {}", NULL, "no JSON");
	refused(" ", NULL, "no JSON");
	refused("{\"address\": \"a\", \"address\": \"b\"}", NULL, "no JSON");
	refused("{\"address\": \"a\\u0000b\"}", NULL, "no JSON");
	refused("{\"address\": \"\xff\"}", NULL, "no JSON");
	refused("{\"weight\": 99999999999999999999}", NULL, "no JSON");
}

/* ---- queries ---- */

static const struct member arguments[] = {
	{.name = "limit_ms", .kind = MEMBER_NUMBER, .max = UINT32_MAX, .value = &number},
	{.name = "temporary", .kind = MEMBER_BOOL, .value = &flag, .given = &flag_given},
};

static bool reads_query(const char *query)
{
	reset();
	return body_read_query(span_of(query), arguments, COUNT_OF(arguments), &reply);
}

static void arguments_are_taken_with_their_types(void **unused)
{
	(void)unused;
	assert_true(reads_query("limit_ms=30000&temporary=1"));
	assert_int_equal(number, 30000);
	assert_true(flag);
	assert_true(reads_query("temporary=true&limit_m%73=4294967295"));
	assert_int_equal(number, UINT32_MAX);
	assert_true(flag);
	assert_true(reads_query("temporary=0"));
	assert_true(flag_given && !flag && number == 1000);
	assert_true(reads_query(""));
	assert_false(flag_given);
}

static void wrong_arguments_are_named(void **unused)
{
	(void)unused;
	assert_false(reads_query("limit_ms=4294967296"));
	error_of("limit_ms");
	assert_false(reads_query("limit_ms="));
	error_of("limit_ms");
	assert_false(reads_query("limit_ms=1s"));
	error_of("limit_ms");
	assert_false(reads_query("limit_ms=-1"));
	error_of("limit_ms");
	assert_false(reads_query("temporary"));
	error_of("temporary");
	assert_false(reads_query("temporary=1&temporary=1"));
	assert_non_null(strstr(error_of("temporary"), "twice"));
	assert_false(reads_query("temprary=1"));
	assert_non_null(strstr(error_of("temprary"), "temporary"));
	assert_false(reads_query("limit_ms=%3"));
	error_of(NULL);
	assert_false(reads_query("&"));
	error_of("");
}

static void any_bytes_of_a_name_make_an_answer(void **unused)
{
	(void)unused;
	assert_false(reads_query("%ff%fe=1"));
	error_of("\xef\xbf\xbd\xef\xbf\xbd");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(members_are_taken_with_their_types),
		cmocka_unit_test(what_is_not_given_stays),
		cmocka_unit_test(wrong_members_are_named),
		cmocka_unit_test(what_is_no_object_is_refused),
		cmocka_unit_test(arguments_are_taken_with_their_types),
		cmocka_unit_test(wrong_arguments_are_named),
		cmocka_unit_test(any_bytes_of_a_name_make_an_answer),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	reply_fini(&reply);
	return failed;
}
