/* Goal: a line says the same to each reader, and no text of it can pass for something else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log_form.h"
#include "base/must.h"
#include "base/text.h"

static char out[LOG_RECORD_MAX + 1];

static struct log_line line_of(struct span text)
{
	return (struct log_line){
		.level = LOG_LEVEL_WARN, .when = {1795191000, 123456789}, .text = text,
		.program = "balancerd", .pid = 77,
	};
}

/* The record of a text in a form. */
static const char *written(size_t (*form)(const struct log_line *l, char out[LOG_RECORD_MAX]),
			   const char *text)
{
	struct log_line line = line_of(span_of(text));
	size_t len = form(&line, out);

	assert_true(len < LOG_RECORD_MAX);
	out[len] = '\0';
	return out;
}

static void pairs_are_those_at_the_end(void **unused)
{
	static const struct {
		const char *text, *message;
		size_t count;
		const char *key, *value;	/* of the first */
	} cases[] = {
		{"server is down pool=web server=1:2", "server is down", 2, "pool", "web"},
		{"served pool=a reason=\"it is = silent\"", "served", 2, "pool", "a"},
		{"why reason=\"say \"no\" twice\" n=1", "why", 2, "reason", "say \"no\" twice"},
		{"says line=\"a \\\"b\\\" c=d\\\\\" n=1", "says", 2, "line", "a \\\"b\\\" c=d\\\\"},
		{"cut reason=\"never ends", "cut", 1, "reason", "never ends"},
		{"empty a= b=\"\"", "empty", 2, "a", ""},
		{"left pool=a worker=1: it is late", "left pool=a worker=1: it is late", 0, "",
		 ""},
		{"x=1 then y=2", "x=1 then", 1, "y", "2"},
		{"a=b", "", 1, "a", "b"},
		{"1=2 =3 -=4", "1=2 =3 -=4", 0, "", ""},
		{"", "", 0, "", ""},
	};

	(void)unused;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct log_pair pairs[LOG_PAIRS_MAX];
		struct span message;
		size_t count = log_form_split(span_of(cases[i].text), &message, pairs);
		assert_int_equal(count, cases[i].count);
		assert_true(span_equals(message, span_of(cases[i].message)));
		if (count == 0)
			continue;
		assert_true(span_equals(pairs[0].key, span_of(cases[i].key)));
		assert_true(span_equals(pairs[0].value, span_of(cases[i].value)));
	}
}

/* As those are written who have something said by others in them. */
static void what_others_say_makes_no_pair(void **unused)
{
	static const char said[] = "x\" pool=other level=\"error";
	struct log_pair pairs[LOG_PAIRS_MAX];
	char marked[64], text[128];
	struct span message;

	(void)unused;
	snprintf(text, sizeof text, "it says pool=web text=\"%s\"",
		 text_mark(marked, sizeof marked, said, sizeof said - 1));
	assert_int_equal(log_form_split(span_of(text), &message, pairs), 2);
	assert_true(span_equals(pairs[0].value, span_of("web")));
	assert_true(span_equals(pairs[1].key, span_of("text")));
}

static void logfmt_is_time_level_and_text(void **unused)
{
	(void)unused;
	assert_string_equal(written(log_form_logfmt, "server is down pool=web"),
			    "2026-11-20T16:10:00.123Z warn server is down pool=web\n");
}

static void json_has_a_member_for_each_pair(void **unused)
{
	(void)unused;
	assert_string_equal(written(log_form_json, "is \"down\" pool=web level=\"a b\""),
			    "{\"time\":\"2026-11-20T16:10:00.123Z\",\"level\":\"warn\","
			    "\"message\":\"is \\\"down\\\"\",\"pool\":\"web\","
			    "\"field_level\":\"a b\"}\n");
	assert_non_null(strstr(written(log_form_json, "\xff\xc3\xa4"),
			       "\"message\":\"\\u00FF\xc3\xa4\"}"));
}

static void journald_gets_fields(void **unused)
{
	(void)unused;
	assert_string_equal(written(log_form_journal, "is down pool=web in-flight=3 message=x"),
			    "PRIORITY=4\nSYSLOG_FACILITY=3\nSYSLOG_IDENTIFIER=balancerd\n"
			    "SYSLOG_PID=77\nMESSAGE=is down pool=web in-flight=3 message=x\n"
			    "POOL=web\nIN_FLIGHT=3\nBALANCERD_MESSAGE=x\n");
}

static void syslog_gets_its_priority_and_its_tag(void **unused)
{
	(void)unused;
	setenv("TZ", "UTC", 1);
	tzset();
	assert_string_equal(written(log_form_syslog, "is down pool=web"),
			    "<28>Nov 20 16:10:00 balancerd[77]: is down pool=web");
}

static void the_longest_line_has_room_in_each_form(void **unused)
{
	static char text[LOG_LINE_MAX + 1];
	size_t (*const forms[])(const struct log_line *l, char out[LOG_RECORD_MAX]) = {
		log_form_logfmt, log_form_json, log_form_journal, log_form_syslog,
	};

	(void)unused;
	memset(text, 0xff, LOG_LINE_MAX);
	for (size_t i = 0; i < COUNT_OF(forms); i++)
		written(forms[i], text);
	/* As many pairs as there may be, all renamed. */
	for (size_t i = 0; i < LOG_LINE_MAX; i++)
		text[i] = "unit=\xff "[i % 7];
	for (size_t i = 0; i < COUNT_OF(forms); i++)
		written(forms[i], text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pairs_are_those_at_the_end),
		cmocka_unit_test(what_others_say_makes_no_pair),
		cmocka_unit_test(logfmt_is_time_level_and_text),
		cmocka_unit_test(json_has_a_member_for_each_pair),
		cmocka_unit_test(journald_gets_fields),
		cmocka_unit_test(syslog_gets_its_priority_and_its_tag),
		cmocka_unit_test(the_longest_line_has_room_in_each_form),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
