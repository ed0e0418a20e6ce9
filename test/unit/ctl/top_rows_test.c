/* Goal: two polls become the rows that are true of them, in the order asked for. */
#include "ctl/top_rows.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/must.h"

/* A poll of JSON with ' for ". */
static struct top_poll poll_of(int64_t at_ms, const char *status, const char *listeners,
			       const char *pools)
{
	const char *texts[] = {status, listeners, pools};
	json_t *json[3];

	for (int i = 0; i < 3; i++) {
		char text[4096];
		snprintf(text, sizeof text, "%s", texts[i]);
		for (char *c = text; *c != '\0'; c++)
			*c = *c == '\'' ? '"' : *c;
		json[i] = json_loads(text, 0, NULL);
		assert_non_null(json[i]);
	}
	return (struct top_poll){json[0], json[1], json[2], at_ms};
}

static const char status[] = "{'pid': 7}";
static const char listeners_1[] =
	"{'listeners': [{'address': ':80', 'kind': 'http', 'pools': ['web'],"
	" 'requests': 100, 'accepted': 9, 'responses': {'5xx': 1, 'none': 0}},"
	" {'address': ':81', 'kind': 'tcp', 'pools': ['raw'], 'requests': 0,"
	" 'accepted': 50}]}";
static const char listeners_2[] =
	"{'listeners': [{'address': ':80', 'kind': 'http', 'pools': ['web'],"
	" 'requests': 180, 'accepted': 9, 'responses': {'5xx': 5, 'none': 2}},"
	" {'address': ':81', 'kind': 'tcp', 'pools': ['raw'], 'requests': 0,"
	" 'accepted': 70}]}";
static const char pools_1[] =
	"{'pools': [{'name': 'web', 'balance': 'ring', 'requests': 100,"
	" 'responses': {'5xx': 1, 'none': 0}, 'servers': ["
	"{'address': 'a:10', 'state': 'up', 'weight': 1, 'requests': 60, 'failures': 0},"
	"{'address': 'a:9', 'state': 'up', 'weight': 2, 'requests': 40, 'failures': 0}]},"
	"{'name': 'raw', 'balance': 'turns', 'requests': 50, 'bytes_up': 1000,"
	" 'bytes_down': 2000, 'servers': ["
	"{'address': 'b:1', 'state': 'up', 'weight': 1, 'requests': 50,"
	" 'failures': 3}]}]}";
static const char pools_2[] =
	"{'pools': [{'name': 'web', 'balance': 'ring', 'requests': 180,"
	" 'responses': {'5xx': 5, 'none': 2}, 'servers': ["
	"{'address': 'a:10', 'state': 'up', 'weight': 1, 'requests': 80, 'failures': 0,"
	" 'in_flight': 4, 'recent': {'count': 80, 'p50_ms': 1.5, 'p99_ms': 9.0}},"
	"{'address': 'a:9', 'state': 'down', 'weight': 2, 'requests': 100,"
	" 'failures': 6, 'responses': {'5xx': 2}, 'reason': 'connection refused',"
	" 'recent': {'count': 0, 'p50_ms': 0.0, 'p99_ms': 0.0}}]},"
	"{'name': 'raw', 'balance': 'turns', 'requests': 70, 'bytes_up': 3000,"
	" 'bytes_down': 8000, 'servers': ["
	"{'address': 'b:1', 'state': 'draining', 'weight': 1, 'requests': 70,"
	" 'failures': 5}]}]}";

/* Two seconds lie between the two. */
static struct top_poll before, now;

static int set_up(void **unused)
{
	(void)unused;
	before = poll_of(1000, status, listeners_1, pools_1);
	now = poll_of(3000, status, listeners_2, pools_2);
	return 0;
}

static int tear_down(void **unused)
{
	(void)unused;
	top_poll_fini(&before);
	top_poll_fini(&now);
	return 0;
}

static struct top_rows make(const struct top_poll *then, enum top_column by,
			    bool reversed, const char *filter)
{
	struct top_rows rows = {0};
	struct top_order order = {by, reversed, ""};

	snprintf(order.filter, sizeof order.filter, "%s", filter);
	top_rows_make(&rows, &now, then, &order);
	return rows;
}

/* "raw b:1 web a:9 a:10" */
static const char *texts(const struct top_rows *rows)
{
	static char text[512];

	*text = '\0';
	for (uint32_t i = 0; i < rows->count; i++)
		snprintf(text + strlen(text), sizeof text - strlen(text), "%s%s",
			 i > 0 ? " " : "", rows->rows[i].text[TOP_SERVER]);
	return text;
}

