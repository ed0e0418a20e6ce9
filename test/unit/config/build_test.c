/* Goal: statements become what the table says, in the blocks where they belong, and
 * one that does not is named with what was expected and the way out. */
#include "unit/config/read.h"

static void routes_keep_their_order_and_the_default_is_last(void **unused)
{
	(void)unused;
	struct model *m = good("listen http :80 {\n"
			       "to web\n"
			       "route host API.Example.com path /v1/ to api\n"
			       "route host *.example.com to web\n"
			       "route path /static to api\n"
			       "}\n"
			       "pool web { server 1 }\n"
			       "pool api { server 2 }\n");
	const struct model_route *r = m->listeners[0].routes;

	assert_int_equal(m->listeners[0].route_count, 4);
	assert_string_equal(r[0].host, "api.example.com");
	assert_string_equal(r[0].path, "/v1/");
	assert_string_equal(m->pools[r[0].pool].name, "api");
	assert_string_equal(r[1].host, "*.example.com");
	assert_null(r[1].path);
	assert_null(r[2].host);
	assert_string_equal(r[2].path, "/static");
	assert_null(r[3].host);
	assert_null(r[3].path);
	assert_string_equal(m->pools[r[3].pool].name, "web");
	model_put(m);
}

static void an_unknown_word_comes_with_the_known_ones(void **unused)
{
	(void)unused;
	complains("lissten http :80 { to web }\n"
		  "pool web { server 1 }",
		  "1:1: error: unknown word \"lissten\", expected one of listen, "
		  "pool, threads, connections, drain, resolve, log, access-log, metrics, "
		  "control, state; did you mean \"listen\"?\n");
	pool_complains("whatever 3",
		       "2:1: error: unknown word \"whatever\", expected one of "
		       "balance, key, sticky, server, own, check, passive, retry, "
		       "parallel, queue, request-id, batch, timeout, keep, host, redistribute, "
		       "proxy-protocol, acks, secret, key-size, value-size\n");
}

static void a_misspelt_word_is_taken_for_what_it_means(void **unused)
{
	(void)unused;
	/* No "unknown pool", and the error in the block is found as well. */
	complains("pol web { server 80 weight 300 }\n"
		  "listen http :80 { to web }",
		  "1:1: error: unknown word \"pol\", expected one of listen, pool, "
		  "threads, connections, drain, resolve, log, access-log, metrics, control, "
		  "state; "
		  "did you mean \"pool\"?\n"
		  "1:28: error: \"300\" is too large; expected 0 to 256\n");
}

static void words_of_other_balancers_are_translated(void **unused)
{
	(void)unused;
	complains("upstream web { server 80 }\n"
		  "listen http :80 { proxy_pass web }",
		  "1:1: error: unknown word \"upstream\"; it is called \"pool\" here\n"
		  "2:19: error: unknown word \"proxy_pass\"; it is called \"to\" "
		  "here\n");
}

static void a_word_in_the_wrong_block_is_sent_home(void **unused)
{
	(void)unused;
	complains("server 80\n"
		  "listen http :80 { to web; threads 2 }\n"
		  "pool web { server 1 }",
		  "1:1: error: \"server\" is not known at the top of the file, it "
		  "belongs in a pool block\n"
		  "2:27: error: \"threads\" is not known in a listen http block, "
		  "it belongs at the top of the file; is a \"}\" missing above it?\n");
}

static void a_second_word_is_asked_for(void **unused)
{
	(void)unused;
	complains("listen :8080 { to web }\n"
		  "pool web { server 1 }",
		  "1:8: error: unknown word \":8080\" after \"listen\", expected "
		  "one of http, tcp, udp, kv\n");
	pool_complains("check",
		       "2:6: error: a word is missing after \"check\", expected one "
		       "of http, tcp, off\n");
	pool_complains("check htpp /",
		       "2:7: error: unknown word \"htpp\" after \"check\", expected "
		       "one of http, tcp, off; did you mean \"http\"?\n");
}

static void a_listener_knows_the_words_of_its_kind(void **unused)
{
	(void)unused;
	complains("pool db { server 1 }\n"
		  "listen tcp :1 { to db; head-size 4k\n"
		  "route path / to db }\n"
		  "listen udp :1 { to db; keep-alive-probe off }\n",
		  "2:24: error: \"head-size\" is not known in a listen tcp block, it "
		  "belongs in a listen http block\n"
		  "3:1: error: \"route\" is not known in a listen tcp block, it belongs "
		  "in a listen http block\n"
		  "4:24: error: \"keep-alive-probe\" is not known in a listen udp "
		  "block, it belongs in a listen tcp block\n");
}

static void a_shared_word_has_arguments_of_each_kind(void **unused)
{
	(void)unused;
	complains("pool db { server 1 }\n"
		  "listen http :1 { to db; timeout head 1s idle 2s body 3s }\n"
		  "listen tcp :2 { to db; timeout head 1s idle 2s lifetime 3s }\n"
		  "listen udp :3 { to db; timeout idle 1s lifetime 3s }\n"
		  "listen udp :4 { to db; timeout idel 1s }\n",
		  "2:41: error: \"timeout idle\" belongs in a listen tcp block or in a "
		  "listen udp block; write: timeout [head TIME] [body TIME] [keep-alive "
		  "TIME] [linger TIME] [tunnel TIME]\n"
		  "3:32: error: \"timeout head\" belongs in a listen http block; write: "
		  "timeout [idle TIME] [lifetime TIME|unlimited]\n"
		  "4:40: error: \"timeout lifetime\" belongs in a listen tcp block; "
		  "write: timeout [idle TIME]\n"
		  "5:32: error: unknown word \"idel\" in \"timeout\", expected idle; did "
		  "you mean \"idle\"?\n");
}

