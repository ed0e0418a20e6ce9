/* Goal: what the loop has told once is remembered until a call has shown that it is no
 * longer true, and never longer.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "listen/stream.h"

enum { ROOM = 64, LARGE = 4 * 1024 * 1024 };

static struct stream s;
static int peer;
static char room[ROOM];
static size_t n;

static void on_ready(struct loop_watch *watch, unsigned events)
{
	(void)watch;
	(void)events;
}

static int start(void **unused)
{
	int pair[2];

	(void)unused;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair) != 0)
		return -1;
	stream_init(&s, pair[0], on_ready);
	peer = pair[1];
	return 0;
}

static int finish(void **unused)
{
	(void)unused;
	close(s.watch.fd);
	if (peer >= 0)
		close(peer);
	return 0;
}

static void peer_says(const char *text)
{
	assert_int_equal(send(peer, text, strlen(text), 0), (ssize_t)strlen(text));
}

static void peer_leaves(void)
{
	close(peer);
	peer = -1;
}

static void a_new_stream_may_be_tried(void **unused)
{
	(void)unused;
	assert_true(s.readable);
	assert_true(s.writable);
	assert_false(s.ended);
	assert_false(s.broken);
	assert_int_equal(stream_read(&s, room, sizeof room, &n), STREAM_WAIT);
	assert_false(s.readable);
	assert_false(s.ended);
}

static void a_read_that_fills_its_room_may_have_left_something(void **unused)
{
	(void)unused;
	peer_says("hello");
	assert_int_equal(stream_read(&s, room, 5, &n), STREAM_OK);
	assert_int_equal(n, 5);
	assert_true(s.readable);
	peer_says("you");
	assert_int_equal(stream_read(&s, room, sizeof room, &n), STREAM_OK);
	assert_int_equal(n, 3);
	assert_memory_equal(room, "you", 3);
	assert_false(s.readable);
}

static void the_end_is_still_to_be_heard_when_the_peer_has_ended(void **unused)
{
	(void)unused;
	peer_says("bye");
	peer_leaves();
	stream_note(&s, LOOP_READABLE | LOOP_ENDED);
	assert_true(s.ended);
	assert_int_equal(stream_read(&s, room, sizeof room, &n), STREAM_OK);
	assert_true(s.readable);
	assert_int_equal(stream_read(&s, room, sizeof room, &n), STREAM_END);
	assert_true(s.ended);
	assert_false(s.broken);
}

static void a_short_read_that_ends_is_the_last(void **unused)
{
	(void)unused;
	peer_says("bye");
	peer_leaves();
	stream_note(&s, LOOP_READABLE | LOOP_ENDED);
	assert_int_equal(stream_read(&s, room, sizeof room, &n), STREAM_OK);
	int fd = s.watch.fd;
	s.watch.fd = -1;		/* a call would fail */
	assert_int_equal(stream_read(&s, room, sizeof room, &n), STREAM_END);
	s.watch.fd = fd;
}

static void a_short_read_says_nothing_where_bytes_are_urgent(void **unused)
{
	(void)unused;
	peer_says("hello");
	stream_note(&s, LOOP_READABLE | LOOP_URGENT);
	assert_int_equal(stream_read(&s, room, sizeof room, &n), STREAM_OK);
	assert_true(s.readable);
	assert_int_equal(stream_read(&s, room, sizeof room, &n), STREAM_WAIT);
	assert_false(s.readable);
}

static void each_word_of_the_loop_sets_its_own_mark(void **unused)
{
	(void)unused;
	s.readable = s.writable = false;
	stream_note(&s, 0);
	assert_false(s.readable || s.writable || s.ended || s.broken);
	stream_note(&s, LOOP_READABLE);
	assert_true(s.readable && !s.writable && !s.ended && !s.broken);
	stream_note(&s, LOOP_WRITABLE);
	assert_true(s.readable && s.writable && !s.ended && !s.broken);
	stream_note(&s, LOOP_BROKEN);
	assert_true(s.ended && s.broken);
}

static void what_the_kernel_does_not_take_is_told(void **unused)
{
	static const char large[LARGE];

	(void)unused;
	assert_int_equal(stream_write(&s, "hi", 2, &n), STREAM_OK);
	assert_int_equal(n, 2);
	assert_true(s.writable);
	assert_int_equal(stream_write(&s, large, sizeof large, &n), STREAM_OK);
	assert_true(n < sizeof large);
	assert_false(s.writable);
	while (s.writable || n > 0)
		assert_int_equal(stream_write(&s, large, 1, &n), STREAM_OK);
	assert_false(s.writable);
	stream_note(&s, LOOP_WRITABLE);
	assert_true(s.writable);
}

static void writing_to_nobody_is_an_answer_and_no_signal(void **unused)
{
	(void)unused;
	peer_leaves();
	assert_int_equal(stream_write(&s, "hi", 2, &n), STREAM_BROKEN);
	assert_true(s.broken);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, finish)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_new_stream_may_be_tried),
		TEST(a_read_that_fills_its_room_may_have_left_something),
		TEST(the_end_is_still_to_be_heard_when_the_peer_has_ended),
		TEST(a_short_read_that_ends_is_the_last),
		TEST(a_short_read_says_nothing_where_bytes_are_urgent),
		TEST(each_word_of_the_loop_sets_its_own_mark),
		TEST(what_the_kernel_does_not_take_is_told),
		TEST(writing_to_nobody_is_an_answer_and_no_signal),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
