/* Goal: whatever order and weights records have, the same servers come of the same targets,
 * the first priority alone serves, and who stays is left as it is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "base/must.h"
#include "daemon/targets.h"
#include "model/srv.h"

enum { NAME = 0, OTHER = 1 };		/* numbers of names in the pool */

/* ---- records and targets as texts ---- */

/* "10 5 80 web1.test, ...": priority, weight, port, host. */
static struct dns_srv_answer records(const char *text)
{
	struct dns_srv_answer a = {.records = memory_new(1024, sizeof *a.records)};
	int used;

	for (; *text != '\0'; text += strspn(text, ", ")) {
		unsigned priority, weight, port;
		char host[ADDRESS_HOST_MAX + 1];
		assert_int_equal(sscanf(text, "%u %u %u %253[^,]%n", &priority, &weight, &port,
					host, &used), 4);
		struct dns_srv *r = &a.records[a.count++];
		*r = (struct dns_srv){(uint16_t)priority, (uint16_t)weight, (uint16_t)port, ""};
		snprintf(r->host, sizeof r->host, "%s", host);
		text += used;
	}
	return a;
}

static struct targets targets_of(const char *text)
{
	struct dns_srv_answer a = records(text);
	struct targets t;

	targets_choose(&a, &t);
	dns_answer_fini(&a);
	return t;
}

/* The targets of these records are "web1.test:80 5, ...". */
static void gives(const char *text, const char *want)
{
	struct targets t = targets_of(text);
	char got[4096] = "";
	size_t len = 0;

	for (uint32_t i = 0; i < t.count; i++)
		len += (size_t)snprintf(got + len, sizeof got - len, "%s%s %u", i > 0 ? ", " : "",
					t.all[i].address.text, t.all[i].weight);
	assert_string_equal(got, want);
	targets_fini(&t);
}

/* ---- a pool ---- */

static struct model *model_new(void)
{
	static const char *const names[] = {"_http._tcp.test", "_other._tcp.test"};
	struct model *m = model_create();

	m->pools = memory_new(1, sizeof *m->pools);
	m->pool_count = 1;
	m->pools[0].name = memory_text("web");
	m->pools[0].srvs = memory_new(COUNT_OF(names), sizeof(struct model_srv));
	m->pools[0].srv_count = COUNT_OF(names);
	for (size_t i = 0; i < COUNT_OF(names); i++)
		m->pools[0].srvs[i].name = memory_text(names[i]);
	return m;
}

static uint32_t use(struct model *m, uint32_t srv, const char *text)
{
	struct targets t = targets_of(text);
	uint32_t no_room = targets_use(&m->pools[0], srv, &t);

	uint32_t left;
	assert_true(targets_are_used(&m->pools[0], srv, &t, &left));
	assert_int_equal(left, no_room);
	targets_fini(&t);
	return no_room;
}

/* The pool's servers are "web1.test:80 5 #1, ...", the last their number in the pool. */
static void has(const struct model *m, const char *want)
{
	char got[4096] = "";
	size_t len = 0;

	for (uint32_t i = 0; i < m->pools[0].server_count; i++) {
		const struct model_server *s = &m->pools[0].servers[i];
		len += (size_t)snprintf(got + len, sizeof got - len, "%s%s %u #%u",
					i > 0 ? ", " : "", s->address.text, s->weight, s->number);
	}
	assert_string_equal(got, want);
}

static void write_down(struct model *m, const char *text, uint32_t weight)
{
	struct model_server *s = model_server_add(&m->pools[0]);
	struct err err;

	assert_int_equal(address_parse(&s->address, text, "", &err), 0);
	s->weight = weight;
}

/* ---- which ---- */

static void a_server_is_its_target_and_port(void **unused)
{
	(void)unused;
	gives("1 5 80 web1.test", "web1.test:80 5");
	gives("1 5 80 web1.test, 1 5 81 web1.test", "web1.test:80 5, web1.test:81 5");
	gives("1 5 80 10.0.0.1", "10.0.0.1:80 5");
}

static void order_and_case_make_no_difference(void **unused)
{
	(void)unused;
	gives("1 1 80 a.test, 1 2 80 b.test, 1 3 80 c.test",
	      "a.test:80 1, b.test:80 2, c.test:80 3");
	gives("1 3 80 C.TEST, 1 1 80 A.test, 1 2 80 b.Test",
	      "a.test:80 1, b.test:80 2, c.test:80 3");
}

