/* Goal: what an engine says is understood, and what it should not say is an error. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "spawn/docker_answer.h"

static const struct docker_place place = {
	.balancer = "default", .pool = "web", .network = "net", .port = 5000,
};

#define OURS "\"org.balancerd.balancer\":\"default\",\"org.balancerd.pool\":\"web\""
#define LABELS(server) "{" OURS ",\"org.balancerd.server\":\"" server "\"," \
	"\"org.balancerd.recipe\":\"00000000000000ff\",\"org.balancerd.port\":\"7000\"}"
#define IN(net, ip) "{\"Networks\":{\"" net "\":{\"IPAddress\":\"" ip "\"}}}"
#define LISTED(id, labels, state) "{\"Id\":\"" id "\",\"State\":\"" state "\"," \
	"\"Labels\":" labels ",\"NetworkSettings\":" IN("net", "10.0.0.2") "}"

static void the_newest_version_that_both_know_is_spoken(void **unused)
{
	static const struct { const char *text, *version; } cases[] = {
		{"{\"ApiVersion\":\"1.41\",\"MinAPIVersion\":\"1.12\"}", "1.41"},
		{"{\"ApiVersion\":\"1.24\"}", "1.24"},
		{"{\"ApiVersion\":\"1.50\",\"MinAPIVersion\":\"1.24\"}", "1.43"},
		{"{\"ApiVersion\":\"1.52\",\"MinAPIVersion\":\"1.44\"}", "1.44"},
	};
	char version[DOCKER_VERSION_SIZE];
	struct err err;

	(void)unused;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct span text = span_of(cases[i].text);
		assert_int_equal(docker_answer_version(text, version, &err), 0);
		assert_string_equal(version, cases[i].version);
	}
}

static void a_version_that_is_none_or_too_old_is_refused(void **unused)
{
	static const char *const bad[] = {
		"", "{}", "[]", "1", "{\"ApiVersion\":\"1.23\"}",
		"{\"ApiVersion\":\"2.0\"}", "{\"ApiVersion\":1.41}",
		"{\"ApiVersion\":\"1.41/../\"}", "{\"ApiVersion\":\"1.-50\"}",
	};
	char version[DOCKER_VERSION_SIZE];

	(void)unused;
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		struct err err = {0};
		struct span text = span_of(bad[i]);
		assert_int_equal(docker_answer_version(text, version, &err), -1);
		assert_string_not_equal(err.text, "");
	}
}

static void only_ours_are_listed(void **unused)
{
	struct span text = SPAN(
		"[" LISTED("aa1", LABELS("S1"), "running")
		"," LISTED("aa2", "null", "running")
		"," LISTED("aa3", "{\"org.balancerd.pool\":\"web\"}", "running")
		"," LISTED("aa4", LABELS("S2"), "exited")
		"," LISTED("../", LABELS("S3"), "running")
		"," LISTED("aa5", LABELS("a/b"), "running") ",7,null]");
	struct spawn_server *found;
	uint32_t count;
	struct err err;

	(void)unused;
	assert_int_equal(docker_answer_list(text, &place, &found, &count, &err), 0);
	assert_int_equal(count, 2);
	assert_string_equal(found[0].name, "S1");
	assert_string_equal(found[0].id, "aa1");
	assert_true(found[0].running);
	assert_int_equal(found[0].recipe, 255);
	assert_string_equal(found[0].address.text, "10.0.0.2:7000");
	assert_string_equal(found[1].name, "S2");
	assert_false(found[1].running);
	free(found);
}

static void a_list_that_is_none_is_an_error(void **unused)
{
	static const char *const bad[] = {"", "{}", "null", "[", "{\"message\":\"no\"}"};
	struct spawn_server *found;
	uint32_t count;

	(void)unused;
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		struct err err = {0};
		struct span text = span_of(bad[i]);
		assert_int_equal(docker_answer_list(text, &place, &found, &count, &err),
				 -1);
		assert_null(found);
		assert_string_not_equal(err.text, "");
	}
}

static int look(const char *text, struct docker_container *c)
{
	struct err err;

	return docker_answer_container(span_of(text), &place, c, &err);
}

static void a_container_tells_its_state(void **unused)
{
	struct docker_container c;

	(void)unused;
	assert_int_equal(look("{\"Id\":\"ab\",\"State\":{\"Running\":true},"
			      "\"Config\":{\"Labels\":" LABELS("S1") "},"
			      "\"NetworkSettings\":" IN("net", "10.0.0.9") "}", &c), 0);
	assert_true(c.ours && c.server.running);
	assert_string_equal(c.server.address.text, "10.0.0.9:7000");

	assert_int_equal(look("{\"Id\":\"ab\",\"State\":{\"Running\":false,"
			      "\"ExitCode\":137,\"OOMKilled\":true,"
			      "\"Error\":\"no\\nway\"}}", &c), 0);
	assert_false(c.ours || c.server.running);
	assert_int_equal(c.exit_code, 137);
	assert_true(c.out_of_memory);
	assert_string_equal(c.trouble, "no way");
	assert_int_equal(c.server.address.len, 0);

	assert_int_equal(look("{\"Id\":\"ab\"}", &c), -1);
	assert_int_equal(look("{\"Id\":\"a/b\",\"State\":{}}", &c), -1);
	assert_int_equal(look("[]", &c), -1);
}

#define BARE "{\"Id\":\"ab\",\"State\":{},\"NetworkSettings\":"

static void an_address_is_found_in_either_family_and_any_network(void **unused)
{
	struct docker_container c;

	(void)unused;
	look(BARE IN("old", "10.0.0.3") "}", &c);
	assert_string_equal(c.server.address.text, "10.0.0.3:5000");
	look(BARE "{\"Networks\":{\"net\":"
	     "{\"IPAddress\":\"\",\"GlobalIPv6Address\":\"fd00::2\"}}}}", &c);
	assert_string_equal(c.server.address.text, "[fd00::2]:5000");
	look(BARE IN("net", "unix:/x y") "}", &c);
	assert_int_equal(c.server.address.len, 0);
}

static void the_oldest_network_of_a_name_stays(void **unused)
{
	struct docker_networks n;
	struct err err;

	(void)unused;
	assert_int_equal(docker_answer_networks(
		SPAN("[{\"Name\":\"net\",\"Id\":\"bb\",\"Created\":\"2026-03-02\"},"
		     "{\"Name\":\"net2\",\"Id\":\"cc\",\"Created\":\"2020-01-01\"},"
		     "{\"Name\":\"net\",\"Id\":\"aa\",\"Created\":\"2026-03-01\"}]"),
		"net", &n, &err), 0);
	assert_int_equal(n.count, 2);
	assert_string_equal(n.oldest, "aa");
	assert_int_equal(docker_answer_networks(SPAN("[]"), "net", &n, &err), 0);
	assert_int_equal(n.count, 0);
	assert_int_equal(docker_answer_networks(SPAN("{}"), "net", &n, &err), -1);
}

#define EVENT(action, more) "{\"Type\":\"container\",\"Action\":\"" action "\"," \
	"\"Actor\":{\"ID\":\"ab\",\"Attributes\":{" more "}}}"

static void ends_of_ours_are_heard(void **unused)
{
	struct docker_event e;

	(void)unused;
	assert_true(docker_answer_event(SPAN(EVENT("die", OURS ",\"exitCode\":\"137\"")),
					&place, &e));
	assert_true(e.died);
	assert_int_equal(e.exit_code, 137);
	assert_true(docker_answer_event(SPAN(EVENT("died", OURS
						   ",\"containerExitCode\":\"1\"")),
					&place, &e));
	assert_int_equal(e.exit_code, 1);
	assert_true(docker_answer_event(SPAN(EVENT("destroy", OURS)), &place, &e));
	assert_false(e.died);
	assert_int_equal(e.exit_code, -1);

	assert_false(docker_answer_event(SPAN(EVENT("start", OURS)), &place, &e));
	assert_false(docker_answer_event(SPAN(EVENT("die", "")), &place, &e));
	assert_false(docker_answer_event(SPAN("{}"), &place, &e));
	assert_false(docker_answer_event(SPAN("nonsense"), &place, &e));
}

static void an_end_is_said_in_words(void **unused)
{
	char why[DOCKER_WHY_SIZE];

	(void)unused;
	docker_answer_exit(137, false, why);
	assert_string_equal(why, "exited with status 137 (killed)");
	docker_answer_exit(3, false, why);
	assert_string_equal(why, "exited with status 3");
	docker_answer_exit(255, false, why);
	assert_string_equal(why, "exited with status 255");
	docker_answer_exit(-1, false, why);
	assert_string_equal(why, "exited");
	docker_answer_exit(137, true, why);
	assert_non_null(strstr(why, "out of memory"));
}

static void a_message_is_one_line_that_fits(void **unused)
{
	char message[DOCKER_MESSAGE_SIZE], text[2048];

	(void)unused;
	assert_true(docker_answer_message(SPAN("{\"message\":\"no\\nway\"}"), message));
	assert_string_equal(message, "no way");
	assert_false(docker_answer_message(SPAN("no"), message));
	assert_false(docker_answer_message(SPAN("{\"message\":7}"), message));
	int len = snprintf(text, sizeof text, "{\"message\":\"%01000d\"}", 0);
	assert_true(docker_answer_message((struct span){text, (size_t)len}, message));
	assert_int_equal(strlen(message), sizeof message - 1);
}

static void the_last_line_is_found_in_frames_and_without(void **unused)
{
	char line[DOCKER_WHY_SIZE];

	(void)unused;
	docker_answer_last_line(SPAN("\1\0\0\0\0\0\0\4one\n"
				     "\2\0\0\0\0\0\0\6two\t3\n"), line);
	assert_string_equal(line, "two 3");
	docker_answer_last_line(SPAN("\2\0\0\0\377\377\377\377cut"), line);
	assert_string_equal(line, "cut");
	docker_answer_last_line(SPAN("plain\nterminal\n\n"), line);
	assert_string_equal(line, "terminal");
	docker_answer_last_line(SPAN(""), line);
	assert_string_equal(line, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_newest_version_that_both_know_is_spoken),
		cmocka_unit_test(a_version_that_is_none_or_too_old_is_refused),
		cmocka_unit_test(only_ours_are_listed),
		cmocka_unit_test(a_list_that_is_none_is_an_error),
		cmocka_unit_test(a_container_tells_its_state),
		cmocka_unit_test(an_address_is_found_in_either_family_and_any_network),
		cmocka_unit_test(the_oldest_network_of_a_name_stays),
		cmocka_unit_test(ends_of_ours_are_heard),
		cmocka_unit_test(an_end_is_said_in_words),
		cmocka_unit_test(a_message_is_one_line_that_fits),
		cmocka_unit_test(the_last_line_is_found_in_frames_and_without),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
