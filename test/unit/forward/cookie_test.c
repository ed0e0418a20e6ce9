/* Goal: a cookie is found by its whole name and given as it stands, wherever among the
 * others it is, and what only looks like it is not taken for it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/must.h"
#include "forward/cookie.h"

static const struct h1_limits limits = {
	.head_max = 32768, .target_max = 8192, .fields_max = 200,
};
static struct h1_head head;

/* What the cookie "id" of a request with these field lines is; NULL: there is none. */
static void check(const char *lines, const char *want)
{
	char text[2048];
	struct span value = {0};

	snprintf(text, sizeof text, "GET / HTTP/1.1\r\nHost: a\r\n%s\r\n", lines);
	if (h1_parse_request(&head, text, strlen(text), 0, &limits) != H1_DONE)
		fail_msg("%s: %s", h1_fault_text(head.fault), text);
	bool found = cookie_find(&head, text, SPAN("id"), &value);
	if (found != (want != NULL))
		fail_msg("%s: %s", lines, found ? "found" : "not found");
	if (found && !span_equals(value, span_of(want)))
		fail_msg("%s: %.*s", lines, (int)value.len, value.at);
}

static void no_cookies_no_cookie(void **unused)
{
	(void)unused;
	check("", NULL);
	check("X-Cookie: id=1\r\n", NULL);
	check("Set-Cookie: id=1\r\n", NULL);
}

static void it_is_found_at_every_place(void **unused)
{
	(void)unused;
	check("Cookie: id=1\r\n", "1");
	check("cookie: id=1; b=2; c=3\r\n", "1");
	check("Cookie: b=2; id=1; c=3\r\n", "1");
	check("Cookie: b=2; c=3; id=1\r\n", "1");
}

static void the_first_of_several_counts(void **unused)
{
	(void)unused;
	check("Cookie: id=1; id=2\r\n", "1");
	check("Cookie: a=0\r\nCookie: id=1\r\nCookie: id=2\r\n", "1");
	check("Cookie: id=\r\nCookie: id=2\r\n", "");
}

static void the_whole_name_has_to_fit_in_its_case(void **unused)
{
	(void)unused;
	check("Cookie: i=1; idx=2; xid=3; ID=4; Id=5\r\n", NULL);
	check("Cookie: a=id=1\r\n", NULL);
	check("Cookie: a=\"id=1\"\r\n", NULL);
	check("Cookie: id\r\n", NULL);
	check("Cookie: id; =1; id =2\r\n", NULL);
}

static void the_value_is_given_as_it_stands(void **unused)
{
	(void)unused;
	check("Cookie: id=\r\n", "");
	check("Cookie: id=; b=2\r\n", "");
	check("Cookie: id=\"a b\"; b=2\r\n", "\"a b\"");
	check("Cookie: id=a=b==\r\n", "a=b==");
	check("Cookie: id=%41\r\n", "%41");
}

static void blanks_and_empty_pairs_between_do_no_harm(void **unused)
{
	(void)unused;
	check("Cookie: a=1;id=2\r\n", "2");
	check("Cookie: a=1 ;\t id=2 \t;b=3\r\n", "2");
	check("Cookie: ;;; ; id=2;\r\n", "2");
	check("Cookie:\r\nCookie: ;\r\n", NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_cookies_no_cookie),
		cmocka_unit_test(it_is_found_at_every_place),
		cmocka_unit_test(the_first_of_several_counts),
		cmocka_unit_test(the_whole_name_has_to_fit_in_its_case),
		cmocka_unit_test(the_value_is_given_as_it_stands),
		cmocka_unit_test(blanks_and_empty_pairs_between_do_no_harm),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
