/* Goal: a reason is one sentence that fits, whatever is put into it. */
#include "base/err.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void a_reason_is_kept_and_the_answer_is_minus_one(void **unused)
{
	struct err err;

	(void)unused;
	assert_int_equal(err_set(&err, "port %d of %s", 80, "web"), -1);
	assert_string_equal(err.text, "port 80 of web");
}

static void the_reason_of_the_system_follows(void **unused)
{
	struct err err;

	(void)unused;
	errno = EADDRINUSE;
	assert_int_equal(err_sys(&err, "cannot bind %s", "0.0.0.0:80"), -1);
	assert_string_equal(err.text, "cannot bind 0.0.0.0:80: Address already in use");
}

static void an_unknown_reason_of_the_system_is_said_as_such(void **unused)
{
	struct err err;

	(void)unused;
	errno = 99999;
	err_sys(&err, "cannot bind");
	assert_int_equal(strncmp(err.text, "cannot bind: ", 13), 0);
	assert_null(strstr(err.text, "(null)"));
	assert_non_null(strstr(err.text, "99999"));
}

static void a_long_reason_is_cut_and_still_a_text(void **unused)
{
	char name[2 * sizeof((struct err *)0)->text];
	struct err err;

	(void)unused;
	memset(name, 'x', sizeof name);
	name[sizeof name - 1] = '\0';
	for (size_t cut = 0; cut < 16; cut++) {
		err_set(&err, "%s", name + cut);
		assert_int_equal(strlen(err.text), sizeof err.text - 1);
	}
	for (size_t len = sizeof err.text - 40; len < sizeof err.text + 4; len++) {
		errno = ENOENT;
		err_sys(&err, "%.*s", (int)len, name);
		assert_true(strlen(err.text) < sizeof err.text);
		assert_int_equal(strncmp(err.text, name, len < sizeof err.text ? len :
					 sizeof err.text - 1), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_reason_is_kept_and_the_answer_is_minus_one),
		cmocka_unit_test(the_reason_of_the_system_follows),
		cmocka_unit_test(an_unknown_reason_of_the_system_is_said_as_such),
		cmocka_unit_test(a_long_reason_is_cut_and_still_a_text),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
