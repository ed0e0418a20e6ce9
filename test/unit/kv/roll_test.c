/* Goal: whoever joins is told of everybody and everybody of it, exactly one ready worker fills
 * it, and when that one goes another does.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/must.h"
#include "kv/roll.h"

static struct kv_roll roll;

/* What was said, one line for a message: "7 START 2", "7 PEER 8 fills". */
static char said[8192];

static void note(void *arg, const struct kv_worker *to, const struct kv_message *messages,
		 uint32_t count)
{
	(void)arg;
	for (uint32_t i = 0; i < count; i++) {
		const struct kv_message *m = &messages[i];
		size_t len = strlen(said);
		char *at = said + len;
		size_t room = sizeof said - len;
		switch (m->type) {
		case KV_REGISTRY_START:
			snprintf(at, room, "%u START %u\n", to->id, m->total);
			break;
		case KV_WORKER_ENTRY:
		case KV_PEER:
			snprintf(at, room, "%u %s %u %.*s:%u%s\n", to->id,
				 m->type == KV_PEER ? "PEER" : "ENTRY", m->id, (int)m->value.len,
				 m->value.at, m->port, m->fills ? " fills" : "");
			break;
		case KV_REGISTRY_END:
			snprintf(at, room, "%u END\n", to->id);
			break;
		case KV_PEER_GONE:
			snprintf(at, room, "%u GONE %u\n", to->id, m->id);
			break;
		default:
			fail();
		}
	}
}

static int start(void **unused)
{
	(void)unused;
	kv_roll_init(&roll, note, NULL);
	said[0] = '\0';
	return 0;
}

static int finish(void **unused)
{
	(void)unused;
	kv_roll_fini(&roll);
	return 0;
}

static struct kv_notice notice_of(uint32_t id, uint8_t speaks)
{
	struct kv_notice n = {
		.kind = KV_NOTICE_JOINS, .hub = 1, .link = id * 10, .worker = id,
		.speaks = speaks, .lanes = 1,
	};
	struct err err;
	char text[32];

	snprintf(text, sizeof text, "127.0.0.1:%u", 6000 + id);
	assert_int_equal(address_parse(&n.peer, text, "127.0.0.1", &err), 0);
	return n;
}

static struct kv_worker *ask(const struct kv_notice *n)
{
	enum kv_result code = KV_FINE;
	const char *why = NULL;
	struct kv_worker *w = kv_roll_join(&roll, n, &code, &why);

	if (w == NULL) {
		assert_int_equal(code, KV_PROTOCOL);
		assert_non_null(why);
	}
	return w;
}

static struct kv_worker *join(uint32_t id, uint8_t speaks)
{
	struct kv_notice n = notice_of(id, speaks);
	struct kv_worker *w = ask(&n);

	assert_non_null(w);
	kv_roll_list(&roll, w);
	return w;
}

static struct kv_worker *join_ready(uint32_t id, uint8_t speaks)
{
	struct kv_worker *w = join(id, speaks);

	kv_roll_set_ready(&roll, w, true);
	return w;
}

static void hears(const char *wanted)
{
	assert_string_equal(said, wanted);
	said[0] = '\0';
}

static void the_first_of_version_1_is_ready_and_hears_of_itself(void **unused)
{
	(void)unused;
	struct kv_worker *w = join(1, 1);
	assert_int_equal(w->state, KV_ROLL_READY);
	hears("1 START 1\n1 ENTRY 1 127.0.0.1:6001\n1 END\n");
}

static void the_first_of_version_2_hears_that_nobody_fills_it(void **unused)
{
	(void)unused;
	struct kv_worker *w = join(1, 2);
	assert_int_equal(w->state, KV_ROLL_FILLING);
	hears("1 START 1\n1 END\n");
	assert_true(kv_roll_set_ready(&roll, w, true));
	assert_false(kv_roll_set_ready(&roll, w, true));	/* said again: harmless */
	assert_int_equal(w->state, KV_ROLL_READY);
}

static void one_ready_worker_fills_the_newcomer(void **unused)
{
	(void)unused;
	join_ready(1, 1);
	join(2, 1);
	said[0] = '\0';
	join(3, 1);
	hears("1 START 3\n1 ENTRY 3 127.0.0.1:6003 fills\n1 END\n"
	      "2 START 3\n2 ENTRY 3 127.0.0.1:6003\n2 END\n"
	      "3 START 3\n3 ENTRY 1 127.0.0.1:6001\n3 ENTRY 2 127.0.0.1:6002\n"
	      "3 ENTRY 3 127.0.0.1:6003\n3 END\n");
}

static void version_2_knows_who_fills_it(void **unused)
{
	(void)unused;
	join_ready(1, 2);
	said[0] = '\0';
	join(2, 2);
	hears("1 START 2\n1 PEER 2 127.0.0.1:6002 fills\n1 END\n"
	      "2 START 2\n2 PEER 1 127.0.0.1:6001 fills\n2 END\n");
}

static void who_is_not_ready_fills_nobody(void **unused)
{
	(void)unused;
	struct kv_worker *w = join_ready(1, 2);
	kv_roll_set_ready(&roll, w, false);
	said[0] = '\0';
	struct kv_worker *next = join(2, 2);
	assert_null(next->filler);
	hears("1 START 2\n1 PEER 2 127.0.0.1:6002\n1 END\n"
	      "2 START 2\n2 PEER 1 127.0.0.1:6001\n2 END\n");
}

