/* Goal: every pool that needs a table has one, and the one that its servers call for,
 * copied or built.
 */
#include "unit/model/sample.h"

#include <string.h>

#include "base/must.h"
#include "pick/policy.h"
#include "pick/table.h"

/* What a copy of a table has and one that is built does not. */
enum { MARK = 0xa5 };

static struct err err;

static struct model *model_of(const struct policy *policy)
{
	struct model *m = sample_model("web", SERVERS("8081", "8082", "db:8083"));

	m->pools[0].policy = policy;
	return m;
}

static uint8_t *last_byte(const struct model *m)
{
	return (uint8_t *)m->pools[0].table + m->pools[0].table->bytes - 1;
}

static struct model *prepared(const struct policy *policy)
{
	struct model *m = model_of(policy);

	assert_int_equal(pick_prepare(m, NULL, &err), 0);
	*last_byte(m) ^= MARK;
	return m;
}

/* Whether m's first pool has got the very table of `before`. */
static bool is_copied(struct model *m, const struct model *before)
{
	assert_int_equal(pick_prepare(m, before, &err), 0);
	const struct pick_table *one = before->pools[0].table, *two = m->pools[0].table;
	assert_ptr_not_equal(one, two);
	return one->bytes == two->bytes && memcmp(one, two, one->bytes) == 0;
}

static void who_needs_a_table_has_one(void **unused)
{
	(void)unused;
	for (const struct policy *const *p = policies; *p != NULL; p++) {
		struct model *m = model_of(*p);
		assert_int_equal(pick_prepare(m, NULL, &err), 0);
		assert_int_equal(m->pools[0].table != NULL,
				 *p == &policy_ring || *p == &policy_maglev ||
					 *p == &policy_slots);
		const struct pick_table *table = m->pools[0].table;
		assert_int_equal(pick_prepare(m, NULL, &err), 0);
		assert_ptr_equal(m->pools[0].table, table);
		model_put(m);
	}
}

static void equal_tables_are_built_of_equal_pools(void **unused)
{
	(void)unused;
	struct model *one = prepared(&policy_ring), *two = prepared(&policy_ring);
	size_t bytes = one->pools[0].table->bytes;
	assert_int_equal(bytes, two->pools[0].table->bytes);
	assert_memory_equal(one->pools[0].table, two->pools[0].table, bytes);
	model_put(one);
	model_put(two);
}

/* What does not concern the table. */
static void change_the_rest(struct model_pool *p)
{
	p->bounded_percent = 20;
	p->retries_max = 0;
	p->servers[0].drain = true;
	p->servers[1].parallel_max = 9;
}

static void a_table_is_copied_while_its_servers_are_the_same(void **unused)
{
	(void)unused;
	for (const struct policy *const *p = policies; *p != NULL; p++) {
		if ((*p)->build == NULL)
			continue;
		struct model *before = prepared(*p), *m = model_copy(before);
		change_the_rest(&m->pools[0]);
		assert_true(is_copied(m, before));
		model_put(before);
		model_put(m);
	}
}

static void change_name(struct model_pool *p)
{
	p->name[0] = 'W';
}

static void change_points(struct model_pool *p)
{
	p->ring_points = 100;
}

static void change_size(struct model_pool *p)
{
	p->maglev_size = 101;
}

static void change_slots(struct model_pool *p)
{
	p->slot_count = 100;
}

static void change_virtual(struct model_pool *p)
{
	p->slot_virtual = 8;
}

static void change_hash(struct model_pool *p)
{
	p->slot_hash = SLOT_MIXED;
}

static void change_number(struct model_pool *p)
{
	p->servers[1].number = 17;
}

static void change_weight(struct model_pool *p)
{
	p->servers[2].weight = 3;
}

static void change_order(struct model_pool *p)
{
	struct model_server first = p->servers[0];

	p->servers[0] = p->servers[1];
	p->servers[1] = first;
}

static void add_server(struct model_pool *p)
{
	strcpy(model_server_add(p)->address.text, "127.0.0.1:8084");
}

static void remove_server(struct model_pool *p)
{
	model_server_remove(p, 1);
}

static void any_other_table_is_built(void **unused)
{
	static void (*const changes[])(struct model_pool *p) = {
		change_name, change_points, change_size, change_slots, change_virtual,
		change_hash, change_number, change_weight, change_order,
		add_server, remove_server,
	};

	(void)unused;
	for (size_t i = 0; i < COUNT_OF(changes); i++) {
		struct model *before = prepared(&policy_ring), *m = model_copy(before);
		changes[i](&m->pools[0]);
		assert_false(is_copied(m, before));
		model_put(before);
		model_put(m);
	}
	struct model *before = prepared(&policy_ring), *m = model_copy(before);
	m->pools[0].policy = &policy_maglev;
	assert_false(is_copied(m, before));
	model_put(before);
	model_put(m);
}

static void before_may_have_no_table(void **unused)
{
	(void)unused;
	struct model *before = model_of(&policy_ring), *m = model_copy(before);
	assert_int_equal(pick_prepare(m, before, &err), 0);
	assert_non_null(m->pools[0].table);
	model_put(before);
	model_put(m);
}

static void a_table_too_large_is_an_error_and_the_others_stay(void **unused)
{
	(void)unused;
	struct model *m = model_of(&policy_maglev);
	uint32_t big = sample_add_pool(m, "big", SERVERS("9091"));
	m->pools[big].policy = &policy_ring;
	m->pools[big].ring_points = 5000000;
	assert_int_equal(pick_prepare(m, NULL, &err), -1);
	assert_non_null(strstr(err.text, "pool big: "));
	assert_non_null(m->pools[0].table);
	assert_null(m->pools[big].table);
	model_put(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_needs_a_table_has_one),
		cmocka_unit_test(equal_tables_are_built_of_equal_pools),
		cmocka_unit_test(a_table_is_copied_while_its_servers_are_the_same),
		cmocka_unit_test(any_other_table_is_built),
		cmocka_unit_test(before_may_have_no_table),
		cmocka_unit_test(a_table_too_large_is_an_error_and_the_others_stay),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
