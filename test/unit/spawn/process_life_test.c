/* Goal: an end is noticed, with its reason; one that is asked for comes, in time or by
 * force, and takes the whole group with it. */
#include "unit/spawn/process_seen.h"

static void an_exit_is_told_with_its_status(void **unused)
{
	(void)unused;
	fixture_script("while [ ! -e go ]; do sleep 0.01; done; echo last words; exit 3");
	struct spawn_server s = start("S1");
	let_go();
	WAIT_UNTIL(here.gone > 0);
	assert_int_equal(here.gone, 1);
	assert_string_equal(here.gone_id, s.id);
	assert_string_equal(here.gone_why, "exited with status 3");
	assert_true(log_has("line=\"last words\""));

	/* It is known until it is stopped, and is no zombie. */
	struct spawn_server found = the_only_one();
	assert_false(found.running);
	assert_string_equal(found.id, s.id);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	stop(&s, 0);
	assert_nothing_is_left();
	assert_int_equal(here.gone, 1);
}

static void a_signal_is_told_by_its_name(void **unused)
{
	(void)unused;
	struct spawn_server s = start("S1");
	kill(pid_of(&s), SIGKILL);
	WAIT_UNTIL(here.gone > 0);
	assert_string_equal(here.gone_why, "killed by signal 9 (SIGKILL)");
	assert_string_equal(here.gone_id, s.id);

	/* The same name again, without a stop. */
	struct spawn_server next = start("S1");
	assert_string_not_equal(next.id, s.id);
	stop(&s, 0);			/* an id is never used twice */
	assert_true(lives(pid_of(&next)));
	stop(&next, 0);
	assert_nothing_is_left();
}

/* Either its start fails, or its end is told after it: never both, never neither. */
static void one_that_ends_at_once_is_told_once(void **unused)
{
	struct asked a;

	(void)unused;
	fixture_script("exit 7");
	for (int i = 0; i < 20; i++) {
		here.gone = 0;
		if (start_in(here.engine, "S1", &a) == SPAWN_FAILED) {
			assert_non_null(strstr(a.err.text, "status 7 at once"));
			assert_int_equal(here.gone, 0);
			assert_nothing_is_left();
			continue;
		}
		WAIT_UNTIL(here.gone > 0);
		assert_string_equal(here.gone_id, a.task.server.id);
		stop(&a.task.server, 0);
	}
	assert_nothing_is_left();
}

static void who_is_asked_may_end_by_itself(void **unused)
{
	(void)unused;
	fixture_script("trap 'echo asked; exit 0' TERM; echo ready;"
		       "while :; do sleep 0.01; done");
	struct spawn_server s = start("S1");
	WAIT_UNTIL(log_has("line=\"ready\""));
	stop(&s, PATIENCE_MS);
	assert_true(log_has("line=\"asked\""));
	assert_int_equal(here.gone, 0);		/* it was asked for */
	assert_nothing_is_left();
}

static const char stubborn[] = "trap '' TERM; echo ready; while :; do sleep 0.01; done";

static void the_stubborn_are_ended_by_force(void **unused)
{
	(void)unused;
	fixture_script(stubborn);
	struct spawn_server s = start("S1");
	WAIT_UNTIL(log_has("line=\"ready\""));
	stop(&s, 50);
	assert_false(lives(pid_of(&s)));
	assert_int_equal(here.gone, 0);
	assert_nothing_is_left();
}

static void a_second_stop_may_be_less_patient(void **unused)
{
	struct asked patient, forced;

	(void)unused;
	fixture_script(stubborn);
	struct spawn_server s = start("S1");
	WAIT_UNTIL(log_has("line=\"ready\""));
	fixture_begin(&patient);
	fixture_begin(&forced);
	spawn_process.stop(here.engine, &s, 24 * 3600 * 1000, &patient.task);
	loop_turn(here.loop, 0);
	assert_true(the_only_one().running);
	spawn_process.stop(here.engine, &s, 0, &forced.task);
	WAIT_UNTIL(patient.done && forced.done);
	assert_int_equal(patient.result, SPAWN_DONE);
	assert_int_equal(forced.result, SPAWN_DONE);
	assert_nothing_is_left();
}

static void its_group_ends_with_it(void **unused)
{
	(void)unused;
	fixture_script("(trap '' TERM; echo \"member $(exec sh -c 'echo $PPID')\";"
		       "while :; do sleep 0.01; done) & trap 'exit 0' TERM;"
		       "while :; do sleep 0.01; done");
	struct spawn_server s = start("S1");
	pid_t member = number_said("member ");
	assert_true(lives(member));
	assert_int_equal(getpgid(member), pid_of(&s));
	stop(&s, PATIENCE_MS);
	WAIT_UNTIL(!lives(member));
	assert_nothing_is_left();
}

static void a_group_does_not_outlive_its_leader(void **unused)
{
	(void)unused;
	fixture_script("sleep 1000 & echo member $!;"
		       "while [ ! -e go ]; do sleep 0.01; done");
	struct spawn_server s = start("S1");
	pid_t member = number_said("member ");
	assert_true(lives(member));
	let_go();
	WAIT_UNTIL(here.gone > 0);
	WAIT_UNTIL(!lives(member));
	stop(&s, 0);
	assert_nothing_is_left();
}

static void who_is_not_there_is_stopped_already(void **unused)
{
	struct spawn_server nobody = {.name = "S9", .id = "12-34", .running = true};

	(void)unused;
	stop(&nobody, 0);
	struct spawn_server s = start("S1");
	memcpy(nobody.name, "S1", sizeof "S1");
	stop(&nobody, 0);
	assert_true(lives(pid_of(&s)));
	stop(&s, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
		TEST(an_exit_is_told_with_its_status),
		TEST(a_signal_is_told_by_its_name),
		TEST(one_that_ends_at_once_is_told_once),
		TEST(who_is_asked_may_end_by_itself),
		TEST(the_stubborn_are_ended_by_force),
		TEST(a_second_stop_may_be_less_patient),
		TEST(its_group_ends_with_it),
		TEST(a_group_does_not_outlive_its_leader),
		TEST(who_is_not_there_is_stopped_already),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
