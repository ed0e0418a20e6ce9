/* Goal: a container is asked for with all that the configuration says of it, and only
 * ours are asked about. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "spawn/docker_ask.h"

static const struct docker_place place = {
	.balancer = "default", .pool = "web", .network = "balancerd", .port = 5000,
};

static char **words(const char *first, const char *second)
{
	char **all = memory_new(2, sizeof *all);

	all[0] = memory_text(first);
	all[1] = memory_text(second);
	return all;
}

static struct model_own *sample(void)
{
	struct model_own *own = memory_new(1, sizeof *own);

	model_own_defaults(own, OWN_DOCKER);
	own->image = memory_text("balancerd-sample");
	return own;
}

/* The body for `own`, which is destroyed. */
static json_t *body_of(struct model_own *own)
{
	struct err err;
	char *text = docker_ask_container(own, &place, "S1", &err);

	assert_non_null(text);
	json_t *body = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(body);
	free(text);
	model_own_destroy(own);
	return body;
}

/* Compares a member, put as JSON, with what it has to be; and puts the body. */
static void assert_members(json_t *body, const char *const pairs[][2], size_t count)
{
	for (size_t i = 0; i < count; i++) {
		json_t *wanted = json_loads(pairs[i][1], JSON_DECODE_ANY, NULL);
		json_t *there = body;
		char path[128], *rest = path, *name;

		snprintf(path, sizeof path, "%s", pairs[i][0]);
		while ((name = strsep(&rest, "/")) != NULL)
			there = json_object_get(there, name);
		if (!json_equal(there, wanted))
			fail_msg("%s is not %s", pairs[i][0], pairs[i][1]);
		json_decref(wanted);
	}
	json_decref(body);
}

static void a_container_is_known_by_its_name_in_five_places(void **unused)
{
	static const char *const pairs[][2] = {
		{"Image", "\"balancerd-sample\""},
		{"Hostname", "\"S1\""},
		{"Env", "[\"SERVER_ID=S1\",\"PORT=5000\"]"},
		{"Labels/org.balancerd.server", "\"S1\""},
		{"Labels/org.balancerd.balancer", "\"default\""},
		{"Labels/org.balancerd.pool", "\"web\""},
		{"Labels/org.balancerd.port", "\"5000\""},
		{"NetworkingConfig/EndpointsConfig/balancerd/Aliases", "[\"S1\"]"},
		{"HostConfig", "{\"NetworkMode\":\"balancerd\",\"RestartPolicy\":"
			       "{\"Name\":\"no\"}}"},
	};

	(void)unused;
	json_t *body = body_of(sample());
	assert_null(json_object_get(body, "Entrypoint"));
	assert_members(body, pairs, sizeof pairs / sizeof *pairs);
}

static void limits_are_in_the_units_of_the_engine(void **unused)
{
	static const char *const pairs[][2] = {
		{"HostConfig/Memory", "268435456"},
		{"HostConfig/MemorySwap", "268435456"},
		{"HostConfig/NanoCpus", "500000000"},
		{"HostConfig/PidsLimit", "100"},
		{"HostConfig/Ulimits",
		 "[{\"Name\":\"nofile\",\"Soft\":1024,\"Hard\":1024}]"},
	};
	struct model_own *own = sample();

	(void)unused;
	own->memory_max = 256 << 20;
	own->cpu_percent = 50;
	own->processes_max = 100;
	own->files_max = 1024;
	assert_members(body_of(own), pairs, sizeof pairs / sizeof *pairs);
}

static void a_command_stands_instead_of_the_images(void **unused)
{
	static const char *const pairs[][2] = {
		{"Entrypoint", "[\"/server\",\"--quiet\"]"},
		{"Env", "[\"A=1\",\"B=x y\",\"SERVER_ID=S1\",\"PORT=5000\"]"},
	};
	struct model_own *own = sample();

	(void)unused;
	own->command = words("/server", "--quiet");
	own->environment = words("A=1", "B=x y");
	own->command_count = own->environment_count = 2;
	assert_members(body_of(own), pairs, sizeof pairs / sizeof *pairs);
}

static void the_default_network_has_no_aliases(void **unused)
{
	static const char *const pairs[][2] = {
		{"NetworkingConfig/EndpointsConfig/bridge", "{}"},
	};
	struct model_own *own = sample();

	(void)unused;
	free(own->network);
	own->network = memory_text("bridge");
	assert_members(body_of(own), pairs, sizeof pairs / sizeof *pairs);
}

static void what_json_cannot_carry_is_an_error(void **unused)
{
	struct model_own *own = sample();
	struct err err = {0};

	(void)unused;
	own->environment = words("A=\xff", "B=1");
	own->environment_count = 2;
	assert_null(docker_ask_container(own, &place, "S1", &err));
	assert_non_null(strstr(err.text, "UTF-8"));
	model_own_destroy(own);
}

static void only_those_of_the_pool_are_asked_for(void **unused)
{
	char *list = docker_ask_list("default", "web");
	char *events = docker_ask_events("default", "web", 12);

	(void)unused;
	assert_string_equal(list, "/containers/json?all=true&filters="
			    "%7B%22label%22%3A%5B%22org.balancerd.balancer%3Ddefault"
			    "%22%2C%22org.balancerd.pool%3Dweb%22%5D%7D");
	assert_non_null(strstr(events, "/events?since=12&filters="));
	assert_non_null(strstr(events, "org.balancerd.pool%3Dweb"));
	free(list);
	free(events);
}

static void a_network_is_asked_for_by_a_name_of_any_bytes(void **unused)
{
	char *path = docker_ask_networks("a&b\xff");
	char *body = docker_ask_network("net", "default");

	(void)unused;
	assert_null(strchr(path + strlen("/networks?"), '&'));
	assert_non_null(strstr(body, "\"Name\":\"net\""));
	free(path);
	free(body);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_container_is_known_by_its_name_in_five_places),
		cmocka_unit_test(limits_are_in_the_units_of_the_engine),
		cmocka_unit_test(a_command_stands_instead_of_the_images),
		cmocka_unit_test(the_default_network_has_no_aliases),
		cmocka_unit_test(what_json_cannot_carry_is_an_error),
		cmocka_unit_test(only_those_of_the_pool_are_asked_for),
		cmocka_unit_test(a_network_is_asked_for_by_a_name_of_any_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
