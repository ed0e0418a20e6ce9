/* Goal: a worker serves only when nobody has to fill it, or somebody has; and it asks to be
 * filled only when all whom it was told of have connected to it, or have gone. */
#include "store/roster.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static struct address at(const char *text)
{
	struct address a;
	struct err err;

	assert_int_equal(address_parse(&a, text, "127.0.0.1", &err), 0);
	return a;
}

static enum roster_news tell(struct roster *r, uint32_t id, uint8_t speaks)
{
	struct address a = at("127.0.0.1:7000");

	return roster_told(r, id, speaks, &a);
}

static void connect_all(struct roster *r, uint32_t id, uint8_t lanes)
{
	for (uint8_t lane = 0; lane < lanes; lane++)
		roster_connected(r, id, lane, lanes);
}

/* A newcomer that peer 1 fills, 2 and 3 being there as well. */
static struct roster newcomer(void)
{
	struct roster r = {0};

	roster_greeted(&r);
	roster_begins(&r);
	for (uint32_t id = 1; id <= 3; id++)
		assert_int_equal(tell(&r, id, 2), ROSTER_NEW);
	roster_note_filler(&r, 1);
	roster_ends(&r, false);
	assert_int_equal(r.state, ROSTER_FILLING);
	return r;
}

static void one_that_is_alone_is_ready(void **state)
{
	struct roster r = {0};

	(void)state;
	assert_int_equal(r.state, ROSTER_OUT);
	roster_greeted(&r);
	assert_int_equal(r.state, ROSTER_TOLD_NOTHING);
	roster_begins(&r);
	roster_ends(&r, false);
	assert_int_equal(r.state, ROSTER_READY);
	roster_fini(&r);
}

static void a_newcomer_asks_when_all_have_connected_and_the_filler_has_offered(void **state)
{
	struct roster r = newcomer();

	(void)state;
	connect_all(&r, 1, 1);
	connect_all(&r, 2, 2);
	r.offered = true;
	assert_false(roster_may_ask(&r));
	roster_connected(&r, 3, 0, 2);
	assert_false(roster_may_ask(&r));
	roster_connected(&r, 3, 1, 2);
	assert_true(roster_may_ask(&r));
	r.offered = false;
	assert_false(roster_may_ask(&r));
	r.offered = true;
	roster_disconnected(&r, 2, 1);
	assert_false(roster_may_ask(&r));
	roster_remove(&r, 2);
	assert_true(roster_may_ask(&r));
	roster_filled(&r);
	assert_int_equal(r.state, ROSTER_READY);
	assert_false(roster_may_ask(&r));
	roster_fini(&r);
}

static void a_filler_that_goes_leaves_a_newcomer_until_another_is_named(void **state)
{
	struct roster r = newcomer();

	(void)state;
	connect_all(&r, 2, 1);
	connect_all(&r, 3, 1);
	r.offered = true;
	roster_remove(&r, 1);
	assert_int_equal(r.filler, 0);
	assert_false(r.offered);
	assert_int_equal(r.state, ROSTER_FILLING);
	assert_false(roster_may_ask(&r));
	roster_begins(&r);
	assert_int_equal(tell(&r, 3, 2), ROSTER_SAME);
	roster_note_filler(&r, 3);
	roster_ends(&r, false);
	assert_int_equal(r.state, ROSTER_FILLING);
	r.offered = true;
	assert_true(roster_may_ask(&r));
	roster_fini(&r);
}

static void a_list_without_a_filler_says_that_nobody_is_left(void **state)
{
	struct roster r = newcomer();

	(void)state;
	roster_remove(&r, 1);
	roster_begins(&r);
	roster_ends(&r, false);
	assert_int_equal(r.state, ROSTER_READY);
	roster_fini(&r);
}

