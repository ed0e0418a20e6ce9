/* Goal: what is shown of the configuration is what is in force, and a check finds what
 * is wrong without changing anything. */
#include "unit/control/client.h"

#include <unistd.h>

#include "config/config.h"
#include "config/report.h"

#define ADD "POST /v1/pools/web/servers"
#define CHECK "POST /v1/config/check"

static char path[] = "/tmp/balancerd-config-XXXXXX";
static const char file[] =
	"listen http 127.0.0.1:8080 { to web }\n"
	"pool web { server 127.0.0.1:8081; server 127.0.0.1:8082 weight 2 }\n"
	"pool api { server 127.0.0.1:9001 }\n";

static void write_file(const char *text)
{
	FILE *out = fopen(path, "w");

	assert_non_null(out);
	fputs(text, out);
	assert_int_equal(fclose(out), 0);
}

static struct model *load(void)
{
	struct config_report *report = memory_new(1, sizeof *report);
	struct model *m = config_load(path, report);

	assert_non_null(m);
	free(report);
	return m;
}

/* A balancer that was started with the file. */
static int begin_with_file(void **unused)
{
	begin(unused);
	write_file(file);
	model_put(fake.file);
	fake.file = load();
	struct model *m = load();
	m->connections_max = 1000;	/* as many as descriptors allow */
	fake_use(&fake, m);
	fake.facts.config_path = path;
	return 0;
}

static const json_t *member(const char *name)
{
	return json_object_get(body, name);
}

static const char *item(const char *list, size_t i)
{
	const char *text = json_string_value(json_array_get(member(list), i));

	return text != NULL ? text : "";
}

static const char *item_member(const char *list, size_t i, const char *name)
{
	const json_t *one = json_array_get(member(list), i);

	return json_string_value(json_object_get(one, name));
}

/* ---- what is in force ---- */

static void what_is_shown_is_good_and_says_the_same(void **unused)
{
	char content[4096];

	(void)unused;
	assert_int_equal(ask("PATCH /v1/pools/web/servers/8081", "{\"weight\": 7}"), 200);
	assert_int_equal(ask("GET /v1/config", ""), 200);
	assert_non_null(strstr(text_of("text"), "server 127.0.0.1:8081 weight 7"));
	char *text = json_dumps(member("text"), JSON_ENCODE_ANY);
	char *twin = json_dumps(member("json"), 0);
	assert_true(json_array_size(member("json")) >= 3);

	snprintf(content, sizeof content, "{\"text\": %s}", text);
	assert_int_equal(ask(CHECK, content), 200);
	assert_true(json_is_true(member("good")));
	snprintf(content, sizeof content, "{\"json\": %s}", twin);
	assert_int_equal(ask(CHECK, content), 200);
	assert_true(json_is_true(member("good")));
	assert_string_equal(text_of("summary"), "1 listener, 2 pools, 3 servers");
	free(text);
	free(twin);
}

/* ---- checks ---- */

static void a_check_finds_every_problem(void **unused)
{
	uint64_t version = fake.version;

	(void)unused;
	assert_int_equal(ask(CHECK, "{\"text\": \"lisen http :80\\n"
				    "pool a { server x }\\n\"}"), 200);
	assert_true(json_is_false(member("good")));
	assert_true(json_array_size(member("problems")) >= 2);
	assert_string_equal(item_member("problems", 0, "kind"), "error");
	const json_t *first = json_array_get(member("problems"), 0);
	assert_int_equal(json_integer_value(json_object_get(first, "line")), 1);
	assert_int_equal(json_integer_value(json_object_get(first, "column")), 1);
	assert_true(json_is_null(member("summary")));
	assert_true(json_is_null(member("file")));
	assert_int_equal(fake.version, version);
}

static void without_a_body_the_file_is_checked(void **unused)
{
	(void)unused;
	assert_int_equal(ask(CHECK, ""), 200);
	assert_true(json_is_true(member("good")));
	assert_string_equal(text_of("file"), path);
	write_file("nonsense\n");
	assert_int_equal(ask(CHECK, "{}"), 200);
	assert_true(json_is_false(member("good")));
	fake.facts.config_path = NULL;
	refused(CHECK, "{}", 409, "no-file");
}

static void what_is_no_configuration_is_refused(void **unused)
{
	(void)unused;
	refused(CHECK, "{\"text\": \"\", \"json\": []}", 400, "bad-request");
	refused(CHECK, "{\"text\": 1}", 400, "bad-request");
	refused(CHECK, "{\"json\": {}}", 400, "bad-request");
	refused(CHECK, "{\"json\": [1]}", 400, "bad-request");
	/* Files of others are not looked into. */
	refused(CHECK, "{\"path\": \"/etc/passwd\"}", 400, "bad-request");
}

