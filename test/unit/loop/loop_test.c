/* Goal: what loop.h promises about watches, messages and timers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/must.h"
#include "loop/loop.h"
#include "loop/turn.h"

enum { DEADLINE_MS = 10000, THREADS = 4, MESSAGES = 5000 };

static struct loop *l;

static int open_loop(void **unused)
{
	struct err err;

	(void)unused;
	l = loop_create(&err);
	return l != NULL ? 0 : -1;
}

static int close_loop(void **unused)
{
	(void)unused;
	loop_destroy(l);
	return 0;
}

/* Runs turns until the condition holds. */
#define WAIT_FOR(condition)                                                     \
	do {                                                                    \
		uint64_t end_us = loop_clock_us() + DEADLINE_MS * 1000ull;      \
		while (!(condition) && loop_clock_us() < end_us)                \
			loop_turn(l, 10);                                       \
		assert_true(condition);                                         \
	} while (0)

/* One end of a socket pair, watched; the test holds the other one. */
struct end {
	struct loop_watch watch;
	int      other;
	int      told;			/* times */
	unsigned events;		/* since they were last looked at */
	int      again_left;		/* times to go on */
	struct end *closes;		/* the end that it closes when told */
};

static unsigned events_of(struct end *e)
{
	unsigned events = e->events;

	e->events = 0;
	return events;
}

static void on_ready(struct loop_watch *w, unsigned events)
{
	struct end *e = CONTAINER_OF(w, struct end, watch);

	e->told++;
	e->events |= events;
	if (e->closes != NULL)
		loop_watch_close(l, &e->closes->watch);
	if (w->fd >= 0 && e->again_left > 0) {
		e->again_left--;
		loop_again(l, w);
	}
}

static struct end *open_end(void)
{
	struct end *e = calloc(1, sizeof *e);
	int fds[2];

	assert_non_null(e);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0,
				    fds), 0);
	loop_watch_init(&e->watch, fds[0], on_ready);
	e->other = fds[1];
	return e;
}

static void close_end(struct end *e)
{
	loop_watch_close(l, &e->watch);
	close(e->other);
	free(e);
}

static void put_byte(struct end *e)
{
	assert_int_equal(write(e->other, "x", 1), 1);
}

static void what_was_told_is_not_told_again(void **unused)
{
	struct end *e = open_end();

	(void)unused;
	assert_int_equal(loop_watch_register(l, &e->watch), 0);
	assert_int_equal(loop_watch_register(l, &e->watch), 0);
	loop_turn(l, 0);
	assert_int_equal(events_of(e), LOOP_WRITABLE);
	loop_turn(l, 0);
	assert_int_equal(e->told, 1);

	put_byte(e);
	loop_turn(l, 0);
	assert_true(events_of(e) & LOOP_READABLE);
	loop_turn(l, 0);			/* unread, and nothing new */
	assert_int_equal(e->told, 2);
	put_byte(e);
	loop_turn(l, 0);
	assert_true(events_of(e) & LOOP_READABLE);
	assert_int_equal(e->told, 3);
	close_end(e);
}

static void what_is_ready_before_registering_is_told(void **unused)
{
	struct end *e = open_end();

	(void)unused;
	put_byte(e);
	assert_int_equal(loop_watch_register(l, &e->watch), 0);
	loop_turn(l, 0);
	assert_int_equal(events_of(e), LOOP_READABLE | LOOP_WRITABLE);
	close_end(e);
}

static void an_end_is_told_as_an_end(void **unused)
{
	struct end *e = open_end();

	(void)unused;
	assert_int_equal(loop_watch_register(l, &e->watch), 0);
	loop_turn(l, 0);
	events_of(e);
	shutdown(e->other, SHUT_WR);
	loop_turn(l, 0);
	unsigned events = events_of(e);
	assert_true((events & LOOP_ENDED) && (events & LOOP_READABLE));
	assert_false(events & LOOP_BROKEN);
	close(e->other);
	e->other = -1;
	loop_turn(l, 0);
	events = events_of(e);
	assert_true((events & LOOP_ENDED) && (events & LOOP_WRITABLE));
	assert_false(events & LOOP_BROKEN);
	close_end(e);
}

