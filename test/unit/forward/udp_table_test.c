/* Goal: a flow is found by who speaks to which address, and by nothing else, however many
 * there are. */
#include "forward/udp_table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "base/address.h"
#include "base/must.h"

enum { FLOWS = 5000 };

static const struct siphash_key secret = {1, 2}, other_secret = {3, 4};
static struct flow_entry flows[FLOWS];

static struct flow_key key_of(const char *client, const char *local)
{
	struct address peer, ours = {0};
	struct err err;

	assert_int_equal(address_parse(&peer, client, "127.0.0.1", &err), 0);
	if (local != NULL)
		assert_int_equal(address_parse(&ours, local, "127.0.0.1", &err), 0);
	return flow_key_of(&peer.any, local != NULL ? &ours.in6.sin6_addr : NULL);
}

static struct flow_key key_number(uint32_t i)
{
	struct sockaddr_in peer = {
		.sin_family = AF_INET, .sin_port = htons((uint16_t)(i % 7)),
		.sin_addr.s_addr = htonl(0x0a000000 + i / 7),
	};
	return flow_key_of((struct sockaddr *)&peer, NULL);
}

static void fill(struct flow_table *t, uint32_t buckets_for, uint32_t count)
{
	flow_table_init(t, buckets_for, &secret);
	for (uint32_t i = 0; i < count; i++) {
		struct flow_key key = key_number(i);
		flow_table_add(t, &flows[i], &key);
	}
}

static void empty(struct flow_table *t)
{
	uint32_t from = 0;

	for (struct flow_entry *f; (f = flow_table_any(t, &from)) != NULL; )
		flow_table_remove(t, f);
	flow_table_fini(t);
}

static void assert_found(const struct flow_table *t, uint32_t first, uint32_t end)
{
	for (uint32_t i = 0; i < FLOWS; i++) {
		struct flow_key key = key_number(i);
		struct flow_entry *wanted = i >= first && i < end ? &flows[i] : NULL;
		assert_ptr_equal(flow_table_find(t, &key), wanted);
	}
}

static void each_part_of_a_key_tells_flows_apart(void **unused)
{
	static const char *const keys[][2] = {
		{"192.0.2.1:53", NULL}, {"192.0.2.1:54", NULL}, {"192.0.2.2:53", NULL},
		{"192.0.2.1:53", "[::ffff:127.0.0.1]:1"}, {"192.0.2.1:53", "[::1]:1"},
		{"[2001:db8::1]:53", NULL}, {"[2001:db8::1]:54", NULL},
	};
	struct flow_table t;

	(void)unused;
	flow_table_init(&t, COUNT_OF(keys), &secret);
	for (size_t i = 0; i < COUNT_OF(keys); i++) {
		struct flow_key key = key_of(keys[i][0], keys[i][1]);
		assert_null(flow_table_find(&t, &key));
		flow_table_add(&t, &flows[i], &key);
	}
	for (size_t i = 0; i < COUNT_OF(keys); i++) {
		struct flow_key key = key_of(keys[i][0], keys[i][1]);
		assert_ptr_equal(flow_table_find(&t, &key), &flows[i]);
	}
	empty(&t);
}

static void a_link_local_client_is_known_by_its_interface_too(void **unused)
{
	struct sockaddr_in6 peer = {.sin6_family = AF_INET6, .sin6_scope_id = 2,
				    .sin6_addr = {.s6_addr = {0xfe, 0x80, [15] = 1}}};
	struct flow_key second = flow_key_of((struct sockaddr *)&peer, NULL);
	union flow_address client;

	(void)unused;
	peer.sin6_scope_id = 3;
	struct flow_key third = flow_key_of((struct sockaddr *)&peer, NULL);
	assert_false(flow_key_equals(&second, &third));
	flow_key_client(&third, AF_INET6, &client);
	assert_memory_equal(&client.in6, &peer, sizeof peer);
}

static void an_ip4_client_is_the_same_through_either_socket(void **unused)
{
	struct flow_key plain = key_of("192.0.2.1:53", NULL);
	struct flow_key mapped = key_of("[::ffff:192.0.2.1]:53", NULL);
	union flow_address client;
	struct address wanted;
	struct err err;

	(void)unused;
	assert_true(flow_key_equals(&plain, &mapped));
	address_parse(&wanted, "192.0.2.1:53", "127.0.0.1", &err);
	flow_key_client(&mapped, AF_INET, &client);
	assert_memory_equal(&client.in4, &wanted.in4, sizeof wanted.in4);
	address_parse(&wanted, "[::ffff:192.0.2.1]:53", "127.0.0.1", &err);
	flow_key_client(&plain, AF_INET6, &client);
	assert_memory_equal(&client.in6, &wanted.in6, sizeof wanted.in6);
}

static void flows_are_found_until_they_are_removed(void **unused)
{
	struct flow_table t;

	(void)unused;
	fill(&t, FLOWS, FLOWS);
	assert_int_equal(t.count, FLOWS);
	assert_found(&t, 0, FLOWS);
	for (uint32_t i = 0; i < FLOWS / 2; i++)
		flow_table_remove(&t, &flows[i]);
	assert_int_equal(t.count, FLOWS - FLOWS / 2);
	assert_found(&t, FLOWS / 2, FLOWS);
	empty(&t);
}

static void a_table_of_another_size_has_the_same_flows(void **unused)
{
	static const uint32_t sizes[] = {1, 100, FLOWS, 100000, 64};
	struct flow_table t;

	(void)unused;
	fill(&t, FLOWS, FLOWS);
	for (size_t i = 0; i < COUNT_OF(sizes); i++) {
		flow_table_resize(&t, sizes[i]);
		assert_true(t.bucket_count >= sizes[i]);
		assert_found(&t, 0, FLOWS);
	}
	empty(&t);
	flow_table_init(&t, UINT32_MAX, &secret);
	assert_int_equal(t.bucket_count, FLOW_BUCKETS_MAX);
	empty(&t);
}

/* Neighbouring addresses and ports, in as many buckets as there are flows. */
static void chains_are_short(void **unused)
{
	struct flow_table t;
	uint32_t longest = 0;

	(void)unused;
	fill(&t, FLOWS, FLOWS);
	for (uint32_t i = 0; i < t.bucket_count; i++) {
		uint32_t length = 0;
		for (struct flow_entry *f = t.buckets[i]; f != NULL; f = f->next)
			length++;
		longest = length > longest ? length : longest;
	}
	assert_in_range(longest, 2, 10);
	empty(&t);
}

static void another_secret_makes_other_chains(void **unused)
{
	struct flow_key key = key_number(1);
	struct flow_table a, b;

	(void)unused;
	flow_table_init(&a, FLOWS, &secret);
	flow_table_init(&b, FLOWS, &other_secret);
	flow_table_add(&a, &flows[0], &key);
	flow_table_add(&b, &flows[1], &key);
	assert_true(flows[0].hash != flows[1].hash);
	empty(&a);
	empty(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_part_of_a_key_tells_flows_apart),
		cmocka_unit_test(a_link_local_client_is_known_by_its_interface_too),
		cmocka_unit_test(an_ip4_client_is_the_same_through_either_socket),
		cmocka_unit_test(flows_are_found_until_they_are_removed),
		cmocka_unit_test(a_table_of_another_size_has_the_same_flows),
		cmocka_unit_test(chains_are_short),
		cmocka_unit_test(another_secret_makes_other_chains),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
