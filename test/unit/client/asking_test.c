/* Goal: each answer goes to the request that it belongs to, and one that belongs to none
 * is noticed. */
#include "client/asking.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static struct asking x;
static struct kv_message asked;
static struct answer answer;
static struct err why;
static uint32_t tag;

static int set_up(void **unused)
{
	(void)unused;
	asking_init(&x, 4);
	return 0;
}

static int take_down(void **unused)
{
	(void)unused;
	asking_fini(&x);
	return 0;
}

static uint32_t ask(uint8_t version, uint8_t verb, const char *key)
{
	struct request r = {.verb = verb, .key = span_of(key), .value = SPAN("v")};

	return asking_ask(&x, version, &r, &asked);
}

static enum asking_result take(const struct kv_message *m)
{
	return asking_take(&x, m, &tag, &answer, &why);
}

static enum asking_result reply(uint32_t to)
{
	struct kv_message m = {.type = KV_REPLY, .id = to, .version = 70 + to,
			       .expires_ms = 9, .value = SPAN("text")};

	return take(&m);
}

static enum asking_result respond(uint8_t type, const char *key)
{
	struct kv_message m = {.type = type, .key = span_of(key), .value = SPAN("w")};

	return take(&m);
}

static void requests_become_messages(void **unused)
{
	struct request r = {.verb = KV_VERB_EXPIRE, .flags = KV_RELATIVE_EXPIRY,
			    .expires_ms = 5, .key = SPAN("k"), .value = SPAN("")};

	(void)unused;
	uint32_t first = asking_ask(&x, 2, &r, &asked);
	assert_int_equal(asked.type, KV_OP);
	assert_true(asked.id == first && asked.verb == KV_VERB_EXPIRE);
	assert_true(asked.flags == KV_RELATIVE_EXPIRY && asked.expires_ms == 5);
	assert_int_equal(ask(1, KV_VERB_SET, "k"), first + 1);
	assert_int_equal(asked.type, KV_PUT);
	ask(1, KV_VERB_GET, "k");
	assert_int_equal(asked.type, KV_GET);
}

static void replies_come_in_any_order(void **unused)
{
	(void)unused;
	uint32_t a = ask(2, KV_VERB_GET, "a"), b = ask(2, KV_VERB_GET, "b");
	uint32_t c = ask(2, KV_VERB_GET, "c"), d = ask(2, KV_VERB_GET, "d");
	assert_false(asking_has_room(&x));
	assert_int_equal(reply(c), ASKING_ANSWER);
	assert_true(tag == c && answer.version == 70 + c && answer.expires_ms == 9);
	assert_true(span_equals(answer.value, SPAN("text")));
	assert_false(asking_is_pending(&x, c));
	assert_true(asking_is_pending(&x, a));
	assert_false(asking_has_room(&x));	/* its place is behind a's */
	assert_int_equal(reply(a), ASKING_ANSWER);
	assert_true(asking_has_room(&x));
	assert_int_equal(reply(b), ASKING_ANSWER);
	assert_int_equal(x.waiting, 1);
	assert_int_equal(reply(d), ASKING_ANSWER);
	assert_true(x.waiting == 0 && x.first == x.next);
}

static void a_tag_is_answered_once(void **unused)
{
	(void)unused;
	uint32_t a = ask(2, KV_VERB_GET, "a"), b = ask(2, KV_VERB_GET, "b");
	assert_int_equal(reply(b + 1), ASKING_MALFORMED);
	assert_int_equal(reply(b), ASKING_ANSWER);
	assert_int_equal(reply(b), ASKING_MALFORMED);
	assert_string_equal(why.text, "REPLY: nothing of this tag was asked");
	assert_int_equal(reply(a - 1), ASKING_MALFORMED);
	assert_int_equal(x.waiting, 1);
}

static void version_1_is_answered_in_order(void **unused)
{
	(void)unused;
	uint32_t a = ask(1, KV_VERB_SET, "a"), b = ask(1, KV_VERB_GET, "b");
	assert_int_equal(respond(KV_GET_RESPONSE, "b"), ASKING_MALFORMED);
	assert_string_equal(why.text, "GET_RESPONSE: something else was asked");
	assert_int_equal(respond(KV_PUT_RESPONSE, "b"), ASKING_MALFORMED);
	assert_string_equal(why.text, "PUT_RESPONSE: it is for another key than was asked "
				      "for");
	assert_int_equal(respond(KV_PUT_RESPONSE, "a"), ASKING_ANSWER);
	assert_true(tag == a && answer.value.len == 0 && answer.version == 0);
	assert_int_equal(respond(KV_GET_RESPONSE, "b"), ASKING_ANSWER);
	assert_true(tag == b && span_equals(answer.value, SPAN("w")));
	assert_int_equal(respond(KV_GET_RESPONSE, "b"), ASKING_MALFORMED);
	assert_string_equal(why.text, "GET_RESPONSE: nothing was asked");
}

