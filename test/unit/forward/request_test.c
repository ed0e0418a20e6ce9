/* Goal: a request is answered once, and sent again only where nobody can notice. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/hash.h"
#include "base/must.h"
#include "forward/request.h"

/* What the shell notes in the life before it tells an event. */
enum {
	SENT      = 1,	/* a byte of the request may have reached the server */
	REUSED    = 2,	/* the connection at hand has served before */
	STREAMED  = 4,	/* bytes of the body went by that are no longer at hand */
	NO_BUDGET = 8,
};

struct line {
	enum request_event  event;
	enum request_action want;
	unsigned            noted;
};

static struct request_life life;

static void note(struct request_life *l, unsigned noted)
{
	l->sent = l->sent || (noted & SENT) != 0;
	l->reused = l->reused || (noted & REUSED) != 0;
	l->replayable = l->replayable && (noted & STREAMED) == 0;
	l->budget_used_up = l->budget_used_up || (noted & NO_BUDGET) != 0;
}

static void play(const struct line *script, size_t lines)
{
	for (size_t i = 0; i < lines; i++) {
		note(&life, script[i].noted);
		enum request_action action = request_step(&life, script[i].event);
		if (action != script[i].want)
			fail_msg("line %zu: action %d, not %d", i, action,
				 script[i].want);
	}
}

enum kind { ONLY_ONCE, IDEMPOTENT };

/* From the beginning; the lines end in `state`, with this status: what is answered, or
 * what the last server that failed would have made of it (0: none did). */
#define PLAY(retries, kind, state_wanted, status_wanted, ...)                     \
	do {                                                                      \
		const struct line script[] = {__VA_ARGS__};                       \
		request_life_init(&life, (retries), (kind) == IDEMPOTENT);        \
		play(script, COUNT_OF(script));                                   \
		assert_int_equal(life.state, (state_wanted));                     \
		assert_int_equal(life.status, (status_wanted));                   \
	} while (0)

/* The ways to places where many scripts begin. */
#define TO_CONNECTING {EVENT_BEGUN, DO_PICK, 0}, {EVENT_PICKED, DO_CONNECT, 0}
#define TO_AWAITING   TO_CONNECTING, {EVENT_CONNECTED, DO_SEND, 0}
#define AGAIN         {EVENT_PICKED, DO_CONNECT, 0}, {EVENT_CONNECTED, DO_SEND, 0}

/* ---- the table ---- */

struct edge {
	enum request_state  from;
	enum request_event  event;
	enum request_state  to;
	enum request_action action;
	uint16_t            status;
};

