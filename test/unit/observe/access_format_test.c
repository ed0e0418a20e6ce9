/* Goal: each format says what it promises, and no bytes of a client's break a line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/must.h"
#include "observe/access_format.h"

static char out[ACCESS_LINE_MAX + 1];
static struct access_clock date;

static const struct record usual = {
	.status = 200, .minor = 1, .tries = 1, .request_id = 123456,
	.wall_us = UINT64_C(1795191000123456),
	.bytes_out = 5120, .total_us = 1500001, .server_us = 20,
};

static const struct span usual_texts[RECORD_TEXTS] = {
	[RECORD_PEER] = {"192.0.2.1", 9}, [RECORD_METHOD] = {"GET", 3},
	[RECORD_TARGET] = {"/a?b=c", 6}, [RECORD_HOST] = {"example.com", 11},
	[RECORD_REFERER] = {"http://x/", 9}, [RECORD_USER_AGENT] = {"curl/8 (x y)", 12},
	[RECORD_POOL] = {"web", 3}, [RECORD_SERVER] = {"127.0.0.1:8081", 14},
	[RECORD_TRACE] = {"4bf92f3577b34da6a3ce929d0e0e4736", 32},
};
static const struct span no_texts[RECORD_TEXTS] = {[RECORD_PEER] = {"::1", 3}};

static struct access_form *form;

static size_t write(int format, const struct record *r, const struct span texts[RECORD_TEXTS])
{
	return access_format_write(out, &(struct access_way){(enum access_format)format, form},
				   r, texts, &date);
}

static const char *line(enum access_format format, const struct record *r,
			const struct span texts[RECORD_TEXTS])
{
	size_t len = write(format, r, texts);

	out[len] = '\0';
	return out;
}

/* The line of a request with this user agent. */
static const char *line_with(enum access_format format, struct span user_agent)
{
	struct span texts[RECORD_TEXTS];

	memcpy(texts, usual_texts, sizeof texts);
	texts[RECORD_USER_AGENT] = user_agent;
	return line(format, &usual, texts);
}

static void combined_is_what_tools_expect(void **unused)
{
	(void)unused;
	assert_string_equal(line(ACCESS_COMBINED, &usual, usual_texts),
			    "192.0.2.1 - - [20/Nov/2026:16:10:00 +0000] "
			    "\"GET /a?b=c HTTP/1.1\" 200 5120 "
			    "\"http://x/\" \"curl/8 (x y)\"\n");
}

static void combined_has_a_dash_for_what_is_missing(void **unused)
{
	const struct record refused = {.status = 400, .wall_us = usual.wall_us};
	const struct record gone = {.wall_us = usual.wall_us};

	(void)unused;
	assert_string_equal(line(ACCESS_COMBINED, &refused, no_texts),
			    "::1 - - [20/Nov/2026:16:10:00 +0000] \"-\" 400 0 \"-\" \"-\"\n");
	assert_string_equal(line(ACCESS_COMBINED, &gone, no_texts),
			    "::1 - - [20/Nov/2026:16:10:00 +0000] \"-\" - 0 \"-\" \"-\"\n");
}

static void json_has_every_member(void **unused)
{
	(void)unused;
	assert_string_equal(line(ACCESS_JSON, &usual, usual_texts),
			    "{\"time\":\"2026-11-20T16:10:00.123Z\",\"peer\":\"192.0.2.1\","
			    "\"method\":\"GET\",\"target\":\"/a?b=c\","
			    "\"host\":\"example.com\",\"status\":200,\"bytes\":5120,"
			    "\"seconds\":1.500001,\"server_seconds\":0.000020,"
			    "\"pool\":\"web\",\"server\":\"127.0.0.1:8081\",\"tries\":1,"
			    "\"request_id\":123456,"
			    "\"trace_id\":\"4bf92f3577b34da6a3ce929d0e0e4736\","
			    "\"referer\":\"http://x/\",\"user_agent\":\"curl/8 (x y)\","
			    "\"http\":\"1.1\"}\n");
}

static void json_has_null_for_what_is_missing(void **unused)
{
	const struct record gone = {.wall_us = usual.wall_us};

	(void)unused;
	assert_string_equal(line(ACCESS_JSON, &gone, no_texts),
			    "{\"time\":\"2026-11-20T16:10:00.123Z\",\"peer\":\"::1\","
			    "\"method\":null,\"target\":null,\"host\":null,\"status\":null,"
			    "\"bytes\":0,\"seconds\":0.000000,\"server_seconds\":null,"
			    "\"pool\":null,\"server\":null,\"tries\":0,"
			    "\"request_id\":null,\"trace_id\":null,\"referer\":null,"
			    "\"user_agent\":null,\"http\":null}\n");
}

static const char *own_line(const char *text, const struct record *r,
			    const struct span texts[RECORD_TEXTS])
{
	static struct access_form own;
	struct err err;

	assert_int_equal(access_form_read(&own, text, &err), 0);
	form = &own;
	return line(ACCESS_OWN, r, texts);
}