static void the_first_priority_alone_serves(void **unused)
{
	(void)unused;
	gives("20 1 80 b.test, 10 1 80 a.test, 30 1 80 c.test", "a.test:80 1");
	gives("10 1 80 a.test, 20 1 80 b.test, 10 1 80 c.test", "a.test:80 1, c.test:80 1");
	gives("0 1 80 z.test, 65535 1 80 a.test", "z.test:80 1");
	/* One that leads nowhere does not keep the next from serving. */
	gives("10 1 0 a.test, 20 1 80 b.test", "b.test:80 1");
}

static void the_same_server_twice_has_both_weights(void **unused)
{
	(void)unused;
	gives("1 2 80 a.test, 1 3 80 A.test, 1 1 80 b.test", "a.test:80 5, b.test:80 1");
}

static void weights_stay_while_a_pool_knows_them(void **unused)
{
	(void)unused;
	gives("1 1 80 a.test, 1 256 80 b.test", "a.test:80 1, b.test:80 256");
	gives("1 100 80 a.test, 1 100 80 b.test", "a.test:80 100, b.test:80 100");
}

static void no_weight_is_the_smallest_and_not_none(void **unused)
{
	(void)unused;
	gives("1 0 80 a.test, 1 5 80 b.test", "a.test:80 1, b.test:80 5");
	gives("1 0 80 a.test, 1 0 80 b.test", "a.test:80 1, b.test:80 1");
}

static void great_weights_become_less_in_proportion(void **unused)
{
	(void)unused;
	gives("1 65535 80 a.test, 1 32768 80 b.test, 1 1 80 c.test, 1 0 80 d.test",
	      "a.test:80 256, b.test:80 128, c.test:80 1, d.test:80 1");
	gives("1 512 80 a.test, 1 256 80 b.test, 1 128 80 c.test",
	      "a.test:80 256, b.test:80 128, c.test:80 64");
	gives("1 65535 80 a.test, 1 65535 80 a.test, 1 65535 80 b.test",
	      "a.test:80 256, b.test:80 128");
}

static void records_that_lead_nowhere_are_counted(void **unused)
{
	struct targets t = targets_of("1 1 0 a.test, 1 1 80 ., 1 1 80 a\\032b.test, "
				      "1 1 80 good.test");

	(void)unused;
	assert_int_equal(t.count, 1);
	assert_int_equal(t.unusable, 3);
	assert_false(t.nobody);
	targets_fini(&t);
}

static void a_path_of_this_machine_is_no_target(void **unused)
{
	struct targets t = targets_of("1 1 80 unix:/run/app, 1 1 80 UNIX:/run/app, "
				      "1 1 80 unix.test");

	(void)unused;
	assert_int_equal(t.count, 1);
	assert_string_equal(t.all[0].address.text, "unix.test:80");
	assert_int_equal(t.unusable, 2);
	targets_fini(&t);
}

static void a_dot_alone_says_that_nobody_serves(void **unused)
{
	struct targets t = targets_of("0 0 0 .");

	(void)unused;
	assert_true(t.nobody);
	assert_int_equal(t.count, 0);
	assert_int_equal(t.unusable, 0);
	targets_fini(&t);
}

static void of_too_many_those_of_most_weight_are_taken(void **unused)
{
	struct dns_srv_answer a = {.records = memory_new(1000, sizeof *a.records), .count = 1000};
	struct targets t;

	(void)unused;
	for (uint32_t i = 0; i < a.count; i++) {
		a.records[i] = (struct dns_srv){1, (uint16_t)(i % 10 == 0 ? 9 : 1), 80, ""};
		snprintf(a.records[i].host, sizeof a.records[i].host, "h%04u.test", i);
	}
	targets_choose(&a, &t);
	assert_int_equal(t.count, TARGETS_MAX);
	assert_int_equal(t.left_out, 1000 - TARGETS_MAX);
	uint32_t heavy = 0;
	for (uint32_t i = 0; i < t.count; i++) {
		heavy += t.all[i].weight == 9;
		assert_true(i == 0 || strcmp(t.all[i - 1].address.text, t.all[i].address.text) < 0);
	}
	assert_int_equal(heavy, 100);
	targets_fini(&t);
	dns_answer_fini(&a);
}

/* ---- in a pool ---- */

