/* Goal: a request becomes the arguments that redis-server would see, however it was cut
 * into reads; what is no request is refused in redis-server's words; replies are RESP2. */
#include "parse/resp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/must.h"

#define TEXT(literal) "" literal, sizeof(literal) - 1

static struct span arguments[RESP_ARGUMENTS_MAX];
static struct resp_command command = {.arguments = arguments,
				      .arguments_max = RESP_ARGUMENTS_MAX};
static char *held;	/* what the arguments point into */

/* Hands over `piece` bytes more each time, from new memory that ends with the last one,
 * until the parser has made up its mind. */
static enum resp_result read_in_pieces(const char *at, size_t len, size_t piece)
{
	struct resp_progress progress = {0};
	enum resp_result result = RESP_MORE;

	for (size_t now = 0; result == RESP_MORE && now < len; ) {
		now = len - now < piece ? len : now + piece;
		free(held);
		held = malloc(now);
		assert_non_null(held);
		memcpy(held, at, now);
		result = resp_parse(&progress, held, now, &command);
	}
	if (result == RESP_DONE)
		assert_int_equal(progress.at + progress.left, 0);
	return result;
}

static const size_t pieces[] = {SIZE_MAX, 1, 2, 3, 7, 16, 61};

/* `expected` is the arguments, with a '|' behind each. */
static void accepted(const char *at, size_t len, size_t length, const char *expected)
{
	for (size_t i = 0; i < COUNT_OF(pieces); i++) {
		char got[1024], *to = got;
		if (read_in_pieces(at, len, pieces[i]) != RESP_DONE)
			fail_msg("not done: %s", at);
		assert_int_equal(command.length, length);
		for (uint32_t a = 0; a < command.count; a++) {
			memcpy(to, arguments[a].at, arguments[a].len);
			to += arguments[a].len;
			*to++ = '|';
		}
		*to = '\0';
		assert_string_equal(got, expected);
	}
}

#define ACCEPTED(literal, expected) \
	accepted(TEXT(literal), sizeof(literal) - 1, expected)

static void refused(const char *at, size_t len, const char *error)
{
	for (size_t i = 0; i < COUNT_OF(pieces); i++) {
		assert_int_equal(read_in_pieces(at, len, pieces[i]), RESP_BAD);
		assert_string_equal(command.error, error);
	}
}

static void waits(const char *at, size_t len)
{
	for (size_t i = 0; i < COUNT_OF(pieces); i++)
		assert_int_equal(read_in_pieces(at, len, pieces[i]), RESP_MORE);
}

static void arrays_become_arguments(void **unused)
{
	(void)unused;
	ACCEPTED("*2\r\n$3\r\nGET\r\n$1\r\nk\r\n", "GET|k|");
	ACCEPTED("*3\r\n$3\r\nSET\r\n$2\r\n\r\n\r\n$0\r\n\r\n", "SET|\r\n||");
	ACCEPTED("*1\r\n$4\r\nPING\r\n", "PING|");
	ACCEPTED("*2\r\n$4\r\nECHO\r\n$12\r\n*1\r\n$1\r\nx\r\n*\r\n", "ECHO|*1\r\n$1\r\nx\r\n*|");
	accepted(TEXT("*1\r\n$4\r\nPING\r\n*1\r\n$4\r\nQUIT\r\n"), 14, "PING|");
}

static void bytes_of_arguments_are_any(void **unused)
{
	char bytes[512], expected[256];
	size_t len = (size_t)sprintf(bytes, "*2\r\n$3\r\nGET\r\n$256\r\n");

	(void)unused;
	for (int i = 0; i < 256; i++)
		bytes[len + (size_t)i] = expected[i] = (char)i;
	memcpy(bytes + len + 256, "\r\n", 2);
	for (size_t i = 0; i < COUNT_OF(pieces); i++) {
		assert_int_equal(read_in_pieces(bytes, len + 258, pieces[i]), RESP_DONE);
		assert_int_equal(arguments[1].len, 256);
		assert_memory_equal(arguments[1].at, expected, 256);
	}
}

static void nothing_asked_is_no_error(void **unused)
{
	(void)unused;
	ACCEPTED("*0\r\n", "");
	ACCEPTED("*-1\r\n", "");
	ACCEPTED("*-7\r\n", "");
	ACCEPTED("*-9223372036854775808\r\n", "");
	ACCEPTED("\r\n", "");
	ACCEPTED("\n", "");
	ACCEPTED(" \t \r\n", "");
	accepted(TEXT("\r\nPING\r\n"), 2, "");
}

