/* Goal: what the access log notes of a head is what the head says, whether it is read or was
 * written by us. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/must.h"
#include "forward/record_texts.h"
#include "model/access_form.h"
#include "parse/h1.h"

#define FIRST "GET /a?b HTTP/1.1\r\n"
#define HOST  "Host: www\r\n"
#define TRACE "4bf92f3577b34da6a3ce929d0e0e4736"

static struct access_form form;
static struct record record;
static struct span sent[RECORD_TEXTS], read[RECORD_TEXTS];

/* Notes the same lines both ways; they have to agree. */
static void note(const char *lines, const struct access_form *by)
{
	static const struct h1_limits limits = {8192, 8192, 100};
	static struct h1_head head;
	static char text[4096];
	int len = snprintf(text, sizeof text, FIRST HOST "%s\r\n", lines);
	size_t before = sizeof FIRST - 1 + sizeof HOST - 1;
	const struct record_head ours = {
		.line = {text, sizeof FIRST - 1},
		.host = {text + sizeof FIRST - 1 + 6, 3},
		.rest = {text + before, (size_t)len - before},
	};

	memset(sent, 0, sizeof sent);
	memset(read, 0, sizeof read);
	record_texts_of_sent(&ours, by, &record, sent);
	assert_int_equal(h1_parse_request(&head, text, (size_t)len, 0, &limits), H1_DONE);
	record_texts_of_read(&head, text, by, &record, read);
	for (int i = 0; i < RECORD_TEXTS; i++)
		assert_true(span_equals(sent[i], read[i]));
}

static void is_noted(enum record_text text, const char *want)
{
	assert_true(span_equals(sent[text], span_of(want)));
}

static void the_first_lines_are_noted(void **unused)
{
	(void)unused;
	note("", NULL);
	is_noted(RECORD_METHOD, "GET");
	is_noted(RECORD_TARGET, "/a?b");
	is_noted(RECORD_HOST, "www");
	is_noted(RECORD_REFERER, "");
	is_noted(RECORD_USER_AGENT, "");
	is_noted(RECORD_TRACE, "");
}

/* Lines are looked for sixteen bytes at a time: each place of theirs has its turn. */
static void fields_are_found_wherever_they_stand(void **unused)
{
	char lines[512];

	(void)unused;
	for (int pad = 0; pad < 40; pad++) {
		snprintf(lines, sizeof lines, "X: %.*s\r\nREFERER:  http://from/ \r\nA:\r\n"
			 "user-agent: me\r\nTraceparent: 00-" TRACE "-00f067aa0ba902b7-01\r\n",
			 pad, "........................................");
		note(lines, NULL);
		is_noted(RECORD_REFERER, "http://from/");
		is_noted(RECORD_USER_AGENT, "me");
		is_noted(RECORD_TRACE, TRACE);
	}
}

static void names_that_only_begin_so_are_others(void **unused)
{
	(void)unused;
	note("Refererer: a\r\nUser-Agents: b\r\nTraceparents: c\r\nR: d\r\n", NULL);
	is_noted(RECORD_REFERER, "");
	is_noted(RECORD_USER_AGENT, "");
	is_noted(RECORD_TRACE, "");
}

static void a_trace_that_is_not_valid_is_not_noted(void **unused)
{
	(void)unused;
	note("traceparent: ff-" TRACE "-00f067aa0ba902b7-01\r\n", NULL);
	is_noted(RECORD_TRACE, "");
}

static void a_form_has_its_headers_noted(void **unused)
{
	struct err err;

	(void)unused;
	assert_int_equal(access_form_read(&form, "{header X-B} {header Accept}", &err), 0);
	note("X-Bc: no\r\nx-b: one\r\nX-B: two\r\nUser-Agent: me\r\n", &form);
	is_noted(RECORD_HEADER, "one");
	is_noted(RECORD_HEADER + 1, "");
	is_noted(RECORD_USER_AGENT, "me");
	assert_int_equal(record.form_stamp, form.stamp);
	note("X-B: one\r\n", NULL);
	is_noted(RECORD_HEADER, "");
	assert_int_equal(record.form_stamp, 0);
}

static void the_host_is_a_header_too(void **unused)
{
	struct err err;

	(void)unused;
	assert_int_equal(access_form_read(&form, "{header X-B} {header host}", &err), 0);
	note("X-B: one\r\n", &form);
	is_noted(RECORD_HEADER, "one");
	is_noted(RECORD_HEADER + 1, "www");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_lines_are_noted),
		cmocka_unit_test(fields_are_found_wherever_they_stand),
		cmocka_unit_test(names_that_only_begin_so_are_others),
		cmocka_unit_test(a_trace_that_is_not_valid_is_not_noted),
		cmocka_unit_test(a_form_has_its_headers_noted),
		cmocka_unit_test(the_host_is_a_header_too),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