static void what_has_no_word_here_is_shown_as_one_writes_it(void **unused)
{
	(void)unused;
	complains("mode tcp\n"
		  "stream { server { listen 80; } }\n"
		  "pool db { server 1; ip_hash }\n"
		  "listen tcp :1 { to db; proxy_timeout 3s }\n",
		  "1:1: error: unknown word \"mode\"; here one writes: listen tcp "
		  "ADDRESS { ... }\n"
		  "2:1: error: unknown word \"stream\"; here one writes: listen tcp "
		  "ADDRESS { ... }\n"
		  "3:21: error: unknown word \"ip_hash\"; here one writes: balance "
		  "ring\n"
		  "4:24: error: unknown word \"proxy_timeout\"; here one writes: "
		  "timeout idle TIME\n");
}

static void control_has_one_socket_and_several_addresses(void **unused)
{
	(void)unused;
	const char *rest = "pool a { server 1 }\nlisten tcp :1 { to a }\n";
	char text[512];

	snprintf(text, sizeof text,
		 "%scontrol [::1]:9900 token t\n"
		 "control unix:/run/a.sock\n"
		 "control 9901 token t read-token r\n", rest);
	struct model *m = good(text);
	assert_string_equal(m->control_path, "/run/a.sock");
	assert_int_equal(m->control_count, 2);
	assert_string_equal(m->controls[0].address.text, "[::1]:9900");
	assert_null(m->controls[0].read_token_path);
	assert_string_equal(m->controls[1].address.text, "127.0.0.1:9901");
	assert_string_equal(m->controls[1].token_path, "t");
	assert_string_equal(m->controls[1].read_token_path, "r");
	model_put(m);

	snprintf(text, sizeof text,
		 "%scontrol unix:/a\ncontrol unix:/b\n"
		 "control unix:/c token t\ncontrol 1\ncontrol host:1 token t\n",
		 rest);
	complains(text,
		  "4:1: error: \"control\" is already set in line 3\n"
		  "5:1: error: \"control\" is already set in line 3\n"
		  "6:10: error: \"control\" needs token PATH; write: control ADDRESS "
		  "token PATH [read-token PATH]\n"
		  "7:9: error: \"host:1\" is a name; a listener needs a number, for "
		  "example 127.0.0.1:1\n");
}

static void a_block_stands_where_it_belongs(void **unused)
{
	(void)unused;
	complains("threads 2 { a }\n"
		  "pool web\n"
		  "listen http :80 { to web }",
		  "1:10: error: \"threads\" has no block; write: threads N|auto\n"
		  "2:9: error: \"pool\" needs a block; write: pool NAME { ... }\n");
}

static void a_broken_word_makes_no_second_error(void **unused)
{
	(void)unused;
	complains("pool web { server \"80 }\n"
		  "}\n"
		  "listen http :80 { to web }",
		  "1:19: error: a quote that is not closed in its line; add \", or "
		  "write \\n for a new line\n");
}

static void all_errors_come_at_once(void **unused)
{
	(void)unused;
	char text[8192] = "listen http :80 { to web }\npool web { server 1 }\n";

	for (int i = 0; i < 120; i++)
		strcat(text, "drain 5x\n");
	assert_null(config_read(text, strlen(text), "test.conf", &report));
	assert_int_equal(report.error_count, 120);
	assert_int_equal(report.count, REPORT_PROBLEMS_MAX);
}

static void there_is_room_for_so_many_and_no_more(void **unused)
{
	(void)unused;
	char *text;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	fprintf(out, "listen http :80 {\n");
	for (int i = 0; i <= MODEL_ROUTES_MAX; i++)
		fprintf(out, "route path /%d/ to web\n", i);
	fprintf(out, "}\npool web { server 1 }\n");
	for (int i = 1; i <= MODEL_POOLS_MAX; i++)
		fprintf(out, "pool p%d { server 1 }\n", i);
	fclose(out);
	complains(text,
		  "1026:1: error: too many of \"route\"; at most 1024 are allowed\n"
		  "2052:1: error: too many of \"pool\"; at most 1024 are allowed\n");
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(routes_keep_their_order_and_the_default_is_last),
		cmocka_unit_test(an_unknown_word_comes_with_the_known_ones),
		cmocka_unit_test(a_misspelt_word_is_taken_for_what_it_means),
		cmocka_unit_test(words_of_other_balancers_are_translated),
		cmocka_unit_test(a_word_in_the_wrong_block_is_sent_home),
		cmocka_unit_test(a_second_word_is_asked_for),
		cmocka_unit_test(a_listener_knows_the_words_of_its_kind),
		cmocka_unit_test(a_shared_word_has_arguments_of_each_kind),
		cmocka_unit_test(what_has_no_word_here_is_shown_as_one_writes_it),
		cmocka_unit_test(control_has_one_socket_and_several_addresses),
		cmocka_unit_test(a_block_stands_where_it_belongs),
		cmocka_unit_test(a_broken_word_makes_no_second_error),
		cmocka_unit_test(all_errors_come_at_once),
		cmocka_unit_test(there_is_room_for_so_many_and_no_more),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
