/* Goal: who asks for an upgrade is answered when it is over, and chooses a program only where
 * that is allowed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>
#include <unistd.h>

#include "control/ask.h"
#include "control/later.h"
#include "unit/control/fake.h"

static struct fake fake;
static struct reply r;
static int woken;

static int set_up(void **unused)
{
	(void)unused;
	fake_init(&fake);
	woken = 0;
	return 0;
}

static int tear_down(void **unused)
{
	(void)unused;
	fake_fini(&fake);
	return 0;
}

static void post(const char *body, bool local)
{
	struct ask ask = {.view = &fake.view, .pool = "", .server = "",
			  .body = {body, strlen(body)}, .local = local};

	reply_init(&r);
	upgrade_post(&ask, &r);
}

static void wake(void *waiter)
{
	(void)waiter;
	woken++;
}

static const char *code_of(const struct reply *reply)
{
	return json_string_value(json_object_get(json_object_get(reply->body, "error"),
						 "code"));
}

static void finish(enum control_result result, const char *why)
{
	struct err err;

	err_set(&err, "%s", why);
	r.later->wake = wake;
	fake.upgrade->on_done(fake.upgrade, result, &err);
	assert_int_equal(woken, 1);
}

static void the_new_process_is_named(void **unused)
{
	(void)unused;
	post("", true);
	assert_non_null(r.later);
	assert_string_equal(fake.binary, "");
	assert_int_equal(fake.upgrade->limit_ms, UINT32_MAX);
	assert_int_equal(fake.upgrade->ready_ms, 0);
	fake.upgrade->pid = 77;
	finish(CONTROL_DONE, "");
	const struct reply *reply = &r.later->reply;
	assert_int_equal(reply->status, 200);
	assert_int_equal(json_integer_value(json_object_get(reply->body, "pid")), 77);
	assert_int_equal(json_integer_value(json_object_get(reply->body, "was")), getpid());
	r.later->end(r.later);
	assert_non_null(fake.upgrade);	/* one that is over is not called off */
}

static void what_was_asked_for_is_passed_on(void **unused)
{
	(void)unused;
	post("{\"binary\": \"/bin/x\", \"ready_ms\": 500, \"limit_ms\": 9}", true);
	assert_string_equal(fake.binary, "/bin/x");
	assert_int_equal(fake.upgrade->ready_ms, 500);
	assert_int_equal(fake.upgrade->limit_ms, 9);
	finish(CONTROL_REFUSED, "it ended");
	assert_int_equal(r.later->reply.status, 502);
	assert_string_equal(code_of(&r.later->reply), "not-upgraded");
	r.later->end(r.later);
}

static void nobody_waits_any_more(void **unused)
{
	(void)unused;
	post("", true);
	r.later->end(r.later);
	assert_null(fake.upgrade);
}

static void while_it_ends_or_is_upgraded(void **unused)
{
	static const enum control_result results[] = {CONTROL_ENDING, CONTROL_UPGRADING};

	(void)unused;
	for (size_t i = 0; i < COUNT_OF(results); i++) {
		woken = 0;
		post("", true);
		finish(results[i], "");
		assert_int_equal(r.later->reply.status, 409);
		assert_string_equal(code_of(&r.later->reply), "draining");
		r.later->end(r.later);
	}
}

static void refused(const char *body, bool local, const char *code)
{
	post(body, local);
	assert_null(r.later);
	assert_string_equal(code_of(&r), code);
	assert_null(fake.upgrade);
	reply_fini(&r);
}

static void what_cannot_be_is_refused(void **unused)
{
	(void)unused;
	refused("{\"binary\": \"/bin/x\"}", false, "read-only");
	refused("{\"binary\": \"x\"}", true, "bad-request");
	refused("{\"binary\": \"\"}", true, "bad-request");
	refused("{\"binary\": 1}", true, "bad-request");
	refused("{\"ready_ms\": 99}", true, "bad-request");
	refused("{\"ready_ms\": 120001}", true, "bad-request");
	refused("{\"when\": 1}", true, "bad-request");
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		CASE(the_new_process_is_named),
		CASE(what_was_asked_for_is_passed_on),
		CASE(nobody_waits_any_more),
		CASE(while_it_ends_or_is_upgraded),
		CASE(what_cannot_be_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
