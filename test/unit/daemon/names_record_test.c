/* Goal: what models know of names is what the next ones are told, and a text that somebody else
 * has written leads to nothing that a name server could not have said. */
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
#include "daemon/names_record.h"
#include "daemon/targets.h"
#include "model/live.h"
#include "model/live_registry.h"
#include "model/srv.h"

#define SERVES "/etc/balancerd.conf"

static struct live live;

/* A pool "web" of two names of records and these servers. */
static struct model *model_new(const char *const servers[])
{
	static const char *const names[] = {"_http._tcp.test", "_other._tcp.test"};
	struct model *m = model_create();
	struct err err;

	m->pools = memory_new(1, sizeof *m->pools);
	m->pool_count = 1;
	m->pools[0].name = memory_text("web");
	m->pools[0].srvs = memory_new(COUNT_OF(names), sizeof(struct model_srv));
	m->pools[0].srv_count = COUNT_OF(names);
	for (size_t i = 0; i < COUNT_OF(names); i++)
		m->pools[0].srvs[i].name = memory_text(names[i]);
	for (; servers != NULL && *servers != NULL; servers++) {
		struct model_server *s = model_server_add(&m->pools[0]);
		assert_int_equal(address_parse(&s->address, *servers, "", &err), 0);
	}
	return m;
}

/* Number srv leads to "HOST:80" with this weight, and to nothing else; NULL: to nobody. */
static void lead(struct model *m, uint32_t srv, const char *text, uint32_t weight)
{
	struct target target = {.weight = weight};
	struct targets t = {.all = &target, .count = text != NULL};
	struct err err;

	if (text != NULL)
		assert_int_equal(address_parse(&target.address, text, "", &err), 0);
	targets_use(&m->pools[0], srv, &t);
}

static void attach(struct model *m)
{
	struct err err;

	assert_int_equal(model_attach(m, &live, &err), 0);
	live_take_over(m);
}

static void set_address(const struct model *m, uint32_t server, const char *text)
{
	struct address a = {0};
	struct err err;

	assert_int_equal(address_parse(&a, text, "", &err), 0);
	live_server_set_address(m->pools[0].servers[server].live, &a);
}

/* As the next process reads it. */
static struct names_record *again(const struct names_record *r)
{
	struct err err;
	char *text = names_record_encode(r, SERVES);
	struct names_record *read = names_record_decode(text, strlen(text), SERVES, &err);

	assert_non_null(read);
	assert_true(names_record_equals(r, read));
	assert_string_equal(r->since, read->since);
	free(text);
	return read;
}

/* The next process puts the records of this file into its own. Returns how many servers. */
static uint32_t lead_again(const struct model *file, struct model *next)
{
	struct model *m = model_new(NULL);
	struct names_record *made = names_record_of(file, m), *r = again(made);
	uint32_t count = names_record_lead(r, next);

	names_record_destroy(made);
	names_record_destroy(r);
	model_put(m);
	return count;
}

static void has(const struct model *m, const char *want)
{
	char got[1024] = "";
	size_t len = 0;

	for (uint32_t i = 0; i < m->pools[0].server_count; i++) {
		const struct model_server *s = &m->pools[0].servers[i];
		len += (size_t)snprintf(got + len, sizeof got - len, "%s%s %u",
					i > 0 ? ", " : "", s->address.text, s->weight);
	}
	assert_string_equal(got, want);
}

static void servers_of_records_come_again(void **unused)
{
	struct model *file = model_new(NULL), *next = model_new(NULL);

	(void)unused;
	lead(file, 0, "a.test:80", 7);
	lead(file, 1, "a.test:80", 9);
	assert_int_equal(lead_again(file, next), 2);
	has(next, "a.test:80 9");
	assert_true(next->pools[0].srvs[0].known && next->pools[0].srvs[1].known);
	lead(next, 1, NULL, 0);
	has(next, "a.test:80 7");
	model_put(file);
	model_put(next);
}

static void that_nobody_serves_is_known_too_and_what_is_not_known_is_not(void **unused)
{
	struct model *file = model_new(NULL), *m = model_new(NULL), *next = model_new(NULL);

	(void)unused;
	lead(file, 1, NULL, 0);
	struct names_record *made = names_record_of(file, m), *r = again(made);
	assert_false(names_record_is_empty(r));
	assert_int_equal(names_record_lead(r, next), 0);
	assert_false(next->pools[0].srvs[0].known);
	assert_true(next->pools[0].srvs[1].known);
	names_record_destroy(made);
	names_record_destroy(r);
	model_put(file);
	model_put(m);
	model_put(next);
}

