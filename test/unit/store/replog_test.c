/* Goal: whoever follows the log with a cursor, in pieces of whatever size, gets each message
 * once, whole and in order; and what is forgotten is what all cursors have passed. */
#include "store/replog.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/hash.h"

enum { VALUE_MAX = 60000 };

static char     value[VALUE_MAX];
static uint64_t dice_state;

static size_t dice(size_t sides)
{
	return (size_t)(hash_mix(++dice_state) % sides);
}

static uint64_t append(struct replog *l, size_t len)
{
	char key[24];
	struct kv_message m = {.type = KV_REPLICATE, .kind = KV_KIND_SET, .version = l->seq + 7};

	m.key = (struct span){key, (size_t)snprintf(key, sizeof key, "key %llu",
						    (unsigned long long)l->seq + 1)};
	m.value = (struct span){value, len};
	return replog_append(l, &m);
}

/* Whole messages with the numbers from *seq on, which it counts up. */
static void check_messages(struct span messages, uint64_t *seq)
{
	struct kv_message m;
	const char *why;
	size_t used;

	while (messages.len > 0) {
		assert_int_equal(kv_wire_parse(&m, messages.at, messages.len, &used, &why),
				 KV_PARSE_DONE);
		assert_int_equal(m.seq, *seq);
		assert_int_equal(m.version, *seq + 6);
		++*seq;
		messages.at += used;
		messages.len -= used;
	}
}

static void each_message_comes_once_whole_and_in_order(void **state)
{
	struct replog l;
	uint64_t cursors[3] = {0}, next[3] = {1, 1, 1};

	(void)state;
	dice_state = 1;
	replog_init(&l);
	for (int turn = 0; turn < 20000; turn++) {
		if (dice(3) == 0) {
			append(&l, dice(20) == 0 ? dice(VALUE_MAX) : dice(200));
			continue;
		}
		size_t who = dice(3);
		check_messages(replog_next(&l, &cursors[who], 1 + dice(100000)), &next[who]);
		uint64_t least = cursors[0];
		for (int i = 1; i < 3; i++)
			least = cursors[i] < least ? cursors[i] : least;
		replog_forget(&l, least);
		assert_true(l.start <= least);
		assert_true(least - l.start <= REPLOG_CHUNK_BYTES);
	}
	assert_true(l.seq > 1000);
	replog_fini(&l);
}

static void passing_stops_at_the_number_and_at_what_was_sent(void **state)
{
	struct replog l;
	uint64_t ends[501] = {0}, cursor;

	(void)state;
	dice_state = 2;
	replog_init(&l);
	for (int i = 1; i <= 500; i++) {
		assert_int_equal(append(&l, dice(6000)), i);
		ends[i] = l.end;
	}
	for (int turn = 0; turn < 2000; turn++) {
		size_t at = dice(501), sent = at + dice(501 - at);
		uint64_t seq = dice(510), reached = seq;
		if (reached > sent)
			reached = sent;
		if (reached < at)
			reached = at;
		cursor = ends[at];
		uint64_t passed = replog_pass(&l, &cursor, ends[sent], seq);
		assert_int_equal(cursor, ends[reached]);
		assert_int_equal(passed, reached > at ? reached : 0);
	}
	replog_fini(&l);
}

static void a_piece_has_at_least_one_message_and_else_no_more_than_asked(void **state)
{
	struct replog l;
	uint64_t cursor = 0, seq = 1;

	(void)state;
	replog_init(&l);
	for (int i = 0; i < 9; i++)	/* numbers of one digit */
		append(&l, 100);
	size_t one = replog_next(&l, &cursor, 1).len;
	assert_int_equal(one * 9, l.end);
	assert_int_equal(replog_next(&l, &cursor, 3 * one + 1).len, 3 * one);
	cursor = 0;
	struct span all = replog_next(&l, &cursor, 1000000);
	assert_int_equal(all.len, l.end);
	check_messages(all, &seq);
	assert_int_equal(replog_next(&l, &cursor, 1000000).len, 0);
	replog_fini(&l);
}

static void who_comes_later_begins_with_the_oldest_that_is_kept(void **state)
{
	struct replog l;

	(void)state;
	replog_init(&l);
	assert_int_equal(l.start_seq, 1);
	while (l.end < 5 * REPLOG_CHUNK_BYTES)
		append(&l, 1000);
	replog_forget(&l, 3 * (uint64_t)REPLOG_CHUNK_BYTES);
	uint64_t cursor = l.start, seq = l.start_seq;
	assert_true(seq > 1);
	while (cursor < l.end)
		check_messages(replog_next(&l, &cursor, 100000), &seq);
	assert_int_equal(seq, l.seq + 1);
	replog_forget(&l, l.end);
	assert_int_equal(replog_kept(&l), 0);
	assert_int_equal(l.start_seq, l.seq + 1);
	replog_fini(&l);
}

static void clearing_leaves_the_numbers_to_go_on(void **state)
{
	struct replog l;

	(void)state;
	replog_init(&l);
	for (int i = 0; i < 1000; i++)
		append(&l, 1000);
	replog_clear(&l);
	assert_int_equal(replog_kept(&l), 0);
	uint64_t cursor = l.start, seq = 1001;
	assert_int_equal(append(&l, 5), 1001);
	check_messages(replog_next(&l, &cursor, 1000), &seq);
	assert_int_equal(cursor, l.end);
	replog_fini(&l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_message_comes_once_whole_and_in_order),
		cmocka_unit_test(passing_stops_at_the_number_and_at_what_was_sent),
		cmocka_unit_test(a_piece_has_at_least_one_message_and_else_no_more_than_asked),
		cmocka_unit_test(who_comes_later_begins_with_the_oldest_that_is_kept),
		cmocka_unit_test(clearing_leaves_the_numbers_to_go_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