static void who_stays_keeps_its_number(void **unused)
{
	struct model *m = model_new();

	(void)unused;
	assert_false(m->pools[0].srvs[NAME].known);
	use(m, NAME, "1 1 80 a.test, 1 1 80 b.test, 1 1 80 c.test");
	has(m, "a.test:80 1 #1, b.test:80 1 #2, c.test:80 1 #3");
	assert_true(m->pools[0].srvs[NAME].known);
	use(m, NAME, "1 7 80 c.test, 1 1 80 a.test");
	has(m, "a.test:80 1 #1, c.test:80 7 #3");
	use(m, NAME, "1 7 80 c.test, 1 1 80 a.test, 1 1 80 0.test");
	has(m, "a.test:80 1 #1, c.test:80 7 #3, 0.test:80 1 #2");
	use(m, NAME, "0 0 0 .");
	has(m, "");
	model_put(m);
}

static void a_server_of_several_names_goes_when_the_last_lets_go(void **unused)
{
	struct model *m = model_new();

	(void)unused;
	use(m, NAME, "1 1 80 a.test, 1 1 80 both.test");
	use(m, OTHER, "1 5 80 b.test, 1 5 80 both.test");
	has(m, "a.test:80 1 #1, both.test:80 5 #2, b.test:80 5 #3");
	use(m, NAME, "1 2 80 a.test");
	has(m, "a.test:80 2 #1, both.test:80 5 #2, b.test:80 5 #3");
	use(m, NAME, "1 2 80 a.test, 1 7 80 both.test");
	use(m, OTHER, "1 5 80 b.test");
	has(m, "a.test:80 2 #1, both.test:80 7 #2, b.test:80 5 #3");
	use(m, NAME, "1 2 80 a.test");
	has(m, "a.test:80 2 #1, b.test:80 5 #3");
	model_put(m);
}

static void a_server_of_several_names_has_the_largest_weight_and_the_first_ones_limit(
	void **unused)
{
	struct model *m = model_new();
	const struct model_server *s;

	(void)unused;
	m->pools[0].srvs[NAME].parallel_max = 7;
	m->pools[0].srvs[OTHER].parallel_max = 2;
	use(m, OTHER, "1 3 80 both.test");
	s = m->pools[0].servers;
	assert_int_equal(s->parallel_max, 2);
	use(m, NAME, "1 9 80 both.test");
	assert_int_equal(s->weight, 9);
	assert_int_equal(s->parallel_max, 7);
	use(m, NAME, "1 1 80 both.test");
	assert_int_equal(s->weight, 3);
	use(m, NAME, "0 0 0 .");
	assert_int_equal(s->weight, 3);
	assert_int_equal(s->parallel_max, 2);
	model_put(m);
}

static void a_name_that_leads_where_another_does_is_not_used_yet(void **unused)
{
	struct model *m = model_new();
	struct targets t = targets_of("1 1 80 a.test");
	uint32_t no_room;

	(void)unused;
	use(m, NAME, "1 1 80 a.test");
	m->pools[0].srvs[OTHER].known = true;
	assert_false(targets_are_used(&m->pools[0], OTHER, &t, &no_room));
	targets_use(&m->pools[0], OTHER, &t);
	assert_true(targets_are_used(&m->pools[0], OTHER, &t, &no_room));
	targets_fini(&t);
	model_put(m);
}

static void what_is_written_down_stays_as_it_is(void **unused)
{
	struct model *m = model_new();

	(void)unused;
	write_down(m, "a.test:80", 3);
	use(m, NAME, "1 9 80 a.test, 1 1 80 b.test");
	has(m, "a.test:80 3 #1, b.test:80 1 #2");
	use(m, NAME, "1 1 80 b.test");
	has(m, "a.test:80 3 #1, b.test:80 1 #2");
	model_put(m);
}

static void a_full_pool_takes_no_more(void **unused)
{
	struct model *m = model_new();
	char text[32];

	(void)unused;
	for (unsigned i = 0; i + 1 < MODEL_SERVERS_MAX; i++) {
		snprintf(text, sizeof text, "10.0.%u.%u:80", i / 256, i % 256);
		write_down(m, text, 1);
	}
	assert_int_equal(use(m, NAME, "1 1 80 a.test, 1 1 80 b.test"), 1);
	assert_int_equal(m->pools[0].server_count, MODEL_SERVERS_MAX);
	model_put(m);
}

static void each_server_has_the_limit_of_its_name(void **unused)
{
	struct model *m = model_new();

	(void)unused;
	m->pools[0].srvs[NAME].parallel_max = 5;
	use(m, NAME, "1 1 80 a.test");
	use(m, OTHER, "1 1 80 b.test");
	assert_int_equal(m->pools[0].servers[0].parallel_max, 5);
	assert_int_equal(m->pools[0].servers[1].parallel_max, 0);
	model_put(m);
}

