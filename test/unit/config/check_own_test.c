/* Goal: a pool that owns its servers says everything that it needs, nothing that it cannot
 * have, and has its defaults wherever the file says nothing else. */
#include "unit/config/read.h"

#include "model/own.h"
#include "pick/policy.h"

#define DOCKER "own docker { image a }"

/* A pool with these words in line 2, which a listener leads to. */
static struct model *pool_of(const char *words)
{
	char text[1024];

	snprintf(text, sizeof text, "pool web {\n%s\n}\nlisten http :80 { to web }\n",
		 words);
	return good(text);
}

static void pool_says(const char *words, const char *expected)
{
	char text[2048];

	snprintf(text, sizeof text, "pool web {\n%s\n}\nlisten http :80 { to web }\n",
		 words);
	complains(text, expected);
}

/* The same about words of an own block, which begin in line 2. */
static void docker_says(const char *words, const char *expected)
{
	char text[1024];

	snprintf(text, sizeof text, "own docker { image a\n%s\n}", words);
	pool_says(text, expected);
}

static void process_says(const char *words, const char *expected)
{
	char text[1024];

	snprintf(text, sizeof text, "own process { command a\n%s\n}", words);
	pool_says(text, expected);
}

static void all_that_a_block_says_is_in_the_model(void **unused)
{
	(void)unused;
	struct model *m = pool_of(
		"own docker { image r.example:5000/a/b:1@sha256:0a; network n; port 81\n"
		"	socket /run/engine.sock; command /server --quiet \"\"\n"
		"	env GREETING \"hello you\"; env EMPTY \"\"; env A B=C\n"
		"	min 0; max 1000; names web-; start-time 1ms; stop-time 0s\n"
		"	drain-time 24h; starts-per-minute 7; at-end leave; memory 256m\n"
		"	cpu 150%; files 16; processes 1\n"
		"	scale up-above 20 down-below 5 up-after 3s down-after 0s }");
	const struct model_own *own = m->pools[0].own;

	assert_int_equal(own->driver, OWN_DOCKER);
	assert_string_equal(own->image, "r.example:5000/a/b:1@sha256:0a");
	assert_string_equal(own->network, "n");
	assert_int_equal(own->port, 81);
	assert_string_equal(own->socket, "/run/engine.sock");
	assert_int_equal(own->command_count, 3);
	assert_string_equal(own->command[1], "--quiet");
	assert_string_equal(own->command[2], "");
	assert_int_equal(own->environment_count, 3);
	assert_string_equal(own->environment[0], "GREETING=hello you");
	assert_string_equal(own->environment[1], "EMPTY=");
	assert_string_equal(own->environment[2], "A=B=C");
	assert_int_equal(own->min, 0);
	assert_int_equal(own->max, 1000);
	assert_string_equal(own->prefix, "web-");
	assert_int_equal(own->start_ms, 1);
	assert_int_equal(own->stop_ms, 0);
	assert_int_equal(own->drain_ms, 24 * 3600 * 1000);
	assert_int_equal(own->starts_max, 7);
	assert_true(own->leave);
	assert_int_equal(own->memory_max, 256 << 20);
	assert_int_equal(own->cpu_percent, 150);
	assert_int_equal(own->files_max, 16);
	assert_int_equal(own->processes_max, 1);
	assert_int_equal(own->scale_up, 20);
	assert_int_equal(own->scale_down, 5);
	assert_int_equal(own->scale_up_ms, 3000);
	assert_int_equal(own->scale_down_ms, 0);
	model_put(m);
}

static void what_is_not_said_is_as_the_model_has_it(void **unused)
{
	(void)unused;
	struct model_own fresh = {0};
	struct model *m = pool_of("own process { command /server }");
	const struct model_own *own = m->pools[0].own;

	model_own_defaults(&fresh, OWN_PROCESS);
	assert_int_equal(own->driver, OWN_PROCESS);
	assert_int_equal(own->port, 0);
	assert_int_equal(own->min, fresh.min);
	assert_int_equal(own->max, fresh.max);
	assert_string_equal(own->prefix, fresh.prefix);
	assert_int_equal(own->scale_up, 0);
	assert_null(own->directory);
	model_own_fini(&fresh);
	model_put(m);
}

