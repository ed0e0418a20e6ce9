/* Goal: the wheel is indistinguishable from a plain list of due times, at a cost per
 * timer that does not grow with their number. Time is simulated. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdbool.h>
#include <stdlib.h>

#include "base/hash.h"
#include "base/must.h"
#include "loop/wheel.h"

enum { TIMERS = 300, STEPS = 20000, MANY = 100000 };

/* A timer and what a plain list would know about it. */
struct known {
	struct loop_timer timer;
	bool     armed;
	uint64_t due_ms;
	uint64_t begun_ms;	/* when it was last started or moved */
};

struct rig {
	struct wheel wheel;
	uint64_t     now_ms;
	uint64_t     random;
	struct known all[TIMERS];
};

static uint64_t random_below(struct rig *r, uint64_t limit)
{
	return hash_mix(r->random += UINT64_C(0x9e3779b97f4a7c15)) % limit;
}

static struct rig *fresh_rig(uint64_t now_ms, uint64_t seed)
{
	struct rig *r = calloc(1, sizeof *r);

	assert_non_null(r);
	r->now_ms = now_ms;
	r->random = seed;
	wheel_init(&r->wheel, now_ms);
	for (int i = 0; i < TIMERS; i++)
		loop_timer_init(&r->all[i].timer, NULL);
	return r;
}

/* Spans from "now" to decades, each size as likely as the others. */
static uint64_t random_span(struct rig *r)
{
	return random_below(r, UINT64_C(1) << random_below(r, 41));
}

static void start(struct rig *r, struct known *k, uint64_t due_ms)
{
	wheel_start(&r->wheel, &k->timer, due_ms);
	k->armed = true;
	k->due_ms = due_ms;
	k->begun_ms = r->now_ms;
}

static void stop(struct rig *r, struct known *k)
{
	wheel_stop(&r->wheel, &k->timer);
	k->armed = false;
}

static uint64_t first_due(const struct rig *r)
{
	uint64_t first = UINT64_MAX;

	for (int i = 0; i < TIMERS; i++)
		if (r->all[i].armed && r->all[i].due_ms < first)
			first = r->all[i].due_ms;
	return first;
}

static uint64_t armed(const struct rig *r)
{
	uint64_t count = 0;

	for (int i = 0; i < TIMERS; i++)
		count += r->all[i].armed;
	return count;
}

/* When a plain list would have given it out at the earliest. */
static uint64_t place_of(const struct known *k)
{
	return k->due_ms > k->begun_ms ? k->due_ms : k->begun_ms;
}

/* Moves on and checks all that is promised about what comes out. */
static void move_on(struct rig *r, uint64_t now_ms)
{
	struct loop_timer *t;
	uint64_t last_place = 0;

	r->now_ms = now_ms;
	while ((t = wheel_expire(&r->wheel, now_ms)) != NULL) {
		struct known *k = CONTAINER_OF(t, struct known, timer);
		assert_true(k->armed);
		assert_false(t->armed);
		assert_true(k->due_ms <= now_ms);		/* never early */
		assert_true(place_of(k) >= last_place);		/* in order */
		last_place = place_of(k);
		k->armed = false;
	}
	assert_true(first_due(r) > now_ms);			/* never late */
	assert_int_equal(r->wheel.count, armed(r));
}

static void do_something(struct rig *r)
{
	struct known *k = &r->all[random_below(r, TIMERS)];

	switch (random_below(r, 6)) {
	case 0:
	case 1:
	case 2:
		start(r, k, r->now_ms + random_span(r));
		break;
	case 3:
		stop(r, k);
		break;
	case 4:			/* to a nearby time, earlier or later */
		start(r, k, r->now_ms + random_below(r, 200));
		break;
	default:		/* in the past: due at once */
		start(r, k, r->now_ms - random_below(r, r->now_ms < 100 ? r->now_ms + 1 : 100));
		break;
	}
}

static void agrees_with_a_plain_list(void **unused)
{
	static const uint64_t starts[] = {
		0, 1, 63, 4095, 1234567890123, (UINT64_C(1) << 42) - 5,
		(UINT64_C(1) << 43) + 17,
	};

	(void)unused;
	for (size_t i = 0; i < COUNT_OF(starts); i++) {
		struct rig *r = fresh_rig(starts[i], i + 1);
		for (int step = 0; step < STEPS; step++) {
			do_something(r);
			assert_true(wheel_next_ms(&r->wheel) <=
				    (first_due(r) > r->now_ms ? first_due(r) : r->now_ms));
			if (random_below(r, 3) == 0)
				move_on(r, r->now_ms + random_below(r, 64));
			else if (random_below(r, 50) == 0)
				move_on(r, r->now_ms + random_span(r));
		}
		free(r);
	}
}