/* All there are, for a request that may not be tried again. */
static const struct edge edges[] = {
	{REQUEST_NEW, EVENT_BEGUN, REQUEST_PICKING, DO_PICK, 0},
	{REQUEST_NEW, EVENT_HELD, REQUEST_HELD, DO_HOLD, 0},
	{REQUEST_NEW, EVENT_BUSY, REQUEST_WAITING, DO_WAIT, 0},
	{REQUEST_NEW, EVENT_CLIENT_GONE, REQUEST_DONE, DO_CUT, 0},

	{REQUEST_HELD, EVENT_BEGUN, REQUEST_PICKING, DO_PICK, 0},
	{REQUEST_HELD, EVENT_CLIENT_GONE, REQUEST_DONE, DO_CUT, 0},

	{REQUEST_PICKING, EVENT_PICKED, REQUEST_CONNECTING, DO_CONNECT, 0},
	{REQUEST_PICKING, EVENT_BUSY, REQUEST_WAITING, DO_WAIT, 0},
	{REQUEST_PICKING, EVENT_NOBODY, REQUEST_DONE, DO_ANSWER, 503},
	{REQUEST_PICKING, EVENT_CLIENT_GONE, REQUEST_DONE, DO_CUT, 0},

	{REQUEST_WAITING, EVENT_ROOM, REQUEST_PICKING, DO_PICK, 0},
	{REQUEST_WAITING, EVENT_HELD, REQUEST_HELD, DO_HOLD, 0},
	{REQUEST_WAITING, EVENT_WAIT_OVER, REQUEST_DONE, DO_ANSWER, 503},
	{REQUEST_WAITING, EVENT_CLIENT_GONE, REQUEST_DONE, DO_CUT, 0},

	{REQUEST_CONNECTING, EVENT_CONNECTED, REQUEST_AWAITING, DO_SEND, 0},
	{REQUEST_CONNECTING, EVENT_CONNECT_FAILED, REQUEST_DONE, DO_ANSWER, 502},
	{REQUEST_CONNECTING, EVENT_CONNECT_LATE, REQUEST_DONE, DO_ANSWER, 504},
	{REQUEST_CONNECTING, EVENT_REFUSED, REQUEST_DONE, DO_ANSWER, 400},
	{REQUEST_CONNECTING, EVENT_BROKEN, REQUEST_DONE, DO_ANSWER, 408},
	{REQUEST_CONNECTING, EVENT_CLIENT_GONE, REQUEST_DONE, DO_CUT, 0},

	{REQUEST_AWAITING, EVENT_LOST, REQUEST_DONE, DO_ANSWER, 502},
	{REQUEST_AWAITING, EVENT_MALFORMED, REQUEST_DONE, DO_ANSWER, 502},
	{REQUEST_AWAITING, EVENT_RESPONSE_LATE, REQUEST_DONE, DO_ANSWER, 504},
	{REQUEST_AWAITING, EVENT_RESPONSE, REQUEST_ANSWERING, DO_FORWARD, 0},
	{REQUEST_AWAITING, EVENT_SWITCHED, REQUEST_TUNNEL, DO_TUNNEL, 0},
	{REQUEST_AWAITING, EVENT_REFUSED, REQUEST_DONE, DO_ANSWER, 400},
	{REQUEST_AWAITING, EVENT_BROKEN, REQUEST_DONE, DO_ANSWER, 408},
	{REQUEST_AWAITING, EVENT_CLIENT_GONE, REQUEST_DONE, DO_CUT, 0},

	{REQUEST_ANSWERING, EVENT_FINISHED, REQUEST_DONE, DO_FINISH, 0},
	{REQUEST_ANSWERING, EVENT_LOST, REQUEST_DONE, DO_CUT, 0},
	{REQUEST_ANSWERING, EVENT_MALFORMED, REQUEST_DONE, DO_CUT, 0},
	{REQUEST_ANSWERING, EVENT_BROKEN, REQUEST_DONE, DO_CUT, 0},
	{REQUEST_ANSWERING, EVENT_REFUSED, REQUEST_DONE, DO_CUT, 0},
	{REQUEST_ANSWERING, EVENT_CLIENT_GONE, REQUEST_DONE, DO_CUT, 0},

	{REQUEST_TUNNEL, EVENT_FINISHED, REQUEST_DONE, DO_CUT, 0},
	{REQUEST_TUNNEL, EVENT_LOST, REQUEST_DONE, DO_CUT, 0},
	{REQUEST_TUNNEL, EVENT_BROKEN, REQUEST_DONE, DO_CUT, 0},
	{REQUEST_TUNNEL, EVENT_CLIENT_GONE, REQUEST_DONE, DO_CUT, 0},
};

static void every_edge_leads_where_the_drawing_says(void **unused)
{
	(void)unused;
	for (size_t i = 0; i < COUNT_OF(edges); i++) {
		const struct edge *e = &edges[i];
		request_life_init(&life, 0, true);
		life.state = e->from;
		enum request_action action = request_step(&life, e->event);
		if (action != e->action || life.state != e->to ||
		    life.status != e->status)
			fail_msg("state %d, event %d: action %d, state %d, status %d",
				 e->from, e->event, action, life.state, life.status);
	}
}

static void retries_to_spare_change_only_what_failed_before_a_response(void **unused)
{
	(void)unused;
	for (size_t i = 0; i < COUNT_OF(edges); i++) {
		const struct edge *e = &edges[i];
		bool failed = (e->from == REQUEST_CONNECTING &&
			       (e->event == EVENT_CONNECT_FAILED ||
				e->event == EVENT_CONNECT_LATE)) ||
			      (e->from == REQUEST_AWAITING && e->event == EVENT_LOST);
		request_life_init(&life, 15, true);
		life.state = e->from;
		assert_int_equal(request_may_retry(&life, e->event), failed);
		enum request_action action = request_step(&life, e->event);
		assert_int_equal(action, failed ? DO_PICK : e->action);
		assert_int_equal(life.state, failed ? REQUEST_PICKING : e->to);
		assert_int_equal(life.retries_left, failed ? 14 : 15);
	}
}

static void a_client_gone_ends_every_state(void **unused)
{
	(void)unused;
	for (int state = REQUEST_NEW; state < REQUEST_DONE; state++) {
		request_life_init(&life, 15, true);
		life.state = (enum request_state)state;
		assert_int_equal(request_step(&life, EVENT_CLIENT_GONE), DO_CUT);
		assert_int_equal(life.state, REQUEST_DONE);
	}
}

