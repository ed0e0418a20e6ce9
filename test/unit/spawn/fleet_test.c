/* Goal: each life ends, and on the way there a server is only ever where it can be. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/must.h"
#include "spawn/fleet.h"

static struct fleet f;
static struct fleet_server s;

static int begin(void **unused)
{
	(void)unused;
	fleet_init(&f);
	s = (struct fleet_server){0};
	fleet_add(&f, &s, "S1");
	return 0;
}

static enum fleet_action step(enum fleet_event event)
{
	return fleet_step(&f, &s, event);
}

static void a_life_goes_from_planned_to_gone(void **unused)
{
	(void)unused;
	assert_int_equal(step(FLEET_EVENT_PLANNED), FLEET_DO_NOTHING);
	assert_int_equal(step(FLEET_EVENT_TURN), FLEET_DO_START);
	assert_int_equal(step(FLEET_EVENT_STARTED), FLEET_DO_JOIN);
	assert_int_equal(step(FLEET_EVENT_SILENT), FLEET_DO_NOTHING);
	assert_int_equal(step(FLEET_EVENT_ANSWERED), FLEET_DO_SERVE);
	assert_true(fleet_is_kept(&s));
	assert_int_equal(step(FLEET_EVENT_LEAVES), FLEET_DO_DRAIN);
	assert_false(fleet_is_kept(&s));
	assert_int_equal(step(FLEET_EVENT_EMPTY), FLEET_DO_STOP);
	assert_int_equal(step(FLEET_EVENT_STOP_FAILED), FLEET_DO_STOP_LATER);
	assert_int_equal(step(FLEET_EVENT_STOPPED), FLEET_DO_FORGET);
	assert_int_equal(s.state, FLEET_GONE);
}

static void who_fails_is_killed_first_and_started_then(void **unused)
{
	static const enum fleet_event failures[] = {
		FLEET_EVENT_SILENT, FLEET_EVENT_ENDED,
	};

	for (size_t i = 0; i < COUNT_OF(failures); i++) {
		begin(unused);
		step(FLEET_EVENT_ADOPTED);
		step(FLEET_EVENT_ANSWERED);
		assert_int_equal(step(failures[i]), FLEET_DO_KILL);
		assert_int_equal(s.state, FLEET_REPLACING);
		assert_true(fleet_is_kept(&s));
		assert_int_equal(step(FLEET_EVENT_STOPPED), FLEET_DO_NOTHING);
		assert_int_equal(s.state, FLEET_PLANNED);
	}
}

static void who_never_serves_is_a_failed_start(void **unused)
{
	static const enum fleet_event failures[] = {
		FLEET_EVENT_NOT_JOINED, FLEET_EVENT_TIME_OVER, FLEET_EVENT_ENDED,
	};

	for (size_t i = 0; i < COUNT_OF(failures); i++) {
		begin(unused);
		step(FLEET_EVENT_PLANNED);
		step(FLEET_EVENT_TURN);
		step(FLEET_EVENT_STARTED);
		assert_int_equal(step(failures[i]), FLEET_DO_FAIL);
		assert_int_equal(s.state, FLEET_REPLACING);
	}
	begin(unused);
	step(FLEET_EVENT_PLANNED);
	step(FLEET_EVENT_TURN);
	assert_int_equal(step(FLEET_EVENT_START_FAILED), FLEET_DO_NOTE_FAILURE);
	assert_int_equal(s.state, FLEET_PLANNED);
}

static void a_start_for_nobody_is_ended_when_it_is_done(void **unused)
{
	begin(unused);
	step(FLEET_EVENT_PLANNED);
	step(FLEET_EVENT_TURN);
	assert_int_equal(step(FLEET_EVENT_LEAVES), FLEET_DO_NOTHING);
	assert_int_equal(step(FLEET_EVENT_STARTED), FLEET_DO_KILL);
	assert_int_equal(step(FLEET_EVENT_STOPPED), FLEET_DO_FORGET);

	begin(unused);
	step(FLEET_EVENT_PLANNED);
	step(FLEET_EVENT_TURN);
	step(FLEET_EVENT_END);
	assert_int_equal(step(FLEET_EVENT_START_FAILED), FLEET_DO_FORGET);
}

static void only_who_serves_is_drained(void **unused)
{
	begin(unused);
	step(FLEET_EVENT_ADOPTED);
	assert_int_equal(step(FLEET_EVENT_LEAVES), FLEET_DO_STOP);
	begin(unused);
	assert_int_equal(step(FLEET_EVENT_FOUND_ENDED), FLEET_DO_KILL);
	assert_int_equal(step(FLEET_EVENT_LEAVES), FLEET_DO_NOTHING);
	assert_int_equal(step(FLEET_EVENT_STOPPED), FLEET_DO_FORGET);
}

/* What ends a life, in whatever state it is, given to each in turn. */
static void every_life_can_end_from_everywhere(void **unused)
{
	static const enum fleet_event ways[][5] = {	/* to each state; 0 ends */
		{FLEET_EVENT_ADOPTED},
		{FLEET_EVENT_ADOPTED, FLEET_EVENT_ANSWERED},
		{FLEET_EVENT_ADOPTED, FLEET_EVENT_ANSWERED, FLEET_EVENT_LEAVES},
		{FLEET_EVENT_ADOPTED, FLEET_EVENT_ANSWERED, FLEET_EVENT_SILENT},
		{FLEET_EVENT_ADOPTED, FLEET_EVENT_LEAVES},
		{FLEET_EVENT_ADOPTED, FLEET_EVENT_TAKEN_OUT},
		{FLEET_EVENT_FOUND_ENDED},
	};
	static const enum fleet_event ends[] = {
		FLEET_EVENT_LEAVES, FLEET_EVENT_END, FLEET_EVENT_HURRY,
	};

	for (size_t i = 0; i < COUNT_OF(ways); i++) {
		for (size_t j = 0; j < COUNT_OF(ends); j++) {
			begin(unused);
			for (size_t k = 0; k == 0 || ways[i][k] != 0; k++)
				step(ways[i][k]);
			step(ends[j]);
			assert_false(fleet_is_kept(&s));
			if (s.state == FLEET_DRAINING)
				assert_int_equal(step(FLEET_EVENT_TIME_OVER),
						 FLEET_DO_STOP);
			assert_int_equal(s.state, FLEET_STOPPING);
			assert_int_equal(step(FLEET_EVENT_STOPPED), FLEET_DO_FORGET);
			assert_int_equal(s.state, FLEET_GONE);
		}
	}
}

