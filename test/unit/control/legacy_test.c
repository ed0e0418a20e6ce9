/* Goal: /rep, /add and /rm answer in their own shape to the byte, whatever is asked, and
 * what is wrong never becomes an order. */
#include "unit/control/client.h"

static int begin_made(void **unused)
{
	begin(unused);
	fake_make(&fake);
	return 0;
}

/* The bytes of the body of the one answer; the status goes into *status. */
static const char *raw(const char *method_and_path, const char *content, int *status)
{
	char request[4096];
	int len = snprintf(request, sizeof request,
			   "%s HTTP/1.1\r\nHost: b\r\nContent-Length: %zu\r\n\r\n%s",
			   method_and_path, strlen(content), content);

	exchange_fini(&x);
	exchange_init(&x, &fake.view, NULL, false);
	exchange_only_legacy(&x, "made");
	output_len = 0;
	put_in(request, (size_t)len, SIZE_MAX);
	assert_int_equal(sscanf(output, "HTTP/1.1 %3d ", status), 1);
	assert_non_null(strstr(output, "\r\nConnection: close\r\n"));
	assert_int_equal(x.state, EXCHANGE_LINGER);
	return strstr(output, "\r\n\r\n") + 4;
}

static void says(const char *method_and_path, const char *content, int status,
		 const char *wanted)
{
	int found;

	assert_string_equal(raw(method_and_path, content, &found), wanted);
	assert_int_equal(found, status);
}

/* Refused before it is an order. */
static void refuses(const char *method_and_path, const char *content, int status,
		    const char *wanted)
{
	uint32_t asked = fake.owners.asked;
	char body_wanted[512];

	snprintf(body_wanted, sizeof body_wanted,
		 "{\"message\":\"<Error> %s\",\"status\":\"failure\"}", wanted);
	says(method_and_path, content, status, body_wanted);
	assert_int_equal(fake.owners.asked, asked);
}

static const char one[] =
	"{\"message\":{\"N\":1,\"replicas\":[\"S1\"]},\"status\":\"successful\"}";

static void rep_lists_those_that_serve(void **unused)
{
	int status;

	(void)unused;
	says("GET /rep", "", 200, one);
	says("GET /rep?x=y", "", 200, one);
	assert_string_equal(raw("HEAD /rep", "", &status), "");
	fake.owners.entries[1].serves = fake.owners.entries[2].serves = true;
	says("GET /rep", "", 200, "{\"message\":{\"N\":3,\"replicas\":[\"S1\",\"S2\","
	     "\"S3\"]},\"status\":\"successful\"}");
	fake.owners.entry_count = 0;
	says("GET /rep", "", 200,
	     "{\"message\":{\"N\":0,\"replicas\":[]},\"status\":\"successful\"}");
}

static void add_and_rm_become_orders(void **unused)
{
	(void)unused;
	says("POST /add", "{\"n\": 2, \"hostnames\": [\"S5\"]}", 200, one);
	assert_int_equal(fake.owners.wish, OWNERS_ADD);
	assert_int_equal(fake.owners.count, 2);
	assert_string_equal(fake.owners.names, "S5 ");
	says("POST /add", "{\"n\": 3}", 200, one);
	assert_int_equal(fake.owners.count, 3);
	assert_string_equal(fake.owners.names, "");
	says("DELETE /rm", "{\"n\": 2, \"hostnames\": [\"S1\", \"S2\"]}", 200, one);
	assert_int_equal(fake.owners.wish, OWNERS_REMOVE);
	assert_string_equal(fake.owners.names, "S1 S2 ");
	says("POST /rm", "{\"hostnames\": [], \"n\": 1}", 200, one);
	assert_int_equal(fake.owners.wish, OWNERS_REMOVE);
	assert_int_equal(fake.owners.asked, 4);
}

static void more_names_than_n_have_their_sentence(void **unused)
{
	(void)unused;
	refuses("POST /add", "{\"n\": 1, \"hostnames\": [\"a\", \"b\"]}", 400,
		"Length of hostname list is more than newly added instances");
	refuses("DELETE /rm", "{\"n\": 1, \"hostnames\": [\"a\", \"b\"]}", 400,
		"Length of hostname list is more than removable instances");
	refuses("POST /add", "{\"n\": 0, \"hostnames\": [\"a\"]}", 400,
		"Length of hostname list is more than newly added instances");
	refuses("POST /rm", "{\"n\": 1, \"hostnames\": [1, 2]}", 400,
		"Length of hostname list is more than removable instances");
}