static void whether_they_are_used_is_about_weights_too(void **unused)
{
	static const char *const others[] = {
		"1 2 80 a.test, 1 1 80 b.test", "1 1 80 a.test", "1 1 80 a.test, 1 1 81 b.test",
		"1 1 80 a.test, 1 1 80 b.test, 1 1 80 c.test", "0 0 0 .",
	};
	struct model *m = model_new();
	uint32_t no_room;

	(void)unused;
	use(m, NAME, "1 1 80 a.test, 1 1 80 b.test");
	for (size_t i = 0; i < COUNT_OF(others); i++) {
		struct targets t = targets_of(others[i]);
		assert_false(targets_are_used(&m->pools[0], NAME, &t, &no_room));
		targets_fini(&t);
	}
	/* None are used, too, but only once that has been told. */
	struct targets none = targets_of("0 0 0 .");
	assert_false(targets_are_used(&m->pools[0], OTHER, &none, &no_room));
	m->pools[0].srvs[OTHER].known = true;
	assert_true(targets_are_used(&m->pools[0], OTHER, &none, &no_room));
	targets_fini(&none);
	model_put(m);
}

static void a_file_read_anew_has_the_servers_of_before(void **unused)
{
	struct model *before = model_new(), *m = model_new();

	(void)unused;
	use(before, NAME, "1 3 80 a.test, 1 1 80 b.test, 1 2 80 c.test");
	write_down(m, "b.test:80", 7);
	m->pools[0].srvs[NAME].parallel_max = 4;
	targets_carry(m, before);
	has(m, "b.test:80 7 #1, a.test:80 3 #2, c.test:80 2 #3");
	assert_int_equal(model_server_srv(&m->pools[0].servers[0]), 0);
	assert_int_equal(model_server_srv(&m->pools[0].servers[1]), NAME + 1);
	assert_int_equal(m->pools[0].servers[1].parallel_max, 4);
	assert_true(m->pools[0].srvs[NAME].known);
	assert_false(m->pools[0].srvs[OTHER].known);
	model_put(m);

	/* Those of several names, too. */
	use(before, OTHER, "1 9 80 a.test");
	m = model_new();
	targets_carry(m, before);
	has(m, "a.test:80 9 #1, b.test:80 1 #2, c.test:80 2 #3");
	use(m, NAME, "1 2 80 c.test");
	has(m, "a.test:80 9 #1, c.test:80 2 #3");
	model_put(m);
	use(before, OTHER, "0 0 0 .");

	/* By their names, wherever these stand now. */
	m = model_new();
	struct model_srv first = m->pools[0].srvs[0];
	m->pools[0].srvs[0] = m->pools[0].srvs[1];
	m->pools[0].srvs[1] = first;
	targets_carry(m, before);
	assert_int_equal(model_server_srv(&m->pools[0].servers[0]), 2);
	model_put(m);

	/* A pool of another name is another pool; the first file has none before it. */
	m = model_new();
	m->pools[0].name[0] = 'x';
	targets_carry(m, before);
	targets_carry(m, NULL);
	has(m, "");
	model_put(m);
	model_put(before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_server_is_its_target_and_port),
		cmocka_unit_test(order_and_case_make_no_difference),
		cmocka_unit_test(the_first_priority_alone_serves),
		cmocka_unit_test(the_same_server_twice_has_both_weights),
		cmocka_unit_test(weights_stay_while_a_pool_knows_them),
		cmocka_unit_test(no_weight_is_the_smallest_and_not_none),
		cmocka_unit_test(great_weights_become_less_in_proportion),
		cmocka_unit_test(a_path_of_this_machine_is_no_target),
		cmocka_unit_test(records_that_lead_nowhere_are_counted),
		cmocka_unit_test(a_dot_alone_says_that_nobody_serves),
		cmocka_unit_test(of_too_many_those_of_most_weight_are_taken),
		cmocka_unit_test(who_stays_keeps_its_number),
		cmocka_unit_test(a_server_of_several_names_goes_when_the_last_lets_go),
		cmocka_unit_test(
			a_server_of_several_names_has_the_largest_weight_and_the_first_ones_limit),
		cmocka_unit_test(a_name_that_leads_where_another_does_is_not_used_yet),
		cmocka_unit_test(what_is_written_down_stays_as_it_is),
		cmocka_unit_test(a_full_pool_takes_no_more),
		cmocka_unit_test(each_server_has_the_limit_of_its_name),
		cmocka_unit_test(whether_they_are_used_is_about_weights_too),
		cmocka_unit_test(a_file_read_anew_has_the_servers_of_before),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
