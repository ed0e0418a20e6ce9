/* Goal: the manual page that is kept is the one that would be printed, and has it all. */
#include "ctl/manual.h"

#include "unit/page.h"

#include "ctl/command.h"

/* If it fails: out/balancerctl manual > doc/balancerctl.8 */
static void the_page_in_doc_is_up_to_date(void **unused)
{
	(void)unused;
	page_is_kept(ctl_manual_print, "doc/balancerctl.8");
}

static void every_command_and_option_has_an_entry(void **unused)
{
	(void)unused;
	char *page = page_printed(ctl_manual_print), entry[80];

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
