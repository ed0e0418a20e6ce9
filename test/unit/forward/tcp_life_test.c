/* Goal: a client is moved to another server only where it cannot notice, and every session
 * comes to an end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/hash.h"
#include "base/must.h"
#include "forward/tcp_life.h"

/* What the shell notes in the life before it tells an event. */
enum {
	QUIET    = 1,	/* the server is silent, and all is delivered */
	DOWN     = 2,	/* it is known to be dead */
	FORGOT   = 4,	/* what the client said is no longer at hand */
	SAID_ALL = 8,	/* the client sends no more */
};

struct line {
	enum tcp_event  event;
	enum tcp_action want;
	unsigned        noted;
	enum tcp_count  count;
};

static struct tcp_life life;

static enum tcp_action tell(enum tcp_event event, unsigned noted)
{
	life.quiet = (noted & QUIET) != 0;
	life.down = (noted & DOWN) != 0;
	life.replayable = (noted & FORGOT) == 0;
	life.client_ended = life.client_ended || (noted & SAID_ALL) != 0;
	return tcp_life_step(&life, event);
}

static void play(const struct line *script, size_t lines)
{
	for (size_t i = 0; i < lines; i++) {
		enum tcp_action action = tell(script[i].event, script[i].noted);
		if (action != script[i].want || life.count != script[i].count)
			fail_msg("line %zu: action %d, not %d; count %d, not %d", i, action,
				 script[i].want, life.count, script[i].count);
	}
}