static void who_is_not_told_of_again_is_to_be_removed(void **state)
{
	struct roster r = newcomer();
	uint32_t gone;

	(void)state;
	roster_left(&r);
	assert_int_equal(r.state, ROSTER_OUT);
	assert_int_equal(r.count, 3);	/* they may well be there still */
	roster_greeted(&r);
	roster_begins(&r);
	assert_int_equal(tell(&r, 2, 2), ROSTER_SAME);
	while ((gone = roster_untold(&r)) != 0) {
		assert_int_not_equal(gone, 2);
		roster_remove(&r, gone);
	}
	assert_int_equal(r.count, 1);
	assert_non_null(roster_find(&r, 2));
	roster_fini(&r);
}

static void another_address_or_version_is_another_peer(void **state)
{
	struct roster r = newcomer();
	struct address elsewhere = at("127.0.0.1:7001");

	(void)state;
	assert_int_equal(tell(&r, 2, 2), ROSTER_SAME);
	assert_int_equal(tell(&r, 2, 1), ROSTER_MOVED);
	assert_int_equal(roster_told(&r, 2, 1, &elsewhere), ROSTER_MOVED);
	assert_true(address_equals(&roster_find(&r, 2)->at, &elsewhere));
	roster_fini(&r);
}

static void there_is_a_limit_of_peers(void **state)
{
	struct roster r = {0};

	(void)state;
	for (uint32_t id = 1; id <= ROSTER_PEERS_MAX; id++)
		assert_int_equal(tell(&r, id, 2), ROSTER_NEW);
	assert_int_equal(tell(&r, ROSTER_PEERS_MAX + 1, 2), ROSTER_TOO_MANY);
	assert_int_equal(tell(&r, 5, 2), ROSTER_SAME);
	roster_fini(&r);
}

static void peers_of_version_1_are_counted_since_they_have_no_name(void **state)
{
	struct roster r = newcomer();

	(void)state;
	tell(&r, 9, 1);
	for (uint32_t id = 1; id <= 3; id++)
		connect_all(&r, id, 1);
	r.offered = true;
	assert_false(roster_may_ask(&r));
	r.plain = 1;
	assert_true(roster_may_ask(&r));
	roster_fini(&r);
}

/* Version 1: what the newcomer knows, and when an export comes. */
static void with_version_1_others_are_waited_for_unless_we_export(void **state)
{
	struct roster r = {0};

	(void)state;
	roster_greeted(&r);
	roster_begins(&r);
	tell(&r, 1, 1);
	roster_ends(&r, true);
	assert_int_equal(r.state, ROSTER_FILLING);
	assert_true(roster_exported(&r));
	roster_filled(&r);
	assert_int_equal(r.state, ROSTER_READY);

	roster_greeted(&r);
	roster_begins(&r);
	roster_note_export(&r);
	roster_ends(&r, true);
	assert_int_equal(r.state, ROSTER_READY);
	roster_fini(&r);
}

static void an_export_may_come_before_the_list(void **state)
{
	struct roster r = {0};

	(void)state;
	roster_greeted(&r);
	assert_false(roster_exported(&r));
	roster_begins(&r);
	tell(&r, 1, 1);
	roster_ends(&r, true);
	assert_int_equal(r.state, ROSTER_READY);
	/* It counts for this time only. */
	roster_greeted(&r);
	roster_begins(&r);
	tell(&r, 1, 1);
	roster_ends(&r, true);
	assert_int_equal(r.state, ROSTER_FILLING);
	roster_fini(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_that_is_alone_is_ready),
		cmocka_unit_test(
			a_newcomer_asks_when_all_have_connected_and_the_filler_has_offered),
		cmocka_unit_test(a_filler_that_goes_leaves_a_newcomer_until_another_is_named),
		cmocka_unit_test(a_list_without_a_filler_says_that_nobody_is_left),
		cmocka_unit_test(who_is_not_told_of_again_is_to_be_removed),
		cmocka_unit_test(another_address_or_version_is_another_peer),
		cmocka_unit_test(there_is_a_limit_of_peers),
		cmocka_unit_test(peers_of_version_1_are_counted_since_they_have_no_name),
		cmocka_unit_test(with_version_1_others_are_waited_for_unless_we_export),
		cmocka_unit_test(an_export_may_come_before_the_list),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
