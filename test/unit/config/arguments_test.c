/* Goal: what is missing, too much or there twice behind a directive is named where it
 * is or should be, with how to write it. */
#include "unit/config/read.h"

static void a_missing_value_is_asked_for_behind_the_last_word(void **unused)
{
	(void)unused;
	complains("threads\n"
		  "listen http { to web }\n"
		  "pool { server 1 }\n"
		  "pool web { server 1 }",
		  "1:8: error: \"threads\" needs N|auto; write: threads N|auto\n"
		  "2:12: error: \"listen\" needs ADDRESS; write: listen http ADDRESS "
		  "{ ... }\n"
		  "3:5: error: \"pool\" needs NAME; write: pool NAME { ... }\n");
	pool_complains("server 82 weight",
		       "2:17: error: \"server\" needs weight N; write: server ADDRESS "
		       "[weight N] [parallel N] [drain]\n");
	listener_complains("route path /a",
			   "2:14: error: \"route\" needs to POOL; write: route [host "
			   "HOST] [path PATH] to POOL\n");
	listener_complains("timeout",
			   "2:8: error: \"timeout\" sets nothing; write: timeout "
			   "[head TIME] [body TIME] [keep-alive TIME] [linger TIME] "
			   "[tunnel TIME]\n");
}

static void a_word_too_much_is_named(void **unused)
{
	(void)unused;
	listener_complains("requests 5 6",
			   "2:12: error: \"6\" is too much; write: requests "
			   "N|unlimited\n");
	pool_complains("server 82 weigth 3 parallel 5",
		       "2:11: error: unknown word \"weigth\" in \"server\", expected "
		       "one of weight, parallel, drain; did you mean \"weight\"?\n");
	listener_complains("route path /a to web extra words",
			   "2:22: error: unknown word \"extra\" in \"route\", "
			   "expected one of host, path, to\n");
}

static void what_is_set_twice_names_the_first_place(void **unused)
{
	(void)unused;
	complains("threads 1\n"
		  "\n"
		  "threads 2\n"
		  "listen http :80 { to web; to web }\n"
		  "pool web { server 1; check off; check tcp }",
		  "3:1: error: \"threads\" is already set in line 1\n"
		  "4:27: error: \"to\" is already set in line 4\n"
		  "5:33: error: \"check\" is already set in line 5\n");
	listener_complains("timeout head 1s body 1s; timeout linger 1s\n"
			   "timeout body 2s",
			   "3:9: error: \"body\" is already set in line 2\n");
	pool_complains("server 82 weight 1 weight 2",
		       "2:20: error: \"weight\" is already set in line 2\n");
}

static void a_word_that_belongs_to_a_number_is_asked_for(void **unused)
{
	(void)unused;
	pool_complains("check http / after 5",
		       "2:21: error: \"requests\" is missing; write: after N "
		       "requests\n");
	pool_complains("check http / after 5 request every 3s",
		       "2:22: error: \"requests\" is missing; write: after N "
		       "requests\n");
	pool_complains("check http / after 5 every 3s",
		       "2:22: error: \"requests\" is missing; write: after N "
		       "requests\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_missing_value_is_asked_for_behind_the_last_word),
		cmocka_unit_test(a_word_too_much_is_named),
		cmocka_unit_test(what_is_set_twice_names_the_first_place),
		cmocka_unit_test(a_word_that_belongs_to_a_number_is_asked_for),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
