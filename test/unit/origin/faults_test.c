/* Goal: a switch does what its value says, as often as its percentage says, and a
 * value that says nothing changes nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/hash.h"
#include "base/must.h"
#include "origin/faults.h"

static void a_query_sets_what_it_names_and_nothing_else(void **state)
{
	struct faults f = {.error_percent = 7, .slow = 9};

	(void)state;
	assert_true(faults_set_from_query(
		&f, SPAN("delay=20&trailer&die-mid-body=50&die-how=rst&slow=0&x=y")));
	assert_int_equal(f.delay_ms, 20);
	assert_int_equal(f.error_percent, 7);
	assert_int_equal(f.die_percent, 50);
	assert_int_equal(f.die_how, FAULTS_END_RST);
	assert_int_equal(f.slow, 0);
	assert_int_equal(f.silent_health, 0);
}

static void a_switch_without_a_value_is_on(void **state)
{
	struct faults f = {0};

	(void)state;
	assert_true(faults_set_from_query(&f, SPAN("fail-health")));
	assert_int_equal(f.fail_health, 1);
	assert_true(faults_set_from_query(&f, SPAN("fail-health=0")));
	assert_int_equal(f.fail_health, 0);
}

static void a_bad_value_is_told(void **state)
{
	static const char *const bad[] = {
		"delay=", "delay", "delay=x", "delay=-1", "delay=3600001",
		"error-rate=101", "die-how=kill", "die-how", "die-how=fi",
		"slow=4294967296", "fail-health=2",
		"delay=1&error-rate=1x",
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		struct faults f = {0};
		assert_false(faults_set_from_query(&f, span_of(bad[i])));
	}
}

static void every_switch_has_a_field_of_its_own(void **state)
{
	(void)state;
	for (size_t i = 0; i < FAULTS_SWITCHES; i++) {
		struct faults f = {0}, none = {0};
		const struct faults_switch *s = &faults_switches[i];
		struct span value = s->words != NULL ? span_of(s->words[1]) : SPAN("1");
		assert_true(faults_set(&f, s, value));
		assert_memory_not_equal(&f, &none, sizeof f);
		uint32_t *field = (uint32_t *)(void *)((char *)&f + s->offset);
		assert_int_equal(*field, 1);
		*field = 0;
		assert_memory_equal(&f, &none, sizeof f);
	}
}

static void chance_strikes_as_often_as_it_was_told(void **state)
{
	enum { ROLLS = 100000 };
	static const uint32_t percents[] = {0, 1, 10, 50, 99, 100};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(percents); i++) {
		uint32_t strikes = 0;
		for (uint64_t roll = 0; roll < ROLLS; roll++)
			strikes += faults_strike(percents[i], hash_mix(roll));
		uint32_t wanted = ROLLS / 100 * percents[i];
		assert_in_range(strikes, wanted - wanted / 10, wanted + wanted / 10);
	}
}

static void a_pace_keeps_its_rate_and_never_stands_still(void **state)
{
	static const uint32_t rates[] = {
		1, 2, 7, 19, 20, 999, 1000, 12345, 1 << 20, UINT32_MAX,
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rates); i++) {
		struct faults_pace pace = faults_pace_of(rates[i]);
		assert_true(pace.bytes > 0 && pace.pause_ms > 0);
		uint64_t wanted = rates[i];
		uint64_t rate = (uint64_t)pace.bytes * 1000 / pace.pause_ms;
		assert_true(rate <= wanted + wanted / 10);
		assert_true(rate >= wanted / 2);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_query_sets_what_it_names_and_nothing_else),
		cmocka_unit_test(a_switch_without_a_value_is_on),
		cmocka_unit_test(a_bad_value_is_told),
		cmocka_unit_test(every_switch_has_a_field_of_its_own),
		cmocka_unit_test(chance_strikes_as_often_as_it_was_told),
		cmocka_unit_test(a_pace_keeps_its_rate_and_never_stands_still),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
