/* Goal: the quick form for keys and values means what its description says. */
#include "unit/config/read.h"

#include "config/print.h"
#include "parse/kv_wire.h"
#include "pick/policy.h"

enum { WORDS_MAX = 16 };

#define USAGE "usage: balancerd kv [--clients ADDRESS:PORT] [--workers ADDRESS:PORT] " \
	      "[--resp ADDRESS:PORT] [--acks none|one|all]"

/* Reads a command line, the words separated by single spaces. */
static struct model *quick(const char *line, struct err *err)
{
	static char copy[256];
	char *words[WORDS_MAX];
	int count = 0;

	snprintf(copy, sizeof copy, "%s", line);
	for (char *w = strtok(copy, " "); w != NULL; w = strtok(NULL, " "))
		words[count++] = w;
	return config_quick_kv(count, words, err);
}

static void refuses(const char *line, const char *expected)
{
	struct err err = {""};

	assert_null(quick(line, &err));
	assert_string_equal(err.text, expected);
}

static void nothing_has_to_be_said(void **unused)
{
	(void)unused;
	struct err err;
	struct model *m = quick("", &err);

	assert_non_null(m);
	assert_int_equal(m->listener_count, 1);
	assert_int_equal(m->listeners[0].kind, LISTEN_KV);
	assert_int_equal(m->listeners[0].protocol, KV_PROTOCOL_WIRE);
	assert_string_equal(m->listeners[0].address.text, "0.0.0.0:5059");
	assert_string_equal(m->listeners[0].workers.text, "0.0.0.0:5060");
	assert_int_equal(address_port(&m->listeners[0].address), KV_CLIENT_PORT);
	assert_int_equal(address_port(&m->listeners[0].workers), KV_WORKER_PORT);
	assert_int_equal(m->listeners[0].idle_ms, 0);
	assert_int_equal(m->listeners[0].route_count, 1);
	assert_int_equal(m->listeners[0].routes[0].pool, 0);
	assert_int_equal(m->pool_count, 1);
	assert_string_equal(m->pools[0].name, "default");
	assert_ptr_equal(m->pools[0].policy, policies[0]);
	assert_int_equal(m->pools[0].server_count, 0);
	assert_int_equal(m->pools[0].acks, ACKS_ALL);
	model_put(m);
}

static void each_address_and_the_acks_can_be_said(void **unused)
{
	(void)unused;
	struct err err;
	struct model *m = quick("--resp [::1]:6379 --acks=one --workers 7 "
				"--clients=127.0.0.1:8", &err);

	assert_non_null(m);
	assert_int_equal(m->listener_count, 2);
	assert_string_equal(m->listeners[0].address.text, "127.0.0.1:8");
	assert_string_equal(m->listeners[0].workers.text, "0.0.0.0:7");
	assert_string_equal(m->listeners[1].address.text, "[::1]:6379");
	assert_string_equal(m->listeners[1].workers.text, "");
	assert_int_equal(m->listeners[1].protocol, KV_PROTOCOL_RESP);
	assert_int_equal(m->listeners[1].kind, LISTEN_KV);
	assert_int_equal(m->listeners[1].routes[0].pool, 0);
	assert_int_equal(m->pools[0].acks, ACKS_ONE);
	model_put(m);
}

static void it_is_a_configuration_too(void **unused)
{
	(void)unused;
	struct err err;
	struct model *m = quick("--resp 6379 --acks one", &err);
	char *text = config_print(m);

	assert_string_equal(text, "listen kv 0.0.0.0:5059 {\n"
				  "	to default\n"
				  "	workers 0.0.0.0:5060\n"
				  "}\n"
				  "listen kv 0.0.0.0:6379 {\n"
				  "	to default\n"
				  "	protocol resp\n"
				  "}\n"
				  "pool default {\n"
				  "	acks one\n"
				  "}\n");
	model_put(good(text));
	free(text);
	model_put(m);
}

static void what_is_wrong_is_said_with_the_way_out(void **unused)
{
	(void)unused;
	refuses("5059", "unknown option \"5059\"; " USAGE);
	refuses("--client 1", "unknown option \"--client\"; " USAGE);
	refuses("--workers", "--workers needs a value; " USAGE);
	refuses("--acks one --acks=one", "--acks is given twice");
	refuses("--acks two", "--acks: unknown word \"two\", expected one of none, one, all");
	refuses("--clients x", "--clients: \"x\" has no port from 1 to 65535");
	refuses("--resp=app:1", "--resp: \"app:1\" is a name; a listener needs a number, for "
				"example 127.0.0.1:1");
	refuses("--resp :5060", "two of --clients, --workers and --resp are the same; each "
				"needs an address of its own");
	refuses("--workers 0.0.0.0:5059", "two of --clients, --workers and --resp are the "
					  "same; each needs an address of its own");
	refuses("--resp 7 --clients :7", "two of --clients, --workers and --resp are the "
					 "same; each needs an address of its own");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_has_to_be_said),
		cmocka_unit_test(each_address_and_the_acks_can_be_said),
		cmocka_unit_test(it_is_a_configuration_too),
		cmocka_unit_test(what_is_wrong_is_said_with_the_way_out),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
