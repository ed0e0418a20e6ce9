/* Goal: the last lines are there, whole and in order, and what is not any more is counted. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/log.h"
#include "base/log_ring.h"

static struct log_ring ring;

static int clear(void **unused)
{
	(void)unused;
	for (int i = 0; i < LOG_RING_LINES; i++)
		free(ring.all[i].line);
	memset(&ring, 0, sizeof ring);
	return 0;
}

static void put(unsigned count)
{
	char line[32];

	for (; count > 0; count--)
		log_ring_put(&ring, line, (size_t)snprintf(line, sizeof line, "line %u\n",
							   (unsigned)ring.last + 1));
}

static void lines_come_whole_and_in_order(void **unused)
{
	uint64_t next = 1, missed;
	char room[20];

	(void)unused;
	put(3);
	assert_int_equal(log_ring_read(&ring, &next, &missed, room, sizeof room), 14);
	assert_memory_equal(room, "line 1\nline 2\n", 14);
	assert_int_equal(log_ring_read(&ring, &next, &missed, room, sizeof room), 7);
	assert_memory_equal(room, "line 3\n", 7);
	assert_int_equal(log_ring_read(&ring, &next, &missed, room, sizeof room), 0);
	assert_int_equal(missed, 0);
	put(1);
	assert_int_equal(log_ring_read(&ring, &next, &missed, room, sizeof room), 7);
	assert_memory_equal(room, "line 4\n", 7);
}

static void who_is_late_is_told_how_much_is_gone(void **unused)
{
	uint64_t next = 3, missed;
	char room[10];

	(void)unused;
	put(LOG_RING_LINES + 10);
	assert_int_equal(log_ring_read(&ring, &next, &missed, room, sizeof room), 8);
	assert_int_equal(missed, 8);		/* 3 to 10 */
	assert_memory_equal(room, "line 11\n", 8);
	log_ring_read(&ring, &next, &missed, room, sizeof room);
	assert_int_equal(missed, 0);
}

static void the_last_ones_are_no_more_than_there_are(void **unused)
{
	(void)unused;
	assert_int_equal(log_ring_last_ones(&ring, 5), 1);
	put(3);
	assert_int_equal(log_ring_last_ones(&ring, 5), 1);
	assert_int_equal(log_ring_last_ones(&ring, 2), 2);
	assert_int_equal(log_ring_last_ones(&ring, 0), 4);
	put(LOG_RING_LINES);
	assert_int_equal(log_ring_last_ones(&ring, LOG_RING_LINES), 4);
}

static unsigned told;

static void on_told(void *arg)
{
	told++;
	assert_ptr_equal(arg, &told);
}

static void the_log_keeps_what_it_writes_and_tells_it(void **unused)
{
	uint64_t next = log_kept_last(1), missed;
	char room[200] = "";

	(void)unused;
	log_warn("before");
	assert_int_equal(log_kept_read(&next, &missed, room, sizeof room), 0);
	log_keep();
	log_keep();
	log_tell(on_told, &told);
	log_warn("first\nline");
	log_debug("not written");
	log_tell(NULL, NULL);
	log_error("second");
	assert_int_equal(told, 1);
	assert_true(log_kept_read(&next, &missed, room, sizeof room - 1) > 0);
	assert_non_null(strstr(room, "Z warn first?line\n"));
	assert_non_null(strstr(room, "Z error second\n"));
	assert_null(strstr(room, "before"));
	assert_null(strstr(room, "debug"));
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, clear, clear)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(lines_come_whole_and_in_order),
		CASE(who_is_late_is_told_how_much_is_gone),
		CASE(the_last_ones_are_no_more_than_there_are),
		CASE(the_log_keeps_what_it_writes_and_tells_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
