/* Goal: what may stand at the cursor follows from the words before it. */
#include "ctl/completion.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/must.h"

static struct completion looked;

/* The words up to the cursor, separated by one blank each. */
static enum offer offers(const char *line)
{
	static char text[256];
	char *words[32], *rest = text, *word;
	uint32_t count = 0;

	snprintf(text, sizeof text, "%s", line);
	while ((word = strsep(&rest, " ")) != NULL)
		words[count++] = word;
	completion_look(&looked, words, count);
	return looked.offer;
}

static void commands_come_first(void **unused)
{
	(void)unused;
	assert_int_equal(offers(""), OFFER_COMMANDS);
	assert_int_equal(offers("li"), OFFER_COMMANDS);
	assert_string_equal(looked.begun, "li");
	assert_int_equal(offers("--json "), OFFER_COMMANDS);
	assert_int_equal(offers("--name web "), OFFER_COMMANDS);
	assert_int_equal(offers("help "), OFFER_COMMANDS);
	assert_int_equal(offers("config "), OFFER_SECONDS);
	assert_int_equal(offers("help config "), OFFER_SECONDS);
	assert_string_equal(looked.first, "config");
	assert_int_equal(offers("nonsense "), OFFER_NOTHING);
}

static void servers_are_offered_where_one_is_meant(void **unused)
{
	(void)unused;
	assert_int_equal(offers("remove "), OFFER_SERVERS);
	assert_int_equal(offers("drain 127.0"), OFFER_SERVERS);
	assert_int_equal(offers("--json weight "), OFFER_SERVERS);
	assert_int_equal(offers("remove --pool web "), OFFER_SERVERS);
	assert_string_equal(looked.options.pool, "web");
	assert_int_equal(offers("remove app1:80 "), OFFER_NOTHING);
	assert_int_equal(offers("add "), OFFER_NOTHING);
}

static void options_are_those_of_the_command(void **unused)
{
	(void)unused;
	assert_int_equal(offers("remove --"), OFFER_OPTIONS);
	assert_string_equal(looked.command->name, "remove");
	assert_int_equal(offers("-"), OFFER_OPTIONS);
	assert_null(looked.command);
}

static void values_follow_their_option(void **unused)
{
	(void)unused;
	assert_int_equal(offers("list --pool "), OFFER_POOLS);
	assert_int_equal(offers("--socket "), OFFER_FILES);
	assert_int_equal(offers("start --state "), OFFER_FOLDERS);
	assert_int_equal(offers("stop --limit "), OFFER_NOTHING);
	assert_int_equal(offers("--socket /run/a.sock list --pool "), OFFER_POOLS);
	assert_string_equal(looked.options.socket, "/run/a.sock");
	assert_int_equal(offers("config check "), OFFER_FILES);
	assert_int_equal(offers("scale "), OFFER_POOLS);
	assert_int_equal(offers("scale web "), OFFER_NOTHING);
	assert_int_equal(offers("completion "), OFFER_SHELLS);
}

static void a_long_line_is_no_trouble(void **unused)
{
	(void)unused;
	assert_int_equal(offers("start a b c d e f g h i j k l m n o p q "),
			 OFFER_NOTHING);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(commands_come_first),
		cmocka_unit_test(servers_are_offered_where_one_is_meant),
		cmocka_unit_test(options_are_those_of_the_command),
		cmocka_unit_test(values_follow_their_option),
		cmocka_unit_test(a_long_line_is_no_trouble),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