static void a_reset_is_told_as_one(void **unused)
{
	struct end *e = open_end();

	(void)unused;
	assert_int_equal(loop_watch_register(l, &e->watch), 0);
	loop_turn(l, 0);
	events_of(e);
	assert_int_equal(write(e->watch.fd, "x", 1), 1);
	close(e->other);	/* with a byte unread */
	e->other = -1;
	loop_turn(l, 0);
	assert_true(events_of(e) & LOOP_BROKEN);
	close_end(e);
}

static void level_triggered_is_told_until_it_is_read(void **unused)
{
	struct end *e = open_end();
	char byte;

	(void)unused;
	assert_int_equal(loop_watch_register_level(l, &e->watch), 0);
	loop_turn(l, 0);
	assert_int_equal(e->told, 0);
	put_byte(e);
	for (int i = 1; i <= 3; i++) {
		loop_turn(l, 0);
		assert_int_equal(e->told, i);
	}
	assert_int_equal(read(e->watch.fd, &byte, 1), 1);
	loop_turn(l, 0);
	assert_int_equal(e->told, 3);
	close_end(e);
}

static void forgotten_is_open_but_not_told(void **unused)
{
	struct end *e = open_end();

	(void)unused;
	assert_int_equal(loop_watch_register(l, &e->watch), 0);
	loop_again(l, &e->watch);
	loop_watch_forget(l, &e->watch);
	put_byte(e);
	loop_turn(l, 0);
	assert_int_equal(e->told, 0);
	assert_true(e->watch.fd >= 0);
	assert_int_equal(loop_watch_register(l, &e->watch), 0);
	loop_turn(l, 0);
	assert_true(events_of(e) & LOOP_READABLE);
	close_end(e);
}

/* The kernel would go on telling: the file is still open. So it is as well in a process that
 * has just been begun, until it runs another program. */
static void closed_but_open_elsewhere(int (*enrol)(struct loop *loop, struct loop_watch *w))
{
	struct end *e = open_end();
	int elsewhere = dup(e->watch.fd);

	assert_true(elsewhere >= 0);
	assert_int_equal(enrol(l, &e->watch), 0);
	loop_watch_close(l, &e->watch);
	put_byte(e);
	uint64_t events = loop_stats(l)->events;
	loop_turn(l, 10);
	loop_turn(l, 10);
	assert_int_equal(e->told, 0);
	assert_int_equal(loop_stats(l)->events, events);
	close(elsewhere);
	close_end(e);
}

static void a_closed_one_that_is_open_elsewhere_is_not_told(void **unused)
{
	(void)unused;
	closed_but_open_elsewhere(loop_watch_register);
	closed_but_open_elsewhere(loop_watch_register_level);
}

/* Two that are ready in one batch, each of which closes the other. */
static void closing_drops_what_was_fetched(void **unused)
{
	struct end *a = open_end(), *b = open_end();

	(void)unused;
	a->closes = b;
	b->closes = a;
	assert_int_equal(loop_watch_register(l, &a->watch), 0);
	assert_int_equal(loop_watch_register(l, &b->watch), 0);
	loop_turn(l, 0);
	assert_int_equal(a->told + b->told, 1);
	close_end(a);
	close_end(b);
}

/* The number of the descriptor is another's at once; old events are not for it. */
static void a_number_that_is_used_anew_gets_no_old_event(void **unused)
{
	struct end *a = open_end(), *b = open_end();

	(void)unused;
	assert_int_equal(loop_watch_register(l, &a->watch), 0);
	int fd = a->watch.fd;
	loop_watch_close(l, &a->watch);
	loop_watch_close(l, &a->watch);
	assert_int_equal(dup2(b->watch.fd, fd), fd);
	loop_turn(l, 0);
	assert_int_equal(a->told, 0);
	close(fd);
	close_end(a);
	close_end(b);
}

static void again_is_in_the_next_turn(void **unused)
{
	struct end *e = open_end();

	(void)unused;
	assert_int_equal(loop_watch_register(l, &e->watch), 0);
	e->again_left = 3;
	loop_turn(l, 0);
	assert_int_equal(e->told, 1);
	assert_int_equal(events_of(e), LOOP_WRITABLE);
	for (int told = 2; told <= 4; told++) {
		loop_turn(l, DEADLINE_MS);	/* does not wait */
		assert_int_equal(e->told, told);
		assert_int_equal(events_of(e), LOOP_RESUMED);
	}
	loop_turn(l, 0);
	assert_int_equal(e->told, 4);
	close_end(e);
}