static void what_is_cut_is_waited_for(void **unused)
{
	static const char whole[] = "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$12\r\nhello, world\r\n";
	static const char words[] = "SET k \"a\\x41 b\"\r\n";

	(void)unused;
	for (size_t len = 1; len < sizeof whole - 1; len++)
		waits(whole, len);
	for (size_t len = 1; len < sizeof words - 1; len++)
		waits(words, len);
}

static void arrays_without_sense_are_refused(void **unused)
{
	static const char *const counts[] = {
		"*\r\n", "*x\r\n", "*1x\r\n", "* 1\r\n", "*+1\r\n", "*01\r\n", "*-0\r\n", "*-\r\n",
		"*1025\r\n", "*2147483648\r\n", "*99999999999999999999\r\n", "*1\rx"};
	static const char *const lengths[] = {
		"$\r\n", "$x\r\n", "$-1\r\n", "$+1\r\n", "$01\r\n", "$1 \r\n", "$1048577\r\n",
		"$9223372036854775808\r\n", "$1\rx"};

	(void)unused;
	for (size_t i = 0; i < COUNT_OF(counts); i++)
		refused(counts[i], strlen(counts[i]), "Protocol error: invalid multibulk length");
	/* With more behind it, too, where short numbers are read another way. */
	refused(TEXT("*01\r\n$4\r\nPING\r\n"), "Protocol error: invalid multibulk length");
	refused(TEXT("*1\r\n$04\r\nPING\r\n*1\r\n"), "Protocol error: invalid bulk length");
	refused(TEXT("*12345678\r\n$4\r\n"), "Protocol error: invalid multibulk length");
	for (size_t i = 0; i < COUNT_OF(lengths); i++) {
		char bytes[64];
		size_t len = (size_t)sprintf(bytes, "*2\r\n$1\r\na\r\n%s", lengths[i]);
		refused(bytes, len, "Protocol error: invalid bulk length");
	}
	refused(TEXT("*1\r\n:1\r\n"), "Protocol error: expected '$', got ':'");
	refused(TEXT("*1\r\n\r\n"), "Protocol error: expected '$', got '?'");
	refused(TEXT("*1\r\n$1\r\nkk\r\n"), "Protocol error: expected CRLF after a bulk string");
	refused(TEXT("*1\r\n$1\r\nk\r\r"), "Protocol error: expected CRLF after a bulk string");
	refused(TEXT("*1111111111111111111111111111111"),
		"Protocol error: too big mbulk count string");
	refused(TEXT("*1\r\n$1111111111111111111111111111111"),
		"Protocol error: too big bulk count string");
}

static void a_wrong_type_is_refused_at_its_byte(void **unused)
{
	(void)unused;
	waits(TEXT("*2\r\n$1\r\nk\r\n"));
	refused(TEXT("*2\r\n$1\r\nk\r\nG"), "Protocol error: expected '$', got 'G'");
}

static void words_are_split_as_redis_does(void **unused)
{
	(void)unused;
	ACCEPTED("PING\r\n", "PING|");
	ACCEPTED("PING\n", "PING|");
	ACCEPTED("  SET\tkey   value \r\n", "SET|key|value|");
	ACCEPTED("SET k \"\"\r\n", "SET|k||");
	ACCEPTED("SET k ''\r\n", "SET|k||");
	ACCEPTED("SET k \"a b\" \r\n", "SET|k|a b|");
	ACCEPTED("SET k 'a \"b\"'\n", "SET|k|a \"b\"|");
	ACCEPTED("SET k \"it's\"\n", "SET|k|it's|");
	ACCEPTED("SET k 'it\\'s'\n", "SET|k|it's|");
	ACCEPTED("SET k 'a\\nb'\n", "SET|k|a\\nb|");
	ACCEPTED("SET k \"\\n\\r\\t\\b\\a\\\\\\\"\\q\"\n", "SET|k|\n\r\t\b\a\\\"q|");
	ACCEPTED("SET k \"\\x41\\x6a\\xfF\\xg1\\x4\"\n", "SET|k|Aj\xffxg1x4|");
	ACCEPTED("SET k a\\nb\n", "SET|k|a\\nb|");
	ACCEPTED("SET k ab\"c d\" e\n", "SET|k|abc d|e|");
}

