/* Goal: who reads the log gets each line once, in order, is told of a gap, and is woken by a
 * line of any thread; when nobody reads, nothing is told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/log_ring.h"
#include "base/must.h"
#include "control/log_tail.h"
#include "loop/loop.h"

static struct loop *loop;
static struct log_tail *tail;
static unsigned woken;
static char room[STREAM_PIECE_MAX];

static int set_up(void **unused)
{
	struct err err;

	(void)unused;
	loop = loop_create(&err);
	if (loop == NULL || log_open("/dev/null", &err) != 0)
		return -1;
	tail = log_tail_create(loop);
	woken = 0;
	return 0;
}

static int tear_down(void **unused)
{
	struct err err;

	(void)unused;
	log_tail_destroy(tail);
	loop_turn(loop, 0);		/* a job that was on its way ends it */
	loop_destroy(loop);
	return log_open(NULL, &err);
}

static void on_woken(void *arg)
{
	must(arg == &woken);
	woken++;
}

static struct stream *reader(uint32_t lines)
{
	struct stream *s = log_tail_read(tail, lines);

	s->wake = on_woken;
	s->waiter = &woken;
	return s;
}

/* What comes next, with times left out: "1 2 3". */
static const char *pulled(struct stream *s, size_t size)
{
	static char texts[STREAM_PIECE_MAX];
	size_t len = s->pull(s, room, size);
	char *at = texts;

	*at = '\0';
	assert_true(len <= size);
	for (const char *line = room, *end = room + len, *next; line < end; line = next) {
		next = memchr(line, '\n', (size_t)(end - line));
		assert_non_null(next++);	/* whole lines only */
		const char *text = line;
		if (*line != '(')
			text += sizeof "2026-11-20T16:10:00.123Z info";
		at += sprintf(at, "%s%.*s", at > texts ? " " : "", (int)(next - 1 - text), text);
	}
	return texts;
}

static void say(int first, int last)
{
	for (int i = first; i <= last; i++)
		log_always(LOG_LEVEL_INFO, "%d", i);
}

static void a_reader_begins_with_the_last_and_gets_what_comes(void **unused)
{
	(void)unused;
	say(1, 5);
	struct stream *s = reader(2), *from_now = reader(0);
	assert_string_equal(pulled(s, sizeof room), "4 5");
	assert_string_equal(pulled(s, sizeof room), "");
	assert_string_equal(pulled(from_now, sizeof room), "");
	say(6, 7);
	assert_int_equal(woken, 0);		/* not in the middle of a line */
	loop_turn(loop, 0);
	assert_int_equal(woken, 2);		/* each once for both lines */
	assert_string_equal(pulled(s, sizeof room), "6 7");
	assert_string_equal(pulled(from_now, sizeof room), "6 7");
	loop_turn(loop, 0);
	assert_int_equal(woken, 2);
	s->end(s);
	say(8, 8);
	loop_turn(loop, 0);
	assert_int_equal(woken, 3);
	from_now->end(from_now);
}

static void a_slow_reader_is_told_what_it_has_missed(void **unused)
{
	(void)unused;
	struct stream *s = reader(0);
	say(1, LOG_RING_LINES + 7);
	const char *texts = pulled(s, sizeof room);
	assert_memory_equal(texts, "(7 lines were missed) 8 9 10 ", 29);
	/* On from where the piece ended, none twice. */
	int next = atoi(strrchr(texts, ' ') + 1) + 1;
	for (; next <= LOG_RING_LINES + 7; next = atoi(strrchr(texts, ' ') + 1) + 1) {
		texts = pulled(s, sizeof room);
		assert_int_equal(atoi(texts), next);
	}
	assert_string_equal(pulled(s, sizeof room), "");
	s->end(s);
}

/* A line that has no room stays for the next piece; 64 bytes are for the note of a gap. */
static void lines_are_never_cut(void **unused)
{
	(void)unused;
	struct stream *s = reader(0);
	say(1000, 1009);
	assert_string_equal(pulled(s, 64 + 3 * 35), "1000 1001 1002");
	assert_string_equal(pulled(s, 64 + 2 * 35 - 1), "1003");
	assert_string_equal(pulled(s, 64), "");
	assert_string_equal(pulled(s, sizeof room), "1004 1005 1006 1007 1008 1009");
	s->end(s);
}

static void a_text_has_as_many_as_there_are(void **unused)
{
	size_t len;

	(void)unused;
	char *text = log_tail_text(0, &len);
	assert_string_equal(text, "");
	assert_int_equal(len, 0);
	free(text);
	say(1, LOG_RING_LINES + 1);
	text = log_tail_text(UINT32_MAX, &len);
	assert_int_equal(strlen(text), len);
	assert_non_null(strstr(text, " info 2\n"));
	assert_null(strstr(text, " info 1\n"));
	unsigned count = 0;
	for (const char *at = text; (at = strchr(at, '\n')) != NULL; at++)
		count++;
	assert_int_equal(count, LOG_RING_LINES);
	free(text);
	/* The longest lines there are, more of them than one step of it. */
	for (int i = 0; i < 200; i++)
		log_always(LOG_LEVEL_INFO, "%02000d", i);
	text = log_tail_text(200, &len);
	assert_int_equal(strlen(text), len);
	assert_true(len > 200 * (LOG_LINE_MAX - 100) && len < 200 * (LOG_LINE_MAX + 1));
	free(text);
}

static void *say_much(void *unused)
{
	(void)unused;
	say(1, 500);
	return NULL;
}

static void lines_of_other_threads_all_come(void **unused)
{
	pthread_t threads[2];
	unsigned lines = 0;

	(void)unused;
	struct stream *s = reader(0);
	for (int i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, say_much, NULL), 0);
	while (lines < 1000) {
		loop_turn(loop, 10000);
		size_t len;
		while ((len = s->pull(s, room, sizeof room)) > 0)
			for (size_t i = 0; i < len; i++)
				lines += room[i] == '\n';
	}
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(lines, 1000);
	s->end(s);
}

/* The job is on its way when all is over: it ends what is left (tear_down). */
static void it_ends_in_the_middle_of_being_told(void **unused)
{
	(void)unused;
	struct stream *s = reader(0);
	say(1, 1);
	s->end(s);
	say(2, 2);
	assert_int_equal(woken, 0);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_reader_begins_with_the_last_and_gets_what_comes),
		TEST(a_slow_reader_is_told_what_it_has_missed),
		TEST(lines_are_never_cut),
		TEST(a_text_has_as_many_as_there_are),
		TEST(lines_of_other_threads_all_come),
		TEST(it_ends_in_the_middle_of_being_told),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