static void closing_forgets_again(void **unused)
{
	struct end *a = open_end(), *b = open_end();

	(void)unused;
	a->closes = b;
	loop_again(l, &a->watch);
	loop_again(l, &b->watch);
	loop_again(l, &b->watch);
	loop_turn(l, 0);
	assert_int_equal(a->told, 1);
	assert_int_equal(b->told, 0);
	close_end(a);
	close_end(b);
}

struct message {
	struct loop_job job;
	int thread, number;
};

static int last_number[THREADS], received;
static bool in_order = true;

static void on_message(struct loop_job *job)
{
	struct message *m = CONTAINER_OF(job, struct message, job);

	in_order = in_order && m->number == last_number[m->thread] + 1;
	last_number[m->thread] = m->number;
	received++;
	free(m);
}

static void post_message(int thread, int number)
{
	struct message *m = malloc(sizeof *m);

	must(m != NULL);
	*m = (struct message){.job.run = on_message, .thread = thread, .number = number};
	loop_post(l, &m->job);
}

static void forget_messages(void)
{
	for (int i = 0; i < THREADS; i++)
		last_number[i] = 0;
	received = 0;
	in_order = true;
}

static void *post_many(void *arg)
{
	for (int i = 1; i <= MESSAGES; i++)
		post_message((int)(intptr_t)arg, i);
	return NULL;
}

static void messages_arrive_once_and_in_order(void **unused)
{
	pthread_t threads[THREADS];

	(void)unused;
	forget_messages();
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, post_many,
						(void *)(intptr_t)i), 0);
	WAIT_FOR(received == THREADS * MESSAGES);
	assert_true(in_order);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	loop_turn(l, 0);
	assert_int_equal(received, THREADS * MESSAGES);
}

static void a_message_wakes_once(void **unused)
{
	(void)unused;
	forget_messages();
	loop_turn(l, 0);
	uint64_t before = loop_stats(l)->events;
	for (int i = 1; i <= 10; i++) {
		post_message(0, i);
		for (int turn = 0; turn < 3; turn++)
			loop_turn(l, 0);
	}
	assert_int_equal(received, 10);
	assert_int_equal(loop_stats(l)->events - before, 10);
}

static void the_end_runs_what_was_not_run(void **unused)
{
	(void)unused;
	forget_messages();
	post_message(0, 1);
	post_message(0, 2);
	loop_destroy(l);
	assert_int_equal(received, 2);
	assert_int_equal(open_loop(NULL), 0);
}

static void *stop_loop(void *arg)
{
	loop_stop(arg);
	return NULL;
}

static void stopping_ends_a_run(void **unused)
{
	pthread_t thread;

	(void)unused;
	for (int i = 0; i < 50; i++) {
		assert_int_equal(pthread_create(&thread, NULL, stop_loop, l), 0);
		loop_run(l);			/* waits for nothing else */
		pthread_join(thread, NULL);
	}
	loop_stop(l);
	loop_run(l);				/* stopped before: at once */
}

struct bell {
	struct loop_timer timer;
	uint64_t rung_us;
	int      times;
	struct bell *stops;
};

static struct bell *last_rung;

static void on_due(struct loop_timer *t)
{
	struct bell *b = CONTAINER_OF(t, struct bell, timer);

	b->rung_us = loop_clock_us();
	b->times++;
	last_rung = b;
	if (b->stops != NULL)
		loop_timer_stop(l, &b->stops->timer);
}

static void timers_are_never_early(void **unused)
{
	static const uint64_t spans_ms[] = {0, 1, 2, 7, 30, 65, 130};
	struct bell bells[COUNT_OF(spans_ms)] = {0};

	(void)unused;
	loop_turn(l, 0);
	uint64_t start_us = loop_now_us(l);
	for (size_t i = 0; i < COUNT_OF(spans_ms); i++) {
		loop_timer_init(&bells[i].timer, on_due);
		loop_timer_start(l, &bells[i].timer, spans_ms[i]);
	}
	for (size_t i = 0; i < COUNT_OF(spans_ms); i++) {
		WAIT_FOR(bells[i].times == 1);
		/* To the millisecond: both ends may be anywhere within theirs. */
		assert_true(bells[i].rung_us + 1000 > start_us + spans_ms[i] * 1000);
	}
}