static void a_form_of_its_own_says_what_is_asked_for(void **unused)
{
	const struct record gone = {.wall_us = usual.wall_us};

	(void)unused;
	assert_string_equal(own_line("{time} {date} {peer} {method} {target} {host} {http} "
				     "{status} {bytes} {time_ms} {server_ms} {pool} {server} "
				     "{tries} {request_id} {trace_id} {referer} {{}}",
				     &usual, usual_texts),
			    "2026-11-20T16:10:00.123Z 20/Nov/2026:16:10:00 +0000 192.0.2.1 "
			    "GET /a?b=c example.com 1.1 200 5120 1500.001 0.020 web "
			    "127.0.0.1:8081 1 123456 4bf92f3577b34da6a3ce929d0e0e4736 "
			    "http://x/ {}\n");
	assert_string_equal(own_line("{peer} {method} {http} {status} {server_ms} {pool} "
				     "{request_id} {trace_id}", &gone, no_texts),
			    "::1 - - - - - - -\n");
}

static void spaces_are_escaped_but_between_quotes(void **unused)
{
	(void)unused;
	assert_string_equal(own_line("{user_agent}", &usual, usual_texts),
			    "curl/8\\x20(x\\x20y)\n");
	assert_string_equal(own_line("\"{user_agent}\" {pool}", &usual, usual_texts),
			    "\"curl/8 (x y)\" web\n");
}

static void headers_are_those_that_were_noted_by_the_same_form(void **unused)
{
	struct span texts[RECORD_TEXTS];
	struct record r = usual;

	(void)unused;
	memcpy(texts, usual_texts, sizeof texts);
	texts[RECORD_HEADER] = SPAN("one");
	texts[RECORD_HEADER + 1] = SPAN("two");
	own_line("{header A} {header B}", &r, texts);
	r.form_stamp = form->stamp;
	assert_string_equal(own_line("{header A} {header B}", &r, texts), "one two\n");
	assert_string_equal(own_line("{header B} {header A}", &r, texts), "- -\n");
}

static void off_writes_nothing(void **unused)
{
	(void)unused;
	assert_string_equal(line(ACCESS_OFF, &usual, usual_texts), "");
}

static void time_follows_the_record(void **unused)
{
	static const struct {
		uint64_t    wall_us;
		const char *combined, *json;
	} cases[] = {
		{0, "01/Jan/1970:00:00:00 +0000", "1970-01-01T00:00:00.000Z"},
		{999999, "01/Jan/1970:00:00:00 +0000", "1970-01-01T00:00:00.999Z"},
		{UINT64_C(1709251199) * 1000000, "29/Feb/2024:23:59:59 +0000",
		 "2024-02-29T23:59:59.000Z"},
		{UINT64_C(4102444800) * 1000000, "01/Jan/2100:00:00:00 +0000",
		 "2100-01-01T00:00:00.000Z"},
		{UINT64_C(1709251199) * 1000000, "29/Feb/2024:23:59:59 +0000",
		 "2024-02-29T23:59:59.000Z"},
	};

	(void)unused;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct record r = {.wall_us = cases[i].wall_us};
		assert_non_null(strstr(line(ACCESS_COMBINED, &r, no_texts), cases[i].combined));
		assert_non_null(strstr(line(ACCESS_JSON, &r, no_texts), cases[i].json));
	}
}

static void combined_escapes_what_is_not_plain(void **unused)
{
	struct span agent = SPAN("a\"b\\c\r\nd\x1b[2J\x7f\xc3\xa4\0z");

	(void)unused;
	assert_non_null(strstr(line_with(ACCESS_COMBINED, agent),
			       " \"a\\x22b\\x5Cc\\x0D\\x0Ad\\x1B[2J\\x7F\\xC3\\xA4\\x00z\"\n"));
}

static void json_escapes_what_is_not_plain(void **unused)
{
	static const struct {
		struct span text;
		const char *want;
	} cases[] = {
		{{"a\"b\\c/", 6}, "\"a\\\"b\\\\c/\""},
		{{"\r\n\t\x1b\x7f\0.", 7}, "\"\\u000D\\u000A\\u0009\\u001B\\u007F\\u0000.\""},
		{{"\xc3\xa4\xe2\x82\xac\xf0\x9f\x99\x82", 9},
		 "\"\xc3\xa4\xe2\x82\xac\xf0\x9f\x99\x82\""},
		{{"\xff.\x80", 3}, "\"\\u00FF.\\u0080\""},
		{{"\xc0\xaf", 2}, "\"\\u00C0\\u00AF\""},		/* a longer form of '/' */
		{{"\xe0\x80\xaf", 3}, "\"\\u00E0\\u0080\\u00AF\""},
		{{"\xed\xa0\x80", 3}, "\"\\u00ED\\u00A0\\u0080\""},	/* a surrogate */
		{{"\xf4\x90\x80\x80", 4}, "\"\\u00F4\\u0090\\u0080\\u0080\""},
		{{"\xe2\x82", 2}, "\"\\u00E2\\u0082\""},		/* cut short */
		{{"\xe2\x82\"", 3}, "\"\\u00E2\\u0082\\\"\""},
		{{"\xc2\x85\xc2\xa0", 4}, "\"\\u0085\xc2\xa0\""},	/* NEL; no-break space */
		{{"\xe2\x80\xa8\xe2\x80\xa9\xe2\x80\xaa", 9}, "\"\\u2028\\u2029\xe2\x80\xaa\""},
	};
	char want[128];

	(void)unused;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		snprintf(want, sizeof want, "\"user_agent\":%s,\"http\"", cases[i].want);
		assert_non_null(strstr(line_with(ACCESS_JSON, cases[i].text), want));
	}
}

