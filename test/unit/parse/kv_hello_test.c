/* Goal: two programs know each other only when both have shown the same secret, or neither
 * has any; everything else ends in a refusal that says why. */
#include "parse/kv_hello.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/must.h"

static const struct kv_self worker = {
	.role = KV_ROLE_WORKER, .lane = 1, .lanes = 2, .id = 7, .port = 6001, .newest = 99,
	.entries = 12, .pool_key = "0123456789abcde"};
static const struct kv_self balancer = {
	.role = KV_ROLE_BALANCER, .lanes = 1, .pool_key = "fedcba987654321"};

/* Two sides, and what was said last. */
struct talk {
	struct kv_hello connector, acceptor;
	enum kv_hello_state state;
	enum kv_result code;
	const char *why;
};

static void nonce_of(uint8_t nonce[KV_NONCE_BYTES], uint8_t number)
{
	memset(nonce, number, KV_NONCE_BYTES);
}

/* A side with this secret (NULL: none) and a nonce that consists of one number. */
static void open_side(struct kv_hello *h, const struct kv_self *self, const char *secret,
		      uint8_t number)
{
	struct kv_self with = *self;
	uint8_t nonce[KV_NONCE_BYTES];

	if (secret != NULL)
		with.secret = span_of(secret);
	nonce_of(nonce, number);
	kv_hello_init(h, &with, self == &worker, nonce);
}

static void open_talk(struct talk *t, const char *connector, const char *acceptor)
{
	*t = (struct talk){.state = KV_HELLO_GOES_ON};
	open_side(&t->connector, &worker, connector, 1);
	open_side(&t->acceptor, &balancer, acceptor, 2);
	assert_int_equal(t->acceptor.out_len, 0);
}

static struct kv_message message_of(const uint8_t *bytes, size_t len)
{
	struct kv_message m;
	const char *why;
	size_t used = 0;

	assert_int_equal(kv_wire_parse(&m, bytes, len, &used, &why), KV_PARSE_DONE);
	assert_int_equal(used, len);
	return m;
}

static void take(struct talk *t, struct kv_hello *to, const struct kv_message *m)
{
	t->code = KV_FINE;
	t->why = NULL;
	t->state = kv_hello_take(to, m, &t->code, &t->why);
	assert_true((t->state == KV_HELLO_REFUSED) == (t->why != NULL));
	assert_true((t->state == KV_HELLO_REFUSED) == (t->code != KV_FINE));
}

/* What one side has said reaches the other, which has to go on in this way. */
static void pass(struct talk *t, struct kv_hello *from, struct kv_hello *to,
		 enum kv_hello_state expected)
{
	struct kv_message m = message_of(from->out, from->out_len);

	take(t, to, &m);
	if (t->state != expected)
		fail_msg("%s", t->why != NULL ? t->why : "not refused");
}

static void refused(const struct talk *t, enum kv_result code, const char *why)
{
	assert_int_equal(t->state, KV_HELLO_REFUSED);
	assert_int_equal(t->code, code);
	assert_string_equal(t->why, why);
}

static void each_is_told_what_the_other_is(void **unused)
{
	struct talk t;

	(void)unused;
	open_talk(&t, NULL, NULL);
	pass(&t, &t.connector, &t.acceptor, KV_HELLO_DONE);
	assert_int_equal(t.acceptor.role, KV_ROLE_WORKER);
	assert_int_equal(t.acceptor.lane, 1);
	assert_int_equal(t.acceptor.lanes, 2);
	assert_int_equal(t.acceptor.id, 7);
	assert_int_equal(t.acceptor.port, 6001);
	assert_int_equal(t.acceptor.newest, 99);
	assert_int_equal(t.acceptor.entries, 12);
	assert_memory_equal(t.acceptor.pool_key, "0123456789abcde", KV_POOL_KEY_BYTES);
	pass(&t, &t.acceptor, &t.connector, KV_HELLO_DONE);
	assert_int_equal(t.connector.role, KV_ROLE_BALANCER);
	assert_int_equal(t.connector.lanes, 1);
	assert_memory_equal(t.connector.pool_key, "fedcba987654321", KV_POOL_KEY_BYTES);
	assert_int_equal(t.connector.out_len, 0);
	assert_false(t.connector.proved || t.acceptor.proved);
}

static void the_same_secret_is_proved_both_ways(void **unused)
{
	struct talk t;

	(void)unused;
	open_talk(&t, "open sesame", "open sesame");
	pass(&t, &t.connector, &t.acceptor, KV_HELLO_GOES_ON);
	pass(&t, &t.acceptor, &t.connector, KV_HELLO_GOES_ON);
	assert_false(t.acceptor.proved);
	pass(&t, &t.connector, &t.acceptor, KV_HELLO_DONE);
	assert_true(t.acceptor.proved);
	assert_false(t.connector.proved);
	pass(&t, &t.acceptor, &t.connector, KV_HELLO_DONE);
	assert_true(t.connector.proved);
	assert_int_equal(t.connector.out_len, 0);
}