static void after_done_nothing_happens(void **unused)
{
	(void)unused;
	for (unsigned i = 0; i < REQUEST_EVENTS; i++) {
		enum request_event event = i;
		request_life_init(&life, 15, true);
		life.state = REQUEST_DONE;
		life.reused = i % 2 != 0;
		struct request_life before = life;
		assert_false(request_may_retry(&life, event));
		assert_int_equal(request_step(&life, event), DO_NOTHING);
		assert_memory_equal(&life, &before, sizeof life);
	}
}

/* ---- what is told of it ---- */

static void a_good_server_answers(void **unused)
{
	(void)unused;
	PLAY(0, ONLY_ONCE, REQUEST_DONE, 0, TO_AWAITING,
	     {EVENT_RESPONSE, DO_FORWARD, SENT}, {EVENT_FINISHED, DO_FINISH, 0},
	     {EVENT_CLIENT_GONE, DO_NOTHING, 0});
	PLAY(0, ONLY_ONCE, REQUEST_DONE, 0, TO_AWAITING,
	     {EVENT_SWITCHED, DO_TUNNEL, SENT}, {EVENT_FINISHED, DO_CUT, 0});
}

static void a_full_listener_or_pool_is_waited_for(void **unused)
{
	(void)unused;
	PLAY(0, ONLY_ONCE, REQUEST_CONNECTING, 0,
	     {EVENT_BUSY, DO_WAIT, 0}, {EVENT_ROOM, DO_PICK, 0},
	     {EVENT_BUSY, DO_WAIT, 0}, {EVENT_ROOM, DO_PICK, 0},
	     {EVENT_PICKED, DO_CONNECT, 0});
	PLAY(3, IDEMPOTENT, REQUEST_DONE, 503,
	     {EVENT_BUSY, DO_WAIT, 0}, {EVENT_WAIT_OVER, DO_ANSWER, 0});
}

static void another_server_saves_the_day(void **unused)
{
	(void)unused;
	PLAY(1, ONLY_ONCE, REQUEST_AWAITING, 502, TO_CONNECTING,
	     {EVENT_CONNECT_FAILED, DO_PICK, 0}, AGAIN);
	assert_int_equal(life.retries_left, 0);
	PLAY(1, ONLY_ONCE, REQUEST_AWAITING, 504, TO_CONNECTING,
	     {EVENT_CONNECT_LATE, DO_PICK, 0}, AGAIN);
	PLAY(2, IDEMPOTENT, REQUEST_DONE, 502, TO_AWAITING,
	     {EVENT_LOST, DO_PICK, SENT}, AGAIN,
	     {EVENT_LOST, DO_PICK, SENT}, AGAIN,
	     {EVENT_RESPONSE, DO_FORWARD, SENT}, {EVENT_FINISHED, DO_FINISH, 0});
}

static void no_retry_left_means_an_answer(void **unused)
{
	(void)unused;
	PLAY(1, IDEMPOTENT, REQUEST_DONE, 504, TO_CONNECTING,
	     {EVENT_CONNECT_FAILED, DO_PICK, 0}, {EVENT_PICKED, DO_CONNECT, 0},
	     {EVENT_CONNECT_LATE, DO_ANSWER, 0});
	PLAY(0, IDEMPOTENT, REQUEST_DONE, 502, TO_AWAITING,
	     {EVENT_LOST, DO_ANSWER, SENT});
}

static void the_last_failure_says_more_than_nobody_left(void **unused)
{
	(void)unused;
	PLAY(3, IDEMPOTENT, REQUEST_DONE, 503, {EVENT_BEGUN, DO_PICK, 0},
	     {EVENT_NOBODY, DO_ANSWER, 0});
	PLAY(3, IDEMPOTENT, REQUEST_DONE, 502, TO_CONNECTING,
	     {EVENT_CONNECT_FAILED, DO_PICK, 0}, {EVENT_NOBODY, DO_ANSWER, 0});
	PLAY(3, IDEMPOTENT, REQUEST_DONE, 504, TO_CONNECTING,
	     {EVENT_CONNECT_FAILED, DO_PICK, 0}, {EVENT_PICKED, DO_CONNECT, 0},
	     {EVENT_CONNECT_LATE, DO_PICK, 0}, {EVENT_NOBODY, DO_ANSWER, 0});
	PLAY(3, IDEMPOTENT, REQUEST_DONE, 503, TO_CONNECTING,
	     {EVENT_CONNECT_FAILED, DO_PICK, 0}, {EVENT_BUSY, DO_WAIT, 0},
	     {EVENT_WAIT_OVER, DO_ANSWER, 0});
	PLAY(3, IDEMPOTENT, REQUEST_DONE, 502, TO_CONNECTING,
	     {EVENT_CONNECT_FAILED, DO_PICK, 0}, {EVENT_BUSY, DO_WAIT, 0},
	     {EVENT_ROOM, DO_PICK, 0}, {EVENT_NOBODY, DO_ANSWER, 0});
}