static void such_a_pool_has_defaults_of_its_own(void **unused)
{
	(void)unused;
	struct model *m = pool_of(DOCKER);
	const struct model_pool *p = &m->pools[0];

	assert_int_equal(p->check.kind, CHECK_HTTP);
	assert_string_equal(p->check.path, "/heartbeat");
	assert_int_equal(p->check.every_ms, 3000);
	assert_int_equal(p->check.timeout_ms, 5000);
	assert_int_equal(p->check.rise, 1);
	assert_int_equal(p->check.fall, 1);
	assert_int_equal(p->retries_max, 4);
	assert_int_equal(p->queue_ms, 30000);
	assert_true(p->request_ids);
	assert_int_equal(p->key, KEY_ADDRESS);
	assert_int_equal(p->batch_ms, 0);
	model_put(m);
}

static void what_the_file_says_comes_before_them(void **unused)
{
	(void)unused;
	/* In front of the block as behind it. */
	static const char *const orders[] = {
		"check tcp every 1s; retry 3; queue 7; request-id off\n" DOCKER,
		DOCKER "\ncheck tcp every 1s; retry 3; queue 7; request-id off",
	};

	for (size_t i = 0; i < sizeof orders / sizeof *orders; i++) {
		struct model *m = pool_of(orders[i]);
		const struct model_pool *p = &m->pools[0];
		assert_int_equal(p->check.kind, CHECK_TCP);
		assert_int_equal(p->check.every_ms, 1000);
		assert_int_equal(p->check.timeout_ms, 5000);
		assert_int_equal(p->retries_max, 3);
		assert_int_equal(p->queue_max, 7);
		assert_int_equal(p->queue_ms, 30000);
		assert_false(p->request_ids);
		model_put(m);
	}
}

static void slots_go_by_requests_unless_something_else_is_said(void **unused)
{
	(void)unused;
	static const struct {
		const char *words;
		enum key_kind key;
	} cases[] = {
		{"balance slots; " DOCKER, KEY_REQUEST_ID},
		{DOCKER "; balance slots", KEY_REQUEST_ID},
		{"balance slots; key address; " DOCKER, KEY_ADDRESS},
		{"balance slots; key path; " DOCKER, KEY_PATH},
		{"balance ring; " DOCKER, KEY_ADDRESS},
		{"balance ring; key request-id; " DOCKER, KEY_REQUEST_ID},
		{"balance slots; server 1", KEY_ADDRESS},
		{"balance slots; key request-id; server 1", KEY_REQUEST_ID},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct model *m = pool_of(cases[i].words);
		assert_int_equal(m->pools[0].key, cases[i].key);
		model_put(m);
	}
}

static void a_driver_needs_what_it_starts(void **unused)
{
	(void)unused;
	pool_says("own docker { }",
		  "2:1: error: \"own docker\" does not say what containers are made of; "
		  "add to its block for example: image balancerd-sample\n");
	pool_says("own process { }",
		  "2:1: error: \"own process\" does not say what is run; add to its block "
		  "for example: command /usr/local/bin/server --quiet\n");
	pool_says("own docker",
		  "2:1: error: \"own docker\" does not say what containers are made of; "
		  "add to its block for example: image balancerd-sample\n"
		  "2:11: error: \"own\" needs a block; write: own docker { ... }\n");
	pool_says("own { image a }",
		  "2:4: error: a word is missing after \"own\", expected one of docker, "
		  "process\n");
	pool_says("own dokcer { image a }",
		  "2:5: error: unknown word \"dokcer\" after \"own\", expected one of "
		  "docker, process; did you mean \"docker\"?\n");
	/* One that was refused is one all the same. */
	pool_says("own docker { image a!b }",
		  "2:20: error: \"a!b\" is no name of an image; expected one like app, "
		  "app:1.2 or registry.example.com/team/app\n");
	pool_says("own process { command \"\" -q }",
		  "2:23: error: an empty word; expected the name of a program\n");
}