static void different_secrets_are_refused(void **unused)
{
	struct talk t;

	(void)unused;
	open_talk(&t, "open sesame", "open sesamE");
	pass(&t, &t.connector, &t.acceptor, KV_HELLO_GOES_ON);
	pass(&t, &t.acceptor, &t.connector, KV_HELLO_GOES_ON);
	pass(&t, &t.connector, &t.acceptor, KV_HELLO_REFUSED);
	refused(&t, KV_UNAUTHORISED, "the proof is wrong: both sides need the same secret");
	assert_int_equal(t.acceptor.out_len, 0);	/* says nothing that helps */
	assert_false(t.acceptor.proved);
}

static void a_false_acceptor_is_refused(void **unused)
{
	struct talk t;
	char mac[KV_MAC_BYTES] = {1};
	struct kv_message made_up = {.type = KV_PROOF, .mac = {mac, sizeof mac}};

	(void)unused;
	open_talk(&t, "open sesame", "something else");
	pass(&t, &t.connector, &t.acceptor, KV_HELLO_GOES_ON);
	pass(&t, &t.acceptor, &t.connector, KV_HELLO_GOES_ON);
	take(&t, &t.connector, &made_up);
	refused(&t, KV_UNAUTHORISED, "the proof is wrong: both sides need the same secret");
}

static void one_secret_is_not_enough(void **unused)
{
	struct talk t;

	(void)unused;
	open_talk(&t, NULL, "open sesame");
	pass(&t, &t.connector, &t.acceptor, KV_HELLO_REFUSED);
	refused(&t, KV_UNAUTHORISED, "this side has a secret, the other one has none");
	assert_int_equal(t.acceptor.out_len, 0);

	open_talk(&t, "open sesame", NULL);
	pass(&t, &t.connector, &t.acceptor, KV_HELLO_REFUSED);
	refused(&t, KV_UNAUTHORISED, "the other side has a secret, this one has none");

	/* And the one who connected finds out, too, whatever the other one does. */
	open_side(&t.acceptor, &balancer, NULL, 2);
	struct kv_hello careless;
	open_side(&careless, &worker, NULL, 3);
	pass(&t, &careless, &t.acceptor, KV_HELLO_DONE);
	pass(&t, &t.acceptor, &t.connector, KV_HELLO_REFUSED);
	refused(&t, KV_UNAUTHORISED, "this side has a secret, the other one has none");
}

static void what_was_said_once_proves_nothing_again(void **unused)
{
	struct talk t;
	uint8_t hello[KV_HELLO_OUT_MAX], proof[KV_HELLO_OUT_MAX];
	size_t hello_len, proof_len;

	(void)unused;
	open_talk(&t, "open sesame", "open sesame");
	memcpy(hello, t.connector.out, hello_len = t.connector.out_len);
	pass(&t, &t.connector, &t.acceptor, KV_HELLO_GOES_ON);
	pass(&t, &t.acceptor, &t.connector, KV_HELLO_GOES_ON);
	memcpy(proof, t.connector.out, proof_len = t.connector.out_len);
	pass(&t, &t.connector, &t.acceptor, KV_HELLO_DONE);

	/* The same words to the same side, whose nonce is another one by now. */
	open_side(&t.acceptor, &balancer, "open sesame", 3);
	struct kv_message m = message_of(hello, hello_len);
	take(&t, &t.acceptor, &m);
	assert_int_equal(t.state, KV_HELLO_GOES_ON);
	m = message_of(proof, proof_len);
	take(&t, &t.acceptor, &m);
	refused(&t, KV_UNAUTHORISED, "the proof is wrong: both sides need the same secret");
}

/* Who has no secret may send back what it hears. */
static void an_echo_is_refused(void **unused)
{
	struct talk t;

	(void)unused;
	open_talk(&t, "open sesame", "open sesame");
	pass(&t, &t.connector, &t.connector, KV_HELLO_REFUSED);
	refused(&t, KV_UNAUTHORISED, "HELLO has this side's own nonce");

	/* With a nonce of its own the proof comes back to the one who made it. */
	open_talk(&t, "open sesame", "open sesame");
	pass(&t, &t.connector, &t.acceptor, KV_HELLO_GOES_ON);
	pass(&t, &t.acceptor, &t.connector, KV_HELLO_GOES_ON);
	pass(&t, &t.connector, &t.connector, KV_HELLO_REFUSED);
	refused(&t, KV_UNAUTHORISED, "the proof is wrong: both sides need the same secret");
}

/* A proof is of one role and one id: nobody else can use it. */
static void a_proof_is_of_one_side_only(void **unused)
{
	struct talk t;

	(void)unused;
	for (int what = 0; what < 2; what++) {
		open_talk(&t, "open sesame", "open sesame");
		struct kv_message m = message_of(t.connector.out, t.connector.out_len);
		if (what == 0)
			m.id++;
		else
			m.role = KV_ROLE_PEER;
		take(&t, &t.acceptor, &m);
		assert_int_equal(t.state, KV_HELLO_GOES_ON);
		pass(&t, &t.acceptor, &t.connector, KV_HELLO_GOES_ON);
		pass(&t, &t.connector, &t.acceptor, KV_HELLO_REFUSED);
		assert_int_equal(t.code, KV_UNAUTHORISED);
	}
}