/* Six quotes and, outside of them, nine spaces, whatever the texts hold. */
static void check_combined(size_t len)
{
	size_t quotes = 0, spaces = 0;
	bool within = false;

	for (size_t i = 0; i < len - 1; i++) {
		assert_true(out[i] >= 0x20 && out[i] < 0x7f);
		quotes += out[i] == '"';
		within ^= out[i] == '"';
		spaces += out[i] == ' ' && !within;
	}
	assert_int_equal(quotes, 6);
	assert_int_equal(spaces, 9);
}

/* One object of seventeen members, whatever the texts hold. */
static void check_json(size_t len)
{
	size_t members = 0;
	bool within = false;

	for (size_t i = 0; i < len - 1; i++) {
		assert_true((unsigned char)out[i] >= 0x20 && out[i] != 0x7f);
		if (within && out[i] == '\\')
			assert_true(strchr("\"\\u", out[++i]) != NULL);
		else if (out[i] == '"')
			within = !within;
		else if (!within)
			members += out[i] == ':';
	}
	assert_false(within);
	assert_int_equal(members, 17);
	assert_int_equal(out[len - 2], '}');
}

static void hostile_bytes_never_break_a_line(void **unused)
{
	static const char nasty[] = "\"\\\r\n \x7f\xc2\xe2\x80\xa8\0{";
	static char bytes[RECORD_TEXT_MAX];
	struct span texts[RECORD_TEXTS];
	unsigned seed = 1;

	(void)unused;
	for (int round = 0; round < 300; round++) {
		for (size_t i = 0; i < sizeof bytes; i++) {
			seed = seed * 1103515245u + 12345u;
			/* Mostly those that matter. */
			bytes[i] = seed >> 30 ? nasty[(seed >> 16) % (sizeof nasty - 1)]
					      : (char)(seed >> 16);
		}
		for (int i = 0; i < RECORD_TEXTS; i++) {
			seed = seed * 1103515245u + 12345u;
			texts[i] = (struct span){bytes, 1 + (seed >> 16) % RECORD_TEXT_MAX};
		}
		for (int format = ACCESS_COMBINED; format <= ACCESS_JSON; format++) {
			size_t len = write(format, &usual, texts);
			assert_ptr_equal(memchr(out, '\n', len), out + len - 1);
			if (format == ACCESS_JSON)
				check_json(len);
			else
				check_combined(len);
		}
	}
}

static void the_longest_line_has_room(void **unused)
{
	static char bytes[RECORD_TEXT_MAX];
	struct span texts[RECORD_TEXTS];
	const struct record longest = {
		.status = UINT16_MAX, .minor = UINT8_MAX, .tries = UINT8_MAX,
		.request_id = UINT32_MAX,
		.wall_us = UINT64_MAX, .bytes_out = UINT64_MAX, .total_us = UINT64_MAX,
		.server_us = UINT32_MAX,
	};

	(void)unused;
	memset(bytes, 0xff, sizeof bytes);
	for (int i = 0; i < RECORD_TEXTS; i++)
		texts[i] = (struct span){bytes, sizeof bytes};
	own_line("{time}{date}{peer}{method}{target}{host}{http}{status}{bytes}{time_ms}"
		 "{server_ms}{pool}{server}{tries}{request_id}{trace_id}{referer}{user_agent}"
		 "{header A}{header B}{header C}{header D}", &longest, no_texts);
	for (int format = ACCESS_COMBINED; format <= ACCESS_OWN; format++)
		assert_in_range(write(format, &longest, texts),
				1, ACCESS_LINE_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(combined_is_what_tools_expect),
		cmocka_unit_test(combined_has_a_dash_for_what_is_missing),
		cmocka_unit_test(json_has_every_member),
		cmocka_unit_test(json_has_null_for_what_is_missing),
		cmocka_unit_test(a_form_of_its_own_says_what_is_asked_for),
		cmocka_unit_test(spaces_are_escaped_but_between_quotes),
		cmocka_unit_test(headers_are_those_that_were_noted_by_the_same_form),
		cmocka_unit_test(off_writes_nothing),
		cmocka_unit_test(time_follows_the_record),
		cmocka_unit_test(combined_escapes_what_is_not_plain),
		cmocka_unit_test(json_escapes_what_is_not_plain),
		cmocka_unit_test(hostile_bytes_never_break_a_line),
		cmocka_unit_test(the_longest_line_has_room),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