static void words_of_one_driver_are_not_for_the_other(void **unused)
{
	(void)unused;
	static const char *const of_docker[] = {
		"image a", "network a", "socket /a", "cpu 1%", "processes 1",
	};

	for (size_t i = 0; i < sizeof of_docker / sizeof *of_docker; i++) {
		char expected[256];
		snprintf(expected, sizeof expected,
			 "3:1: error: \"%.*s\" is not known in an own process block, it "
			 "belongs in an own docker block\n",
			 (int)strcspn(of_docker[i], " "), of_docker[i]);
		process_says(of_docker[i], expected);
	}
	docker_says("directory /a",
		    "3:1: error: \"directory\" is not known in an own docker block, it "
		    "belongs in an own process block\n");
	docker_says("port any", "3:6: error: \"any\" is no number; expected digits only\n");
	process_says("port any", "");
	pool_says("min 3; " DOCKER,
		  "2:1: error: \"min\" is not known in a pool block, it belongs in an own "
		  "block\n");
	docker_says("retry 3", "3:1: error: \"retry\" is not known in an own docker block, "
			       "it belongs in a pool block\n");
	docker_says("own docker { image b }",
		    "3:1: error: \"own\" is not known in an own docker block, it belongs in "
		    "a pool block\n");
}

static void a_thing_is_said_once(void **unused)
{
	(void)unused;
	pool_says(DOCKER "\n" DOCKER, "3:1: error: \"own\" is already set in line 2\n");
	pool_says(DOCKER "\nown process { command a }",
		  "3:1: error: \"own\" is already set in line 2\n");
	docker_says("min 1\nmin 1", "4:1: error: \"min\" is already set in line 3\n");
	docker_says("env A 1\nenv B 1\nenv A 2\nenv A 2\nenv a 1",
		    "5:1: error: the variable \"A\" is set already, in line 3\n"
		    "6:1: error: the variable \"A\" is set already, in line 3\n");
	docker_says("scale up-above 2 down-below 1 up-above 3",
		    "3:31: error: \"up-above\" is already set in line 3\n");
}

static void numbers_have_bounds(void **unused)
{
	(void)unused;
	docker_says("max 1001",
		    "3:5: error: \"1001\" is too large; expected 1 to 1000\n");
	docker_says("min 99999999999999999999999; max 0",
		    "3:5: error: \"99999999999999999999999\" is too large; expected 0 to "
		    "1000\n"
		    "3:34: error: \"0\" is too small; expected 1 to 1000\n");
	docker_says("port 0; port 65536",
		    "3:6: error: \"0\" is too small; expected 1 to 65535\n"
		    "3:9: error: \"port\" is already set in line 3\n");
	docker_says("memory 5m; cpu 0%; files 15; processes 0; starts-per-minute 0",
		    "3:8: error: \"5m\" is too small; expected 6m to 1048576g\n"
		    "3:16: error: \"0%\" is too small; expected 1% to 102400%\n"
		    "3:26: error: \"15\" is too small; expected 16 to 1048576\n"
		    "3:40: error: \"0\" is too small; expected 1 to 4194304\n"
		    "3:61: error: \"0\" is too small; expected 1 to 10000\n");
	docker_says("start-time 0s; stop-time 25h; drain-time 5; at-end kill",
		    "3:12: error: \"0s\" is too small; expected 1ms to 24h\n"
		    "3:26: error: \"25h\" is too large; expected 0s to 24h\n"
		    "3:42: error: \"5\" has no unit; write 5ms, 5s, 5m or 5h\n"
		    "3:52: error: unknown word \"kill\", expected one of stop, leave\n");
	docker_says("memory unlimited; cpu unlimited; files unlimited; "
		    "processes unlimited", "");
}

static void min_is_at_most_max(void **unused)
{
	(void)unused;
	docker_says("min 5; max 5", "");
	docker_says("min 11",
		    "3:1: error: min is 11, and max 10 if nothing is said; add for "
		    "example: max 11\n");
	docker_says("max 4\nmin 5",
		    "3:1: error: max is 4, less than min, which is 5 in line 4; raise max "
		    "or lower min\n");
	/* A number that was refused is compared with nothing. */
	docker_says("max 2000; min 50",
		    "3:5: error: \"2000\" is too large; expected 1 to 1000\n");
}

