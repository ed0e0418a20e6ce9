/* Goal: events are told in order, each once, to everybody who reads, and who is too late
 * for some is told how many. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "control/events.h"

enum { BASE = 1000000 };

static struct events *events;
static struct stream *stream;
static unsigned woken;
static char room[STREAM_PIECE_MAX + 1];

static int begin(void **unused)
{
	(void)unused;
	events = events_create(BASE);
	stream = NULL;
	woken = 0;
	return 0;
}

static int end(void **unused)
{
	(void)unused;
	if (stream != NULL)
		stream->end(stream);
	events_destroy(events);
	return 0;
}

static void add(const char *text)
{
	const struct event e = {
		.wall_ms = 784111777123, .kind = EVENT_SERVER_DOWN, .pool = "web",
		.server = "127.0.0.1:8081", .text = text,
	};

	events_add(events, &e);
}

static void add_many(unsigned count)
{
	while (count-- > 0)
		add("x");
}

static void on_woken(void *arg)
{
	assert_ptr_equal(arg, &woken);
	woken++;
}

static void read_from(uint64_t id)
{
	stream = events_read(events, id);
	stream->wake = on_woken;
	stream->waiter = &woken;
}

static const char *next(size_t size)
{
	room[stream->pull(stream, room, size)] = '\0';
	return room;
}

static void an_event_is_told_as_it_is(void **unused)
{
	(void)unused;
	read_from(events_last(events) + 1);
	assert_string_equal(next(STREAM_PIECE_MAX), "id: 1000000\n\n");
	assert_string_equal(next(STREAM_PIECE_MAX), "");
	add("no \"answer\"");
	assert_int_equal(woken, 1);
	assert_string_equal(next(STREAM_PIECE_MAX),
		"id: 1000001\ndata: {\"id\":1000001,\"time\":\"1994-11-06T08:49:37.123Z\","
		"\"kind\":\"server-down\",\"pool\":\"web\","
		"\"server\":\"127.0.0.1:8081\",\"text\":\"no \\\"answer\\\"\"}\n\n");
	assert_string_equal(next(STREAM_PIECE_MAX), "");
}

/* Every one exactly once, whatever room there is. */
static void the_room_changes_nothing(void **unused)
{
	(void)unused;
	add_many(100);
	for (size_t size = 250; size < 2000; size += 131) {
		unsigned seen = 0;
		read_from(BASE + 1);
		while (*next(size) != '\0') {
			assert_string_equal(room + strlen(room) - 2, "\n\n");
			for (const char *at = room; (at = strstr(at, "data:")) != NULL;
			     at++)
				seen++;
		}
		assert_int_equal(seen, 100);
		stream->end(stream);
		stream = NULL;
	}
}

static void who_was_away_gets_what_was_missed(void **unused)
{
	(void)unused;
	add("first");
	add("second");
	add("third");
	read_from(events_behind(events, BASE + 1));
	next(STREAM_PIECE_MAX);
	assert_null(strstr(room, "first"));
	assert_non_null(strstr(room, "id: 1000002\ndata"));
	assert_non_null(strstr(room, "third"));
}

static void a_number_of_another_process_means_all(void **unused)
{
	(void)unused;
	add_many(3);
	assert_int_equal(events_behind(events, 5), BASE + 1);
	assert_int_equal(events_behind(events, BASE + 4), BASE + 1);
	assert_int_equal(events_behind(events, UINT64_MAX), BASE + 1);
	assert_int_equal(events_behind(events, BASE + 3), BASE + 4);
	assert_int_equal(events_behind(events, BASE), BASE + 1);
}

static void a_gap_is_told_with_its_size(void **unused)
{
	uint64_t missed;

	(void)unused;
	add_many(5);
	read_from(BASE + 3);
	add_many(EVENTS_MAX);
	next(STREAM_PIECE_MAX);
	assert_non_null(strstr(room, "\n\ndata: {\"kind\":\"missed\",\"count\":3}\n\n"
				     "id: 1000006\n"));
	assert_null(strstr(strstr(room, "missed") + 1, "missed"));
	assert_int_equal(events_find(events, BASE + 1, &missed)->id, BASE + 6);
	assert_int_equal(missed, 5);
}

static void texts_are_bounded_and_printable(void **unused)
{
	char long_text[4 * EVENT_TEXT_MAX];
	const struct event e = {
		.kind = EVENT_STARTED, .pool = long_text, .server = long_text,
		.text = long_text,
	};

	(void)unused;
	memset(long_text, 1, sizeof long_text - 1);	/* the longest in JSON */
	long_text[sizeof long_text - 1] = '\0';
	events_add(events, &e);
	read_from(BASE + 1);
	next(STREAM_PIECE_MAX);
	assert_non_null(strstr(room, "\"started\""));	/* it fits into a piece */
	memset(long_text, 0xff, sizeof long_text - 1);	/* no UTF-8 */
	events_add(events, &e);
	next(STREAM_PIECE_MAX);
	assert_string_equal(room + strlen(room) - 4, "\"}\n\n");
}

static void the_last_ones_are_no_more_than_there_are(void **unused)
{
	(void)unused;
	assert_int_equal(events_last_ones(events, 10), BASE + 1);
	add_many(3);
	assert_int_equal(events_last_ones(events, 10), BASE + 1);
	assert_int_equal(events_last_ones(events, 2), BASE + 2);
	assert_int_equal(events_last_ones(events, 0), BASE + 4);
}

static void each_kind_has_a_word_of_its_own(void **unused)
{
	(void)unused;
	for (enum event_kind i = 1; i < EVENT_KINDS; i++)
		for (enum event_kind j = 1; j < i; j++)
			assert_string_not_equal(event_word(i), event_word(j));
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(an_event_is_told_as_it_is),
		CASE(the_room_changes_nothing),
		CASE(who_was_away_gets_what_was_missed),
		CASE(a_number_of_another_process_means_all),
		CASE(a_gap_is_told_with_its_size),
		CASE(texts_are_bounded_and_printable),
		CASE(the_last_ones_are_no_more_than_there_are),
		CASE(each_kind_has_a_word_of_its_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
