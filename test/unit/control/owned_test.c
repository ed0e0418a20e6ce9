/* Goal: pools that make their servers are seen as they are, and what is asked of them
 * becomes exactly one order, whose end is the answer. */
#include "unit/control/client.h"

#define OWNED "/v1/pools/made/owned"

static int begin_made(void **unused)
{
	begin(unused);
	fake_make(&fake);
	return 0;
}

static void a_pool_shows_what_it_owns(void **unused)
{
	(void)unused;
	strcpy(fake.owners.figures.trouble, "no image");
	assert_int_equal(ask("GET " OWNED, ""), 200);
	assert_string_equal(text_of("pool"), "made");
	assert_string_equal(text_of("driver"), "process");
	assert_int_equal(number_of("min"), 1);
	assert_int_equal(number_of("max"), 9);
	assert_int_equal(number_of("wanted"), 3);
	assert_int_equal(number_of("serving"), 1);
	assert_int_equal(number_of("starting"), 2);
	assert_string_equal(text_of("trouble"), "no image");
	const json_t *servers = json_object_get(body, "servers");
	assert_int_equal(json_array_size(servers), 3);
	const json_t *first = json_array_get(servers, 0);
	assert_string_equal(json_string_value(json_object_get(first, "name")), "S1");
	assert_string_equal(json_string_value(json_object_get(first, "id")), "id-of-S1");
	assert_true(json_is_true(json_object_get(first, "serves")));
	assert_int_equal(json_integer_value(json_object_get(first, "since_ms")), 1500);

	assert_int_equal(ask("GET /v1/pools/made", ""), 200);
	const json_t *owned = json_object_get(body, "owned");
	assert_int_equal(json_array_size(json_object_get(owned, "servers")), 3);
	assert_int_equal(ask("GET /v1/pools/web", ""), 200);
	assert_true(json_is_null(json_object_get(body, "owned")));
}

static void its_servers_have_names(void **unused)
{
	(void)unused;
	assert_int_equal(ask("GET /v1/pools/made/servers/5001", ""), 200);
	assert_string_equal(text_of("name"), "S1");
	assert_string_equal(text_of("state"), "up");
	assert_string_equal(text_of("from"), "owned");
	assert_int_equal(ask("GET /v1/pools/made/servers/5002", ""), 200);
	assert_string_equal(text_of("name"), "S2");
	assert_string_equal(text_of("state"), "starting");
	fake.owners.entries[1].serves = true;
	assert_int_equal(ask("GET /v1/pools/made/servers/5002", ""), 200);
	assert_string_equal(text_of("state"), "down");
	assert_int_equal(ask("GET /v1/pools/web/servers/8081", ""), 200);
	assert_null(json_object_get(body, "name"));
}

/* A new server may get the address of one that is going. */
static void of_two_with_one_address_the_serving_one_counts(void **unused)
{
	(void)unused;
	fake_entry(&fake.owners, "S9", "127.0.0.1:5002", "serving", true);
	fake_entry(&fake.owners, "S10", "127.0.0.1:5001", "leaving", false);
	assert_int_equal(ask("GET /v1/pools/made/servers/5002", ""), 200);
	assert_string_equal(text_of("name"), "S9");
	assert_int_equal(ask("GET /v1/pools/made/servers/5001", ""), 200);
	assert_string_equal(text_of("name"), "S1");
}

static void wishes_become_orders(void **unused)
{
	struct owners *o = &fake.owners;

	(void)unused;
	assert_int_equal(ask("POST " OWNED, "{\"count\": 2, \"names\": [\"S5\"]}"), 201);
	assert_int_equal(number_of("wanted"), 3);
	assert_true(o->wish == OWNERS_ADD && o->count == 2);
	assert_string_equal(o->names, "S5 ");
	assert_int_equal(ask("POST " OWNED, "{\"names\": [\"a\", \"b\"]}"), 201);
	assert_true(o->wish == OWNERS_ADD && o->count == 2);
	assert_int_equal(ask("DELETE " OWNED, "{\"names\": [\"S2\"]}"), 200);
	assert_true(o->wish == OWNERS_REMOVE && o->count == 1);
	assert_string_equal(o->names, "S2 ");
	assert_int_equal(ask("POST " OWNED "/remove", "{\"count\": 3}"), 200);
	assert_true(o->wish == OWNERS_REMOVE && o->count == 3);
	assert_int_equal(ask("PUT " OWNED, "{\"count\": 5}"), 200);
	assert_true(o->wish == OWNERS_SCALE && o->count == 5);
	assert_int_equal(ask("PUT " OWNED, "{\"count\": 0}"), 200);
	assert_true(o->wish == OWNERS_SCALE && o->count == 0);
	assert_int_equal(o->asked, 6);
}