static void scaling_has_a_gap(void **unused)
{
	(void)unused;
	docker_says("scale up-above 2 down-below 1", "");
	docker_says("scale up-above 5 down-below 5",
		    "3:18: error: down-below is 5 and up-above 5: servers would be started "
		    "and ended in turns; lower down-below, to half of up-above for "
		    "example\n");
	docker_says("scale up-above 5",
		    "3:17: error: \"scale\" needs down-below N; write: scale up-above N "
		    "down-below N [up-after TIME] [down-after TIME]\n");
	docker_says("scale",
		    "3:6: error: \"scale\" needs up-above N; write: scale up-above N "
		    "down-below N [up-after TIME] [down-after TIME]\n"
		    "3:6: error: \"scale\" needs down-below N; write: scale up-above N "
		    "down-below N [up-after TIME] [down-after TIME]\n");
	docker_says("scale up-above 5 down-below 1; min 3; max 3",
		    "3:1: warning: \"scale\" does nothing: min and max are both 3\n");
}

static void servers_come_from_one_side_only(void **unused)
{
	(void)unused;
	pool_says("server 1; server 2\n" DOCKER,
		  "2:1: error: this pool makes its servers by itself, see \"own\" in line "
		  "3; remove one of both, or give this server a pool of its own\n");
}

static void servers_that_are_owned_are_checked(void **unused)
{
	(void)unused;
	pool_says(DOCKER "; check off",
		  "2:25: error: servers that a pool owns have to be checked (see \"own\" "
		  "in line 2), or none would ever be known to have started; write: check "
		  "http /heartbeat, or check tcp\n");
	pool_says(DOCKER "; check http /x every 3s timeout 5s", "");
	pool_says(DOCKER "; check http /x every 3s timeout 5s fall 2",
		  "2:48: warning: a silent server is probed every 5s only, not every 3s: "
		  "the time limit is longer\n");
}

static void the_first_request_can_wait_for_the_first_server(void **unused)
{
	(void)unused;
	pool_says("own docker { image a; min 0 }\nqueue 0",
		  "3:1: warning: no request can wait for the first server to start, while "
		  "min is 0; allow a queue, or write: min 1\n");
	pool_says("own docker { image a; min 0 }", "");
	pool_says("own docker { image a }\nqueue 0", "");
}

static void tables_have_room_for_all_that_may_come(void **unused)
{
	(void)unused;
	pool_says("balance slots\nown docker { image a; max 56 }", "");
	pool_says("balance slots\nown docker { image a; max 57 }",
		  "2:1: error: pool web: its servers want 513 slots, and there are 512; "
		  "raise its `slots` (to 65536 at most), or lower `virtual` or the weights, "
		  "or max, which is 57\n");
	pool_says("balance slots slots 513\nown docker { image a; max 57 }", "");
	pool_says("balance maglev table 7\nown docker { image a; max 8 }",
		  "2:1: error: pool web: a table of 7 entries for 8 servers; raise its "
		  "`table` to a prime of a hundred times that, or max, which is 8\n");
}

static void batches_need_time(void **unused)
{
	(void)unused;
	struct model *m = pool_of("batch window 5ms count 7; " DOCKER);

	assert_int_equal(m->pools[0].batch_ms, 5);
	assert_int_equal(m->pools[0].batch_max, 7);
	model_put(m);
	pool_complains("batch window 5ms", "");
	pool_complains("batch window 0s count 5",
		       "2:17: warning: \"count\" does nothing: no request waits for "
		       "others\n");
	pool_complains("batch count 5",
		       "2:14: error: \"batch\" needs window TIME; write: batch window TIME "
		       "[count N]\n");
	pool_complains("batch window 11s",
		       "2:14: error: \"11s\" is too large; expected 0s to 10s\n");
}

/* ---- admin legacy ---- */

static uint32_t legacy_of(const char *listener)
{
	char text[512];

	snprintf(text, sizeof text, "listen http :80 { %s }\npool a { server 1 }\n"
		 "pool b { " DOCKER " }\npool c { own process { command c } }\n", listener);
	struct model *m = good(text);
	uint32_t pool = m->listeners[0].legacy_pool;
	model_put(m);
	return pool;
}

static void calls_are_about_the_pool_that_is_named(void **unused)
{
	(void)unused;
	assert_int_equal(legacy_of("to b"), 0);
	assert_int_equal(legacy_of("admin legacy c; to b"), 3);
	assert_int_equal(legacy_of("to a; admin legacy b"), 2);
}

