/* Goal: what is known of a service stays with its name, over reloads and whatever its case,
 * and goes with it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/must.h"
#include "model/live_srv.h"
#include "model/pool.h"
#include "model/srv.h"

static struct live_pool pool;

static int tear_down(void **unused)
{
	(void)unused;
	live_srv_keep(&pool, NULL);
	return pool.srvs == NULL ? 0 : -1;
}

static unsigned count(void)
{
	unsigned n = 0;

	for (const struct live_srv *s = pool.srvs; s != NULL; s = s->next)
		n++;
	return n;
}

/* Keeps those of a model with these names. */
static void keep(char *first, char *second)
{
	struct model_srv srvs[] = {{.name = first}, {.name = second}};
	const struct model_pool model = {
		.srvs = srvs, .srv_count = first == NULL ? 0 : second == NULL ? 1 : 2,
	};

	live_srv_keep(&pool, &model);
}

static void each_name_has_its_own(void **unused)
{
	struct live_srv *a = live_srv_of(&pool, "_http._tcp.a.example");
	struct live_srv *b = live_srv_of(&pool, "_http._tcp.b.example");

	(void)unused;
	assert_ptr_not_equal(a, b);
	assert_string_equal(a->name, "_http._tcp.a.example");
	assert_int_equal(a->answers + a->failures + a->left_out, 0);
	assert_string_equal(a->reason, "");
	a->failures = 3;
	assert_int_equal(b->failures, 0);
	assert_ptr_equal(live_srv_of(&pool, "_http._tcp.a.example"), a);
	assert_ptr_not_equal(live_srv_of(&pool, "_http._tcp.a.exampl"), a);
	assert_int_equal(count(), 3);
}

/* RFC 4343: names are the same in any case. */
static void case_makes_no_other_name(void **unused)
{
	struct live_srv *s = live_srv_of(&pool, "_HTTP._tcp.a.example");
	char other[] = "_http._TCP.A.example";

	(void)unused;
	assert_ptr_equal(live_srv_of(&pool, other), s);
	keep(other, NULL);
	assert_ptr_equal(pool.srvs, s);
	assert_int_equal(count(), 1);
}

static void a_reload_keeps_what_it_still_has(void **unused)
{
	char a[] = "a", b[] = "b", c[] = "c", d[] = "d";
	struct live_srv *kept = live_srv_of(&pool, b);

	(void)unused;
	kept->answers = 42;
	live_srv_of(&pool, a);
	live_srv_of(&pool, c);
	keep(b, d);			/* the first and the last of the list go */
	assert_int_equal(count(), 1);
	assert_ptr_equal(live_srv_of(&pool, b), kept);
	assert_int_equal(kept->answers, 42);
	keep(NULL, NULL);
	assert_int_equal(count(), 0);
	assert_int_equal(live_srv_of(&pool, b)->answers, 0);
}

/* Else each look at it would make one more. */
static void the_longest_name_is_found_again(void **unused)
{
	char name[ADDRESS_HOST_MAX + 1];

	(void)unused;
	memset(name, 'n', sizeof name - 1);
	name[sizeof name - 1] = '\0';
	struct live_srv *s = live_srv_of(&pool, name);
	assert_ptr_equal(live_srv_of(&pool, name), s);
	keep(name, NULL);
	assert_int_equal(count(), 1);
}

#define TEST(function) cmocka_unit_test_teardown(function, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(each_name_has_its_own),
		TEST(case_makes_no_other_name),
		TEST(a_reload_keeps_what_it_still_has),
		TEST(the_longest_name_is_found_again),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