static void a_line_ends_where_redis_sees_its_end(void **unused)
{
	(void)unused;
	accepted(TEXT("PING\r\nQUIT\r\n"), 6, "PING|");
	ACCEPTED("GET a\rb\r\n", "GET|a|b|");
	ACCEPTED("GET k\r\r\n", "GET|k|");
	refused(TEXT("GET k\0 rest\r\n"), "Protocol error: NUL in inline request");
	refused(TEXT("GET \"a\0b\"\r\n"), "Protocol error: NUL in inline request");
}

static void open_quotes_are_refused(void **unused)
{
	static const char error[] = "Protocol error: unbalanced quotes in request";

	(void)unused;
	refused(TEXT("GET \"k\r\n"), error);
	refused(TEXT("GET 'k\r\n"), error);
	refused(TEXT("GET \"k\"x\r\n"), error);
	refused(TEXT("GET 'k'x\r\n"), error);
	refused(TEXT("GET 'k''x'\r\n"), error);
	refused(TEXT("GET \"k\\\"\r\n"), error);
	refused(TEXT("GET 'k\\'\r\n"), error);
	refused(TEXT("GET \"\r\n"), error);
}

/* An array of `count` arguments of `len` bytes each. Freed by the caller. */
static char *array_of(uint32_t count, size_t len, size_t *total)
{
	char *bytes = malloc(16 + count * (len + RESP_BULK_EXTRA)), *at = bytes;
	char *value = malloc(len + 1);

	assert_non_null(bytes);
	assert_non_null(value);
	memset(value, 'v', len);
	at += resp_write_array(at, count);
	for (uint32_t i = 0; i < count; i++)
		at += resp_write_bulk(at, (struct span){value, len});
	free(value);
	*total = (size_t)(at - bytes);
	return bytes;
}

static void the_most_arguments_fit(void **unused)
{
	size_t len;
	char *bytes = array_of(RESP_ARGUMENTS_MAX, 3, &len);

	(void)unused;
	for (size_t i = 0; i < COUNT_OF(pieces); i++) {
		assert_int_equal(read_in_pieces(bytes, len, pieces[i]), RESP_DONE);
		assert_int_equal(command.count, RESP_ARGUMENTS_MAX);
		assert_int_equal(command.length, len);
		for (uint32_t a = 0; a < command.count; a++)
			assert_true(span_equals(arguments[a], SPAN("vvv")));
	}
	free(bytes);
}

static void room_of_the_caller_is_a_limit(void **unused)
{
	struct resp_progress progress = {0};
	struct resp_command small = {.arguments = arguments, .arguments_max = 2};
	char three[] = "*3\r\n", words[] = "a b c\r\n", two[] = "a b\r\n";

	(void)unused;
	assert_int_equal(resp_parse(&progress, three, 4, &small), RESP_BAD);
	assert_string_equal(small.error, "Protocol error: invalid multibulk length");
	assert_int_equal(resp_parse(&progress, words, 7, &small), RESP_BAD);
	assert_string_equal(small.error, "Protocol error: too many words in request");
	assert_int_equal(resp_parse(&progress, two, 5, &small), RESP_DONE);
}

static void too_long_is_refused(void **unused)
{
	size_t len;
	char *bytes = array_of(RESP_COMMAND_MAX / RESP_BULK_MAX, RESP_BULK_MAX, &len);
	struct resp_progress progress = {0};

	(void)unused;
	assert_int_equal(resp_parse(&progress, bytes, len, &command), RESP_BAD);
	assert_string_equal(command.error, "Protocol error: too big request");
	free(bytes);

	progress = (struct resp_progress){0};
	bytes = array_of(RESP_COMMAND_MAX / RESP_BULK_MAX - 1, RESP_BULK_MAX, &len);
	assert_int_equal(resp_parse(&progress, bytes, len, &command), RESP_DONE);
	free(bytes);
}

