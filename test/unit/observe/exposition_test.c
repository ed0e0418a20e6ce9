/* Goal: what is written is what the two formats ask for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "observe/exposition.h"

static char *sample(enum exposition_format format)
{
	const struct exposition_labels all = {"pool=\"web\"", "class", "2xx"};
	const struct exposition_labels one = {.fixed = "", .name = "kind", .value = "memory"};
	const struct exposition_labels none = {.fixed = ""};
	struct exposition e;
	size_t len;

	exposition_init(&e, format);
	exposition_family(&e, "b_responses", FAMILY_COUNTER, "Answers.");
	exposition_number(&e, "", all, 18446744073709551615u);
	exposition_number(&e, "", one, 0);
	exposition_family(&e, "b_seconds", FAMILY_HISTOGRAM, "Times.");
	exposition_seconds(&e, "_sum", none, 1000001);
	char *text = exposition_end(&e, &len);
	text = realloc(text, len + 1);
	assert_non_null(text);
	text[len] = '\0';
	return text;
}

static void prometheus_calls_a_counter_by_its_samples_name(void **unused)
{
	char *text = sample(EXPOSITION_PROMETHEUS);

	(void)unused;
	assert_string_equal(text,
			    "# HELP b_responses_total Answers.\n"
			    "# TYPE b_responses_total counter\n"
			    "b_responses_total{pool=\"web\",class=\"2xx\"} 18446744073709551615\n"
			    "b_responses_total{kind=\"memory\"} 0\n"
			    "# HELP b_seconds Times.\n"
			    "# TYPE b_seconds histogram\n"
			    "b_seconds_sum 1.000001\n");
	free(text);
}

static void openmetrics_calls_it_by_its_family_and_has_an_end(void **unused)
{
	char *text = sample(EXPOSITION_OPENMETRICS);

	(void)unused;
	assert_string_equal(text,
			    "# HELP b_responses Answers.\n"
			    "# TYPE b_responses counter\n"
			    "b_responses_total{pool=\"web\",class=\"2xx\"} 18446744073709551615\n"
			    "b_responses_total{kind=\"memory\"} 0\n"
			    "# HELP b_seconds Times.\n"
			    "# TYPE b_seconds histogram\n"
			    "b_seconds_sum 1.000001\n"
			    "# EOF\n");
	free(text);
}

static void what_must_be_escaped_is(void **unused)
{
	char labels[64] = "";

	(void)unused;
	exposition_label(labels, sizeof labels, "a", "x\"y\\z\n");
	exposition_label(labels, sizeof labels, "b", "");
	assert_string_equal(labels, "a=\"x\\\"y\\\\z\\n\",b=\"\"");
}

static void a_label_without_room_is_left_out_whole(void **unused)
{
	(void)unused;
	for (size_t size = 8; size < 40; size++) {
		char *labels = calloc(1, size);
		assert_non_null(labels);
		exposition_label(labels, size, "a", "1");
		assert_true(strcmp(labels, "a=\"1\"") == 0 || labels[0] == '\0');
		exposition_label(labels, size, "name", "\"\"\"\"\"");
		const char *second = strstr(labels, "name");
		assert_true(second == NULL ||
			    strcmp(second, "name=\"\\\"\\\"\\\"\\\"\\\"\"") == 0);
		assert_true(size < 38 || second != NULL);
		free(labels);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(prometheus_calls_a_counter_by_its_samples_name),
		cmocka_unit_test(openmetrics_calls_it_by_its_family_and_has_an_end),
		cmocka_unit_test(what_must_be_escaped_is),
		cmocka_unit_test(a_label_without_room_is_left_out_whole),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