static void an_error_is_for_the_oldest(void **unused)
{
	struct kv_message m = {.type = KV_ERROR, .result = KV_BUSY,
			       .value = SPAN("no workers available")};

	(void)unused;
	uint32_t a = ask(2, KV_VERB_GET, "a"), b = ask(2, KV_VERB_GET, "b");
	assert_int_equal(reply(a), ASKING_ANSWER);
	assert_int_equal(take(&m), ASKING_ANSWER);
	assert_true(tag == b && answer.result == KV_BUSY);
	assert_int_equal(take(&m), ASKING_REFUSED);
	assert_string_equal(why.text, "no workers available");
	m.value.len = 0;
	assert_int_equal(take(&m), ASKING_REFUSED);
	assert_string_equal(why.text, kv_wire_result_text(KV_BUSY));
}

static void what_is_not_for_clients_is_refused(void **unused)
{
	(void)unused;
	ask(2, KV_VERB_GET, "a");
	for (unsigned type = 0; type < 256; type++) {
		struct kv_message m = {.type = (uint8_t)type};
		if (type == KV_REPLY || type == KV_PUT_RESPONSE || type == KV_ERROR ||
		    type == KV_GET_RESPONSE)
			continue;
		assert_int_equal(take(&m), type == KV_SHUTDOWN ? ASKING_STOPPING
							       : ASKING_MALFORMED);
	}
	assert_int_equal(x.waiting, 1);
}

static void tags_go_on_over_a_reset_and_around(void **unused)
{
	(void)unused;
	x.first = x.next = UINT32_MAX - 1;
	for (int i = 0; i < 4; i++)
		ask(2, KV_VERB_GET, "a");
	assert_int_equal(reply(UINT32_MAX), ASKING_ANSWER);
	assert_int_equal(reply(0), ASKING_ANSWER);
	asking_reset(&x);
	assert_true(x.waiting == 0 && asking_has_room(&x));
	assert_false(asking_is_pending(&x, 1));
	assert_int_equal(reply(1), ASKING_MALFORMED);
	assert_int_equal(ask(2, KV_VERB_GET, "a"), 2);
}

static void refuses(const struct request *r, uint8_t version, const char *expected)
{
	struct err err;

	assert_int_equal(asking_check(r, version, &err), -1);
	assert_string_equal(err.text, expected);
}

static void what_cannot_be_asked_is_said(void **unused)
{
	static char large[KV_KEY_MAX + 1];
	struct request r = {.verb = KV_VERB_DELETE, .key = SPAN("k"), .value = SPAN("")};
	struct err err;

	(void)unused;
	assert_int_equal(asking_check(&r, 2, &err), 0);
	refuses(&r, 1, "version 1 of the protocol has no del");
	r.verb = KV_VERB_STATS;
	refuses(&r, 1, "version 1 of the protocol has no stats");
	r.key.len = 0;
	assert_int_equal(asking_check(&r, 2, &err), 0);
	r.verb = KV_VERB_SET;
	refuses(&r, 2, "a key has at least one byte");
	r.key = SPAN("k");
	r.flags = KV_IF_ABSENT;
	refuses(&r, 1, "version 1 of the protocol has neither times nor conditions; write: "
		       "put KEY VALUE");
	r.key = (struct span){large, sizeof large};
	refuses(&r, 2, "the key has 32769 bytes, 32768 are the most");
	r.key.len = 3;
	r.value = (struct span){large, KV_ENTRY_MAX - 2};
	refuses(&r, 2, "key and value have 65504 bytes, 65503 are the most");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(requests_become_messages, set_up, take_down),
		cmocka_unit_test_setup_teardown(replies_come_in_any_order, set_up, take_down),
		cmocka_unit_test_setup_teardown(a_tag_is_answered_once, set_up, take_down),
		cmocka_unit_test_setup_teardown(version_1_is_answered_in_order, set_up,
						take_down),
		cmocka_unit_test_setup_teardown(an_error_is_for_the_oldest, set_up, take_down),
		cmocka_unit_test_setup_teardown(what_is_not_for_clients_is_refused, set_up,
						take_down),
		cmocka_unit_test_setup_teardown(tags_go_on_over_a_reset_and_around, set_up,
						take_down),
		cmocka_unit_test(what_cannot_be_asked_is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