/* From the beginning; the lines end in this state. */
#define PLAY(mode, retries, state_wanted, ...)                          \
	do {                                                            \
		const struct line script[] = {__VA_ARGS__};             \
		tcp_life_init(&life, REDISTRIBUTE_##mode, (retries));   \
		play(script, COUNT_OF(script));                         \
		assert_int_equal(life.state, (state_wanted));           \
	} while (0)

/* The ways to places where many scripts begin. */
#define BEGUN     {TCP_EVENT_BEGUN, TCP_DO_PICK, 0, 0}
#define PICKED    {TCP_EVENT_PICKED, TCP_DO_CONNECT, 0, 0}
#define CONNECTED {TCP_EVENT_CONNECTED, TCP_DO_RELAY, 0, 0}
#define ASKS      {TCP_EVENT_CLIENT_SPOKE, TCP_DO_NOTHING, 0, 0}
#define ANSWERS   {TCP_EVENT_SERVER_SPOKE, TCP_DO_NOTHING, 0, 0}
#define ASKS_ANEW {TCP_EVENT_CLIENT_SPOKE, TCP_DO_NOTHING, QUIET, 0}
#define JOINED    BEGUN, PICKED, CONNECTED
#define ASKING    JOINED, ASKS
#define ANSWERING ASKING, ANSWERS

/* ---- stories ---- */

static void a_plain_session_passes_both_ends_on(void **unused)
{
	(void)unused;
	PLAY(IDLE, 3, TCP_DONE, ANSWERING,
	     {TCP_EVENT_SERVER_ENDED, TCP_DO_PASS_END, SAID_ALL, 0},
	     {TCP_EVENT_FINISHED, TCP_DO_CLOSE, 0, 0});
	PLAY(IDLE, 3, TCP_DONE, ANSWERING, ASKS, ANSWERS, ASKS, ANSWERS,
	     {TCP_EVENT_FINISHED, TCP_DO_CLOSE, 0, 0});
}

static void a_place_is_waited_for(void **unused)
{
	(void)unused;
	PLAY(IDLE, 3, TCP_CONNECTING, BEGUN, {TCP_EVENT_BUSY, TCP_DO_WAIT, 0, 0},
	     {TCP_EVENT_ROOM, TCP_DO_PICK, 0, 0}, {TCP_EVENT_BUSY, TCP_DO_WAIT, 0, 0},
	     {TCP_EVENT_ROOM, TCP_DO_PICK, 0, 0}, PICKED);
	PLAY(IDLE, 3, TCP_DONE, BEGUN, {TCP_EVENT_BUSY, TCP_DO_WAIT, 0, 0},
	     {TCP_EVENT_WAIT_OVER, TCP_DO_CUT, 0, 0});
	PLAY(IDLE, 3, TCP_DONE, BEGUN, {TCP_EVENT_NOBODY, TCP_DO_CUT, 0, 0});
}

static void a_patient_one_waits_for_somebody_to_come_up(void **unused)
{
	(void)unused;
	PLAY(IDLE, 3, TCP_PICKING, BEGUN);
	life.patient = true;
	assert_int_equal(tell(TCP_EVENT_NOBODY, 0), TCP_DO_WAIT);
	assert_int_equal(life.state, TCP_WAITING);
	assert_int_equal(tell(TCP_EVENT_ROOM, 0), TCP_DO_PICK);
	assert_int_equal(tell(TCP_EVENT_NOBODY, 0), TCP_DO_WAIT);
	assert_int_equal(tell(TCP_EVENT_WAIT_OVER, 0), TCP_DO_CUT);
}

static void a_failed_connection_goes_elsewhere_as_often_as_allowed(void **unused)
{
	(void)unused;
	PLAY(OFF, 2, TCP_DONE, BEGUN, PICKED,
	     {TCP_EVENT_CONNECT_FAILED, TCP_DO_PICK, 0, 0}, PICKED,
	     {TCP_EVENT_CONNECT_FAILED, TCP_DO_PICK, 0, 0}, PICKED,
	     {TCP_EVENT_CONNECT_FAILED, TCP_DO_CUT, 0, 0});
}

static void a_dead_server_is_replaced_before_it_answers(void **unused)
{
	(void)unused;
	PLAY(IDLE, 3, TCP_ASKING, ASKING,
	     {TCP_EVENT_SERVER_ENDED, TCP_DO_VERIFY, 0, 0},
	     {TCP_EVENT_SERVER_DIED, TCP_DO_MOVE, 0, 0}, PICKED,
	     {TCP_EVENT_CONNECTED, TCP_DO_RELAY, 0, TCP_COUNT_REPLAYED});
	PLAY(IDLE, 3, TCP_PICKING, ASKING,
	     {TCP_EVENT_SERVER_RESET, TCP_DO_MOVE, DOWN, 0});
	PLAY(REPLAY, 3, TCP_PICKING, ASKING,
	     {TCP_EVENT_SERVER_RESET, TCP_DO_MOVE, DOWN, 0});
}

static void a_living_servers_end_is_passed_on(void **unused)
{
	(void)unused;
	PLAY(IDLE, 3, TCP_ENDING, ASKING,
	     {TCP_EVENT_SERVER_ENDED, TCP_DO_VERIFY, 0, 0},
	     {TCP_EVENT_SERVER_LIVES, TCP_DO_PASS_END, 0, 0});
	PLAY(IDLE, 3, TCP_DONE, ASKING,
	     {TCP_EVENT_SERVER_RESET, TCP_DO_VERIFY, 0, 0},
	     {TCP_EVENT_SERVER_LIVES, TCP_DO_CUT, 0, 0});
	PLAY(IDLE, 3, TCP_DONE, ANSWERING,
	     {TCP_EVENT_SERVER_RESET, TCP_DO_VERIFY, QUIET, 0},
	     {TCP_EVENT_SERVER_LIVES, TCP_DO_CUT, 0, 0});
}

static void between_exchanges_a_client_is_parked_until_it_speaks(void **unused)
{
	(void)unused;
	PLAY(IDLE, 3, TCP_ASKING, ANSWERING,
	     {TCP_EVENT_SERVER_ENDED, TCP_DO_VERIFY, QUIET, 0},
	     {TCP_EVENT_SERVER_DIED, TCP_DO_PARK, 0, 0},
	     {TCP_EVENT_CLIENT_SPOKE, TCP_DO_PICK, 0, 0}, PICKED,
	     {TCP_EVENT_CONNECTED, TCP_DO_RELAY, 0, TCP_COUNT_IDLE});
	PLAY(IDLE, 3, TCP_DONE, ANSWERING,
	     {TCP_EVENT_SERVER_RESET, TCP_DO_PARK, QUIET | DOWN, 0},
	     {TCP_EVENT_FINISHED, TCP_DO_CLOSE, 0, 0});
	PLAY(IDLE, 3, TCP_DONE, ANSWERING,
	     {TCP_EVENT_SERVER_RESET, TCP_DO_PARK, QUIET | DOWN, 0},
	     {TCP_EVENT_CLIENT_SPOKE, TCP_DO_PICK, 0, 0},
	     {TCP_EVENT_NOBODY, TCP_DO_CUT, 0, TCP_COUNT_NOT_MOVED});
}

static void a_silent_server_that_is_down_is_left_by_the_next_byte(void **unused)
{
	(void)unused;
	PLAY(IDLE, 3, TCP_ASKING, ANSWERING,
	     {TCP_EVENT_CLIENT_SPOKE, TCP_DO_MOVE, QUIET | DOWN, 0}, PICKED,
	     {TCP_EVENT_CONNECTED, TCP_DO_RELAY, 0, TCP_COUNT_IDLE});
	PLAY(IDLE, 3, TCP_ASKING, ANSWERING, {TCP_EVENT_CLIENT_SPOKE, TCP_DO_NOTHING, DOWN, 0});
	PLAY(REPLAY, 3, TCP_ASKING, ANSWERING,
	     {TCP_EVENT_CLIENT_SPOKE, TCP_DO_NOTHING, QUIET | DOWN, 0});
}

static void in_the_middle_of_an_answer_nothing_is_moved(void **unused)
{
	(void)unused;
	PLAY(IDLE, 3, TCP_DONE, ANSWERING,
	     {TCP_EVENT_SERVER_RESET, TCP_DO_CUT, DOWN, TCP_COUNT_NOT_MOVED});
	PLAY(IDLE, 3, TCP_ENDING, ANSWERING,
	     {TCP_EVENT_SERVER_ENDED, TCP_DO_PASS_END, DOWN, 0});
	PLAY(IDLE, 3, TCP_DONE, ANSWERING,
	     {TCP_EVENT_SERVER_LEAVES, TCP_DO_NOTHING, 0, 0},
	     {TCP_EVENT_SERVER_LEFT, TCP_DO_CUT, 0, TCP_COUNT_NOT_MOVED});
}

static void what_is_said_into_an_answer_is_not_told_again(void **unused)
{
	(void)unused;
	PLAY(IDLE, 3, TCP_DONE, ANSWERING, ASKS,
	     {TCP_EVENT_SERVER_RESET, TCP_DO_CUT, DOWN, TCP_COUNT_NOT_MOVED});
	PLAY(IDLE, 3, TCP_DONE, ANSWERING, ASKS, ANSWERS, ASKS,
	     {TCP_EVENT_SERVER_RESET, TCP_DO_CUT, DOWN, TCP_COUNT_NOT_MOVED});
	PLAY(IDLE, 3, TCP_PICKING, ANSWERING, ASKS, ANSWERS, ASKS_ANEW, ASKS,
	     {TCP_EVENT_SERVER_RESET, TCP_DO_MOVE, DOWN, 0});
	PLAY(IDLE, 3, TCP_PICKING, ANSWERING, ASKS, ANSWERS,
	     {TCP_EVENT_SERVER_ENDED, TCP_DO_PARK, DOWN | QUIET, 0},
	     {TCP_EVENT_CLIENT_SPOKE, TCP_DO_PICK, 0, 0}, PICKED,
	     {TCP_EVENT_CONNECTED, TCP_DO_RELAY, 0, TCP_COUNT_IDLE}, ASKS,
	     {TCP_EVENT_SERVER_RESET, TCP_DO_MOVE, DOWN, 0});
}

static void a_server_that_leaves_lets_go_whom_it_can(void **unused)
{
	(void)unused;
	PLAY(IDLE, 3, TCP_PICKING, ASKING, {TCP_EVENT_SERVER_LEAVES, TCP_DO_MOVE, 0, 0});
	PLAY(IDLE, 3, TCP_PARKED, ANSWERING, {TCP_EVENT_SERVER_LEAVES, TCP_DO_PARK, QUIET, 0});
	PLAY(IDLE, 3, TCP_PARKED, ANSWERING, {TCP_EVENT_SERVER_LEAVES, TCP_DO_NOTHING, 0, 0},
	     {TCP_EVENT_SERVER_LEFT, TCP_DO_PARK, QUIET, 0});
	PLAY(IDLE, 3, TCP_PARKED, ANSWERING, {TCP_EVENT_SERVER_ENDED, TCP_DO_VERIFY, QUIET, 0},
	     {TCP_EVENT_SERVER_LEAVES, TCP_DO_NOTHING, 0, 0},
	     {TCP_EVENT_SERVER_LEFT, TCP_DO_PARK, 0, 0});
}

static void silence_ends_politely_and_the_rest_with_a_reset(void **unused)
{
	(void)unused;
	PLAY(OFF, 3, TCP_DONE, ANSWERING, {TCP_EVENT_TIME_OVER, TCP_DO_CLOSE, QUIET, 0});
	PLAY(OFF, 3, TCP_DONE, ANSWERING, {TCP_EVENT_SERVER_LEFT, TCP_DO_CLOSE, QUIET, 0});
	PLAY(OFF, 3, TCP_DONE, JOINED, {TCP_EVENT_TIME_OVER, TCP_DO_CLOSE, 0, 0});
	PLAY(OFF, 3, TCP_DONE, ANSWERING, {TCP_EVENT_TIME_OVER, TCP_DO_CUT, 0, 0});
	PLAY(OFF, 3, TCP_DONE, ASKING, {TCP_EVENT_TIME_OVER, TCP_DO_CUT, QUIET, 0});
}

static void a_server_that_greets_is_never_replaced(void **unused)
{
	(void)unused;
	PLAY(IDLE, 3, TCP_ENDING, JOINED, ANSWERS,
	     {TCP_EVENT_SERVER_ENDED, TCP_DO_PASS_END, QUIET | DOWN, 0});
	PLAY(IDLE, 3, TCP_DONE, JOINED, ANSWERS, ASKS,
	     {TCP_EVENT_SERVER_RESET, TCP_DO_CUT, DOWN, TCP_COUNT_NOT_MOVED});
}

static void a_client_that_has_said_all_is_told_again_but_not_parked(void **unused)
{
	(void)unused;
	PLAY(IDLE, 3, TCP_PICKING, ASKING,
	     {TCP_EVENT_SERVER_RESET, TCP_DO_MOVE, DOWN | SAID_ALL, 0});
	PLAY(IDLE, 3, TCP_ENDING, ANSWERING,
	     {TCP_EVENT_SERVER_ENDED, TCP_DO_PASS_END, DOWN | QUIET | SAID_ALL, 0});
	PLAY(IDLE, 3, TCP_ENDING, JOINED,
	     {TCP_EVENT_SERVER_ENDED, TCP_DO_PASS_END, DOWN | SAID_ALL, 0});
}

static void replay_ends_with_the_first_answer(void **unused)
{
	(void)unused;
	PLAY(REPLAY, 3, TCP_DONE, ANSWERING, ASKS,
	     {TCP_EVENT_SERVER_RESET, TCP_DO_CUT, DOWN, TCP_COUNT_NOT_MOVED});
	PLAY(REPLAY, 3, TCP_ENDING, ANSWERING,
	     {TCP_EVENT_SERVER_ENDED, TCP_DO_PASS_END, DOWN | QUIET, 0});
}

static void an_exchange_is_told_again_so_many_times(void **unused)
{
	(void)unused;
	PLAY(IDLE, 1, TCP_DONE, ASKING,
	     {TCP_EVENT_SERVER_RESET, TCP_DO_MOVE, DOWN, 0}, PICKED,
	     {TCP_EVENT_CONNECTED, TCP_DO_RELAY, 0, TCP_COUNT_REPLAYED}, ASKS,
	     {TCP_EVENT_SERVER_RESET, TCP_DO_CUT, DOWN, TCP_COUNT_NOT_MOVED});
	PLAY(IDLE, 1, TCP_PICKING, ASKING,	/* an answer begins a new account */
	     {TCP_EVENT_SERVER_RESET, TCP_DO_MOVE, DOWN, 0}, PICKED,
	     {TCP_EVENT_CONNECTED, TCP_DO_RELAY, 0, TCP_COUNT_REPLAYED}, ASKS, ANSWERS,
	     ASKS_ANEW,
	     {TCP_EVENT_SERVER_RESET, TCP_DO_MOVE, DOWN, 0});
}

/* ---- invariants, over random lives ---- */

/* What may happen in a state, as the shell tells it. */
static const enum tcp_event possible[TCP_STATES][10] = {
	[TCP_NEW] = {TCP_EVENT_BEGUN, TCP_EVENT_REFUSED, TCP_EVENT_TIME_OVER,
		     TCP_EVENT_CLIENT_GONE},
	[TCP_PICKING] = {TCP_EVENT_PICKED, TCP_EVENT_BUSY, TCP_EVENT_NOBODY,
			 TCP_EVENT_PICKED},
	[TCP_WAITING] = {TCP_EVENT_ROOM, TCP_EVENT_WAIT_OVER, TCP_EVENT_CLIENT_GONE,
			 TCP_EVENT_TIME_OVER, TCP_EVENT_ROOM},
	[TCP_CONNECTING] = {TCP_EVENT_CONNECTED, TCP_EVENT_CONNECT_FAILED,
			    TCP_EVENT_CLIENT_GONE, TCP_EVENT_TIME_OVER, TCP_EVENT_CONNECTED,
			    TCP_EVENT_CONNECTED},
	[TCP_ASKING] = {TCP_EVENT_CLIENT_SPOKE, TCP_EVENT_SERVER_SPOKE, TCP_EVENT_SERVER_ENDED,
			TCP_EVENT_SERVER_RESET, TCP_EVENT_SERVER_LEAVES,
			TCP_EVENT_SERVER_LEFT, TCP_EVENT_FINISHED, TCP_EVENT_CLIENT_GONE,
			TCP_EVENT_TIME_OVER, TCP_EVENT_SERVER_SPOKE},
	[TCP_ANSWERING] = {TCP_EVENT_CLIENT_SPOKE, TCP_EVENT_SERVER_SPOKE,
			   TCP_EVENT_SERVER_ENDED, TCP_EVENT_SERVER_RESET,
			   TCP_EVENT_SERVER_LEAVES, TCP_EVENT_SERVER_LEFT,
			   TCP_EVENT_FINISHED, TCP_EVENT_CLIENT_GONE, TCP_EVENT_TIME_OVER,
			   TCP_EVENT_CLIENT_SPOKE},
	[TCP_VERIFYING] = {TCP_EVENT_SERVER_LIVES, TCP_EVENT_SERVER_DIED,
			   TCP_EVENT_SERVER_LEAVES, TCP_EVENT_SERVER_LEFT,
			   TCP_EVENT_CLIENT_GONE, TCP_EVENT_TIME_OVER},
	[TCP_PARKED] = {TCP_EVENT_CLIENT_SPOKE, TCP_EVENT_FINISHED, TCP_EVENT_CLIENT_GONE,
			TCP_EVENT_TIME_OVER, TCP_EVENT_CLIENT_SPOKE},
	[TCP_ENDING] = {TCP_EVENT_SERVER_RESET, TCP_EVENT_SERVER_LEAVES, TCP_EVENT_SERVER_LEFT,
			TCP_EVENT_FINISHED, TCP_EVENT_CLIENT_GONE, TCP_EVENT_TIME_OVER},
};

static uint64_t seed;

static uint32_t below(uint32_t limit)
{
	return (uint32_t)(hash_mix(seed++) % limit);
}

static enum tcp_event something(void)
{
	const enum tcp_event *list = possible[life.state];
	uint32_t count = 0;

	while (count < 10 && (count == 0 || list[count] != TCP_EVENT_BEGUN))
		count++;
	return list[below(count)];
}

/* What must hold of one step, whatever came before. */
static void check_step(const struct tcp_life *before, enum tcp_event event,
		       enum tcp_action action)
{
	bool moved = action == TCP_DO_MOVE || action == TCP_DO_PARK ||
		     action == TCP_DO_VERIFY;

	assert_int_not_equal(life.state, TCP_BUG);
	if (moved) {
		assert_int_not_equal(life.mode, REDISTRIBUTE_OFF);
		assert_false(life.greeted);
	}
	if (action == TCP_DO_PARK) {
		assert_int_equal(life.mode, REDISTRIBUTE_IDLE);
		assert_false(life.client_ended);
		assert_true(before->state == TCP_VERIFYING || before->quiet);
	}
	if (action == TCP_DO_MOVE && before->state == TCP_ASKING) {
		assert_true(life.replayable);
		assert_false(life.overlapping);
	}
	if (action == TCP_DO_MOVE && life.mode == REDISTRIBUTE_REPLAY)
		assert_false(life.answered);
	if (action == TCP_DO_PARK || action == TCP_DO_MOVE)
		assert_true(before->down || event == TCP_EVENT_SERVER_DIED ||
			    event == TCP_EVENT_SERVER_LEAVES ||
			    event == TCP_EVENT_SERVER_LEFT);
	if (life.count != TCP_COUNT_NOTHING)
		assert_int_not_equal(life.mode, REDISTRIBUTE_OFF);
	assert_int_equal(life.state == TCP_DONE,
			 action == TCP_DO_CLOSE || action == TCP_DO_CUT);
}

/* Returns how many servers were picked without an answer in between, at most. */
static uint32_t live_once(void)
{
	uint32_t picks = 0, most = 0;

	tcp_life_init(&life, (enum redistribute)below(3), (uint8_t)below(4));
	for (int steps = 0; life.state != TCP_DONE && steps < 60; steps++) {
		enum tcp_event event = something();
		life.quiet = below(2) == 0;
		life.down = below(2) == 0;
		life.replayable = below(4) != 0;
		life.client_ended = life.client_ended || below(20) == 0;
		if (life.state == TCP_PARKED && life.client_ended)
			event = TCP_EVENT_FINISHED;
		struct tcp_life before = life;
		enum tcp_action action = tcp_life_step(&life, event);
		check_step(&before, event, action);
		if (event == TCP_EVENT_SERVER_SPOKE || action == TCP_DO_PARK ||
		    (action == TCP_DO_MOVE && before.state == TCP_ANSWERING))
			picks = 0;
		if (event == TCP_EVENT_PICKED)
			picks++;
		if (picks > most)
			most = picks;
	}
	return most;
}

static void no_life_breaks_a_rule(void **unused)
{
	(void)unused;
	for (seed = 1; seed < 4000000;) {
		uint32_t most = live_once();
		assert_true(most <= (uint32_t)life.retries_max + 1);
	}
}

static void after_the_end_everything_is_nothing(void **unused)
{
	(void)unused;
	for (int event = 0; event < TCP_EVENTS; event++) {
		tcp_life_init(&life, REDISTRIBUTE_IDLE, 3);
		life.state = TCP_DONE;
		assert_int_equal(tcp_life_step(&life, (enum tcp_event)event), TCP_DO_NOTHING);
		assert_int_equal(life.state, TCP_DONE);
	}
}

static void a_client_that_goes_ends_every_state(void **unused)
{
	(void)unused;
	for (int state = TCP_NEW; state < TCP_DONE; state++) {
		if (state == TCP_PICKING)	/* nothing is told in the middle of a pick */
			continue;
		tcp_life_init(&life, REDISTRIBUTE_IDLE, 3);
		life.state = (uint8_t)state;
		tcp_life_step(&life, TCP_EVENT_CLIENT_GONE);
		assert_int_equal(life.state, TCP_DONE);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_plain_session_passes_both_ends_on),
		cmocka_unit_test(a_patient_one_waits_for_somebody_to_come_up),
		cmocka_unit_test(a_place_is_waited_for),
		cmocka_unit_test(a_failed_connection_goes_elsewhere_as_often_as_allowed),
		cmocka_unit_test(a_dead_server_is_replaced_before_it_answers),
		cmocka_unit_test(a_living_servers_end_is_passed_on),
		cmocka_unit_test(between_exchanges_a_client_is_parked_until_it_speaks),
		cmocka_unit_test(a_silent_server_that_is_down_is_left_by_the_next_byte),
		cmocka_unit_test(in_the_middle_of_an_answer_nothing_is_moved),
		cmocka_unit_test(what_is_said_into_an_answer_is_not_told_again),
		cmocka_unit_test(a_server_that_leaves_lets_go_whom_it_can),
		cmocka_unit_test(silence_ends_politely_and_the_rest_with_a_reset),
		cmocka_unit_test(a_server_that_greets_is_never_replaced),
		cmocka_unit_test(a_client_that_has_said_all_is_told_again_but_not_parked),
		cmocka_unit_test(replay_ends_with_the_first_answer),
		cmocka_unit_test(an_exchange_is_told_again_so_many_times),
		cmocka_unit_test(no_life_breaks_a_rule),
		cmocka_unit_test(after_the_end_everything_is_nothing),
		cmocka_unit_test(a_client_that_goes_ends_every_state),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