/* As the shell sets it when there is nobody to be picked. */
static enum request_action nobody_is_up(void)
{
	life.patient = true;
	return request_step(&life, EVENT_NOBODY);
}

static void a_patient_one_waits_for_somebody_to_come_up(void **unused)
{
	(void)unused;
	PLAY(2, ONLY_ONCE, REQUEST_PICKING, 0, {EVENT_BEGUN, DO_PICK, 0});
	assert_int_equal(nobody_is_up(), DO_WAIT);
	assert_int_equal(life.state, REQUEST_WAITING);
	assert_int_equal(request_step(&life, EVENT_ROOM), DO_PICK);
	assert_int_equal(nobody_is_up(), DO_WAIT);
	assert_int_equal(request_step(&life, EVENT_WAIT_OVER), DO_ANSWER);
	assert_int_equal(life.status, 503);
}

static void patience_is_no_further_try(void **unused)
{
	(void)unused;
	PLAY(1, IDEMPOTENT, REQUEST_PICKING, 502, TO_AWAITING,
	     {EVENT_LOST, DO_PICK, SENT});
	assert_int_equal(nobody_is_up(), DO_WAIT);
	assert_int_equal(life.retries_left, 0);
	assert_int_equal(request_step(&life, EVENT_ROOM), DO_PICK);
	assert_int_equal(request_step(&life, EVENT_PICKED), DO_CONNECT);
	assert_int_equal(request_step(&life, EVENT_CONNECT_FAILED), DO_ANSWER);
	assert_int_equal(life.status, 502);
}

static void who_is_held_is_placed_with_its_batch(void **unused)
{
	(void)unused;
	PLAY(0, ONLY_ONCE, REQUEST_CONNECTING, 0, {EVENT_HELD, DO_HOLD, 0},
	     {EVENT_BEGUN, DO_PICK, 0}, {EVENT_PICKED, DO_CONNECT, 0});
	PLAY(0, ONLY_ONCE, REQUEST_PICKING, 0, {EVENT_BUSY, DO_WAIT, 0},
	     {EVENT_HELD, DO_HOLD, 0}, {EVENT_BEGUN, DO_PICK, 0});
}

static void what_a_server_may_have_seen_is_sent_again_if_idempotent(void **unused)
{
	(void)unused;
	PLAY(3, ONLY_ONCE, REQUEST_DONE, 502, TO_AWAITING, {EVENT_LOST, DO_ANSWER, SENT});
	PLAY(3, ONLY_ONCE, REQUEST_PICKING, 502, TO_AWAITING, {EVENT_LOST, DO_PICK, 0});
	PLAY(3, IDEMPOTENT, REQUEST_PICKING, 502, TO_AWAITING,
	     {EVENT_LOST, DO_PICK, SENT});
	/* `sent` is about the server at hand. */
	assert_false(life.sent);
}

static void a_body_that_went_by_is_not_sent_again(void **unused)
{
	(void)unused;
	PLAY(3, IDEMPOTENT, REQUEST_DONE, 502, TO_AWAITING,
	     {EVENT_LOST, DO_ANSWER, SENT | STREAMED});
	PLAY(3, IDEMPOTENT, REQUEST_DONE, 502, TO_AWAITING,
	     {EVENT_LOST, DO_ANSWER, SENT | STREAMED | REUSED});
}

static void silence_and_nonsense_are_not_tried_again(void **unused)
{
	(void)unused;
	PLAY(3, IDEMPOTENT, REQUEST_DONE, 504, TO_AWAITING,
	     {EVENT_RESPONSE_LATE, DO_ANSWER, SENT});
	PLAY(3, IDEMPOTENT, REQUEST_DONE, 502, TO_AWAITING,
	     {EVENT_MALFORMED, DO_ANSWER, SENT});
}