static void newcomers_are_spread_over_those_that_may_fill(void **unused)
{
	(void)unused;
	struct kv_worker *a = join_ready(1, 2), *b = join_ready(2, 2);
	struct kv_worker *c = join(3, 2), *d = join(4, 2);
	assert_ptr_equal(c->filler, a);
	assert_ptr_equal(d->filler, b);
}

static void its_own_version_is_preferred_to_fill(void **unused)
{
	(void)unused;
	join_ready(1, 1);
	struct kv_worker *b = join_ready(2, 2);
	assert_ptr_equal(join(3, 2)->filler, b);
}

static void another_fills_when_the_filler_goes(void **unused)
{
	(void)unused;
	struct kv_worker *a = join_ready(1, 2);
	join_ready(2, 2);
	struct kv_worker *c = join(3, 2);
	assert_ptr_equal(c->filler, a);
	said[0] = '\0';
	kv_roll_leave(&roll, a);
	hears("2 GONE 1\n3 GONE 1\n"
	      "3 START 2\n3 PEER 2 127.0.0.1:6002 fills\n3 END\n"
	      "2 START 2\n2 PEER 3 127.0.0.1:6003 fills\n2 END\n");
}

static void nobody_left_to_fill_is_said(void **unused)
{
	(void)unused;
	struct kv_worker *a = join_ready(1, 2);
	join(2, 2);
	said[0] = '\0';
	kv_roll_leave(&roll, a);
	hears("2 GONE 1\n2 START 1\n2 END\n");
}

static void version_1_is_told_of_nobody_that_goes(void **unused)
{
	(void)unused;
	join_ready(1, 1);
	struct kv_worker *b = join_ready(2, 1);
	said[0] = '\0';
	kv_roll_leave(&roll, b);
	hears("");
	assert_null(kv_roll_find(&roll, 2));
}

static void an_id_is_had_once(void **unused)
{
	(void)unused;
	join_ready(1, 1);
	struct kv_notice again = notice_of(1, 1);
	struct err err;
	again.link = 99;
	address_parse(&again.peer, "127.0.0.1:7000", "127.0.0.1", &err);
	assert_null(ask(&again));
	assert_null(kv_roll_find_link(&roll, 1, 99));
}

static void a_peer_address_is_had_once_but_a_port_on_many_hosts(void **unused)
{
	(void)unused;
	join_ready(1, 1);
	struct kv_notice same = notice_of(1, 1), other = notice_of(1, 1);
	struct err err;
	same.worker = 2;
	assert_null(ask(&same));
	other.worker = 3;
	address_parse(&other.peer, "127.0.0.2:6001", "127.0.0.1", &err);
	assert_non_null(ask(&other));
}

static void a_worker_of_two_lanes_is_there_when_both_are(void **unused)
{
	(void)unused;
	struct kv_notice first = notice_of(1, 2), second, third;
	first.lanes = 2;
	second = first;
	second.lane = 1;
	second.link = 11;
	third = second;
	third.link = 12;
	struct kv_worker *w = ask(&first);
	assert_non_null(w);
	assert_int_equal(w->lanes_there, 1);
	assert_ptr_equal(ask(&second), w);
	assert_int_equal(w->lanes_there, w->lanes);
	assert_null(ask(&third));
	assert_ptr_equal(kv_roll_find_link(&roll, 1, 11), w);
}

static void counts_are_of_those_that_are_listed(void **unused)
{
	uint32_t listed, ready, version_1;

	(void)unused;
	struct kv_notice waiting = notice_of(9, 2);
	waiting.lanes = 2;
	ask(&waiting);
	join_ready(1, 1);
	join(2, 2);
	kv_roll_count(&roll, &listed, &ready, &version_1);
	assert_int_equal(listed, 2);
	assert_int_equal(ready, 1);
	assert_int_equal(version_1, 1);
}

static void no_more_than_so_many(void **unused)
{
	(void)unused;
	for (uint32_t id = 1; id <= KV_WORKERS_MAX; id++) {
		said[0] = '\0';
		join(id, 2);
	}
	struct kv_notice one_more = notice_of(KV_WORKERS_MAX + 1, 2);
	assert_null(ask(&one_more));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, finish)
	const struct CMUnitTest tests[] = {
		TEST(the_first_of_version_1_is_ready_and_hears_of_itself),
		TEST(the_first_of_version_2_hears_that_nobody_fills_it),
		TEST(one_ready_worker_fills_the_newcomer),
		TEST(version_2_knows_who_fills_it),
		TEST(who_is_not_ready_fills_nobody),
		TEST(newcomers_are_spread_over_those_that_may_fill),
		TEST(its_own_version_is_preferred_to_fill),
		TEST(another_fills_when_the_filler_goes),
		TEST(nobody_left_to_fill_is_said),
		TEST(version_1_is_told_of_nobody_that_goes),
		TEST(an_id_is_had_once),
		TEST(a_peer_address_is_had_once_but_a_port_on_many_hosts),
		TEST(a_worker_of_two_lanes_is_there_when_both_are),
		TEST(counts_are_of_those_that_are_listed),
		TEST(no_more_than_so_many),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