static void anything_else_comes_later(void **unused)
{
	static const char mac[KV_MAC_BYTES];
	struct kv_message get = {.type = KV_GET, .key = SPAN("k")};
	struct kv_message proof = {.type = KV_PROOF, .mac = {mac, sizeof mac}};
	struct kv_message error = {.type = KV_ERROR, .value = SPAN("go away")};
	struct talk t;

	(void)unused;
	open_talk(&t, NULL, NULL);
	take(&t, &t.acceptor, &get);
	refused(&t, KV_PROTOCOL, "HELLO comes first");
	open_talk(&t, "secret", "secret");
	take(&t, &t.acceptor, &get);
	refused(&t, KV_UNAUTHORISED, "HELLO comes first");
	open_talk(&t, "secret", "secret");
	take(&t, &t.acceptor, &proof);
	refused(&t, KV_UNAUTHORISED, "HELLO comes first");
	open_talk(&t, "secret", "secret");
	pass(&t, &t.connector, &t.acceptor, KV_HELLO_GOES_ON);
	take(&t, &t.acceptor, &get);
	refused(&t, KV_UNAUTHORISED, "a proof comes first");
	open_talk(&t, "secret", "secret");
	take(&t, &t.connector, &error);
	refused(&t, KV_UNAUTHORISED, "the other side has refused");
	open_talk(&t, NULL, NULL);
	pass(&t, &t.connector, &t.acceptor, KV_HELLO_DONE);
	take(&t, &t.acceptor, &proof);
	refused(&t, KV_PROTOCOL, "HELLO and PROOF come once");
}

static void hello_comes_once(void **unused)
{
	struct talk t;

	(void)unused;
	open_talk(&t, "secret", "secret");
	pass(&t, &t.connector, &t.acceptor, KV_HELLO_GOES_ON);
	pass(&t, &t.connector, &t.acceptor, KV_HELLO_REFUSED);
	refused(&t, KV_UNAUTHORISED, "a proof comes first");
	open_talk(&t, NULL, NULL);
	pass(&t, &t.connector, &t.acceptor, KV_HELLO_DONE);
	pass(&t, &t.connector, &t.acceptor, KV_HELLO_REFUSED);
	refused(&t, KV_PROTOCOL, "HELLO and PROOF come once");
}

static void a_hello_that_makes_no_sense_is_refused(void **unused)
{
	struct talk t;

	(void)unused;
	open_talk(&t, NULL, NULL);
	struct kv_message m = message_of(t.connector.out, t.connector.out_len), good = m;
	m.speaks = 1;
	take(&t, &t.acceptor, &m);
	refused(&t, KV_PROTOCOL, "HELLO is of version 2 or later");
	for (unsigned role = 0; role < 256; role++) {
		open_talk(&t, NULL, NULL);
		m = good;
		m.role = (uint8_t)role;
		take(&t, &t.acceptor, &m);
		assert_int_equal(t.state == KV_HELLO_DONE, role >= 1 && role <= 4);
	}
	open_talk(&t, NULL, NULL);
	m = good;
	m.lane = m.lanes;
	take(&t, &t.acceptor, &m);
	refused(&t, KV_PROTOCOL, "HELLO has a lane beyond its number of lanes");
	open_talk(&t, NULL, NULL);
	m = good;
	m.speaks = 3;		/* of the future, and speaks 2 with us */
	take(&t, &t.acceptor, &m);
	assert_int_equal(t.state, KV_HELLO_DONE);
}

static void an_acceptor_may_answer_by_what_it_hears(void **unused)
{
	struct talk t;

	(void)unused;
	open_talk(&t, "secret", "secret");
	struct kv_message m = message_of(t.connector.out, t.connector.out_len);
	memcpy(t.acceptor.self.pool_key, m.pool_key.at, KV_POOL_KEY_BYTES);
	take(&t, &t.acceptor, &m);
	pass(&t, &t.acceptor, &t.connector, KV_HELLO_GOES_ON);
	assert_memory_equal(t.connector.pool_key, worker.pool_key, KV_POOL_KEY_BYTES);
	pass(&t, &t.connector, &t.acceptor, KV_HELLO_DONE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_is_told_what_the_other_is),
		cmocka_unit_test(the_same_secret_is_proved_both_ways),
		cmocka_unit_test(different_secrets_are_refused),
		cmocka_unit_test(a_false_acceptor_is_refused),
		cmocka_unit_test(one_secret_is_not_enough),
		cmocka_unit_test(what_was_said_once_proves_nothing_again),
		cmocka_unit_test(an_echo_is_refused),
		cmocka_unit_test(a_proof_is_of_one_side_only),
		cmocka_unit_test(anything_else_comes_later),
		cmocka_unit_test(hello_comes_once),
		cmocka_unit_test(a_hello_that_makes_no_sense_is_refused),
		cmocka_unit_test(an_acceptor_may_answer_by_what_it_hears),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
