/* Goal: an edition says what its model says, each loop has its own, and both are there
 * as long as somebody uses them.
 */
#include "model/live_registry.h"
#include "unit/model/live_fixture.h"

#include <string.h>

#include "forward/edition.h"
#include "forward/sticky.h"

/* Two pools of three and one servers, two listeners; attached. */
static struct model *attached(void)
{
	struct model *m = sample_model("web", SERVERS("8081", "8082", "8083"));

	sample_add_pool(m, "api", SERVERS("9091"));
	sample_add_listener(m, ":8080");
	sample_add_listener(m, ":8443");
	m->pools[0].policy = m->pools[1].policy = policies[0];
	m->pools[0].server_parallel_max = 7;
	m->pools[0].servers[1].parallel_max = 2;
	m->pools[0].retry_percent = 10;
	m->pools[0].retry_reserve = 3;
	m->listeners[1].head_max = 1000;
	m->listeners[1].target_max = 200;
	m->listeners[1].fields_max = 30;
	assert_int_equal(model_attach(m, &live, &err), 0);
	return m;
}

static void lanes_follow_pools_and_doors_follow_listeners(void **unused)
{
	struct model *m = attached();
	struct edition *e = edition_create(m, 0);

	(void)unused;
	assert_ptr_equal(e->model, m);
	for (uint32_t p = 0; p < m->pool_count; p++) {
		struct lane *lane = &e->lanes[p];
		assert_ptr_equal(lane->pool, &m->pools[p]);
		assert_int_equal(lane->view.count, m->pools[p].server_count);
		for (uint32_t i = 0; i < lane->view.count; i++)
			assert_ptr_equal(lane->view.servers[i].live,
					 m->pools[p].servers[i].live);
		assert_true(list_empty(&lane->waiting));
	}
	for (uint32_t i = 0; i < m->listener_count; i++) {
		struct door *door = &e->doors[i];
		assert_ptr_equal(door->listener, &m->listeners[i]);
		assert_true(list_empty(&door->waiting));
	}
	edition_release(e);
	model_put(m);
}

static void a_servers_own_limit_comes_before_its_pools(void **unused)
{
	struct model *m = attached();
	struct edition *e = edition_create(m, 0);

	(void)unused;
	assert_int_equal(e->lanes[0].view.servers[0].parallel_max, 7);
	assert_int_equal(e->lanes[0].view.servers[1].parallel_max, 2);
	assert_int_equal(e->lanes[1].view.servers[0].parallel_max, 0);
	edition_release(e);
	model_put(m);
}

static void the_budget_is_its_pools(void **unused)
{
	struct model *m = attached();
	struct edition *e = edition_create(m, 0);
	struct budget *b = &e->lanes[0].budget;

	(void)unused;
	for (int i = 0; i < 3; i++)
		assert_true(budget_spend(b));
	assert_false(budget_spend(b));
	for (int i = 0; i < 9; i++)
		budget_earn(b);
	assert_false(budget_spend(b));
	budget_earn(b);
	assert_true(budget_spend(b));
	edition_release(e);
	model_put(m);
}

static void only_pools_with_a_cookie_have_names(void **unused)
{
	struct model *m = sample_model("web", SERVERS("8081", "8082"));

	(void)unused;
	sample_add_pool(m, "api", SERVERS("9091"));
	m->pools[0].policy = m->pools[1].policy = policies[0];
	m->pools[1].sticky_cookie = memory_text("node");
	assert_int_equal(model_attach(m, &live, &err), 0);
	struct edition *e = edition_create(m, 0);
	assert_null(e->lanes[0].sticky);
	assert_false(e->lanes[0].by_request);
	assert_ptr_equal(e->lanes[1].sticky->pool, &m->pools[1]);
	assert_true(e->lanes[1].by_request);
	edition_release(e);
	model_put(m);
}

static void loops_and_pools_draw_from_sequences_of_their_own(void **unused)
{
	enum { LOOPS = 8, POOLS = 2 };
	struct model *m = attached();
	struct edition *editions[LOOPS];
	uint64_t seeds[LOOPS * POOLS];

	(void)unused;
	for (unsigned i = 0; i < LOOPS; i++) {
		editions[i] = edition_create(m, i);
		for (unsigned p = 0; p < POOLS; p++)
			seeds[i * POOLS + p] = editions[i]->lanes[p].state.random;
	}
	for (unsigned i = 0; i < LOOPS * POOLS; i++)
		for (unsigned k = 0; k < i; k++)
			assert_true(seeds[i] != seeds[k]);
	for (unsigned i = 0; i < LOOPS; i++)
		edition_release(editions[i]);
	model_put(m);
}

static void the_last_user_puts_the_model_back(void **unused)
{
	struct model *m = attached();
	struct edition *e = edition_create(m, 0);

	(void)unused;
	assert_int_equal(m->holders, 2);
	assert_int_equal(e->users, 1);
	assert_ptr_equal(edition_use(e), e);
	edition_use(e);
	assert_int_equal(e->users, 3);
	assert_int_equal(m->holders, 2);
	edition_release(e);
	edition_release(e);
	assert_int_equal(m->holders, 2);
	edition_release(e);
	assert_int_equal(m->holders, 1);
	model_put(m);
}

static void an_edition_outlives_the_models_maker(void **unused)
{
	struct model *m = attached();
	struct edition *e = edition_create(m, 0);

	(void)unused;
	model_put(m);
	live_collect(&live);
	assert_string_equal(e->lanes[0].pool->name, "web");
	assert_non_null(live.servers);
	edition_release(e);
	live_collect(&live);
	assert_null(live.servers);
}

static void the_end_of_one_leaves_the_others_in_the_list(void **unused)
{
	struct model *m = attached();
	struct edition *old = edition_create(m, 0), *new = edition_create(m, 0);
	struct link list;

	(void)unused;
	list_init(&list);
	list_push_last(&list, &old->link);
	list_push_last(&list, &new->link);
	edition_release(old);
	assert_ptr_equal(list.next, &new->link);
	assert_ptr_equal(list.prev, &new->link);
	edition_release(new);
	assert_true(list_empty(&list));
	model_put(m);
}

static void a_pool_without_servers_is_an_empty_view(void **unused)
{
	struct model *m = sample_model("empty", SERVERS(NULL));
	static const struct tried nobody;

	(void)unused;
	m->pools[0].policy = policies[0];
	assert_int_equal(model_attach(m, &live, &err), 0);
	struct edition *e = edition_create(m, 0);
	struct lane *lane = &e->lanes[0];
	assert_int_equal(lane->view.count, 0);
	assert_int_equal(lane->pool->policy->pick(&lane->view, &lane->state, 0, &nobody),
			 PICK_NONE);
	assert_null(e->model->listeners);
	edition_release(e);
	model_put(m);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, finish)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(lanes_follow_pools_and_doors_follow_listeners),
		TEST(a_servers_own_limit_comes_before_its_pools),
		TEST(the_budget_is_its_pools),
		TEST(only_pools_with_a_cookie_have_names),
		TEST(loops_and_pools_draw_from_sequences_of_their_own),
		TEST(the_last_user_puts_the_model_back),
		TEST(an_edition_outlives_the_models_maker),
		TEST(the_end_of_one_leaves_the_others_in_the_list),
		TEST(a_pool_without_servers_is_an_empty_view),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