static void what_is_wrong_is_no_order(void **unused)
{
	static const struct { const char *body, *field; } bad[] = {
		{"", "count"}, {"{\"names\": []}", "count"}, {"{\"count\": 0}", "count"},
		{"{\"count\": true}", "count"}, {"{\"count\": 1001}", "count"},
		{"{\"count\": 1, \"names\": [\"a\", \"b\"]}", "names"},
		{"{\"names\": [1]}", "names"}, {"{\"n\": 1}", "n"},
	};

	(void)unused;
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		refused("POST " OWNED, bad[i].body, 400, "bad-request");
		const json_t *error = json_object_get(body, "error");
		assert_string_equal(json_string_value(json_object_get(error, "field")),
				    bad[i].field);
		refused("DELETE " OWNED, bad[i].body, 400, "bad-request");
	}
	refused("PUT " OWNED, "", 400, "bad-request");
	refused("PUT " OWNED, "{\"count\": 1, \"names\": []}", 400, "bad-request");
	refused("GET /v1/pools/web/owned", "", 409, "not-owned");
	refused("PUT /v1/pools/web/owned", "{\"count\": 1}", 409, "not-owned");
	refused("PUT /v1/pools/none/owned", "{\"count\": 1}", 404, "pool-unknown");
	refused("PATCH " OWNED, "", 405, "method-unknown");
	assert_int_equal(fake.owners.asked, 0);
}

static void results_have_their_codes(void **unused)
{
	static const struct {
		enum owners_result result;
		enum owners_fault fault;
		int status;
		const char *code;
	} all[] = {
		{OWNERS_BAD, OWNERS_N_RANGE, 400, "out-of-range"},
		{OWNERS_BAD, OWNERS_FINE, 409, "refused"},
		{OWNERS_BAD, OWNERS_NAME_BAD, 400, "bad-request"},
		{OWNERS_BAD, OWNERS_NAME_TWICE, 400, "bad-request"},
		{OWNERS_BAD, OWNERS_MORE_NAMES_THAN_N, 400, "bad-request"},
		{OWNERS_BAD, OWNERS_NAME_UNKNOWN, 404, "server-unknown"},
		{OWNERS_BAD, OWNERS_NAME_TAKEN, 409, "server-exists"},
		{OWNERS_NOT_OWNED, OWNERS_FINE, 409, "not-owned"},
		{OWNERS_FAILED, OWNERS_FINE, 502, "not-started"},
		{OWNERS_ENDING, OWNERS_FINE, 409, "draining"},
	};

	(void)unused;
	for (size_t i = 0; i < COUNT_OF(all); i++) {
		fake.owners.result = all[i].result;
		fake.owners.fault = all[i].fault;
		refused("POST " OWNED, "{\"count\": 1}", all[i].status, all[i].code);
	}
}

/* They would be taken back at once by who makes them. */
static void its_servers_are_not_added_or_removed_singly(void **unused)
{
	(void)unused;
	refused("POST /v1/pools/made/servers", "{\"address\": \"8083\"}", 409, "refused");
	refused("DELETE /v1/pools/made/servers/5001", "", 409, "refused");
	assert_int_equal(fake.change_count, 0);
	assert_int_equal(ask("PATCH /v1/pools/made/servers/5001", "{\"drain\": true}"),
			 200);
}

static void who_knows_no_owners_has_no_such_pool(void **unused)
{
	(void)unused;
	fake.hooks.owners = NULL;
	refused("GET " OWNED, "", 409, "not-owned");
	assert_int_equal(ask("GET /v1/pools", ""), 200);
	assert_int_equal(ask("GET /v1/pools/made/servers/5002", ""), 200);
	assert_string_equal(text_of("state"), "down");
}

#undef CASE
#define CASE(name) cmocka_unit_test_setup_teardown(name, begin_made, end)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		CASE(a_pool_shows_what_it_owns),
		CASE(its_servers_have_names),
		CASE(of_two_with_one_address_the_serving_one_counts),
		CASE(wishes_become_orders),
		CASE(what_is_wrong_is_no_order),
		CASE(results_have_their_codes),
		CASE(its_servers_are_not_added_or_removed_singly),
		CASE(who_knows_no_owners_has_no_such_pool),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
