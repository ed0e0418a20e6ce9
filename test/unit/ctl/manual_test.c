/* Goal: the manual page that is kept is the one that would be printed, and has it all. */
#include "ctl/manual.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ctl/command.h"

static char *printed(void)
{
	char *text;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	ctl_manual_print(out);
	fclose(out);
	return text;
}

/* If it fails: out/balancerctl manual > doc/balancerctl.8 */
static void the_page_in_doc_is_up_to_date(void **unused)
{
	(void)unused;
	char *expected = printed(), *kept = calloc(strlen(expected) + 2, 1);
	FILE *f = fopen("doc/balancerctl.8", "r");

	assert_non_null(f);
	assert_int_equal(fread(kept, 1, strlen(expected) + 1, f), strlen(expected));
	assert_string_equal(kept, expected);
	fclose(f);
	free(kept);
	free(expected);
}

static void every_command_and_option_has_an_entry(void **unused)
{
	(void)unused;
	char *page = printed(), entry[80];

	for (uint32_t i = 0; i < command_count; i++) {
		const struct command *c = &command_table[i];
		snprintf(entry, sizeof entry, "\n.It Xo\n.Ic %s%s%s\n", c->name,
			 c->second != NULL ? " " : "",
			 c->second != NULL ? c->second : "");
		assert_true((strstr(page, entry) != NULL) == (c->help != NULL));
	}
	for (enum option_id id = 0; id < OPTIONS; id++) {
		if (strchr(option_table[id].name, '-') != NULL)
			continue;	/* written as roff wants it */
		snprintf(entry, sizeof entry, "\n.It Fl \\-%s", option_table[id].name);
		assert_non_null(strstr(page, entry));
	}
	free(page);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_page_in_doc_is_up_to_date),
		cmocka_unit_test(every_command_and_option_has_an_entry),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