/* Only ever as far as wheel_next_ms says, as a loop does. */
static void who_wakes_when_told_misses_nothing(void **unused)
{
	(void)unused;
	struct rig *r = fresh_rig(987654321, 7);

	for (int i = 0; i < TIMERS; i++)
		start(r, &r->all[i], r->now_ms + random_span(r));
	while (armed(r) > 0) {
		uint64_t next = wheel_next_ms(&r->wheel), due = first_due(r);
		assert_true(next <= due);
		move_on(r, next);
		assert_true(first_due(r) >= due);
	}
	assert_true(wheel_next_ms(&r->wheel) == UINT64_MAX);
	free(r);
}

static void stopped_timers_leave_nothing(void **unused)
{
	(void)unused;
	struct rig *r = fresh_rig(5, 3);

	for (int i = 0; i < TIMERS; i++)
		start(r, &r->all[i], r->now_ms + random_span(r));
	for (int i = 0; i < TIMERS; i++) {
		stop(r, &r->all[i]);
		stop(r, &r->all[i]);
	}
	assert_int_equal(r->wheel.count, 0);
	assert_true(wheel_next_ms(&r->wheel) == UINT64_MAX);
	free(r);
}

/* A timer that is out of the wheel may be started again by its own handler. */
static void a_timer_may_be_started_anew_when_due(void **unused)
{
	(void)unused;
	struct rig *r = fresh_rig(1000, 9);
	struct known *k = &r->all[0];

	start(r, k, 1010);
	for (uint64_t now = 1000; now < 2000; now++) {
		struct loop_timer *t = wheel_expire(&r->wheel, now);
		assert_int_equal(t != NULL, now % 10 == 0 && now > 1000);
		if (t != NULL)
			wheel_start(&r->wheel, t, now + 10);
	}
	free(r);
}

/* A lone timer, however far, is looked at once per level at most. */
static void far_timers_cost_a_look_per_level(void **unused)
{
	(void)unused;
	struct rig *r = fresh_rig(123456789, 4);

	for (int bits = 0; bits < 41; bits++) {
		uint64_t due = r->now_ms + (UINT64_C(1) << bits);
		int looks = 0;
		start(r, &r->all[0], due);
		while (r->all[0].armed) {
			move_on(r, wheel_next_ms(&r->wheel));
			looks++;
		}
		assert_int_equal(r->now_ms, due);
		assert_true(looks <= WHEEL_LEVELS);
	}
	free(r);
}

/* The usual life of an idle time limit: put off again and again, hardly ever due. */
static void putting_off_moves_nothing(void **unused)
{
	(void)unused;
	struct rig *r = fresh_rig(50, 6);
	struct known *k = &r->all[0];

	start(r, k, r->now_ms + 1000);
	struct link *next = k->timer.link.next;
	uint64_t slot_ms = k->timer.slot_ms;
	for (int i = 0; i < MANY; i++) {
		start(r, k, k->due_ms + 1);
		assert_ptr_equal(k->timer.link.next, next);
		assert_true(k->timer.slot_ms == slot_ms);
	}
	int looks = 0;
	while (k->armed) {
		move_on(r, wheel_next_ms(&r->wheel));
		looks++;
	}
	assert_true(looks <= 2 * WHEEL_LEVELS);
	free(r);
}

/* Counts how often the wheel wants to be looked at until all have run. */
static void a_hundred_thousand_timers_cost_a_look_per_slot(void **unused)
{
	(void)unused;
	struct rig *r = fresh_rig(77, 8);
	struct loop_timer *all = calloc(MANY, sizeof *all);
	uint64_t wakes = 0, due_before = 0;
	int ran = 0;

	assert_non_null(all);
	for (int i = 0; i < MANY; i++) {
		loop_timer_init(&all[i], NULL);
		wheel_start(&r->wheel, &all[i], r->now_ms + random_below(r, 60000));
	}
	assert_int_equal(r->wheel.count, MANY);
	while (r->wheel.count > 0) {
		struct loop_timer *t;
		r->now_ms = wheel_next_ms(&r->wheel);
		wakes++;
		while ((t = wheel_expire(&r->wheel, r->now_ms)) != NULL) {
			assert_true(t->due_ms == r->now_ms && t->due_ms >= due_before);
			due_before = t->due_ms;
			ran++;
		}
	}
	assert_int_equal(ran, MANY);
	/* One per millisecond that has timers, one per coarse slot: 60,000 / 64 and so
	 * on. With a walk over all timers it would be billions. */
	assert_true(wakes <= 60000 + 60000 / 64 + 60000 / 4096 + WHEEL_LEVELS);
	free(all);
	free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(agrees_with_a_plain_list),
		cmocka_unit_test(who_wakes_when_told_misses_nothing),
		cmocka_unit_test(stopped_timers_leave_nothing),
		cmocka_unit_test(a_timer_may_be_started_anew_when_due),
		cmocka_unit_test(far_timers_cost_a_look_per_level),
		cmocka_unit_test(putting_off_moves_nothing),
		cmocka_unit_test(a_hundred_thousand_timers_cost_a_look_per_slot),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
