/* Goal: every question is answered once, in the loop's thread, unless cancelled;
 * and the end waits for nobody. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "loop/resolve.h"

enum { DEADLINE_MS = 20000 };	/* name servers may be slow to say no */

struct told {
	int times;
	struct resolver_answer answer;
};

static struct loop *l;
static struct resolver *r;

static void on_answer(void *arg, const struct resolver_answer *answer)
{
	struct told *t = arg;

	t->times++;
	t->answer = *answer;
}

static int open_all(void **unused)
{
	struct err err;

	(void)unused;
	l = loop_create(&err);
	r = l != NULL ? resolver_create(l, &err) : NULL;
	return r != NULL ? 0 : -1;
}

static int close_all(void **unused)
{
	(void)unused;
	resolver_destroy(r);
	loop_destroy(l);
	return 0;
}

static void wait_for(const int *times, int wanted)
{
	uint64_t end_us = loop_clock_us() + DEADLINE_MS * 1000ull;

	while (*times < wanted && loop_clock_us() < end_us)
		loop_turn(l, 100);
	assert_int_equal(*times, wanted);
}

static void localhost_is_this_machine(void **unused)
{
	struct told t = {0};

	(void)unused;
	assert_non_null(resolver_ask(r, "localhost", 8081, on_answer, &t));
	wait_for(&t.times, 1);
	assert_true(t.answer.count >= 1);
	for (uint32_t i = 0; i < t.answer.count; i++) {
		const struct address *a = &t.answer.addresses[i];
		assert_int_equal(address_port(a), 8081);
		assert_true(strcmp(a->text, "127.0.0.1:8081") == 0 ||
			    strcmp(a->text, "[::1]:8081") == 0);
	}
}

static void a_name_that_cannot_exist_is_an_error(void **unused)
{
	struct told t = {0};

	(void)unused;
	assert_non_null(resolver_ask(r, "no-such-host.invalid", 80, on_answer, &t));
	wait_for(&t.times, 1);
	assert_int_equal(t.answer.count, 0);
	assert_non_null(strstr(t.answer.err.text, "no-such-host.invalid"));
}

static void every_question_has_its_own_answer(void **unused)
{
	enum { QUESTIONS = 200 };
	static struct told t[QUESTIONS];

	(void)unused;
	for (int i = 0; i < QUESTIONS; i++) {
		char host[32];
		snprintf(host, sizeof host, "127.0.0.%d", i + 1);
		assert_non_null(resolver_ask(r, host, (uint16_t)(1000 + i), on_answer, &t[i]));
	}
	for (int i = 0; i < QUESTIONS; i++) {
		char text[32];
		wait_for(&t[i].times, 1);
		snprintf(text, sizeof text, "127.0.0.%d:%d", i + 1, 1000 + i);
		assert_int_equal(t[i].answer.count, 1);
		assert_string_equal(t[i].answer.addresses[0].text, text);
	}
}

static void a_cancelled_question_has_none(void **unused)
{
	enum { QUESTIONS = 100 };
	static struct resolver_question *asked[QUESTIONS];
	struct told cancelled = {0}, last = {0};

	(void)unused;
	for (int i = 0; i < QUESTIONS; i++)
		asked[i] = resolver_ask(r, "127.0.0.1", 80, on_answer, &cancelled);
	for (int i = 0; i < QUESTIONS; i++)
		resolver_cancel(asked[i]);
	resolver_cancel(NULL);
	assert_non_null(resolver_ask(r, "127.0.0.1", 80, on_answer, &last));
	wait_for(&last.times, 1);
	assert_int_equal(cancelled.times, 0);
}

static void too_much_is_refused(void **unused)
{
	char host[ADDRESS_HOST_MAX + 2];
	struct told t = {0};
	int asked = 0;

	(void)unused;
	memset(host, 'a', sizeof host - 1);
	host[sizeof host - 1] = '\0';
	assert_null(resolver_ask(r, host, 80, on_answer, &t));
	while (resolver_ask(r, "127.0.0.1", 80, on_answer, &t) != NULL)
		asked++;
	assert_int_equal(asked, RESOLVER_QUESTIONS_MAX);
	wait_for(&t.times, asked);
}

static void the_end_waits_for_nobody_and_tells_nobody(void **unused)
{
	struct told t = {0};
	uint64_t start_us = loop_clock_us();

	(void)unused;
	for (int i = 0; i < 50; i++)
		assert_non_null(resolver_ask(r, "perhaps-slow.invalid", 80, on_answer, &t));
	resolver_destroy(r);
	assert_true(loop_clock_us() - start_us < 2 * 1000 * 1000);
	loop_turn(l, 0);
	loop_destroy(l);
	assert_int_equal(t.times, 0);
	assert_int_equal(open_all(NULL), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(localhost_is_this_machine),
		cmocka_unit_test(a_name_that_cannot_exist_is_an_error),
		cmocka_unit_test(every_question_has_its_own_answer),
		cmocka_unit_test(a_cancelled_question_has_none),
		cmocka_unit_test(too_much_is_refused),
		cmocka_unit_test(the_end_waits_for_nobody_and_tells_nobody),
	};
	return cmocka_run_group_tests(tests, open_all, close_all);
}