static void a_response_that_breaks_off_is_cut(void **unused)
{
	static const enum request_event ends[] = {
		EVENT_LOST, EVENT_MALFORMED, EVENT_BROKEN, EVENT_REFUSED,
	};

	(void)unused;
	for (size_t i = 0; i < COUNT_OF(ends); i++)
		PLAY(3, IDEMPOTENT, REQUEST_DONE, 0, TO_AWAITING,
		     {EVENT_RESPONSE, DO_FORWARD, SENT}, {ends[i], DO_CUT, 0});
}

static void a_stale_connection_costs_nothing(void **unused)
{
	(void)unused;
	PLAY(0, IDEMPOTENT, REQUEST_PICKING, 0, TO_AWAITING,
	     {EVENT_LOST, DO_PICK, SENT | REUSED | NO_BUDGET});
	assert_true(life.retry_free);
	assert_true(life.stale_before);
	assert_false(life.reused);
	assert_false(life.sent);

	PLAY(1, IDEMPOTENT, REQUEST_PICKING, 502, TO_AWAITING,
	     {EVENT_LOST, DO_PICK, SENT | REUSED}, AGAIN,
	     {EVENT_LOST, DO_PICK, SENT});
	assert_false(life.retry_free);
	assert_int_equal(life.retries_left, 0);
}

static void a_stale_connection_is_no_leave_to_send_twice(void **unused)
{
	(void)unused;
	PLAY(3, ONLY_ONCE, REQUEST_DONE, 502, TO_AWAITING,
	     {EVENT_LOST, DO_ANSWER, SENT | REUSED});
	PLAY(0, ONLY_ONCE, REQUEST_PICKING, 0, TO_AWAITING,
	     {EVENT_LOST, DO_PICK, REUSED});
}

static void a_stale_connection_says_nothing_about_its_server(void **unused)
{
	(void)unused;
	PLAY(3, IDEMPOTENT, REQUEST_DONE, 503, TO_AWAITING,
	     {EVENT_LOST, DO_PICK, SENT | REUSED}, {EVENT_NOBODY, DO_ANSWER, 0});
	PLAY(3, IDEMPOTENT, REQUEST_DONE, 504, TO_CONNECTING,
	     {EVENT_CONNECT_LATE, DO_PICK, 0}, AGAIN,
	     {EVENT_LOST, DO_PICK, SENT | REUSED}, {EVENT_NOBODY, DO_ANSWER, 0});
}

static void an_empty_budget_ends_it_with_what_failed(void **unused)
{
	(void)unused;
	PLAY(3, IDEMPOTENT, REQUEST_DONE, 504, TO_CONNECTING,
	     {EVENT_CONNECT_LATE, DO_ANSWER, NO_BUDGET});
	PLAY(3, IDEMPOTENT, REQUEST_DONE, 502, TO_AWAITING,
	     {EVENT_LOST, DO_ANSWER, SENT | NO_BUDGET});
	assert_int_equal(life.retries_left, 3);
}

/* ---- random lives ---- */

enum { LIVES = 20000, STEPS_MAX = 400, RETRIES_MAX = 15 };

/* A shell that does what http_request.c promises, and what it has seen. */
struct shell {
	uint64_t random;
	uint8_t  retries_max;
	bool     idempotent;
	unsigned connects, free_retries, deliveries, forwards, ends;
	bool     streamed;
};

static uint64_t dice(struct shell *s, unsigned sides)
{
	s->random += UINT64_C(0x9e3779b97f4a7c15);
	return hash_mix(s->random) % sides;
}

/* One of the events that the table has for this state; the first of them as often as
 * all others. */
static enum request_event some_event(struct shell *s, enum request_state state)
{
	const struct edge *fitting[COUNT_OF(edges)];
	unsigned count = 0;

	for (size_t i = 0; i < COUNT_OF(edges); i++)
		if (edges[i].from == state &&
		    (edges[i].event != EVENT_CLIENT_GONE || dice(s, 50) == 0))
			fitting[count++] = &edges[i];
	if (count == 0)
		return (enum request_event)dice(s, REQUEST_EVENTS);
	return fitting[dice(s, 2) * dice(s, count)]->event;
}

/* What the shell does while the request is with a server. */
static void work(struct shell *s, struct request_life *l)
{
	if (l->state != REQUEST_AWAITING)
		return;
	if (!l->sent && dice(s, 3) > 0) {
		l->sent = true;
		s->deliveries++;
	}
	if (l->sent && dice(s, 8) == 0) {
		l->replayable = false;
		s->streamed = true;
	}
}

