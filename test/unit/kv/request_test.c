/* Goal: a request keeps what it asks, whatever its size, and what it was answered. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/must.h"
#include "kv/request.h"

static struct kv_requests all;

static int start(void **unused)
{
	(void)unused;
	kv_requests_init(&all);
	return 0;
}

/* Which ends the program if one was not given back. */
static int finish(void **unused)
{
	(void)unused;
	kv_requests_fini(&all);
	return 0;
}

static void every_size_keeps_its_bytes(void **unused)
{
	static const size_t sizes[] = {0, 1, 64, 200, 256, 700, 1024, 4000, 32768, 65503};
	static char bytes[65536];

	(void)unused;
	for (size_t i = 0; i < sizeof bytes; i++)
		bytes[i] = (char)(i * 7);
	for (size_t i = 0; i < COUNT_OF(sizes); i++) {
		struct span key = {bytes, 1 + i}, value = {bytes + 20, sizes[i]};
		struct kv_request *r = kv_request_create(&all, key, value);
		assert_non_null(r);
		assert_true(span_equals(kv_request_key(r), key));
		assert_true(span_equals(kv_request_value(r), value));
		kv_request_destroy(&all, r);
	}
}

static void an_answer_may_be_given_again(void **unused)
{
	(void)unused;
	struct kv_request *r = kv_request_create(&all, SPAN("k"), (struct span){0});
	kv_request_answer(r, KV_FINE, SPAN("short"));
	kv_request_answer(r, KV_BUSY, SPAN("a longer one"));
	assert_int_equal(r->result, KV_BUSY);
	assert_int_equal(r->answer_len, strlen("a longer one"));
	assert_memory_equal(r->answer, "a longer one", r->answer_len);
	kv_request_answer(r, KV_NOT_FOUND, (struct span){0});
	assert_int_equal(r->result, KV_NOT_FOUND);
	assert_int_equal(r->answer_len, 0);
	kv_request_destroy(&all, r);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, finish)
	const struct CMUnitTest tests[] = {
		TEST(every_size_keeps_its_bytes),
		TEST(an_answer_may_be_given_again),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
