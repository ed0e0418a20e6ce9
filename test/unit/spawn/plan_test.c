/* Goal: what is decided about a pool leads to as many servers as are wanted, by as little
 * as it takes; and what people ask for is refused with the right reason. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/must.h"
#include "spawn/plan.h"

enum { SERVERS_MAX = 64 };

static struct fleet f;
static struct fleet_server all[SERVERS_MAX];
static uint32_t made;
static const struct model_own own = {.min = 2, .max = 6};

static int begin(void **unused)
{
	(void)unused;
	fleet_init(&f);
	memset(all, 0, sizeof all);
	made = 0;
	return 0;
}

/* One more, in this state. */
static struct fleet_server *have(const char *name, enum fleet_state state)
{
	struct fleet_server *s = &all[made++];

	must(made <= SERVERS_MAX);
	fleet_add(&f, s, name);
	fleet_step(&f, s, state == FLEET_PLANNED || state == FLEET_STARTING
			  ? FLEET_EVENT_PLANNED : FLEET_EVENT_ADOPTED);
	if (state == FLEET_STARTING)
		fleet_step(&f, s, FLEET_EVENT_TURN);
	if (state == FLEET_SERVING || state == FLEET_DRAINING || state == FLEET_REPLACING)
		fleet_step(&f, s, FLEET_EVENT_ANSWERED);
	if (state == FLEET_DRAINING)
		fleet_step(&f, s, FLEET_EVENT_LEAVES);
	if (state == FLEET_REPLACING)
		fleet_step(&f, s, FLEET_EVENT_SILENT);
	assert_int_equal(s->state, state);
	return s;
}

static void have_serving(uint32_t count)
{
	char name[OWN_NAME_MAX + 1];

	for (uint32_t i = 0; i < count; i++) {
		plan_name(&f, "S", 0, name);
		have(name, FLEET_SERVING);
	}
	f.wanted = count;
}

/* ---- as many as are wanted ---- */

static void as_many_are_planned_as_are_missing(void **unused)
{
	(void)unused;
	have("S1", FLEET_SERVING);
	have("S2", FLEET_DRAINING);
	have("S3", FLEET_REPLACING);
	f.wanted = 2;
	assert_int_equal(plan_next(&f, 0).what, PLAN_NOTHING);
	f.wanted = 3;
	assert_int_equal(plan_next(&f, 0).what, PLAN_MORE);
}

static void who_is_missed_least_leaves_first(void **unused)
{
	struct fleet_server *expected[7];

	(void)unused;
	expected[6] = have("S1", FLEET_SERVING);
	expected[5] = have("S2", FLEET_SERVING);
	expected[4] = have("S3", FLEET_CHECKING);
	expected[3] = have("S4", FLEET_STARTING);
	expected[2] = have("S5", FLEET_REPLACING);
	expected[1] = have("S6", FLEET_PLANNED);
	expected[0] = have("S7", FLEET_SERVING);
	expected[0]->unasked = true;
	expected[6]->order = &made;
	for (int i = 0; i < 7; i++) {
		struct plan_step step = plan_next(&f, (uint64_t)i);
		assert_int_equal(step.what, PLAN_LEAVE);
		assert_ptr_equal(step.server, expected[i]);
		fleet_step(&f, step.server, FLEET_EVENT_LEAVES);
	}
	assert_int_equal(plan_next(&f, 0).what, PLAN_NOTHING);
}

static void of_equals_each_leaves_as_often_as_the_others(void **unused)
{
	enum { ROUNDS = 10000, COUNT = 5 };
	uint32_t chosen[COUNT] = {0};

	(void)unused;
	have_serving(COUNT);
	f.wanted = COUNT - 1;
	for (uint64_t i = 0; i < ROUNDS; i++)
		chosen[plan_next(&f, i * 0x9e3779b97f4a7c15).server - all]++;
	for (int i = 0; i < COUNT; i++)
		assert_in_range(chosen[i], ROUNDS / COUNT * 9 / 10,
				ROUNDS / COUNT * 11 / 10);
}

static void the_outdated_are_replaced_one_by_one(void **unused)
{
	uint32_t rounds = 0;

	(void)unused;
	have_serving(4);
	for (uint32_t i = 0; i < 4; i++)
		all[i].outdated = true;
	for (;; rounds++) {
		char name[OWN_NAME_MAX + 1];
		struct plan_step step = plan_next(&f, 1);
		if (step.what == PLAN_NOTHING)
			break;
		assert_int_equal(step.what, PLAN_MORE);		/* one first, */
		plan_name(&f, "S", 0, name);
		struct fleet_server *new = have(name, FLEET_CHECKING);
		assert_int_equal(plan_next(&f, 1).what, PLAN_NOTHING);
		fleet_step(&f, new, FLEET_EVENT_ANSWERED);	/* and when it serves */
		step = plan_next(&f, 1);
		assert_int_equal(step.what, PLAN_LEAVE);
		assert_true(step.server->outdated);
		fleet_step(&f, step.server, FLEET_EVENT_LEAVES);
		assert_int_equal(plan_next(&f, 1).what, PLAN_NOTHING);
		fleet_step(&f, step.server, FLEET_EVENT_EMPTY);
		fleet_step(&f, step.server, FLEET_EVENT_STOPPED);
		fleet_remove(&f, step.server);
		assert_int_equal(f.counts[FLEET_SERVING], 4);
	}
	assert_int_equal(rounds, 4);
}