static const struct top_row *row_of(const struct top_rows *rows, const char *pool,
				    const char *address)
{
	uint32_t at = top_rows_find(rows, pool, address, "");

	assert_true(at < rows->count);
	return &rows->rows[at];
}

static void assert_value(const struct top_row *row, enum top_column c, double value)
{
	assert_true(row->value[c] > value - 1e-6 && row->value[c] < value + 1e-6);
}

static void rates_are_differences_by_time(void **unused)
{
	struct top_rows rows = make(&before, TOP_SERVER, false, "");
	const struct top_row *web = row_of(&rows, "web", "");
	const struct top_row *nine = row_of(&rows, "web", "a:9");
	const struct top_row *raw = row_of(&rows, "raw", "");

	(void)unused;
	assert_value(web, TOP_REQUESTS, 40);
	assert_value(web, TOP_ERRORS, 3);	/* 5xx and those without an answer */
	assert_value(nine, TOP_REQUESTS, 30);
	assert_value(nine, TOP_ERRORS, 4);	/* failures and its 5xx */
	assert_value(raw, TOP_ERRORS, 1);	/* of its servers: nobody answers 5xx */
	assert_value(raw, TOP_BYTES, 4000);
	assert_value(&(struct top_row){.value = {[TOP_NOW] = rows.sum.requests}},
		     TOP_NOW, 50);
	assert_value(&(struct top_row){.value = {[TOP_NOW] = rows.sum.errors}},
		     TOP_NOW, 4);
	assert_true(rows.has_bytes && !rows.has_names);
	top_rows_fini(&rows);
}

static void what_is_so_now_needs_no_second_poll(void **unused)
{
	struct top_rows rows = make(NULL, TOP_SERVER, false, "");
	const struct top_row *ten = row_of(&rows, "web", "a:10");
	const struct top_row *nine = row_of(&rows, "web", "a:9");

	(void)unused;
	assert_value(ten, TOP_NOW, 4);
	assert_value(ten, TOP_P50, 1.5);
	assert_value(ten, TOP_P99, 9);
	assert_value(nine, TOP_P99, TOP_UNKNOWN);	/* none was measured */
	assert_value(nine, TOP_WEIGHT, 2);
	assert_string_equal(nine->state, "down");
	assert_string_equal(nine->text[TOP_REASON], "connection refused");
	assert_string_equal(row_of(&rows, "web", "")->state, "1/2 up");
	assert_string_equal(row_of(&rows, "web", "")->text[TOP_REASON], "ring");
	assert_string_equal(row_of(&rows, "raw", "")->text[TOP_REASON],
			    "no server is up");
	assert_int_equal(rows.sum.up, 1);
	assert_int_equal(rows.sum.servers, 3);
	assert_value(ten, TOP_REQUESTS, TOP_UNKNOWN);
	assert_true(rows.sum.requests < 0 && rows.sum.errors < 0);
	top_rows_fini(&rows);
}

static void another_process_has_counted_anew(void **unused)
{
	(void)unused;
	json_object_set_new(before.status, "pid", json_integer(8));
	struct top_rows rows = make(&before, TOP_SERVER, false, "");
	for (uint32_t i = 0; i < rows.count; i++)
		assert_value(&rows.rows[i], TOP_REQUESTS, TOP_UNKNOWN);
	top_rows_fini(&rows);
}

static void a_count_that_went_back_is_no_rate(void **unused)
{
	(void)unused;
	json_t *pool = json_array_get(json_object_get(before.pools, "pools"), 0);
	json_t *server = json_array_get(json_object_get(pool, "servers"), 0);
	json_object_set_new(server, "requests", json_integer(1000));
	struct top_rows rows = make(&before, TOP_SERVER, false, "");
	assert_value(row_of(&rows, "web", "a:10"), TOP_REQUESTS, TOP_UNKNOWN);
	assert_value(row_of(&rows, "web", "a:9"), TOP_REQUESTS, 30);
	top_rows_fini(&rows);
}

static void who_moved_in_the_list_is_found(void **unused)
{
	(void)unused;
	json_t *pools = json_object_get(before.pools, "pools");
	json_t *servers = json_object_get(json_array_get(pools, 0), "servers");
	json_t *first = json_incref(json_array_get(servers, 0));
	json_array_remove(servers, 0);
	json_array_append_new(servers, first);
	struct top_rows rows = make(&before, TOP_SERVER, false, "");
	assert_value(row_of(&rows, "web", "a:10"), TOP_REQUESTS, 10);
	json_array_remove(servers, 1);		/* it was not there yet */
	top_rows_fini(&rows);
	rows = make(&before, TOP_SERVER, false, "");
	assert_value(row_of(&rows, "web", "a:10"), TOP_REQUESTS, TOP_UNKNOWN);
	top_rows_fini(&rows);
}

