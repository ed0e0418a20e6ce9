/* Goal: a verdict flips exactly when enough results in a row say so, whatever the
 * order in which results, passive marks and new thresholds arrive. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/hash.h"
#include "health/verdict.h"

enum { RUNS = 2000, STEPS = 200, THRESHOLD_MAX = 5 };

static uint64_t random_of(uint64_t *state)
{
	return hash_mix(*state += UINT64_C(0x9e3779b97f4a7c15));
}

static uint16_t random_threshold(uint64_t *state)
{
	return (uint16_t)(1 + random_of(state) % THRESHOLD_MAX);
}

static struct verdict judged(bool up, uint16_t rise, uint16_t fall)
{
	struct verdict v;

	verdict_init(&v, up, rise, fall);
	verdict_feed(&v, up);
	return v;
}

static void the_first_result_decides_alone(void **unused)
{
	(void)unused;
	for (int start = 0; start < 2; start++) {
		for (int result = 0; result < 2; result++) {
			struct verdict v;
			verdict_init(&v, start, 3, 3);
			assert_int_equal(verdict_feed(&v, result), start != result);
			assert_int_equal(v.up, result);
		}
	}
}

static void the_second_result_does_not(void **unused)
{
	(void)unused;
	struct verdict v = judged(true, 2, 2);

	assert_false(verdict_feed(&v, false));
	assert_true(v.up);
	assert_true(verdict_feed(&v, false));
	assert_false(v.up);
}

static void exactly_the_threshold_flips(void **unused)
{
	(void)unused;
	for (uint16_t n = 1; n <= THRESHOLD_MAX; n++) {
		struct verdict down = judged(true, 1, n), up = judged(false, n, 1);
		for (uint16_t i = 1; i <= n; i++) {
			assert_int_equal(verdict_feed(&down, false), i == n);
			assert_int_equal(verdict_feed(&up, true), i == n);
		}
	}
}

static void one_result_to_the_contrary_begins_anew(void **unused)
{
	(void)unused;
	struct verdict v = judged(true, 3, 3);

	for (int i = 0; i < 100; i++) {
		assert_false(verdict_feed(&v, false));
		assert_false(verdict_feed(&v, false));
		assert_false(verdict_feed(&v, true));
	}
	assert_true(v.up);
}

static void a_mark_takes_all_of_rise_to_overcome(void **unused)
{
	(void)unused;
	struct verdict v;

	verdict_init(&v, true, 3, 3);
	verdict_force(&v, false);
	assert_false(verdict_feed(&v, true));
	assert_false(verdict_feed(&v, true));
	assert_true(verdict_feed(&v, true));
}

static void new_thresholds_never_flip_by_themselves(void **unused)
{
	(void)unused;
	struct verdict v = judged(true, 1, 5);

	for (int i = 0; i < 4; i++)
		assert_false(verdict_feed(&v, false));
	verdict_tune(&v, 1, 2);
	assert_true(v.up);
	assert_true(v.streak < v.fall);
	assert_true(verdict_feed(&v, false));
}

/* The plain definition: remember all results since the last decision. */
struct history {
	bool up, first;
	unsigned against;	/* results in a row that contradict `up` */
};

static bool history_feed(struct history *h, bool success, const struct verdict *v)
{
	unsigned needed = h->first ? 1 : h->up ? v->fall : v->rise;

	h->first = false;
	h->against = success == h->up ? 0 : h->against + 1;
	if (h->against < needed)
		return false;
	h->up = success;
	h->against = 0;
	return true;
}

static void agrees_with_the_plain_definition(void **unused)
{
	(void)unused;
	uint64_t random = 1;

	for (int run = 0; run < RUNS; run++) {
		bool up = random_of(&random) & 1;
		struct verdict v;
		struct history h = {.up = up, .first = true};
		verdict_init(&v, up, random_threshold(&random), random_threshold(&random));
		for (int step = 0; step < STEPS; step++) {
			uint64_t dice = random_of(&random) % 64;
			if (dice == 0) {
				up = random_of(&random) & 1;
				verdict_force(&v, up);
				h = (struct history){.up = up};
			}
			bool success = random_of(&random) % 3 > 0;
			assert_int_equal(verdict_feed(&v, success),
					 history_feed(&h, success, &v));
			assert_int_equal(v.up, h.up);
			assert_true(v.streak < (v.up ? v.fall : v.rise));
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_result_decides_alone),
		cmocka_unit_test(the_second_result_does_not),
		cmocka_unit_test(exactly_the_threshold_flips),
		cmocka_unit_test(one_result_to_the_contrary_begins_anew),
		cmocka_unit_test(a_mark_takes_all_of_rise_to_overcome),
		cmocka_unit_test(new_thresholds_never_flip_by_themselves),
		cmocka_unit_test(agrees_with_the_plain_definition),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