static void a_line_may_have_so_many_bytes(void **unused)
{
	static char line[RESP_INLINE_MAX + 2];
	struct resp_progress progress = {0};

	(void)unused;
	memset(line, 'x', sizeof line);
	assert_int_equal(resp_parse(&progress, line, RESP_INLINE_MAX, &command), RESP_MORE);
	line[RESP_INLINE_MAX] = '\n';
	assert_int_equal(resp_parse(&progress, line, RESP_INLINE_MAX + 1, &command), RESP_DONE);
	assert_int_equal(arguments[0].len, RESP_INLINE_MAX);
	line[RESP_INLINE_MAX] = 'x';
	line[RESP_INLINE_MAX + 1] = '\n';
	assert_int_equal(resp_parse(&progress, line, RESP_INLINE_MAX + 2, &command), RESP_BAD);
	assert_string_equal(command.error, "Protocol error: too big inline request");
	assert_int_equal(resp_parse(&progress, line, RESP_INLINE_MAX + 1, &command), RESP_BAD);
}

/* What was understood is not looked at again before the end: if it were, the parser would
 * see that it has changed. */
static void what_was_understood_is_not_read_again(void **unused)
{
	struct resp_progress progress = {0};
	char bytes[] = "*3\r\n$1\r\na\r\n$1\r\nb\r\n$5\r\n12345\r\n";
	size_t len = sizeof bytes - 1;

	(void)unused;
	assert_int_equal(resp_parse(&progress, bytes, len - 3, &command), RESP_MORE);
	memset(bytes + 1, 'z', 17);
	assert_int_equal(resp_parse(&progress, bytes, len - 2, &command), RESP_MORE);
	assert_int_equal(resp_parse(&progress, bytes, len - 1, &command), RESP_MORE);
}

#define ASSERT_WRITTEN(call, bound, literal)                                   \
	do {                                                                   \
		char out[64];                                                  \
		size_t len = call;                                             \
		assert_int_equal(len, sizeof(literal) - 1);                    \
		assert_true(len <= (bound));                                   \
		assert_memory_equal(out, literal, len);                        \
	} while (0)

static void replies_are_written(void **unused)
{
	(void)unused;
	ASSERT_WRITTEN(resp_write_bulk(out, SPAN("a\r\nb")), RESP_BULK_EXTRA + 4,
		       "$4\r\na\r\nb\r\n");
	ASSERT_WRITTEN(resp_write_bulk(out, SPAN("")), RESP_BULK_EXTRA, "$0\r\n\r\n");
	ASSERT_WRITTEN(resp_write_integer(out, 0), RESP_NUMBER_BYTES, ":0\r\n");
	ASSERT_WRITTEN(resp_write_integer(out, -2), RESP_NUMBER_BYTES, ":-2\r\n");
	ASSERT_WRITTEN(resp_write_integer(out, INT64_MAX), RESP_NUMBER_BYTES,
		       ":9223372036854775807\r\n");
	ASSERT_WRITTEN(resp_write_integer(out, INT64_MIN), RESP_NUMBER_BYTES,
		       ":-9223372036854775808\r\n");
	ASSERT_WRITTEN(resp_write_array(out, 1024), RESP_NUMBER_BYTES, "*1024\r\n");
	ASSERT_WRITTEN(resp_write_null(out), RESP_NULL_BYTES, "$-1\r\n");
	ASSERT_WRITTEN(resp_write_simple(out, SPAN("OK")), RESP_LINE_EXTRA + 2, "+OK\r\n");
	ASSERT_WRITTEN(resp_write_error(out, SPAN("ERR no\r\nsuch 'x'")),
		       RESP_LINE_EXTRA + 16, "-ERR no  such 'x'\r\n");
}

static int end(void **unused)
{
	(void)unused;
	free(held);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(arrays_become_arguments),
		cmocka_unit_test(bytes_of_arguments_are_any),
		cmocka_unit_test(nothing_asked_is_no_error),
		cmocka_unit_test(what_is_cut_is_waited_for),
		cmocka_unit_test(arrays_without_sense_are_refused),
		cmocka_unit_test(a_wrong_type_is_refused_at_its_byte),
		cmocka_unit_test(words_are_split_as_redis_does),
		cmocka_unit_test(a_line_ends_where_redis_sees_its_end),
		cmocka_unit_test(open_quotes_are_refused),
		cmocka_unit_test(the_most_arguments_fit),
		cmocka_unit_test(room_of_the_caller_is_a_limit),
		cmocka_unit_test(too_long_is_refused),
		cmocka_unit_test(a_line_may_have_so_many_bytes),
		cmocka_unit_test(what_was_understood_is_not_read_again),
		cmocka_unit_test(replies_are_written),
	};
	return cmocka_run_group_tests(tests, NULL, end);
}
