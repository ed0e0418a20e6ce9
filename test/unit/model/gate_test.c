/* Goal: never more than max inside, and nobody waits forever.
 *
 * The last test is a race of threads, but its verdict does not hang on who is
 * faster: a lost wake-up leaves a thread waiting for good, which the deadline finds.
 */
#include "model/gate.h"

#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

static void as_many_as_max_come_in(void **unused)
{
	struct gate g = {0};

	(void)unused;
	for (int n = 0; n < 3; n++)
		assert_true(gate_enter(&g, 3, 0));
	assert_false(gate_enter(&g, 3, 0));
	assert_int_equal(g.inside, 3);
	assert_int_equal(g.turned_away, 1);
}

static void without_a_limit_all_come_in_and_are_counted(void **unused)
{
	struct gate g = {0};

	(void)unused;
	for (int n = 0; n < 1000; n++)
		assert_true(gate_enter(&g, 0, 0));
	assert_int_equal(g.inside, 1000);
	for (int n = 0; n < 1000; n++)
		assert_int_equal(gate_leave(&g), 0);
	assert_int_equal(g.inside, 0);
	assert_int_equal(g.turned_away, 0);
}

static void who_leaves_is_told_of_all_that_wait_and_only_once(void **unused)
{
	struct gate g = {0};

	(void)unused;
	assert_true(gate_enter(&g, 2, 5));
	assert_true(gate_enter(&g, 2, 5));
	assert_false(gate_enter(&g, 2, 0));
	assert_false(gate_enter(&g, 2, 63));
	assert_false(gate_enter(&g, 2, 63));
	assert_true(gate_leave(&g) == (1ull << 63 | 1));
	assert_true(gate_leave(&g) == 0);
}

static void a_changed_max_counts_from_the_next_call(void **unused)
{
	struct gate g = {0};

	(void)unused;
	assert_true(gate_enter(&g, 2, 0));
	assert_true(gate_enter(&g, 2, 0));
	assert_false(gate_enter(&g, 1, 1));
	assert_true(gate_enter(&g, 3, 1));
	assert_int_equal(gate_leave(&g), 2);
	assert_false(gate_enter(&g, 1, 1));
	assert_int_equal(gate_leave(&g), 2);
	assert_false(gate_enter(&g, 1, 1));
	assert_int_equal(gate_leave(&g), 2);
	assert_true(gate_enter(&g, 1, 1));
}

enum { THREADS = 4, VISITS = 20000, DEADLINE_S = 60 };

struct race {
	struct gate gate;
	uint32_t    max;
	sem_t       woken[THREADS];
	atomic_uint really_inside, most_inside, stuck;
};

struct visitor {
	struct race *race;
	unsigned     loop;
};

static bool wait_to_be_woken(struct race *r, unsigned loop)
{
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += DEADLINE_S;
	return sem_timedwait(&r->woken[loop], &until) == 0;
}

static void *visit(void *arg)
{
	struct visitor *v = arg;
	struct race *r = v->race;

	for (int n = 0; n < VISITS; n++) {
		while (!gate_enter(&r->gate, r->max, v->loop)) {
			if (!wait_to_be_woken(r, v->loop)) {
				atomic_fetch_add(&r->stuck, 1);
				return NULL;
			}
		}
		unsigned now = atomic_fetch_add(&r->really_inside, 1) + 1;
		unsigned most = atomic_load(&r->most_inside);
		while (now > most &&
		       !atomic_compare_exchange_weak(&r->most_inside, &most, now))
			;
		if (n % 4 == 0)
			sched_yield();		/* lets others find the gate full */
		atomic_fetch_sub(&r->really_inside, 1);
		uint64_t waiting = gate_leave(&r->gate);
		for (unsigned loop = 0; loop < THREADS; loop++)
			if (waiting >> loop & 1)
				sem_post(&r->woken[loop]);
	}
	return NULL;
}

static void race_through(uint32_t max)
{
	static struct race r;
	struct visitor visitors[THREADS];
	pthread_t threads[THREADS];

	memset(&r, 0, sizeof r);
	r.max = max;
	for (unsigned i = 0; i < THREADS; i++)
		sem_init(&r.woken[i], 0, 0);
	for (unsigned i = 0; i < THREADS; i++) {
		visitors[i] = (struct visitor){&r, i};
		assert_int_equal(pthread_create(&threads[i], NULL, visit,
						&visitors[i]), 0);
	}
	for (unsigned i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	for (unsigned i = 0; i < THREADS; i++)
		sem_destroy(&r.woken[i]);
	assert_int_equal(r.stuck, 0);
	assert_in_range(r.most_inside, 1, max);
	assert_int_equal(r.gate.inside, 0);
}

static void nobody_waits_forever_and_never_too_many_are_inside(void **unused)
{
	(void)unused;
	for (uint32_t max = 1; max < THREADS; max++)
		race_through(max);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(as_many_as_max_come_in),
		cmocka_unit_test(without_a_limit_all_come_in_and_are_counted),
		cmocka_unit_test(who_leaves_is_told_of_all_that_wait_and_only_once),
		cmocka_unit_test(a_changed_max_counts_from_the_next_call),
		cmocka_unit_test(nobody_waits_forever_and_never_too_many_are_inside),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
