/* Goal: a file is read whole or not at all, and says what it holds. */
#include "unit/config/read.h"

#include <unistd.h>

#include "pick/policy.h"

/* What the introduction of the project shows, word for word. */
static const char shown[] =
	"listen http :8080 { route host api.example.com path /v1/ to api; to web }\n"
	"pool web {\n"
	"    balance least-load\n"
	"    check http /healthcheck every 3s after 5 requests\n"
	"    server 127.0.0.1:8081\n"
	"    server 127.0.0.1:8082 weight 2\n"
	"}\n";

static void the_example_of_the_introduction_reads(void **unused)
{
	(void)unused;
	char text[1024];

	snprintf(text, sizeof text, "%spool api { server api1:80 }\n", shown);
	struct model *m = good(text);
	const struct model_check *c = &m->pools[0].check;

	assert_ptr_equal(m->pools[0].policy, &policy_least_load);
	assert_int_equal(c->expect, EXPECT_LOAD);
	assert_int_equal(c->every_ms, 3000);
	assert_int_equal(c->after_requests, 5);
	assert_int_equal(m->pools[0].servers[1].weight, 2);
	model_put(m);
}

static void line_ends_and_marks_of_other_systems_do_not_matter(void **unused)
{
	(void)unused;
	model_put(good("\xef\xbb\xbflisten http :80 {\r\n\tto a # all\r\n}\r\npool a { "
		       "server 1 }"));
}

static char path[] = "/tmp/config-test-XXXXXX";

static int make_file(void **unused)
{
	(void)unused;
	int fd = mkstemp(path);
	return fd < 0 ? -1 : close(fd);
}

static int remove_file(void **unused)
{
	(void)unused;
	return unlink(path);
}

static void write_file(const char *text, size_t len)
{
	FILE *f = fopen(path, "w");

	assert_int_equal(fwrite(text, 1, len, f), len);
	fclose(f);
}

static void a_file_is_read_as_its_text(void **unused)
{
	(void)unused;
	const char *text = "listen http :80 { to a }\npool a { server 1 }\n";

	write_file(text, strlen(text));
	struct model *m = config_load(path, &report);
	assert_non_null(m);
	assert_string_equal(report.name, path);
	assert_int_equal(m->listener_count, 1);
	model_put(m);
}

static void what_cannot_be_read_is_said(void **unused)
{
	(void)unused;
	assert_null(config_load("/nonexistent/a.conf", &report));
	assert_string_equal(report.problems[0].text,
			    "cannot open it: No such file or directory");
	assert_null(config_load("/tmp", &report));
	assert_string_equal(report.problems[0].text, "cannot read it: Is a directory");
}

static void a_file_has_a_largest_size(void **unused)
{
	(void)unused;
	const char *good_text = "listen http :80 { to a }\npool a { server 1 }\n#";
	char *text = malloc(CONFIG_FILE_MAX + 1);

	memset(text, 'x', CONFIG_FILE_MAX + 1);
	memcpy(text, good_text, strlen(good_text));
	write_file(text, CONFIG_FILE_MAX);
	struct model *m = config_load(path, &report);
	assert_non_null(m);
	model_put(m);

	write_file(text, CONFIG_FILE_MAX + 1);
	assert_null(config_load(path, &report));
	assert_int_equal(report.problems[0].at.line, 0);
	assert_string_equal(report.problems[0].text,
			    "more than 1048576 bytes; is this a configuration?");
	free(text);
}

static void a_good_file_says_what_is_in_it(void **unused)
{
	(void)unused;
	char *said;
	size_t len;
	FILE *out = open_memstream(&said, &len);
	struct model *m = good("listen http :80 { to a }\npool a { server 1; server 2 }\n"
			       "pool b { server 3 }\n");

	config_print_summary(m, "a.conf", out);
	fclose(out);
	assert_string_equal(said, "a.conf is good: 1 listener, 2 pools, 3 servers\n");
	free(said);
	model_put(m);
}

static void servers_that_are_made_are_counted_from_to(void **unused)
{
	(void)unused;
	char *said;
	size_t len;
	FILE *out = open_memstream(&said, &len);
	struct model *m = good("listen http :80 { to a }\npool a { server 1; server 2 }\n"
			       "pool b { own process { command b; min 3; max 5 } }\n");

	/* As one that is in force. */
	assert_non_null(model_server_add(&m->pools[1]));
	config_print_counts(m, out);
	fclose(out);
	assert_string_equal(said, "1 listener, 2 pools, 5 to 7 servers");
	free(said);
	model_put(m);
}

static void the_examples_read(void **unused)
{
	(void)unused;
	static const char *const paths[] = {"doc/examples/http.conf",
					    "doc/examples/tcp.conf",
					    "doc/examples/own.conf",
					    "packaging/balancerd.conf"};

	for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
		struct model *m = config_load(paths[i], &report);
		char *said = problems_text(&report);
		assert_string_equal(said, "");
		assert_non_null(m);
		free(said);
		model_put(m);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_example_of_the_introduction_reads),
		cmocka_unit_test(line_ends_and_marks_of_other_systems_do_not_matter),
		cmocka_unit_test(a_file_is_read_as_its_text),
		cmocka_unit_test(what_cannot_be_read_is_said),
		cmocka_unit_test(a_file_has_a_largest_size),
		cmocka_unit_test(a_good_file_says_what_is_in_it),
		cmocka_unit_test(servers_that_are_made_are_counted_from_to),
		cmocka_unit_test(the_examples_read),
	};
	return cmocka_run_group_tests(tests, make_file, remove_file);
}
