/* Goal: every answer is whole HTTP with one JSON object, and errors have one shape. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/must.h"
#include "control/reply.h"

static char *printed;

static int free_printed(void **unused)
{
	(void)unused;
	free(printed);
	printed = NULL;
	return 0;
}

static const char *print(const struct reply *r, struct reply_frame frame)
{
	size_t len, body_len;

	free(printed);
	printed = reply_print(r, &frame, &len, &body_len);
	assert_int_equal(strlen(printed), len);
	assert_memory_equal(printed + len - body_len - 4, "\r\n\r\n", 4);
	return printed;
}

/* "HTTP/1.1 404 Error" is what a status without a name would be. */
static void has_reason(const struct reply *r)
{
	assert_true(strncmp(print(r, (struct reply_frame){0}) + 13, "Error\r", 6) != 0);
}

static struct reply error(enum reply_code code)
{
	struct reply r;

	reply_init(&r);
	reply_error(&r, code, NULL, "no");
	return r;
}

static void an_answer_is_framed_by_its_length(void **unused)
{
	struct reply r;

	(void)unused;
	reply_init(&r);
	reply_json(&r, 200, json_object());
	assert_string_equal(print(&r, (struct reply_frame){.version = 5}),
			    "HTTP/1.1 200 OK\r\nDate: Thu, 01 Jan 1970 00:00:00 GMT\r\n"
			    "Content-Type: application/json\r\nContent-Length: 3\r\n"
			    "ETag: \"5\"\r\nCache-Control: no-store\r\n\r\n{}\n");
	assert_null(strstr(print(&r, (struct reply_frame){.head_only = true}), "{}"));
	assert_non_null(strstr(printed, "Content-Length: 3\r\n"));
	assert_non_null(strstr(print(&r, (struct reply_frame){.closes = true}),
			       "\r\nConnection: close\r\n"));
	assert_non_null(strstr(print(&r, (struct reply_frame){.is_old = true}),
			       "\r\nConnection: keep-alive\r\n"));
	reply_fini(&r);
}

static void every_code_makes_an_error_of_the_one_shape(void **unused)
{
	(void)unused;
	for (enum reply_code i = 0; i < REPLY_CODES; i++) {
		struct reply r = error(i);
		json_t *e = json_object_get(r.body, "error");
		assert_true(r.status >= 400 && r.status <= 599);
		assert_true(strlen(json_string_value(json_object_get(e, "code"))) > 3);
		json_t *message = json_object_get(e, "message");
		assert_string_equal(json_string_value(message), "no");
		assert_null(json_object_get(e, "field"));
		has_reason(&r);
		reply_fini(&r);
	}
}

static void some_errors_say_more_in_the_head(void **unused)
{
	struct reply r = error(REPLY_NO_TOKEN);

	(void)unused;
	assert_non_null(strstr(print(&r, (struct reply_frame){0}),
			       "\r\nWWW-Authenticate: Bearer\r\n"));
	reply_fini(&r);
	r = error(REPLY_METHOD_UNKNOWN);
	r.allow = 1u << H1_GET | 1u << H1_DELETE;
	assert_non_null(strstr(print(&r, (struct reply_frame){0}),
			       "\r\nAllow: GET, HEAD, DELETE\r\n"));
	reply_fini(&r);
}

static void outcomes_have_their_codes(void **unused)
{
	static const struct {
		enum control_result result;
		enum change_fault fault;
		uint16_t status;
		const char *code;
	} all[] = {
		{CONTROL_REFUSED, CHANGE_POOL_UNKNOWN, 404, "pool-unknown"},
		{CONTROL_REFUSED, CHANGE_SERVER_UNKNOWN, 404, "server-unknown"},
		{CONTROL_REFUSED, CHANGE_SERVER_EXISTS, 409, "server-exists"},
		{CONTROL_REFUSED, CHANGE_POOL_FULL, 409, "pool-full"},
		{CONTROL_REFUSED, CHANGE_TOO_MANY, 409, "changes-full"},
		{CONTROL_REFUSED, CHANGE_FINE, 409, "refused"},
		{CONTROL_NOT_WRITTEN, CHANGE_FINE, 500, "state-not-written"},
		{CONTROL_ENDING, CHANGE_FINE, 409, "draining"},
		{CONTROL_NO_FILE, CHANGE_FINE, 409, "no-file"},
		{CONTROL_FILE_ERRORS, CHANGE_FINE, 409, "config-errors"},
	};
	struct err err = {"why"};
	struct reply r;

	(void)unused;
	reply_init(&r);
	assert_true(reply_outcome(&r, CONTROL_DONE, CHANGE_FINE, &err));
	assert_int_equal(r.status, 0);
	for (size_t i = 0; i < COUNT_OF(all); i++) {
		assert_false(reply_outcome(&r, all[i].result, all[i].fault, &err));
		assert_int_equal(r.status, all[i].status);
		json_t *code = json_object_get(json_object_get(r.body, "error"), "code");
		assert_string_equal(json_string_value(code), all[i].code);
	}
	reply_fini(&r);
}

static void faults_of_http_keep_their_status(void **unused)
{
	struct reply r;

	(void)unused;
	reply_init(&r);
	for (enum h1_fault i = H1_FAULT_NONE + 1; i < H1_FAULTS; i++) {
		reply_fault(&r, i);
		assert_int_equal(r.status, h1_fault_status(i));
		has_reason(&r);
	}
	reply_fini(&r);
}

static void shows(const char *text, const char *expected)
{
	json_t *j = reply_text(text);

	assert_string_equal(json_string_value(j), expected);
	json_decref(j);
}

/* RFC 3629: overlong forms, surrogates and what is above U+10FFFF are none. */
static void any_bytes_become_text(void **unused)
{
	(void)unused;
	shows("", "");
	shows("a\xc3\xa4\xe2\x82\xac\xf0\x9f\x99\x82z",
	      "a\xc3\xa4\xe2\x82\xac\xf0\x9f\x99\x82z");
	shows("\x80", "\xef\xbf\xbd");
	shows("\xc0\x80", "\xef\xbf\xbd\xef\xbf\xbd");
	shows("\xc3", "\xef\xbf\xbd");
	shows("\xe0\x80\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
	shows("\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
	shows("\xf4\x90\x80\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
	shows("\xe2\x82z", "\xef\xbf\xbd\xef\xbf\xbdz");
}

static void every_pair_of_bytes_becomes_text(void **unused)
{
	(void)unused;
	for (int i = 1; i < 256; i++) {
		for (int j = 1; j < 256; j++) {
			char text[] = {(char)i, (char)j, 'x', '\0'};
			json_t *s = reply_text(text);
			assert_non_null(s);
			const char *shown = json_string_value(s);
			assert_true(shown[strlen(shown) - 1] == 'x');
			json_decref(s);
		}
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_answer_is_framed_by_its_length),
		cmocka_unit_test(every_code_makes_an_error_of_the_one_shape),
		cmocka_unit_test(some_errors_say_more_in_the_head),
		cmocka_unit_test(outcomes_have_their_codes),
		cmocka_unit_test(faults_of_http_keep_their_status),
		cmocka_unit_test(any_bytes_become_text),
		cmocka_unit_test(every_pair_of_bytes_becomes_text),
	};
	return cmocka_run_group_tests(tests, NULL, free_printed);
}