static void what_was_asked_for_is_started_first(void **unused)
{
	(void)unused;
	assert_null(plan_start(&f, false));
	struct fleet_server *any = have("S1", FLEET_PLANNED);
	assert_ptr_equal(plan_start(&f, false), any);
	assert_null(plan_start(&f, true));
	struct fleet_server *asked = have("S2", FLEET_PLANNED);
	asked->order = &made;
	assert_ptr_equal(plan_start(&f, false), asked);
	assert_ptr_equal(plan_start(&f, true), asked);
}

static void the_lowest_free_name_is_made_up(void **unused)
{
	char name[OWN_NAME_MAX + 1];

	(void)unused;
	plan_name(&f, "S", 0, name);
	assert_string_equal(name, "S1");
	have("S1", FLEET_SERVING);
	have("S2", FLEET_DRAINING);		/* in use as long as it is there */
	have("S4", FLEET_SERVING);
	have("S03", FLEET_SERVING);
	have("T3", FLEET_SERVING);
	plan_name(&f, "S", 0, name);
	assert_string_equal(name, "S3");
	have("S3", FLEET_SERVING);
	plan_name(&f, "S", 0, name);
	assert_string_equal(name, "S5");
	plan_name(&f, "S", 6, name);
	assert_string_equal(name, "S7");
}

/* ---- what people ask for ---- */

static struct err err;

static enum owners_fault check(enum owners_wish wish, uint32_t count,
			       const char *const *names)
{
	struct owners_order order = {.wish = wish, .count = count, .names = names};

	while (names != NULL && names[order.name_count] != NULL)
		order.name_count++;
	err.text[0] = '\0';
	return plan_check(&f, &own, &order, &err);
}

#define NAMES(...) ((const char *const[]){__VA_ARGS__, NULL})

static void what_fits_between_min_and_max_can_be(void **unused)
{
	(void)unused;
	have_serving(4);
	assert_int_equal(check(OWNERS_ADD, 2, NULL), OWNERS_FINE);
	assert_int_equal(check(OWNERS_REMOVE, 2, NAMES("S1", "S4")), OWNERS_FINE);
	assert_int_equal(check(OWNERS_SCALE, 2, NULL), OWNERS_FINE);
	assert_int_equal(check(OWNERS_SCALE, 6, NULL), OWNERS_FINE);
	assert_string_equal(err.text, "");
}

static void a_number_out_of_range_is_said_with_the_range(void **unused)
{
	(void)unused;
	have_serving(4);
	assert_int_equal(check(OWNERS_ADD, 3, NULL), OWNERS_N_RANGE);
	assert_string_equal(err.text, "3 cannot be added: 1 to 2 can, since the pool has "
			    "4 servers, and 6 at most");
	assert_int_equal(check(OWNERS_ADD, 0, NULL), OWNERS_N_RANGE);
	assert_int_equal(check(OWNERS_REMOVE, 3, NULL), OWNERS_N_RANGE);
	assert_string_equal(err.text, "3 cannot be removed: 1 to 2 can, since the pool "
			    "has 4 servers, and 2 at least");
	assert_int_equal(check(OWNERS_REMOVE, 0, NULL), OWNERS_N_RANGE);
	assert_int_equal(check(OWNERS_SCALE, 1, NULL), OWNERS_N_RANGE);
	assert_int_equal(check(OWNERS_SCALE, 7, NULL), OWNERS_N_RANGE);
	assert_string_equal(err.text, "7 servers cannot be: the pool has 2 to 6");
	f.wanted = 6;
	assert_int_equal(check(OWNERS_ADD, 1, NULL), OWNERS_N_RANGE);
	assert_string_equal(err.text, "none can be added: the pool has 6 servers, and 6 "
			    "at most");
	f.wanted = 2;
	assert_int_equal(check(OWNERS_REMOVE, 1, NULL), OWNERS_N_RANGE);
	assert_string_equal(err.text, "none can be removed: the pool has 2 servers, and "
			    "2 at least");
}