static void bad_bodies_name_the_field(void **unused)
{
	static const char range[] = "\\\"n\\\" has to be a whole number from 1 to 1000";
	static const struct { const char *body, *message; } bad[] = {
		{"", "\\\"n\\\" is missing"}, {"{}", "\\\"n\\\" is missing"},
		{"{\"hostnames\": [\"S5\"]}", "\\\"n\\\" is missing"},
		{"{\"n\": 0}", range}, {"{\"n\": -1}", range}, {"{\"n\": 1001}", range},
		{"{\"n\": 1.5}", range}, {"{\"n\": 1.0}", range},
		{"{\"n\": \"1\"}", range},
		{"{\"n\": true}", range}, {"{\"n\": null}", range},
		{"{\"n\": [1]}", range},
		{"{\"n\": 99999999999}", range},
		{"{\"n\": 1, \"hostnames\": \"S5\"}",
		 "\\\"hostnames\\\" has to be an array"},
		{"{\"n\": 1, \"hostnames\": null}",
		 "\\\"hostnames\\\" has to be an array"},
		{"{\"n\": 1, \"hostnames\": [5]}",
		 "\\\"hostnames\\\" has to be an array of texts"},
		{"{\"n\": 1, \"hostnames\": [null]}",
		 "\\\"hostnames\\\" has to be an array of texts"},
		{"{\"n\": 1, \"hostname\": []}",
		 "\\\"hostname\\\" is not understood here: expected one of n, hostnames; "
		 "did you mean \\\"hostnames\\\"?"},
		{"[1]", "the body is an array, it has to be an object: {...}"},
	};

	(void)unused;
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		refuses("POST /add", bad[i].body, 400, bad[i].message);
		refuses("DELETE /rm", bad[i].body, 400, bad[i].message);
		refuses("POST /rm", bad[i].body, 400, bad[i].message);
	}
}

/* What the reader of JSON says is its own; the shape around it is not. */
static void what_is_no_json_is_said_in_the_shape(void **unused)
{
	static const char *const bad[] = {
		"{", "n=1", "{\"n\": 1, \"n\": 1}", "{\"n\": 1}x", "\xff", "1", "\"n\"",
		"{\"n\": 999999999999999999999999}",
		"{\"n\": 1, \"hostnames\": [\"a\\u0000\"]}",
	};
	int status;

	(void)unused;
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		const char *found = raw("POST /add", bad[i], &status);
		assert_int_equal(status, 400);
		assert_ptr_equal(strstr(found, "{\"message\":\"<Error> the body is no "
					"JSON: "), found);
		assert_string_equal(found + strlen(found) - 21,
				    "\",\"status\":\"failure\"}");
	}
	assert_int_equal(fake.owners.asked, 0);
}

static void what_the_owner_refuses_names_the_field(void **unused)
{
	static const struct {
		enum owners_fault fault;
		const char *field;
	} faults[] = {
		{OWNERS_N_RANGE, "n"}, {OWNERS_NAME_BAD, "hostnames"},
		{OWNERS_NAME_TWICE, "hostnames"}, {OWNERS_NAME_UNKNOWN, "hostnames"},
		{OWNERS_NAME_TAKEN, "hostnames"},
	};
	char wanted[200];

	(void)unused;
	fake.owners.result = OWNERS_BAD;
	err_set(&fake.owners.err, "it cannot be");
	for (size_t i = 0; i < COUNT_OF(faults); i++) {
		fake.owners.fault = faults[i].fault;
		snprintf(wanted, sizeof wanted, "{\"message\":\"<Error> %s: it cannot "
			 "be\",\"status\":\"failure\"}", faults[i].field);
		says("POST /add", "{\"n\": 1}", 400, wanted);
	}
}

