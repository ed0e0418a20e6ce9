/* Goal: the manual page that is kept is the one that would be printed. */
#include "unit/config/read.h"
#include "unit/page.h"

#include "config/directives.h"
#include "config/manual.h"
#include "pick/policy.h"

/* If it fails: out/balancerd manual > doc/balancerd.conf.5 */
static void the_page_in_doc_is_up_to_date(void **unused)
{
	(void)unused;
	page_is_kept(manual_print, "doc/balancerd.conf.5");
}

static void every_word_has_an_entry(void **unused)
{
	(void)unused;
	char *page = page_printed(manual_print), entry[64];
	const struct directive *d;

	for (uint32_t i = 0; (d = directive_at(i)) != NULL; i++) {
		if (strchr(d->word, '-') != NULL)
			continue;	/* written as roff wants it */
		snprintf(entry, sizeof entry, "\n.It Xo\n.Ic %s", d->word);
		assert_non_null(strstr(page, entry));
	}
	for (uint32_t i = 0; policies[i] != NULL; i++)
		assert_non_null(strstr(page, policies[i]->help));
	free(page);
}

static void the_example_reads(void **unused)
{
	(void)unused;
	static const char mark[] = "-offset indent\n";
	char *page = page_printed(manual_print), example[2048];
	const char *from = strstr(page, mark);
	size_t len = 0;

	assert_non_null(from);
	/* As a reader sees it: roff's \\- is a -. */
	for (from += strlen(mark); strncmp(from, ".Ed", 3) != 0; from++)
		if (*from != '\\')
			example[len++] = *from;
	example[len] = '\0';
	model_put(good(example));
	free(page);
}

static void defaults_and_bounds_are_those_in_force(void **unused)
{
	(void)unused;
	char *page = page_printed(manual_print);

	assert_non_null(strstr(page, "(1k to 65535, by default 16k)"));
	assert_non_null(strstr(page, "(1 to 64, by default auto)"));
	assert_non_null(strstr(page, "(by default via x\\-forwarded)"));
	assert_non_null(strstr(page, "(by default round\\-robin)"));
	assert_non_null(strstr(page, "(by default 200\\-399)"));
	assert_non_null(strstr(page, "by default 1h, 30s in a listen udp block)"));
	assert_non_null(strstr(page, "(in a listen tcp block, 1ms to 576h, by default "
				     "unlimited)"));
	assert_null(strstr(page, "by default \"\""));
	free(page);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_page_in_doc_is_up_to_date),
		cmocka_unit_test(every_word_has_an_entry),
		cmocka_unit_test(the_example_reads),
		cmocka_unit_test(defaults_and_bounds_are_those_in_force),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
