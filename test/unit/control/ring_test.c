/* Goal: what is told of who has which keys is what the policy would do at this moment,
 * whole, and bounded in what it costs. */
#include "unit/control/client.h"

#include <math.h>

enum { STEPS = 2048 };

/* Pool `web` with its three servers up, by this policy, ready to be asked. */
static void use(const struct policy *policy, uint32_t first_weight)
{
	struct model *m = model_copy(fake.model);
	struct model_pool *p = &m->pools[0];
	struct err err;

	p->policy = policy;
	p->key = KEY_PATH;
	p->servers[0].weight = first_weight;
	assert_int_equal(pick_prepare(m, NULL, &err), 0);
	fake_use(&fake, m);
	for (uint32_t i = 0; i < 3; i++) {
		struct live_server *live = fake.model->pools[0].servers[i].live;
		live_server_set_up(live, true);
		atomic_store(&live->weight, fake.model->pools[0].servers[i].weight);
	}
}

static void put_down(uint32_t server)
{
	live_server_set_up(fake.model->pools[0].servers[server].live, false);
}

static double figure_of(size_t server, const char *name)
{
	return json_real_value(json_object_get(
		json_array_get(json_object_get(body, "servers"), server), name));
}

static double shares(void)
{
	double sum = 0;

	for (size_t i = 0; i < 3; i++)
		sum += figure_of(i, "share");
	return sum;
}

/* How many of the steps are this server's; -1: nobody's. */
static json_int_t steps_of(json_int_t server)
{
	json_t *runs = json_object_get(body, "runs"), *run;
	json_int_t sum = 0, before = -2;
	size_t i;

	json_array_foreach(runs, i, run) {
		json_int_t place = json_integer_value(json_array_get(run, 0));
		assert_true(place != before);
		before = place;
		if (place == server)
			sum += json_integer_value(json_array_get(run, 1));
	}
	return sum;
}

static void shares_are_whole_and_drawn_as_they_are(void **unused)
{
	const struct policy *ordered[] = {&policy_ring, &policy_maglev};

	(void)unused;
	for (size_t i = 0; i < COUNT_OF(ordered); i++) {
		use(ordered[i], 2);
		assert_int_equal(ask("GET /v1/pools/web/ring", ""), 200);
		assert_string_equal(text_of("pool"), "web");
		assert_string_equal(text_of("policy"), ordered[i]->name);
		assert_true(fabs(shares() - 1) < 1e-9);
		assert_true(fabs(figure_of(0, "by_weight") - 0.5) < 1e-9);
		assert_true(fabs(figure_of(0, "share") - 0.5) < 0.1);
		json_int_t all = 0;
		for (json_int_t server = 0; server < 3; server++) {
			double drawn = (double)steps_of(server) / STEPS;
			assert_true(fabs(drawn - figure_of((size_t)server, "share")) < 0.05);
			all += steps_of(server);
		}
		assert_int_equal(all, STEPS);
	}
}

static void policies_without_an_order_of_keys_have_shares_alone(void **unused)
{
	const struct policy *mixed[] = {&policy_slots, &policy_rendezvous};

	(void)unused;
	for (size_t i = 0; i < COUNT_OF(mixed); i++) {
		use(mixed[i], 1);
		assert_int_equal(ask("GET /v1/pools/web/ring", ""), 200);
		assert_true(json_is_null(json_object_get(body, "runs")));
		assert_true(fabs(shares() - 1) < 1e-9);
		/* Slots are no even policy, and do not become one by being told of. */
		for (size_t server = 0; server < 3; server++)
			assert_true(figure_of(server, "share") >
				    (mixed[i] == &policy_slots ? 0 : 0.05));
	}
}

static void who_is_down_has_nothing_and_leaves_it_to_the_others(void **unused)
{
	(void)unused;
	use(&policy_ring, 1);
	put_down(1);
	assert_int_equal(ask("GET /v1/pools/web/ring", ""), 200);
	assert_true(figure_of(1, "share") == 0 && fabs(shares() - 1) < 1e-9);
	assert_true(fabs(figure_of(1, "by_weight") - 1.0 / 3) < 1e-9);
	assert_int_equal(steps_of(1), 0);
	put_down(0);
	put_down(2);
	assert_int_equal(ask("GET /v1/pools/web/ring", ""), 200);
	assert_true(shares() == 0);
	assert_int_equal(steps_of(-1), STEPS);
}

static void asking_leaves_no_trace(void **unused)
{
	struct live_server *live;

	(void)unused;
	use(&policy_ring, 1);
	assert_int_equal(ask("GET /v1/pools/web/ring", ""), 200);
	for (uint32_t i = 0; i < 3; i++) {
		live = fake.model->pools[0].servers[i].live;
		assert_int_equal(atomic_load(&live->in_flight), 0);
		assert_int_equal(atomic_load(&live->load_total), 0);
	}
}

/* A table that most keys have to be looked for in is asked for fewer. */
static void what_is_slow_is_asked_for_less(void **unused)
{
	(void)unused;
	use(&policy_ring, 1);
	assert_int_equal(ask("GET /v1/pools/web/ring", ""), 200);
	int many = number_of("keys");
	use(&policy_ring, 60);
	put_down(0);
	assert_int_equal(ask("GET /v1/pools/web/ring", ""), 200);
	assert_true(number_of("keys") >= 1 && number_of("keys") < many);
	assert_true(fabs(shares() - 1) < 1e-9);
	assert_true(many <= 64 * 1024);
}

static void pools_that_go_by_no_key_have_no_ring(void **unused)
{
	(void)unused;
	refused("GET /v1/pools/web/ring", "", 409, "refused");
	refused("GET /v1/pools/nowhere/ring", "", 404, "pool-unknown");
	refused("GET /v1/pools/web/ring", "{\"a\": 1}", 400, "bad-request");
	refused("POST /v1/pools/web/ring", "", 405, "method-unknown");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(shares_are_whole_and_drawn_as_they_are),
		CASE(policies_without_an_order_of_keys_have_shares_alone),
		CASE(who_is_down_has_nothing_and_leaves_it_to_the_others),
		CASE(asking_leaves_no_trace),
		CASE(what_is_slow_is_asked_for_less),
		CASE(pools_that_go_by_no_key_have_no_ring),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