static void rows_are_in_the_order_of_a_column(void **unused)
{
	static const struct {
		enum top_column by;
		bool            reversed;
		const char     *texts;
	} orders[] = {
		{TOP_SERVER, false, "raw b:1 web a:9 a:10"},	/* 9 before 10 */
		{TOP_SERVER, true, "web a:10 a:9 raw b:1"},
		{TOP_REQUESTS, false, "web a:9 a:10 raw b:1"},
		{TOP_REQUESTS, true, "raw b:1 web a:10 a:9"},
		{TOP_NOW, false, "raw b:1 web a:10 a:9"},
		{TOP_WEIGHT, false, "raw b:1 web a:9 a:10"},
		{TOP_STATE, false, "raw b:1 web a:9 a:10"},	/* the worst first */
		{TOP_STATE, true, "web a:10 a:9 raw b:1"},
	};

	(void)unused;
	for (size_t i = 0; i < COUNT_OF(orders); i++) {
		struct top_rows rows =
			make(&before, orders[i].by, orders[i].reversed, "");
		assert_string_equal(texts(&rows), orders[i].texts);
		top_rows_fini(&rows);
	}
}

static void a_filter_keeps_what_has_it(void **unused)
{
	static const struct {
		const char *filter, *texts;
	} filters[] = {
		{"WEB", "web a:9 a:10"},	/* a pool, and then all it has */
		{"a:1", "web a:10"},
		{"refused", "web a:9"},
		{"draining", "raw b:1"},
		{"nothing", ""},
	};

	(void)unused;
	for (size_t i = 0; i < COUNT_OF(filters); i++) {
		struct top_rows rows =
			make(&before, TOP_SERVER, false, filters[i].filter);
		assert_string_equal(texts(&rows), filters[i].texts);
		assert_int_equal(rows.sum.servers, 3);	/* the head tells of all */
		top_rows_fini(&rows);
	}
}

static void what_the_balancer_makes_is_there_before_it_serves(void **unused)
{
	(void)unused;
	top_poll_fini(&now);
	now = poll_of(3000, status, listeners_2,
		"{'pools': [{'name': 'web', 'servers': [{'address': 'c:1', 'name': 'S1',"
		" 'state': 'up', 'from': 'owned'}], 'owned': {'trouble': 'no image',"
		" 'servers': [{'name': 'S1', 'address': 'c:1', 'state': 'serving'},"
		" {'name': 'S2', 'address': '', 'state': 'starting',"
		"  'why': 'wanted'}]}}]}");
	struct top_rows rows = make(&before, TOP_NAME, false, "");
	assert_int_equal(rows.count, 3);
	assert_true(rows.has_names);
	assert_string_equal(rows.rows[0].text[TOP_REASON], "no image");
	assert_string_equal(rows.rows[2].text[TOP_NAME], "S2");
	assert_string_equal(rows.rows[2].state, "starting");
	assert_true(rows.rows[1].is_owned && rows.rows[2].is_owned);
	assert_int_equal(top_rows_find(&rows, "web", "", "S2"), 2);
	assert_int_equal(top_rows_find(&rows, "web", "", "S3"), rows.count);
	top_rows_fini(&rows);
}

static void an_answer_of_another_kind_is_no_reason_to_end(void **unused)
{
	(void)unused;
	top_poll_fini(&now);
	now = poll_of(3000, "{}", "{'listeners': [7, {}]}",
		      "{'pools': [{}, 3, {'servers': [null, {'state': 'odd'}], 'name': 5,"
		      " 'owned': {'servers': [1]}}]}");
	struct top_rows rows = make(&before, TOP_P99, false, "");
	assert_true(rows.count >= 3);
	top_rows_fini(&rows);
}

#define WITH_POLLS(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_POLLS(rates_are_differences_by_time),
		WITH_POLLS(what_is_so_now_needs_no_second_poll),
		WITH_POLLS(another_process_has_counted_anew),
		WITH_POLLS(a_count_that_went_back_is_no_rate),
		WITH_POLLS(who_moved_in_the_list_is_found),
		WITH_POLLS(rows_are_in_the_order_of_a_column),
		WITH_POLLS(a_filter_keeps_what_has_it),
		WITH_POLLS(what_the_balancer_makes_is_there_before_it_serves),
		WITH_POLLS(an_answer_of_another_kind_is_no_reason_to_end),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