static void more_names_than_servers_are_said_in_the_known_words(void **unused)
{
	(void)unused;
	have_serving(4);
	assert_int_equal(check(OWNERS_ADD, 1, NAMES("a", "b")), OWNERS_MORE_NAMES_THAN_N);
	assert_string_equal(err.text, "Length of hostname list is more than newly added "
			    "instances");
	assert_int_equal(check(OWNERS_REMOVE, 1, NAMES("S1", "S2")),
			 OWNERS_MORE_NAMES_THAN_N);
	assert_string_equal(err.text, "Length of hostname list is more than removable "
			    "instances");
}

static void bad_names_are_named(void **unused)
{
	(void)unused;
	have_serving(4);
	have("S9", FLEET_DRAINING);
	assert_int_equal(check(OWNERS_ADD, 2, NAMES("web 1")), OWNERS_NAME_BAD);
	assert_non_null(strstr(err.text, "\"web 1\" is no name"));
	assert_int_equal(check(OWNERS_ADD, 2, NAMES("")), OWNERS_NAME_BAD);
	assert_int_equal(check(OWNERS_ADD, 2, NAMES("a", "a")), OWNERS_NAME_TWICE);
	assert_string_equal(err.text, "\"a\" is there twice");
	assert_int_equal(check(OWNERS_ADD, 2, NAMES("a", "S2")), OWNERS_NAME_TAKEN);
	assert_string_equal(err.text, "\"S2\" is in use: there is a server of that name, "
			    "serving");
	assert_int_equal(check(OWNERS_ADD, 2, NAMES("S9")), OWNERS_NAME_TAKEN);
	assert_int_equal(check(OWNERS_REMOVE, 2, NAMES("S5")), OWNERS_NAME_UNKNOWN);
	assert_string_equal(err.text, "\"S5\" is unknown: no server has that name");
	assert_int_equal(check(OWNERS_REMOVE, 2, NAMES("S9")), OWNERS_NAME_UNKNOWN);
	assert_string_equal(err.text, "\"S9\" is leaving already");
	assert_int_equal(check(OWNERS_REMOVE, 2, NAMES("S1", "S1")), OWNERS_NAME_TWICE);
}

static void a_wrong_name_is_said_before_a_wrong_number(void **unused)
{
	(void)unused;
	have_serving(2);
	assert_int_equal(check(OWNERS_REMOVE, 1, NAMES("nobody")), OWNERS_NAME_UNKNOWN);
	assert_int_equal(check(OWNERS_ADD, 9, NAMES("S1")), OWNERS_NAME_TAKEN);
}

static void who_is_named_goes_and_chance_decides_the_rest(void **unused)
{
	static const char *const names[] = {"S3"};
	const struct owners_order order = {
		.wish = OWNERS_REMOVE, .count = 3, .names = names, .name_count = 1,
	};
	uint32_t often[5] = {0};

	(void)unused;
	have_serving(5);
	for (uint64_t i = 0; i < 1000; i++) {
		struct fleet_server *out[3];
		assert_int_equal(plan_choose(&f, &order, 3, i, out), 3);
		assert_ptr_equal(out[0], &all[2]);
		for (int j = 0; j < 3; j++) {
			often[out[j] - all]++;
			for (int k = 0; k < j; k++)
				assert_ptr_not_equal(out[j], out[k]);
		}
	}
	assert_int_equal(often[2], 1000);
	for (int i = 0; i < 5; i++)
		assert_true(i == 2 || (often[i] > 400 && often[i] < 600));
}

static void nobody_is_chosen_twice_where_too_few_are_left(void **unused)
{
	const struct owners_order order = {.wish = OWNERS_SCALE, .count = 0};
	struct fleet_server *out[9];

	(void)unused;
	have_serving(2);
	have("S8", FLEET_DRAINING);
	assert_int_equal(plan_choose(&f, &order, 9, 0, out), 2);
	assert_int_equal(plan_choose(&f, &order, 9, 0, out), 2);	/* and again */
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, begin)
	const struct CMUnitTest tests[] = {
		TEST(as_many_are_planned_as_are_missing),
		TEST(who_is_missed_least_leaves_first),
		TEST(of_equals_each_leaves_as_often_as_the_others),
		TEST(the_outdated_are_replaced_one_by_one),
		TEST(what_was_asked_for_is_started_first),
		TEST(the_lowest_free_name_is_made_up),
		TEST(what_fits_between_min_and_max_can_be),
		TEST(a_number_out_of_range_is_said_with_the_range),
		TEST(more_names_than_servers_are_said_in_the_known_words),
		TEST(bad_names_are_named),
		TEST(a_wrong_name_is_said_before_a_wrong_number),
		TEST(who_is_named_goes_and_chance_decides_the_rest),
		TEST(nobody_is_chosen_twice_where_too_few_are_left),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
