/* Goal: the manual page that is kept is the one that would be printed. */
#include "unit/page.h"

#include "control/control.h"
#include "control/routes.h"

/* If it fails: out/balancerd manual control > doc/balancerd-control.7 */
static void the_page_in_doc_is_up_to_date(void **unused)
{
	(void)unused;
	page_is_kept(control_print_manual, "doc/balancerd-control.7");
}

static void every_route_has_its_help_in_it(void **unused)
{
	(void)unused;
	char *page = page_printed(control_print_manual);

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