static void a_timer_may_be_moved_and_stopped(void **unused)
{
	struct bell moved = {0}, stopped = {0}, later = {0};

	(void)unused;
	loop_timer_init(&moved.timer, on_due);
	loop_timer_init(&stopped.timer, on_due);
	loop_timer_init(&later.timer, on_due);
	loop_timer_start(l, &moved.timer, 1);
	loop_timer_start(l, &stopped.timer, 1);
	loop_timer_start(l, &moved.timer, 40);
	loop_timer_start(l, &later.timer, 100000);
	loop_timer_start(l, &later.timer, 20);
	loop_timer_stop(l, &stopped.timer);
	WAIT_FOR(later.times == 1);
	assert_int_equal(moved.times, 0);
	WAIT_FOR(moved.times == 1);
	assert_int_equal(stopped.times, 0);
	assert_int_equal(loop_stats(l)->timers_armed, 0);
}

/* Both are due in the same turn, and whichever is first stops the other. */
static void a_stopped_timer_does_not_run_even_if_due(void **unused)
{
	struct bell a = {.stops = NULL}, b = {.stops = &a};

	(void)unused;
	a.stops = &b;
	loop_timer_init(&a.timer, on_due);
	loop_timer_init(&b.timer, on_due);
	loop_timer_start(l, &a.timer, 0);
	loop_timer_start(l, &b.timer, 0);
	loop_turn(l, 0);
	loop_turn(l, 0);
	assert_int_equal(a.times + b.times, 1);
}

/* More are ready than one turn tells. A timer that is due may be a limit to what the last
 * of them wait for; with `still`, the first are ready anew each time. */
static int turns_before_a_timer(bool still)
{
	enum { COUNT = LOOP_EVENTS_MAX + 50 };
	struct end *ends[COUNT];
	struct bell bell = {.stops = NULL};
	int turns = 0;

	for (int i = 0; i < COUNT; i++) {
		ends[i] = open_end();
		assert_int_equal(loop_watch_register(l, &ends[i]->watch), 0);
	}
	loop_timer_init(&bell.timer, on_due);
	loop_timer_start(l, &bell.timer, 1);
	while (loop_clock_us() < loop_now_us(l) + 2000)
		continue;
	for (; bell.times == 0 && turns < 10; turns++) {
		loop_turn(l, 0);
		for (int i = 0; still && i < COUNT; i++)
			put_byte(ends[i]);
	}
	for (int i = 0; i < COUNT; i++) {
		assert_int_not_equal(ends[i]->told, 0);
		close_end(ends[i]);
	}
	return turns;
}

static void a_timer_waits_until_all_that_was_ready_has_been_told(void **unused)
{
	(void)unused;
	assert_int_equal(turns_before_a_timer(false), 2);
}

static void a_timer_does_not_wait_for_what_is_ready_again_and_again(void **unused)
{
	(void)unused;
	assert_int_equal(turns_before_a_timer(true), 4);	/* twice round */
}

static void many_timers_leave_room_for_others(void **unused)
{
	enum { COUNT = 3 * LOOP_TIMERS_PER_TURN + 1 };
	struct bell *bells = calloc(COUNT, sizeof *bells);
	uint64_t before = loop_stats(l)->timers_run;

	(void)unused;
	assert_non_null(bells);
	for (int i = 0; i < COUNT; i++) {
		loop_timer_init(&bells[i].timer, on_due);
		loop_timer_start(l, &bells[i].timer, 0);
	}
	for (int turn = 1; turn <= 3; turn++) {
		loop_turn(l, DEADLINE_MS);	/* never waits: there is work */
		assert_int_equal(loop_stats(l)->timers_run - before,
				 turn * LOOP_TIMERS_PER_TURN);
	}
	loop_turn(l, DEADLINE_MS);
	assert_int_equal(loop_stats(l)->timers_run - before, COUNT);
	assert_ptr_equal(last_rung, &bells[COUNT - 1]);
	free(bells);
}

