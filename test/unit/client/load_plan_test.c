/* Goal: the same seed plans the same, keys are shared out without overlap, and a read is
 * judged by what its connection knows. */
#include "client/load_plan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

enum { KEYS = 103, CONNECTIONS = 10 };

static struct load_plan plan(uint64_t reads_percent, bool strict)
{
	struct load_plan p = {.seed = 5, .keys = KEYS, .connections = CONNECTIONS,
			      .reads_percent = reads_percent, .strict = strict};

	load_plan_init(&p);
	return p;
}

static void the_same_seed_plans_the_same(void **unused)
{
	struct load_plan a = plan(50, true), b = plan(50, true), c = plan(50, true);
	int equal = 0;

	(void)unused;
	c.seed = 6;
	for (uint64_t nth = 0; nth < 1000; nth++) {
		struct load_step s = load_plan_next(&a, nth % CONNECTIONS, nth);
		struct load_step t = load_plan_next(&b, nth % CONNECTIONS, nth);
		struct load_step u = load_plan_next(&c, nth % CONNECTIONS, nth);
		assert_true(s.key == t.key && s.id == t.id && s.writes == t.writes);
		equal += s.key == u.key;
	}
	assert_true(equal < 300);
	load_plan_fini(&a);
	load_plan_fini(&b);
	load_plan_fini(&c);
}

static void strictly_each_key_has_one_connection(void **unused)
{
	struct load_plan p = plan(50, true);
	bool seen[KEYS] = {false};

	(void)unused;
	for (uint64_t nth = 0; nth < 5000; nth++) {
		struct load_step s = load_plan_next(&p, nth % CONNECTIONS, nth);
		assert_true(s.key < KEYS && s.key % CONNECTIONS == nth % CONNECTIONS);
		seen[s.key] = true;
	}
	for (int i = 0; i < KEYS; i++)
		assert_true(seen[i]);
	load_plan_fini(&p);
}

static void the_share_of_reads_is_kept(void **unused)
{
	struct load_plan p = plan(30, false);
	int reads = 0;

	(void)unused;
	for (uint64_t nth = 0; nth < 10000; nth++)
		reads += !load_plan_next(&p, 1, nth).writes;
	assert_in_range(reads, 2800, 3200);
	load_plan_fini(&p);
}

static void one_kind_alone_takes_all_keys_in_turn(void **unused)
{
	static const uint64_t percents[] = {0, 100};

	(void)unused;
	for (int i = 0; i < 2; i++) {
		struct load_plan p = plan(percents[i], true);
		for (uint64_t nth = 0; nth < 3 * KEYS; nth++) {
			struct load_step s = load_plan_next(&p, nth % 3, nth / 3);
			assert_true(s.key == nth % KEYS);
			assert_true(s.writes == (percents[i] == 0));
			assert_int_equal(s.id, s.writes ? 1 + nth / KEYS : 0);
		}
		load_plan_fini(&p);
	}
}

static void loosely_any_value_of_the_key_will_do(void **unused)
{
	struct load_plan p = plan(50, false);
	struct load_step read = {.key = 3, .id = 4};

	(void)unused;
	assert_int_equal(load_plan_judge(&p, &read, true, 0), LOAD_FOREIGN);
	assert_int_equal(load_plan_judge(&p, &read, true, 1), LOAD_RIGHT);
	assert_int_equal(load_plan_judge(&p, &read, true, 99), LOAD_RIGHT);
	assert_int_equal(load_plan_judge(&p, &read, false, 0), LOAD_RIGHT);
	load_plan_fini(&p);
}

static void strictly_what_was_answered_is_read(void **unused)
{
	struct load_plan p = plan(50, true);
	struct load_step write = {.key = 3, .writes = true}, read = {.key = 3};

	(void)unused;
	/* Before the first write anything of an earlier run, or nothing, may be there. */
	assert_int_equal(load_plan_judge(&p, &read, false, 0), LOAD_RIGHT);
	assert_int_equal(load_plan_judge(&p, &read, true, 77), LOAD_RIGHT);
	assert_int_equal(load_plan_judge(&p, &read, true, 0), LOAD_FOREIGN);

	p.asked[3] = 6;		/* 5 was answered, 6 is under way */
	write.id = 5;
	load_plan_written(&p, &write);
	write.id = 4;
	load_plan_written(&p, &write);	/* late, and older */
	assert_int_equal(p.answered[3], 5);
	read.id = p.answered[3];
	assert_int_equal(load_plan_judge(&p, &read, false, 0), LOAD_VANISHED);
	assert_int_equal(load_plan_judge(&p, &read, true, 4), LOAD_STALE);
	assert_int_equal(load_plan_judge(&p, &read, true, 5), LOAD_RIGHT);
	assert_int_equal(load_plan_judge(&p, &read, true, 6), LOAD_RIGHT);
	assert_int_equal(load_plan_judge(&p, &read, true, 7), LOAD_UNWRITTEN);
	load_plan_fini(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_same_seed_plans_the_same),
		cmocka_unit_test(strictly_each_key_has_one_connection),
		cmocka_unit_test(the_share_of_reads_is_kept),
		cmocka_unit_test(one_kind_alone_takes_all_keys_in_turn),
		cmocka_unit_test(loosely_any_value_of_the_key_will_do),
		cmocka_unit_test(strictly_what_was_answered_is_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
