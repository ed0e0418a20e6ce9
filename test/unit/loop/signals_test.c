/* Goal: a signal becomes one call in the loop's thread, and none after closing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <unistd.h>

#include "loop/signals.h"

static int heard[65], heard_in_all;

static void on_signal(struct signals *s, int number)
{
	(void)s;
	heard[number]++;
	heard_in_all++;
}

static void on_signal_close(struct signals *s, int number)
{
	on_signal(s, number);
	signals_close(s);
}

static struct loop *fresh_loop(void)
{
	struct err err;
	struct loop *l = loop_create(&err);

	assert_non_null(l);
	for (size_t i = 0; i < sizeof heard / sizeof heard[0]; i++)
		heard[i] = 0;
	heard_in_all = 0;
	return l;
}

static void run_turns(struct loop *l, int wanted)
{
	uint64_t end_us = loop_clock_us() + 5 * 1000 * 1000;

	while (heard_in_all < wanted && loop_clock_us() < end_us)
		loop_turn(l, 100);
	loop_turn(l, 0);
}

static void each_signal_is_told_once(void **unused)
{
	static const int numbers[] = {SIGTERM, SIGHUP, SIGUSR1, 0};
	struct loop *l = fresh_loop();
	struct signals s;
	struct err err;

	(void)unused;
	assert_int_equal(signals_open(&s, l, numbers, on_signal, &err), 0);
	kill(getpid(), SIGTERM);
	kill(getpid(), SIGHUP);
	run_turns(l, 2);
	assert_int_equal(heard[SIGTERM], 1);
	assert_int_equal(heard[SIGHUP], 1);
	assert_int_equal(heard_in_all, 2);

	kill(getpid(), SIGHUP);
	run_turns(l, 3);
	assert_int_equal(heard[SIGHUP], 2);
	signals_close(&s);
	loop_destroy(l);
}

static void the_handler_may_close(void **unused)
{
	static const int numbers[] = {SIGTERM, SIGHUP, 0};
	struct loop *l = fresh_loop();
	struct signals s;
	struct err err;

	(void)unused;
	assert_int_equal(signals_open(&s, l, numbers, on_signal_close, &err), 0);
	kill(getpid(), SIGTERM);
	kill(getpid(), SIGHUP);
	run_turns(l, 1);
	assert_int_equal(heard_in_all, 1);
	signals_close(&s);

	assert_int_equal(signals_open(&s, l, numbers, on_signal, &err), 0);
	run_turns(l, 2);	/* the other one is still pending */
	assert_int_equal(heard_in_all, 2);
	signals_close(&s);
	loop_destroy(l);
}

static void pipe_is_ignored_and_unblocking_undoes_all(void **unused)
{
	struct sigaction pipe;
	sigset_t mask;

	(void)unused;
	assert_int_equal(sigaction(SIGPIPE, NULL, &pipe), 0);
	assert_true(pipe.sa_handler == SIG_IGN);
	signals_unblock();
	assert_int_equal(sigaction(SIGPIPE, NULL, &pipe), 0);
	assert_true(pipe.sa_handler == SIG_DFL);
	assert_int_equal(sigprocmask(SIG_BLOCK, NULL, &mask), 0);
	assert_false(sigismember(&mask, SIGTERM));
	signals_block();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_signal_is_told_once),
		cmocka_unit_test(the_handler_may_close),
		cmocka_unit_test(pipe_is_ignored_and_unblocking_undoes_all),
	};
	signals_block();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