static void calls_are_about_the_first_pool_that_owns(void **unused)
{
	(void)unused;
	assert_int_equal(legacy_of("admin legacy; to b"), 2);
	assert_int_equal(legacy_of("to b; admin legacy; route path /x to a"), 2);
	assert_int_equal(legacy_of("admin legacy; route path /x to a; route path /y to c; "
				   "route path /z to b; to b"), 3);
	/* The default is the last, wherever it stands. */
	assert_int_equal(legacy_of("to b; admin legacy; route path /x to c"), 3);
}

static void calls_need_a_pool_that_owns(void **unused)
{
	(void)unused;
	listener_complains("admin legacy",
			   "2:1: error: \"admin legacy\" is about the servers that a pool "
			   "owns, and no pool that this listener leads to does; add to one: "
			   "own docker { ... } or own process { ... }\n");
	listener_complains("admin legacy web",
			   "2:14: error: pool \"web\" does not own its servers; add to its "
			   "block: own docker { ... } or own process { ... }\n");
	listener_complains("admin legacy webb",
			   "2:14: error: unknown pool \"webb\", expected web; did you mean "
			   "\"web\"?\n");
	listener_complains("admin legacy web web",
			   "2:14: error: pool \"web\" does not own its servers; add to its "
			   "block: own docker { ... } or own process { ... }\n"
			   "2:18: error: \"web\" is too much; write: admin legacy [POOL]\n");
	listener_complains("admin",
			   "2:6: error: a word is missing after \"admin\", expected legacy; "
			   "write: admin legacy [POOL]\n");
	complains("listen tcp :80 { to a; admin legacy }\npool a { " DOCKER "\ncheck tcp }\n",
		  "1:24: error: \"admin\" is not known in a listen tcp block, it belongs in "
		  "a listen http block\n");
}

/* ---- names of containers ---- */

static void names_in_one_engine_differ(void **unused)
{
	(void)unused;
	static const char listener[] = "\nlisten http :1 { route path /a to a; to b }\n";
	static const struct {
		const char *a, *b;
		bool meet;
	} cases[] = {
		{"docker { image a }", "docker { image a }", true},
		{"docker { image a }", "docker { image a; names S1 }", true},
		{"docker { image a; names S1x }", "docker { image a }", false},
		{"docker { image a; names a- }", "docker { image a; names b- }", false},
		{"docker { image a }", "docker { image a; socket /b }", false},
		{"docker { image a }", "process { command a }", false},
		{"process { command a }", "process { command a }", false},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char text[512];
		snprintf(text, sizeof text, "pool a { own %s }\npool b { own %s }%s",
			 cases[i].a, cases[i].b, listener);
		complains(text, cases[i].meet
				  ? "2:1: warning: pools \"a\" (line 1) and \"b\" would take "
				    "the same names for their containers; add to \"own "
				    "docker\" of one for example: names b-\n"
				  : "");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_that_a_block_says_is_in_the_model),
		cmocka_unit_test(what_is_not_said_is_as_the_model_has_it),
		cmocka_unit_test(such_a_pool_has_defaults_of_its_own),
		cmocka_unit_test(what_the_file_says_comes_before_them),
		cmocka_unit_test(slots_go_by_requests_unless_something_else_is_said),
		cmocka_unit_test(a_driver_needs_what_it_starts),
		cmocka_unit_test(words_of_one_driver_are_not_for_the_other),
		cmocka_unit_test(a_thing_is_said_once),
		cmocka_unit_test(numbers_have_bounds),
		cmocka_unit_test(min_is_at_most_max),
		cmocka_unit_test(scaling_has_a_gap),
		cmocka_unit_test(servers_come_from_one_side_only),
		cmocka_unit_test(servers_that_are_owned_are_checked),
		cmocka_unit_test(the_first_request_can_wait_for_the_first_server),
		cmocka_unit_test(tables_have_room_for_all_that_may_come),
		cmocka_unit_test(batches_need_time),
		cmocka_unit_test(calls_are_about_the_pool_that_is_named),
		cmocka_unit_test(calls_are_about_the_first_pool_that_owns),
		cmocka_unit_test(calls_need_a_pool_that_owns),
		cmocka_unit_test(names_in_one_engine_differ),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
