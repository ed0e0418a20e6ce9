/* Goal: versions only grow, whoever takes them and whatever was seen; the pool's key is the
 * first one proposed, or the secret's.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/must.h"
#include "kv/shared.h"

enum { THREADS = 4, EACH = 20000 };

static const uint64_t year_2026_us = UINT64_C(1767225600000000);

static void versions_are_above_the_time_and_grow(void **unused)
{
	(void)unused;
	struct kv_shared *s = kv_shared_create("store", year_2026_us);
	uint64_t first = kv_shared_version(s, year_2026_us);
	uint64_t second = kv_shared_version(s, year_2026_us);
	assert_true(first >= year_2026_us * 256);
	assert_true(second > first);
	kv_shared_destroy(s);
}

static void versions_follow_the_time(void **unused)
{
	(void)unused;
	struct kv_shared *s = kv_shared_create("store", year_2026_us);
	uint64_t later_us = year_2026_us + 3600 * UINT64_C(1000000);
	assert_true(kv_shared_version(s, later_us) >= later_us * 256);
	uint64_t last = kv_shared_version(s, later_us);
	assert_true(kv_shared_version(s, year_2026_us) > last);	/* a clock that was set back */
	kv_shared_destroy(s);
}

static void what_was_seen_is_passed(void **unused)
{
	(void)unused;
	struct kv_shared *s = kv_shared_create("store", year_2026_us);
	uint64_t seen = (year_2026_us + 1000000) * 256 + 17;
	kv_shared_saw_version(s, seen);
	assert_true(kv_shared_version(s, year_2026_us) > seen);
	uint64_t now = kv_shared_version(s, year_2026_us);
	kv_shared_saw_version(s, 5);		/* nothing goes back */
	assert_true(kv_shared_version(s, year_2026_us) > now);
	kv_shared_destroy(s);
}

struct taker {
	pthread_t thread;
	struct kv_shared *shared;
	uint64_t last;
	uint64_t sum;
};

static void *take(void *arg)
{
	struct taker *t = arg;

	for (int i = 0; i < EACH; i++) {
		uint64_t v = kv_shared_version(t->shared, year_2026_us);
		must(v > t->last);
		t->last = v;
		t->sum += v;
	}
	return NULL;
}

/* Taken by many threads they are the ones that one would have taken: none twice. */
static void no_version_is_given_twice(void **unused)
{
	struct taker takers[THREADS] = {0};
	uint64_t sum = 0, wanted = 0;

	(void)unused;
	struct kv_shared *s = kv_shared_create("store", year_2026_us);
	for (int i = 0; i < THREADS; i++) {
		takers[i].shared = s;
		pthread_create(&takers[i].thread, NULL, take, &takers[i]);
	}
	for (int i = 0; i < THREADS; i++) {
		pthread_join(takers[i].thread, NULL);
		sum += takers[i].sum;
	}
	for (uint64_t i = 0; i < THREADS * EACH; i++)
		wanted += (year_2026_us + i) * 256;
	assert_true(sum == wanted);
	kv_shared_destroy(s);
}

static void the_first_proposal_is_the_pools_key(void **unused)
{
	uint8_t one[KV_POOL_KEY_BYTES], two[KV_POOL_KEY_BYTES], got[KV_POOL_KEY_BYTES];

	(void)unused;
	struct kv_shared *s = kv_shared_create("store", year_2026_us);
	memset(one, 1, sizeof one);
	memset(two, 2, sizeof two);
	kv_shared_pool_key(s, one, got);
	assert_memory_equal(got, one, sizeof got);
	kv_shared_pool_key(s, two, got);
	assert_memory_equal(got, one, sizeof got);
	kv_shared_destroy(s);
}

static void a_secret_makes_the_key_whoever_proposes(void **unused)
{
	uint8_t one[KV_POOL_KEY_BYTES], a[KV_POOL_KEY_BYTES], b[KV_POOL_KEY_BYTES];
	char secret[KV_SECRET_MAX];

	(void)unused;
	struct kv_shared *s = kv_shared_create("store", year_2026_us);
	struct kv_shared *after_restart = kv_shared_create("store", year_2026_us + 1);
	memset(one, 1, sizeof one);
	kv_shared_set_secret(s, SPAN("among us"));
	kv_shared_set_secret(after_restart, SPAN("among us"));
	assert_int_equal(kv_shared_secret(s, secret), strlen("among us"));
	assert_memory_equal(secret, "among us", strlen("among us"));
	kv_shared_pool_key(s, one, a);
	assert_memory_not_equal(a, one, sizeof a);
	kv_shared_pool_key(after_restart, one, b);
	assert_memory_equal(a, b, sizeof a);
	kv_shared_set_secret(s, SPAN("another"));
	kv_shared_pool_key(s, one, b);
	assert_memory_not_equal(a, b, sizeof a);
	kv_shared_destroy(after_restart);
	kv_shared_destroy(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(versions_are_above_the_time_and_grow),
		cmocka_unit_test(versions_follow_the_time),
		cmocka_unit_test(what_was_seen_is_passed),
		cmocka_unit_test(no_version_is_given_twice),
		cmocka_unit_test(the_first_proposal_is_the_pools_key),
		cmocka_unit_test(a_secret_makes_the_key_whoever_proposes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