static void counts_follow_states(void **unused)
{
	struct fleet_server other = {0};

	begin(unused);
	fleet_add(&f, &other, "S2");
	step(FLEET_EVENT_ADOPTED);
	fleet_step(&f, &other, FLEET_EVENT_PLANNED);
	assert_int_equal(f.counts[FLEET_CHECKING], 1);
	assert_int_equal(f.counts[FLEET_PLANNED], 1);
	assert_int_equal(fleet_kept(&f), 2);
	fleet_remove(&f, &other);
	assert_int_equal(fleet_kept(&f), 1);
	assert_null(fleet_find(&f, "S2"));
	assert_ptr_equal(fleet_find(&f, "S1"), &s);
}

static void names_are_kept_in_order(void **unused)
{
	static const char *const names[] = {"S10", "db", "S2", "S1", "A"};
	static const char *const sorted[] = {"A", "S2", "S3", "S10", "db"};
	struct fleet_server some[COUNT_OF(names)] = {{.chosen = false}};
	size_t at = 0;

	(void)unused;
	fleet_init(&f);
	for (size_t i = 0; i < COUNT_OF(names); i++)
		fleet_add(&f, &some[i], names[i]);
	fleet_step(&f, &some[3], FLEET_EVENT_PLANNED);
	fleet_rename(&f, &some[3], "S3");
	LIST_EACH(&f.servers, it, next)
		assert_string_equal(CONTAINER_OF(it, struct fleet_server, link)->name,
				    sorted[at++]);
	assert_int_equal(at, COUNT_OF(sorted));
}

static void every_state_has_a_word(void **unused)
{
	(void)unused;
	for (int i = 0; i < FLEET_STATES; i++)
		assert_non_null(fleet_word((enum fleet_state)i));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, begin)
	const struct CMUnitTest tests[] = {
		TEST(a_life_goes_from_planned_to_gone),
		TEST(who_fails_is_killed_first_and_started_then),
		TEST(who_never_serves_is_a_failed_start),
		TEST(a_start_for_nobody_is_ended_when_it_is_done),
		TEST(only_who_serves_is_drained),
		TEST(every_life_can_end_from_everywhere),
		TEST(counts_follow_states),
		TEST(names_are_kept_in_order),
		TEST(every_state_has_a_word),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