/* One event; what must hold of any step is checked. */
static void step(struct shell *s, struct request_life *l)
{
	enum request_event event =
		l->reused && l->state == REQUEST_CONNECTING ? EVENT_CONNECTED
							    : some_event(s, l->state);
	bool retry = request_may_retry(l, event);
	if (retry && !(event == EVENT_LOST && l->reused))
		l->budget_used_up = dice(s, 10) == 0;
	struct request_life before = *l;
	enum request_action action = request_step(l, event);

	if (retry)
		assert_true(action == DO_PICK || before.budget_used_up);
	bool again = action == DO_PICK && before.state >= REQUEST_CONNECTING;
	assert_true(!again || retry);
	if (again) {
		assert_int_equal(s->forwards, 0);
		assert_true(before.replayable && (!before.sent || before.idempotent));
		s->free_retries += l->retry_free;
	}
	if (action == DO_CONNECT) {
		assert_false(s->streamed);
		s->connects++;
		l->reused = !l->stale_before && dice(s, 2) == 0;
	}
	s->forwards += action == DO_FORWARD || action == DO_TUNNEL;
	s->ends += action == DO_FINISH || action == DO_ANSWER || action == DO_CUT;
	if (action == DO_ANSWER) {
		assert_int_equal(s->forwards, 0);
		assert_true(l->status == 400 || l->status == 408 ||
			    (l->status >= 502 && l->status <= 504));
	}
	assert_int_equal(s->ends, l->state == REQUEST_DONE);
}

static void random_lives_keep_the_rules(void **unused)
{
	(void)unused;
	unsigned retried = 0, twice = 0, stale = 0;

	for (uint64_t run = 0; run < LIVES; run++) {
		struct shell s = {.random = run};
		s.retries_max = (uint8_t)dice(&s, RETRIES_MAX + 1);
		s.idempotent = dice(&s, 2) == 0;
		request_life_init(&life, s.retries_max, s.idempotent);
		for (int i = 0; i < STEPS_MAX && life.state != REQUEST_DONE; i++) {
			work(&s, &life);
			step(&s, &life);
			assert_true(s.idempotent || s.deliveries <= 1);
			assert_true(s.free_retries <= 1);
			assert_true(s.connects - s.free_retries <= 1u + s.retries_max);
		}
		for (int i = 0; i < 4 && life.state == REQUEST_DONE; i++) {
			enum request_event late = some_event(&s, REQUEST_DONE);
			assert_int_equal(request_step(&life, late), DO_NOTHING);
		}
		retried += s.connects > 1;
		twice += s.deliveries > 1;
		stale += s.free_retries > 0;
	}
	/* The dice have shown all that the rules are about. */
	assert_true(retried > LIVES / 20);
	assert_true(twice > LIVES / 50);
	assert_true(stale > LIVES / 50);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_edge_leads_where_the_drawing_says),
		cmocka_unit_test(
			retries_to_spare_change_only_what_failed_before_a_response),
		cmocka_unit_test(a_client_gone_ends_every_state),
		cmocka_unit_test(after_done_nothing_happens),
		cmocka_unit_test(a_good_server_answers),
		cmocka_unit_test(a_full_listener_or_pool_is_waited_for),
		cmocka_unit_test(another_server_saves_the_day),
		cmocka_unit_test(no_retry_left_means_an_answer),
		cmocka_unit_test(the_last_failure_says_more_than_nobody_left),
		cmocka_unit_test(a_patient_one_waits_for_somebody_to_come_up),
		cmocka_unit_test(patience_is_no_further_try),
		cmocka_unit_test(who_is_held_is_placed_with_its_batch),
		cmocka_unit_test(what_a_server_may_have_seen_is_sent_again_if_idempotent),
		cmocka_unit_test(a_body_that_went_by_is_not_sent_again),
		cmocka_unit_test(silence_and_nonsense_are_not_tried_again),
		cmocka_unit_test(a_response_that_breaks_off_is_cut),
		cmocka_unit_test(a_stale_connection_costs_nothing),
		cmocka_unit_test(a_stale_connection_is_no_leave_to_send_twice),
		cmocka_unit_test(a_stale_connection_says_nothing_about_its_server),
		cmocka_unit_test(an_empty_budget_ends_it_with_what_failed),
		cmocka_unit_test(random_lives_keep_the_rules),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
