/* Goal: all that is in force has its samples, as it was counted, and the sums agree. */
#include "unit/model/sample.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/live_registry.h"
#include "model/meter.h"
#include "observe/metrics.h"

static struct live live;

static struct model *started(void)
{
	struct model *m = sample_model("web", SERVERS("8081", "8082"));
	struct err err;

	sample_add_pool(m, "odd", SERVERS("unix:/run/a\"b\\c"));
	sample_add_listener(m, "8080");
	live_init(&live);
	assert_int_equal(model_attach(m, &live, &err), 0);
	live_take_over(m);
	return m;
}

static void ended(struct model *m)
{
	model_put(m);
	live_fini(&live);
}

static char *printed(const struct model *m, enum exposition_format format)
{
	const struct metrics_source source = {
		.model = m, .live = &live, .version = "1.2.3", .uptime_s = 7, .threads = 2,
	};
	size_t len;
	char *text = metrics_print(&source, format, &len);

	text = realloc(text, len + 1);
	assert_non_null(text);
	text[len] = '\0';
	return text;
}

static void note(struct meters *meters, unsigned loop, unsigned class, uint64_t took_us)
{
	const struct meter_note n = {
		.class = class, .bytes_in = 1, .bytes_out = 100, .took_us = took_us,
	};

	meters_note(meters, loop, &n);
}

static void assert_has(const char *text, const char *line)
{
	if (strstr(text, line) == NULL)
		fail_msg("there is no line %s in\n%s", line, text);
}

static void what_was_counted_is_told(void **unused)
{
	struct model *m = started();
	struct live_server *s = m->pools[0].servers[1].live;

	(void)unused;
	note(m->listeners[0].live->meters, 0, 2, 900);
	note(m->listeners[0].live->meters, 1, 5, 70 * 1000 * 1000);
	note(s->meters, 1, 2, 900);
	atomic_store(&s->in_flight, 3);
	live_server_set_up(s, false);
	snprintf(s->reason, sizeof s->reason, "said \"no\"");
	live_count(&s->failures[FAILURE_RESET]);
	char *text = printed(m, EXPOSITION_PROMETHEUS);
	assert_has(text, "balancerd_listener_responses_total{listener=\"0.0.0.0:8080\","
			 "mode=\"http\",class=\"5xx\"} 1\n");
	assert_has(text, "listener_request_duration_seconds_bucket{listener=\"0.0.0.0:8080\","
			 "mode=\"http\",le=\"0.001\"} 1\n");
	assert_has(text, "listener_request_duration_seconds_bucket{listener=\"0.0.0.0:8080\","
			 "mode=\"http\",le=\"60.0\"} 1\n");
	assert_has(text, "listener_request_duration_seconds_bucket{listener=\"0.0.0.0:8080\","
			 "mode=\"http\",le=\"+Inf\"} 2\n");
	assert_has(text, "listener_request_duration_seconds_sum{listener=\"0.0.0.0:8080\","
			 "mode=\"http\"} 70.000900\n");
	assert_has(text, "balancerd_server_up{pool=\"web\",server=\"127.0.0.1:8082\"} 0\n");
	assert_has(text, "balancerd_server_down_info{pool=\"web\",server=\"127.0.0.1:8082\","
			 "reason=\"said \\\"no\\\"\"} 1\n");
	assert_has(text, "balancerd_server_failures_total{pool=\"web\","
			 "server=\"127.0.0.1:8082\",kind=\"reset\"} 1\n");
	assert_has(text, "balancerd_server_in_flight{pool=\"web\",server=\"127.0.0.1:8082\"} "
			 "3\n");
	assert_has(text, "balancerd_pool_servers{pool=\"web\",state=\"up\"} 1\n");
	assert_has(text, "balancerd_pool_servers{pool=\"web\",state=\"down\"} 1\n");
	atomic_store(&s->in_flight, 0);
	free(text);
	ended(m);
}

static void names_of_any_kind_are_escaped(void **unused)
{
	struct model *m = started();
	char *text = printed(m, EXPOSITION_OPENMETRICS);

	(void)unused;
	assert_has(text, "server=\"unix:/run/a\\\"b\\\\c\"");
	free(text);
	ended(m);
}

/* Both formats ask for it: a reader would refuse the whole text. */
static void families_stand_together_and_come_once(void **unused)
{
	struct model *m = started();
	char *text = printed(m, EXPOSITION_PROMETHEUS);
	char seen[128][96], family[96] = "";
	int count = 0;

	(void)unused;
	for (char *line = strtok(text, "\n"); line != NULL; line = strtok(NULL, "\n")) {
		if (strncmp(line, "# TYPE ", 7) == 0) {
			assert_int_equal(sscanf(line, "# TYPE %95s", family), 1);
			for (int i = 0; i < count; i++)
				assert_string_not_equal(seen[i], family);
			assert_true(count < 128);
			snprintf(seen[count++], sizeof seen[0], "%s", family);
		} else if (line[0] != '#') {
			assert_int_equal(strncmp(line, family, strlen(family)), 0);
		}
	}
	assert_true(count > 40);
	free(text);
	ended(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_counted_is_told),
		cmocka_unit_test(names_of_any_kind_are_escaped),
		cmocka_unit_test(families_stand_together_and_come_once),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
