/* Goal: the manual page that is kept is the one that would be printed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "control/control.h"
#include "control/routes.h"

static char *printed(void)
{
	char *text;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	assert_non_null(out);
	control_print_manual(out);
	fclose(out);
	return text;
}

/* If it fails: out/balancerd manual control > doc/balancerd-control.7 */
static void the_page_in_doc_is_up_to_date(void **unused)
{
	(void)unused;
	char *expected = printed(), *kept = calloc(strlen(expected) + 2, 1);
	FILE *f = fopen("doc/balancerd-control.7", "r");

	assert_non_null(f);
	assert_int_equal(fread(kept, 1, strlen(expected) + 1, f), strlen(expected));
	assert_string_equal(kept, expected);
	fclose(f);
	free(kept);
	free(expected);
}

static void every_route_has_its_help_in_it(void **unused)
{
	(void)unused;
	char *page = printed();

	for (uint32_t i = 0; i < control_route_count; i++)
		assert_non_null(strstr(page, control_routes[i].help));
	free(page);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_page_in_doc_is_up_to_date),
		cmocka_unit_test(every_route_has_its_help_in_it),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
