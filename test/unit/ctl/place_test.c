/* Goal: every way to write an address and a port is read, and no other. */
#include "ctl/place.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/must.h"

static struct err err;

/* Reads the words, which are separated by blanks; *used of them. */
static int reads(const char *line, struct address *a, uint32_t *used)
{
	static char text[1024];
	char *at[8], *rest = text, *word;
	struct words words = {at, 0, 0};

	snprintf(text, sizeof text, "%s", line);
	while ((word = strsep(&rest, " ")) != NULL && *word != '\0')
		at[words.count++] = word;
	int result = place_read(&words, "add ADDRESS PORT", a, &err);
	*used = words.next;
	return result;
}

static void every_form_is_read(void **unused)
{
	static const struct {
		const char *line, *text;
		uint32_t used;
	} forms[] = {
		{"127.0.0.1 80", "127.0.0.1:80", 2},
		{"127.0.0.1:80 3", "127.0.0.1:80", 1},
		{"app1 80 3", "app1:80", 2},
		{"app1.example.com:8080", "app1.example.com:8080", 1},
		{"::1 80", "[::1]:80", 2},
		{"[::1] 80", "[::1]:80", 2},
		{"[::1]:80", "[::1]:80", 1},
		{"2001:db8::1:80 8080", "[2001:db8::1:80]:8080", 2},
		{"unix:/run/app.sock", "unix:/run/app.sock", 1},
	};
	struct address a;
	uint32_t used;

	(void)unused;
	for (size_t i = 0; i < COUNT_OF(forms); i++) {
		assert_int_equal(reads(forms[i].line, &a, &used), 0);
		assert_string_equal(a.text, forms[i].text);
		assert_int_equal(used, forms[i].used);
	}
}

static void what_is_none_is_said(void **unused)
{
	static const struct {
		const char *line, *reason;
	} forms[] = {
		{"", "an address is missing; write: balancerctl add ADDRESS PORT"},
		{"8080", "\"8080\" is a port without an address; write: balancerctl add "
			 "ADDRESS PORT"},
		{"8080 app1", "\"8080\" is a port without an address; write: balancerctl "
			      "add ADDRESS PORT"},
		{"app1", "\"app1\" has no port; write: balancerctl add ADDRESS PORT"},
		{"::1", "\"::1\" has no port; write: balancerctl add ADDRESS PORT"},
		{"app1 http", "\"http\" is no port; expected 1 to 65535"},
		{"app1 0", "\"app1:0\" has no port from 1 to 65535"},
		{"app1 65536", "\"app1:65536\" has no port from 1 to 65535"},
		{"app1 123456", "\"123456\" is no port; expected 1 to 65535"},
		{"app1:", "\"app1:\" has no port from 1 to 65535"},
		{"a/b 80", "\"a/b:80\" has no host name or address before its port"},
		{"[app1] 80", "\"[app1]:80\" has no IPv6 address in its brackets"},
		{"unix:app.sock", "\"unix:app.sock\" has a path that does not begin with "
				  "\"/\", but the balancer runs in another folder"},
	};
	struct address a = {.text = "untouched"};
	uint32_t used;

	(void)unused;
	for (size_t i = 0; i < COUNT_OF(forms); i++) {
		assert_int_equal(reads(forms[i].line, &a, &used), -1);
		assert_string_equal(err.text, forms[i].reason);
	}
	assert_string_equal(a.text, "untouched");
}

static void a_host_that_is_too_long_is_none(void **unused)
{
	char line[ADDRESS_HOST_MAX + 64];
	struct address a;
	uint32_t used;

	(void)unused;
	for (int extra = 0; extra < 30; extra++) {
		memset(line, 'a', sizeof line);
		strcpy(line + ADDRESS_HOST_MAX + extra, " 80");
		assert_int_equal(reads(line, &a, &used), extra == 0 ? 0 : -1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_form_is_read),
		cmocka_unit_test(what_is_none_is_said),
		cmocka_unit_test(a_host_that_is_too_long_is_none),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