/* A task that notes in which place of all it ran. */
struct note {
	struct loop_task task;
	int  times, place;
	int  again_left;		/* times to ask for itself */
	struct note *cancels, *asks;	/* out of `run` */
};

static int places;

static void on_end(struct loop_task *t)
{
	struct note *n = CONTAINER_OF(t, struct note, task);

	n->times++;
	n->place = ++places;
	if (n->again_left > 0) {
		n->again_left--;
		loop_at_end(l, t);
	}
	if (n->cancels != NULL)
		loop_task_cancel(&n->cancels->task);
	if (n->asks != NULL)
		loop_at_end(l, &n->asks->task);
}

static void init_notes(struct note *notes, int count)
{
	places = 0;
	for (int i = 0; i < count; i++)
		loop_task_init(&notes[i].task, on_end);
}

static void tasks_run_once_and_in_order(void **unused)
{
	struct note notes[3] = {0};

	(void)unused;
	init_notes(notes, 3);
	loop_at_end(l, &notes[2].task);
	loop_at_end(l, &notes[0].task);
	loop_at_end(l, &notes[2].task);
	loop_turn(l, DEADLINE_MS);		/* never waits: there is work */
	loop_turn(l, 0);
	assert_int_equal(notes[2].times, 1);
	assert_int_equal(notes[2].place, 1);
	assert_int_equal(notes[0].times, 1);
	assert_int_equal(notes[0].place, 2);
	assert_int_equal(notes[1].times, 0);
}

/* What an event, a message or a timer puts off is done in their turn, after them all. */
struct putter {
	struct loop_timer timer;
	struct loop_job job;
	struct loop_watch watch;
	struct note *note;
	int seen;			/* times that the task had run before */
};

static void put_off(struct putter *p)
{
	p->seen += p->note->times;
	loop_at_end(l, &p->note->task);
}

static void on_putter_due(struct loop_timer *t)
{
	put_off(CONTAINER_OF(t, struct putter, timer));
}

static void on_putter_posted(struct loop_job *j)
{
	put_off(CONTAINER_OF(j, struct putter, job));
}

static void on_putter_ready(struct loop_watch *w, unsigned events)
{
	(void)events;
	put_off(CONTAINER_OF(w, struct putter, watch));
}

static void tasks_run_after_all_else_of_the_turn(void **unused)
{
	struct note note = {0};
	struct putter p = {.job.run = on_putter_posted, .note = &note};
	int fds[2];

	(void)unused;
	init_notes(&note, 1);
	assert_int_equal(pipe(fds), 0);
	assert_int_equal(write(fds[1], "x", 1), 1);
	loop_watch_init(&p.watch, fds[0], on_putter_ready);
	assert_int_equal(loop_watch_register(l, &p.watch), 0);
	loop_timer_init(&p.timer, on_putter_due);
	loop_timer_start(l, &p.timer, 0);
	loop_post(l, &p.job);
	loop_turn(l, DEADLINE_MS);
	assert_false(p.timer.armed);
	assert_int_equal(note.times, 1);
	assert_int_equal(p.seen, 0);
	loop_watch_close(l, &p.watch);
	close(fds[1]);
}

static void a_task_that_asks_again_gets_the_next_turn(void **unused)
{
	struct note notes[2] = {{.again_left = 2, .asks = &notes[1]}};

	(void)unused;
	init_notes(notes, 2);
	loop_at_end(l, &notes[0].task);
	for (int turn = 1; turn <= 3; turn++) {
		loop_turn(l, DEADLINE_MS);	/* never waits: there is work */
		assert_int_equal(notes[0].times, turn);
		/* In the second turn it waits already when it is asked for. */
		assert_int_equal(notes[1].times, turn > 1);
	}
	loop_turn(l, DEADLINE_MS);
	loop_turn(l, 0);
	assert_int_equal(notes[0].times, 3);
	assert_int_equal(notes[1].times, 2);
}