static void what_fails_says_why(void **unused)
{
	int status;

	(void)unused;
	fake.owners.result = OWNERS_FAILED;
	err_set(&fake.owners.err, "no image x");
	says("POST /add", "{\"n\": 1}", 502,
	     "{\"message\":\"<Error> no image x\",\"status\":\"failure\"}");
	fake.owners.result = OWNERS_ENDING;
	assert_non_null(strstr(raw("POST /rm", "{\"n\": 1}", &status), "is ending"));
	assert_int_equal(status, 503);
	fake.owners.result = OWNERS_NOT_OWNED;
	raw("POST /rm", "{\"n\": 1}", &status);
	assert_int_equal(status, 409);
}

static void other_methods_are_named_in_allow(void **unused)
{
	static const struct { const char *request, *allow; } others[] = {
		{"POST /rep", "GET, HEAD"}, {"DELETE /rep", "GET, HEAD"},
		{"GET /add", "POST"}, {"PUT /add", "POST"}, {"BREW /add", "POST"},
		{"GET /rm", "POST, DELETE"}, {"PATCH /rm", "POST, DELETE"},
	};
	char allow[80];

	(void)unused;
	for (size_t i = 0; i < COUNT_OF(others); i++) {
		int status;
		const char *found = raw(others[i].request, "{\"n\": 1}", &status);
		assert_int_equal(status, 405);
		assert_non_null(strstr(found, "\",\"status\":\"failure\"}"));
		snprintf(allow, sizeof allow, "\r\nAllow: %s\r\n", others[i].allow);
		assert_non_null(strstr(output, allow));
	}
	assert_int_equal(fake.owners.asked, 0);
}

static void nothing_else_is_answered(void **unused)
{
	int status;

	(void)unused;
	raw("GET /v1/status", "", &status);
	assert_int_equal(status, 404);
	raw("POST /v1/stop", "", &status);
	assert_int_equal(status, 404);
	raw("GET /", "", &status);
	assert_int_equal(status, 404);
	assert_int_equal(fake.stops, 0);
}

static void what_is_no_http_has_the_shape_too(void **unused)
{
	(void)unused;
	exchange_init(&x, &fake.view, NULL, false);
	exchange_only_legacy(&x, "made");
	put_text("POST /add\r\n\r\n");
	assert_int_equal(next_answer(), 400);
	assert_string_equal(text_of("status"), "failure");
	exchange_init(&x, &fake.view, NULL, true);
	exchange_only_legacy(&x, "made");
	put_text("POST /add HTTP/1.1\r\nHost: b\r\nContent-Length: 5\r\n\r\n");
	assert_int_equal(next_answer(), 503);
	assert_string_equal(text_of("status"), "failure");
}

static void an_answer_that_comes_later_has_the_shape(void **unused)
{
	(void)unused;
	exchange_init(&x, &fake.view, NULL, false);
	exchange_only_legacy(&x, "made");
	fake.owners.later = true;
	put_text("POST /add HTTP/1.1\r\nHost: b\r\nContent-Length: 8\r\n\r\n{\"n\": 1}");
	assert_int_equal(x.state, EXCHANGE_WAITING);
	fake.owners.entries[1].serves = true;
	fake_order_done(&fake.owners);
	exchange_resume(&x);
	take_output(SIZE_MAX);
	assert_non_null(strstr(output, "{\"message\":{\"N\":2,\"replicas\":[\"S1\","
			       "\"S2\"]},\"status\":\"successful\"}"));
	exchange_init(&x, &fake.view, NULL, false);
	exchange_only_legacy(&x, "made");
	output_len = 0;
	put_text("POST /add HTTP/1.1\r\nHost: b\r\nContent-Length: 8\r\n\r\n{\"n\": 1}");
	assert_true(exchange_time_over(&x));
	take_output(SIZE_MAX);
	assert_int_equal(next_answer(), 504);
	assert_string_equal(text_of("status"), "failure");
}

#undef CASE
#define CASE(name) cmocka_unit_test_setup_teardown(name, begin_made, end)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		CASE(rep_lists_those_that_serve),
		CASE(add_and_rm_become_orders),
		CASE(more_names_than_n_have_their_sentence),
		CASE(bad_bodies_name_the_field),
		CASE(what_is_no_json_is_said_in_the_shape),
		CASE(what_the_owner_refuses_names_the_field),
		CASE(what_fails_says_why),
		CASE(other_methods_are_named_in_allow),
		CASE(nothing_else_is_answered),
		CASE(what_is_no_http_has_the_shape_too),
		CASE(an_answer_that_comes_later_has_the_shape),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
