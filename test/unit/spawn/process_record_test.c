/* Goal: a record that is written is read again as it was, one that is damaged is not read
 * at all; and of /proc/PID/stat the right field counts, whatever a program is called. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "spawn/process_record.h"

static size_t write_record(char out[PROCESS_RECORD_MAX], const struct process_record *r)
{
	char *head = process_record_head(r), tail[PROCESS_TAIL_MAX];
	size_t len = process_record_tail(tail, r->pid, r->started);

	tail[len] = '\0';
	int all = snprintf(out, PROCESS_RECORD_MAX, "%s%s", head, tail);
	free(head);
	assert_true(all > 0 && all < PROCESS_RECORD_MAX);
	return (size_t)all;
}

static const struct process_record samples[] = {
	{.name = "S1", .command = "/srv/app", .port = 5000, .recipe = 255, .boot = "b-1",
	 .pid = 4711, .started = 123456},
	{.name = "a.b_c-d", .command = "a \"b\" \\ \xc3\xa9", .port = 1,
	 .recipe = UINT64_MAX, .boot = "", .pid = 2, .started = 0},
	{.name = "0", .command = "", .port = UINT16_MAX, .recipe = 0, .boot = "x",
	 .pid = INT32_MAX, .started = INT64_MAX},
};

static void what_is_written_is_read(void **unused)
{
	char text[PROCESS_RECORD_MAX];
	struct process_record read;
	struct err err;

	(void)unused;
	for (size_t i = 0; i < COUNT_OF(samples); i++) {
		size_t len = write_record(text, &samples[i]);
		assert_int_equal(process_record_decode(&read, text, len, &err), 0);
		assert_memory_equal(&read, &samples[i], sizeof read);
	}
}

static void a_part_of_it_is_not_read(void **unused)
{
	char text[PROCESS_RECORD_MAX];
	struct process_record read = {.pid = 99};
	struct err err;
	size_t len = write_record(text, &samples[0]);

	(void)unused;
	for (size_t part = 0; part < len - 1; part++) {	/* the last byte is a newline */
		assert_int_equal(process_record_decode(&read, text, part, &err), -1);
		assert_true(err.text[0] != '\0');
	}
	assert_int_equal(read.pid, 99);
}

static void values_that_would_do_harm_are_refused(void **unused)
{
	static const struct { const char *from, *to; } changes[] = {
		{"4711", "1"}, {"4711", "0"}, {"4711", "-1"}, {"4711", "4294967298"},
		{"4711", "\"4711\""}, {"4711", "4711.5"},
		{"5000", "0"}, {"5000", "65536"}, {"123456", "-1"},
		{"\"S1\"", "\"../S1\""}, {"\"S1\"", "\"\""},
		{"\"version\":1", "\"version\":2"}, {"00ff", "00fg"}, {"00ff", "0ff"},
		{"\"boot\":\"b-1\"", "\"boot\":null"}, {"\"boot\":\"b-1\",", ""},
	};
	char text[PROCESS_RECORD_MAX], changed[2 * PROCESS_RECORD_MAX];
	struct process_record read;
	struct err err;

	(void)unused;
	write_record(text, &samples[0]);
	for (size_t i = 0; i < COUNT_OF(changes); i++) {
		char *at = strstr(text, changes[i].from);
		assert_non_null(at);
		int len = snprintf(changed, sizeof changed, "%.*s%s%s", (int)(at - text),
				   text, changes[i].to, at + strlen(changes[i].from));
		if (process_record_decode(&read, changed, (size_t)len, &err) == 0)
			print_error("%s was read\n", changed);
		assert_int_equal(process_record_decode(&read, changed, (size_t)len, &err),
				 -1);
	}
}

#define FIELDS " 1 7 7 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 "

static void a_program_may_be_called_anything(void **unused)
{
	static const char *const names[] = {"sh", "a b", ") S 1 1 (", "", ")"};
	char text[PROCESS_STAT_MAX];

	(void)unused;
	for (size_t i = 0; i < COUNT_OF(names); i++) {
		uint64_t started = 0;
		bool alive = false;
		int len = snprintf(text, sizeof text, "7 (%s) S" FIELDS "987654 1 2 3\n",
				   names[i]);
		assert_true(process_stat_decode(text, (size_t)len, &started, &alive));
		assert_true(started == 987654);
		assert_true(alive);
	}
}

static void a_zombie_is_not_alive(void **unused)
{
	static const char text[] = "7 (sh) Z" FIELDS "5 1 2 3\n";
	uint64_t started;
	bool alive = true;

	(void)unused;
	assert_true(process_stat_decode(text, sizeof text - 1, &started, &alive));
	assert_false(alive);
}

static void a_stat_that_is_cut_off_is_none(void **unused)
{
	static const char text[] = "7 (sh) S" FIELDS "987654 1";
	uint64_t started;
	bool alive;

	(void)unused;
	for (size_t len = 0; len < sizeof text - 2; len++)
		assert_false(process_stat_decode(text, len, &started, &alive));
	assert_true(process_stat_decode(text, sizeof text - 2, &started, &alive));
	static const char large[] = "7 (sh) S" FIELDS "99999999999999999999999 1";
	assert_false(process_stat_decode(large, sizeof large - 1, &started, &alive));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_written_is_read),
		cmocka_unit_test(a_part_of_it_is_not_read),
		cmocka_unit_test(values_that_would_do_harm_are_refused),
		cmocka_unit_test(a_program_may_be_called_anything),
		cmocka_unit_test(a_zombie_is_not_alive),
		cmocka_unit_test(a_stat_that_is_cut_off_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