static void addresses_come_again_where_there_is_none(void **unused)
{
	static const char *const first[] = {"a.test:80", "b.test:80", "10.0.0.1:80", "c.test:80",
					    NULL};
	static const char *const second[] = {"b.test:80", "x.test:80", "a.test:80", NULL};
	struct model *m = model_new(first), *next = model_new(second);

	(void)unused;
	live_init(&live);
	attach(m);
	set_address(m, 0, "192.0.2.1:80");
	set_address(m, 1, "[2001:db8::1]:80");
	struct names_record *made = names_record_of(m, m), *r = again(made);
	model_put(m);
	live_collect(&live);

	attach(next);
	set_address(next, 2, "192.0.2.9:80");
	assert_int_equal(names_record_address(r, next), 1);
	const struct model_server *s = next->pools[0].servers;
	assert_string_equal(atomic_load(&s[0].live->address)->text, "[2001:db8::1]:80");
	assert_null(atomic_load(&s[1].live->address));
	assert_string_equal(atomic_load(&s[2].live->address)->text, "192.0.2.9:80");
	names_record_destroy(made);
	names_record_destroy(r);
	model_put(next);
	live_fini(&live);
}

static void case_is_no_part_of_a_name(void **unused)
{
	struct model *file = model_new(NULL), *next = model_new(NULL);

	(void)unused;
	lead(file, 0, "a.test:80", 7);
	for (char *c = next->pools[0].srvs[0].name; *c != '\0'; c++)
		*c = *c >= 'a' && *c <= 'z' ? (char)(*c - 'a' + 'A') : *c;
	assert_int_equal(lead_again(file, next), 1);
	has(next, "a.test:80 7");
	model_put(file);
	model_put(next);
}

static void models_without_names_make_an_empty_record(void **unused)
{
	static const char *const servers[] = {"10.0.0.1:80", NULL};
	struct model *m = model_new(servers);

	(void)unused;
	live_init(&live);
	attach(m);
	struct names_record *r = names_record_of(m, m);
	assert_true(names_record_is_empty(r));
	assert_false(names_record_equals(r, NULL));
	names_record_destroy(r);
	model_put(m);
	live_fini(&live);
}

static void is_refused(const char *text, const char *why)
{
	struct err err;

	assert_null(names_record_decode(text, strlen(text), SERVES, &err));
	assert_non_null(strstr(err.text, why));
}

#define HEAD "{\"format\": 1, \"serves\": \"" SERVES "\", \"since\": \"now\", \"pools\": "

static void what_no_name_server_could_have_said_is_refused(void **unused)
{
	static const char *const pools[] = {
		"{\"web\": 1}", "{\"web\": {\"srv\": []}}", "{\"web\": {\"addresses\": []}}",
		"{\"web\": {\"srv\": {\"n\": 1}}}",
		"{\"web\": {\"srv\": {\"n\": {\"a.test:80\": 0}}}}",
		"{\"web\": {\"srv\": {\"n\": {\"a.test:80\": 257}}}}",
		"{\"web\": {\"srv\": {\"n\": {\"a.test:80\": 4294967297}}}}",
		"{\"web\": {\"srv\": {\"n\": {\"a.test:80\": \"1\"}}}}",
		"{\"web\": {\"srv\": {\"n\": {\"a test\": 1}}}}",
		"{\"web\": {\"srv\": {\"n\": {\"unix:/run/x\": 1}}}}",
		"{\"web\": {\"addresses\": {\"a.test:80\": 1}}}",
		"{\"web\": {\"addresses\": {\"a.test:80\": \"b.test:80\"}}}",
		"{\"web\": {\"addresses\": {\"a.test:80\": \"unix:/run/x\"}}}",
	};
	char text[512];

	(void)unused;
	for (size_t i = 0; i < COUNT_OF(pools); i++) {
		snprintf(text, sizeof text, HEAD "%s}", pools[i]);
		is_refused(text, "pool \"web\" cannot be");
	}
	is_refused("", "is no JSON");
	is_refused(HEAD, "is no JSON");
	is_refused("[]", "format");
	is_refused("{\"format\": 2}", "format");
	is_refused("{\"format\": 1, \"serves\": \"/other\"}", "not of what");
	is_refused("{\"format\": 1, \"serves\": \"" SERVES "\"}", "no pools");
}

static void a_pool_or_a_name_that_is_not_there_does_not_matter(void **unused)
{
	static const char text[] = HEAD "{\"other\": {\"srv\": {\"n\": {\"a.test:80\": 1}}}, "
		"\"web\": {\"srv\": {\"n\": {\"a.test:80\": 1}}, \"more\": 1}}}";
	struct model *m = model_new(NULL);
	struct err err;

	(void)unused;
	struct names_record *r = names_record_decode(text, strlen(text), SERVES, &err);
	assert_non_null(r);
	assert_int_equal(names_record_lead(r, m), 0);
	has(m, "");
	names_record_destroy(r);
	model_put(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(servers_of_records_come_again),
		cmocka_unit_test(that_nobody_serves_is_known_too_and_what_is_not_known_is_not),
		cmocka_unit_test(addresses_come_again_where_there_is_none),
		cmocka_unit_test(case_is_no_part_of_a_name),
		cmocka_unit_test(models_without_names_make_an_empty_record),
		cmocka_unit_test(what_no_name_server_could_have_said_is_refused),
		cmocka_unit_test(a_pool_or_a_name_that_is_not_there_does_not_matter),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