/* ---- differences ---- */

static void what_is_as_in_the_file_differs_in_nothing(void **unused)
{
	(void)unused;
	assert_int_equal(ask("GET /v1/config/diff", ""), 200);
	assert_string_equal(text_of("file"), path);
	assert_int_equal(json_array_size(member("lines")), 0);
	assert_int_equal(json_array_size(member("changes")), 0);
	assert_int_equal(json_array_size(member("file_errors")), 0);
}

static void changes_are_listed_and_shown(void **unused)
{
	(void)unused;
	assert_int_equal(ask(ADD, "{\"address\": \"8083\"}"), 201);
	assert_int_equal(ask("PATCH /v1/pools/web/servers/8082",
			     "{\"drain\": true, \"temporary\": true}"), 200);
	assert_int_equal(ask("DELETE /v1/pools/api/servers/9001", ""), 200);
	assert_int_equal(ask("GET /v1/config/diff", ""), 200);
	assert_int_equal(json_array_size(member("changes")), 3);
	assert_string_equal(item_member("changes", 0, "what"), "added");
	assert_string_equal(item_member("changes", 0, "server"), "127.0.0.1:8083");
	assert_string_equal(item_member("changes", 1, "what"), "changed");
	assert_string_equal(item_member("changes", 2, "what"), "removed");
	const json_t *set = json_array_get(member("changes"), 1);
	assert_true(json_is_null(json_object_get(set, "weight")));
	assert_true(json_is_true(json_object_get(set, "drain")));
	assert_true(json_is_true(json_object_get(set, "temporary")));

	assert_string_equal(item("lines", 0), " pool web {");
	assert_string_equal(item("lines", 1), "-\tserver 127.0.0.1:8082 weight 2");
	assert_string_equal(item("lines", 2), "+\tserver 127.0.0.1:8082 weight 2 drain");
	assert_string_equal(item("lines", 3), "+\tserver 127.0.0.1:8083");
}

static void an_edited_file_is_shown_before_it_is_reloaded(void **unused)
{
	(void)unused;
	write_file("listen http 127.0.0.1:8080 { to web }\n"
		   "pool web { server 127.0.0.1:8081; server 127.0.0.1:8082 weight 3 }\n"
		   "pool api { server 127.0.0.1:9001 }\n");
	assert_int_equal(ask("GET /v1/config/diff", ""), 200);
	assert_int_equal(json_array_size(member("lines")), 3);
	assert_string_equal(item("lines", 1), "-\tserver 127.0.0.1:8082 weight 3");
	assert_string_equal(item("lines", 2), "+\tserver 127.0.0.1:8082 weight 2");
	write_file("listen\n");
	assert_int_equal(ask("GET /v1/config/diff", ""), 200);
	assert_int_equal(json_array_size(member("lines")), 0);
	assert_true(json_array_size(member("file_errors")) > 0);
	assert_non_null(item_member("file_errors", 0, "message"));
}

static void without_a_file_only_changes_are_listed(void **unused)
{
	(void)unused;
	fake.facts.config_path = NULL;
	assert_int_equal(ask(ADD, "{\"address\": \"8083\"}"), 201);
	assert_int_equal(ask("GET /v1/config/diff", ""), 200);
	assert_true(json_is_null(member("file")));
	assert_int_equal(json_array_size(member("changes")), 1);
	assert_int_equal(json_array_size(member("lines")), 0);
}

static void a_reload_says_which_file(void **unused)
{
	(void)unused;
	assert_int_equal(ask("POST /v1/reload", ""), 200);
	assert_string_equal(text_of("file"), path);
}

static int make_file(void **unused)
{
	(void)unused;
	int fd = mkstemp(path);
	return fd >= 0 ? close(fd) : -1;
}

static int remove_file(void **unused)
{
	(void)unused;
	return unlink(path);
}

#define WITH_FILE(name) cmocka_unit_test_setup_teardown(name, begin_with_file, end)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		WITH_FILE(what_is_shown_is_good_and_says_the_same),
		WITH_FILE(a_check_finds_every_problem),
		WITH_FILE(without_a_body_the_file_is_checked),
		WITH_FILE(what_is_no_configuration_is_refused),
		WITH_FILE(what_is_as_in_the_file_differs_in_nothing),
		WITH_FILE(changes_are_listed_and_shown),
		WITH_FILE(an_edited_file_is_shown_before_it_is_reloaded),
		WITH_FILE(without_a_file_only_changes_are_listed),
		WITH_FILE(a_reload_says_which_file),
	};
	return cmocka_run_group_tests(tests, make_file, remove_file);
}