static void a_cancelled_task_does_not_run(void **unused)
{
	struct note notes[3] = {{.cancels = &notes[1]}};

	(void)unused;
	init_notes(notes, 3);
	loop_task_cancel(&notes[2].task);	/* waits for nothing */
	for (int i = 0; i < 3; i++)
		loop_at_end(l, &notes[i].task);
	loop_task_cancel(&notes[2].task);
	loop_task_cancel(&notes[2].task);
	loop_turn(l, 0);			/* the first cancels the second */
	loop_turn(l, 0);
	assert_int_equal(notes[0].times, 1);
	assert_int_equal(notes[1].times, 0);
	assert_int_equal(notes[2].times, 0);
	loop_at_end(l, &notes[1].task);		/* and may be asked for again */
	loop_turn(l, 0);
	assert_int_equal(notes[1].times, 1);
}

/* So many turns, in each of which a pause is asked for; returns how many there were. */
static uint64_t pauses_in(int turns)
{
	uint64_t before = loop_stats(l)->pauses;

	for (int turn = 0; turn < turns; turn++) {
		loop_pause(l);
		loop_turn(l, 0);
	}
	return loop_stats(l)->pauses - before;
}

/* That turns come soon is for the machine to say: among so many some do. */
static void a_busy_loop_pauses_when_it_is_asked_to(void **unused)
{
	(void)unused;
	for (int turn = 0; turn < 1000; turn++)
		loop_turn(l, 0);
	assert_int_equal(loop_stats(l)->pauses, 0);
	assert_true(pauses_in(1000) > 0);
	uint64_t before = loop_stats(l)->pauses;
	for (int turn = 0; turn < 1000; turn++)		/* each is asked for */
		loop_turn(l, 0);
	assert_int_equal(loop_stats(l)->pauses, before);
}

static void a_turn_with_much_is_followed_at_once(void **unused)
{
	struct end *ends[LOOP_PAUSE_EVENTS_MAX + 1];

	(void)unused;
	for (size_t i = 0; i < COUNT_OF(ends); i++) {
		ends[i] = open_end();
		assert_int_equal(loop_watch_register_level(l, &ends[i]->watch), 0);
		put_byte(ends[i]);
	}
	loop_turn(l, 0);
	assert_int_equal(pauses_in(1000), 0);
	for (size_t i = 0; i < COUNT_OF(ends); i++)
		close_end(ends[i]);
}

static void what_goes_on_goes_on_at_once(void **unused)
{
	struct end *e = open_end();

	(void)unused;
	e->again_left = 1000;
	assert_int_equal(loop_watch_register(l, &e->watch), 0);
	loop_turn(l, 0);
	assert_int_equal(pauses_in(1000), 0);
	assert_int_equal(e->again_left, 0);
	close_end(e);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_loop, close_loop)
	const struct CMUnitTest tests[] = {
		TEST(what_was_told_is_not_told_again),
		TEST(what_is_ready_before_registering_is_told),
		TEST(an_end_is_told_as_an_end),
		TEST(a_reset_is_told_as_one),
		TEST(level_triggered_is_told_until_it_is_read),
		TEST(forgotten_is_open_but_not_told),
		TEST(a_closed_one_that_is_open_elsewhere_is_not_told),
		TEST(closing_drops_what_was_fetched),
		TEST(a_number_that_is_used_anew_gets_no_old_event),
		TEST(again_is_in_the_next_turn),
		TEST(closing_forgets_again),
		TEST(messages_arrive_once_and_in_order),
		TEST(a_message_wakes_once),
		TEST(the_end_runs_what_was_not_run),
		TEST(stopping_ends_a_run),
		TEST(timers_are_never_early),
		TEST(a_timer_may_be_moved_and_stopped),
		TEST(a_stopped_timer_does_not_run_even_if_due),
		TEST(a_timer_waits_until_all_that_was_ready_has_been_told),
		TEST(a_timer_does_not_wait_for_what_is_ready_again_and_again),
		TEST(many_timers_leave_room_for_others),
		TEST(tasks_run_once_and_in_order),
		TEST(tasks_run_after_all_else_of_the_turn),
		TEST(a_task_that_asks_again_gets_the_next_turn),
		TEST(a_cancelled_task_does_not_run),
		TEST(a_busy_loop_pauses_when_it_is_asked_to),
		TEST(a_turn_with_much_is_followed_at_once),
		TEST(what_goes_on_goes_on_at_once),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
