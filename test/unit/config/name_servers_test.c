/* Goal: who is asked is what was written, each once, and only what can be asked. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "config/name_servers.h"

static struct model m;

static int set_up(void **unused)
{
	(void)unused;
	memset(&m, 0, sizeof m);
	return 0;
}

/* All of them, as they are shown. */
static const char *shown(void)
{
	static char text[1024];
	FILE *f = fmemopen(text, sizeof text, "w");

	memset(text, 0, sizeof text);
	assert_int_equal(name_servers_show(&m, f), m.name_server_count > 0);
	fclose(f);
	return text;
}

static void add(const char *word)
{
	struct err err = {""};

	if (name_servers_add(&m, word, &err) != 0)
		fail_msg("%s: %s", word, err.text);
}

/* Refused with a text that says so, and nothing has changed. */
static void refuse(const char *word, const char *says)
{
	struct err err = {""};
	char before[1024];

	strcpy(before, shown());
	assert_int_equal(name_servers_add(&m, word, &err), -1);
	if (strstr(err.text, says) == NULL)
		fail_msg("%s: %s", word, err.text);
	assert_string_equal(shown(), before);
}

static void without_a_port_it_is_53(void **unused)
{
	(void)unused;
	assert_string_equal(shown(), "");
	add("10.0.0.2");
	add("2001:db8::1");
	add("::ffff:10.0.0.3");
	assert_string_equal(shown(), "10.0.0.2:53 [2001:db8::1]:53 [::ffff:10.0.0.3]:53");
	assert_int_equal(address_port(&m.name_servers[0]), 53);
	assert_int_equal(address_port(&m.name_servers[1]), 53);
}

static void ports_are_kept(void **unused)
{
	(void)unused;
	add("127.0.0.1:8600");
	add("[::1]:8600");
	add(":53");
	assert_string_equal(shown(), "127.0.0.1:8600 [::1]:8600 127.0.0.1:53");
}

static void what_cannot_be_asked_is_refused(void **unused)
{
	static const char *const words[] = {
		"", "ns.example", "localhost:53", "unix:/run/dns", "10.0.0.2:", "10.0.0.2:0",
		"10.0.0.2:65536", "10.0.0", "10.0.0.256", "1.2.3.4:5:6", "[::1", "::1]:53",
		"[10.0.0.2]:53", "10.0.0.2 ", " 10.0.0.2", "fe80::1%eth0", "\x1b[2J",
	};
	char name[300];

	(void)unused;
	for (size_t i = 0; i < COUNT_OF(words); i++)
		refuse(words[i], "");
	refuse("ns.example:53", "no numeric address");
	memset(name, 'a', sizeof name - 1);
	name[sizeof name - 1] = '\0';
	refuse(name, "");
	memset(name, '1', sizeof name - 1);
	refuse(name, "");
}

static void none_is_asked_twice(void **unused)
{
	(void)unused;
	add("10.0.0.2");
	refuse("10.0.0.2", "given twice");
	refuse("10.0.0.2:53", "given twice");
	add("10.0.0.2:54");
	add("::1");
	refuse("[0:0:0:0:0:0:0:1]:53", "given twice");
}

static void there_are_as_many_as_there_is_room_for(void **unused)
{
	char word[32];

	(void)unused;
	for (int i = 0; i < MODEL_NAME_SERVERS_MAX; i++) {
		snprintf(word, sizeof word, "10.0.0.%d", i + 1);
		add(word);
	}
	refuse("10.0.1.1", "more than 3 name servers");
	assert_int_equal(m.name_server_count, MODEL_NAME_SERVERS_MAX);
}

#define TEST(function) cmocka_unit_test_setup(function, set_up)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(without_a_port_it_is_53),
		TEST(ports_are_kept),
		TEST(what_cannot_be_asked_is_refused),
		TEST(none_is_asked_twice),
		TEST(there_are_as_many_as_there_is_room_for),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
