/* Goal: the load moves the number of servers, between min and max, when it has lasted,
 * and never to and fro. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "spawn/scaling.h"

enum { SAMPLE_MS = 500 };

static struct model_own own;
static struct scaling scaling;
static struct scaling_sample x;
static uint32_t least, most;

static int begin(void **unused)
{
	(void)unused;
	own = (struct model_own){
		.min = 2, .max = 20, .scale_up = 10, .scale_down = 4, .scale_up_ms = 2000,
		.scale_down_ms = 10000,
	};
	scaling = (struct scaling){0};
	x = (struct scaling_sample){.now_ms = 1000, .wanted = 2, .serving = 2};
	return 0;
}

/* So busy for so long; new servers come up at once. */
static void load(uint32_t busy, uint32_t ms)
{
	uint64_t end = x.now_ms + ms;

	least = most = x.wanted;
	x.busy = busy;
	while (x.now_ms < end) {
		x.now_ms += SAMPLE_MS;
		x.requests += busy;
		x.wanted = x.serving = scaling_wanted(&scaling, &own, &x);
		assert_in_range(x.wanted, own.min, own.max);
		least = x.wanted < least ? x.wanted : least;
		most = x.wanted > most ? x.wanted : most;
	}
}

static void a_short_burst_changes_nothing(void **unused)
{
	(void)unused;
	for (int i = 0; i < 10; i++) {
		load(500, 2000);
		assert_int_equal(x.wanted, 2);
		load(10, 500);
	}
	assert_int_equal(most, 2);
}

static void a_lasting_load_is_met_in_steps_that_double(void **unused)
{
	(void)unused;
	load(155, 2500);
	assert_int_equal(x.wanted, 8);		/* twice as many, and 4 */
	load(155, 2500);
	assert_int_equal(x.wanted, 16);		/* 155 of 10 each */
	load(155, 60000);
	assert_int_equal(least, 16);
	assert_int_equal(most, 16);
	load(100000, 60000);
	assert_int_equal(x.wanted, 20);		/* max */
}

static void a_load_between_the_two_limits_moves_nothing(void **unused)
{
	(void)unused;
	x.wanted = x.serving = 5;
	for (uint32_t busy = 20; busy <= 50; busy++) {
		load(busy, 30000);
		assert_int_equal(least, 5);
		assert_int_equal(most, 5);
	}
}

/* Property: what was decided by a load stays by that load. */
static void no_load_makes_it_go_to_and_fro(void **unused)
{
	for (uint32_t busy = 0; busy < 300; busy++) {
		begin(unused);
		x.wanted = x.serving = 13;
		load(busy, 300 * 1000);
		uint32_t reached = x.wanted;
		load(busy, 300 * 1000);
		assert_int_equal(least, reached);
		assert_int_equal(most, reached);
	}
}

static void less_load_takes_servers_away_and_never_below_min(void **unused)
{
	(void)unused;
	x.wanted = x.serving = 16;
	load(15, 10000);
	assert_int_equal(x.wanted, 16);		/* not yet */
	load(15, 500);
	assert_int_equal(x.wanted, 8);		/* half of them at most */
	load(15, 10500);
	assert_int_equal(x.wanted, 4);		/* 3 have 5 each, 4 have fewer than 4 */
	load(0, 100 * 1000);
	assert_int_equal(x.wanted, 2);
}

static void one_busy_moment_makes_it_wait_again(void **unused)
{
	(void)unused;
	x.wanted = x.serving = 10;
	for (int i = 0; i < 20; i++) {
		load(0, 9000);
		load(60, 500);
	}
	assert_int_equal(x.wanted, 10);
}

static void with_min_0_none_are_left_when_nothing_comes(void **unused)
{
	(void)unused;
	own.min = 0;
	x.wanted = x.serving = 1;
	load(0, 10500);
	assert_int_equal(x.wanted, 0);
	load(0, 100 * 1000);
	assert_int_equal(x.wanted, 0);		/* whoever needs one says so */
}

static void a_request_between_two_samples_counts(void **unused)
{
	(void)unused;
	own.min = 0;
	x.wanted = x.serving = 1;
	for (int i = 0; i < 20; i++) {
		load(0, 9000);
		x.requests++;
		load(0, 500);
		assert_int_equal(x.wanted, 1);
	}
}

static void while_servers_are_on_their_way_nothing_is_decided(void **unused)
{
	(void)unused;
	x.busy = 1000;
	x.wanted = 4;
	for (int i = 0; i < 100; i++) {
		x.now_ms += SAMPLE_MS;
		assert_int_equal(scaling_wanted(&scaling, &own, &x), 4);
	}
}

static void samples_are_due_more_often_where_less_has_to_last(void **unused)
{
	(void)unused;
	assert_int_equal(scaling_sample_ms(&own), 500);
	own.scale_up_ms = 400;
	assert_int_equal(scaling_sample_ms(&own), 100);
	own.scale_down_ms = 1;
	assert_int_equal(scaling_sample_ms(&own), 50);
	own.scale_up_ms = own.scale_down_ms = 60 * 1000;
	assert_int_equal(scaling_sample_ms(&own), 500);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, begin)
	const struct CMUnitTest tests[] = {
		TEST(a_short_burst_changes_nothing),
		TEST(a_lasting_load_is_met_in_steps_that_double),
		TEST(a_load_between_the_two_limits_moves_nothing),
		TEST(no_load_makes_it_go_to_and_fro),
		TEST(less_load_takes_servers_away_and_never_below_min),
		TEST(one_busy_moment_makes_it_wait_again),
		TEST(with_min_0_none_are_left_when_nothing_comes),
		TEST(a_request_between_two_samples_counts),
		TEST(samples_are_due_more_often_where_less_has_to_last),
		TEST(while_servers_are_on_their_way_nothing_is_decided),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
