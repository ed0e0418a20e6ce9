/* Goal: an object belongs to one owner at a time, and memory goes back. */
#include "base/slab.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "base/must.h"

enum { OUT_MAX = 3000 };

static uint32_t dice_state = 1;

static uint32_t dice(uint32_t sides)
{
	dice_state = dice_state * 1664525 + 1013904223;
	return (uint32_t)((uint64_t)dice_state * sides >> 32);
}

/* Each object is filled with a mark of its own; whoever else had it would show. */
static void random_use(size_t size)
{
	static unsigned char *out[OUT_MAX];
	static unsigned char marks[OUT_MAX];
	struct slab s;
	uint32_t count = 0;

	slab_init(&s, size);
	for (int n = 0; n < 20000; n++) {
		/* Swells and shrinks in turn, so that blocks fill and empty. */
		bool take = dice(10) < (n / 4000 % 2 == 0 ? 7u : 3u);
		if (take && count < OUT_MAX) {
			out[count] = slab_get(&s);
			assert_non_null(out[count]);
			assert_int_equal((uintptr_t)out[count] % 16, 0);
			marks[count] = (unsigned char)dice(256);
			memset(out[count], marks[count], size);
			count++;
		} else if (!take && count > 0) {
			uint32_t i = dice(count);
			for (size_t b = 0; b < size; b += 1 + size / 8)
				assert_int_equal(out[i][b], marks[i]);
			assert_int_equal(out[i][size - 1], marks[i]);
			slab_put(&s, out[i]);
			out[i] = out[--count];
			marks[i] = marks[count];
		}
		assert_int_equal(s.objects, count);
		assert_true(s.bytes >= count * size);
		assert_in_range(s.empty_blocks, 0, 1);
	}
	while (count > 0)
		slab_put(&s, out[--count]);
	assert_true(s.bytes <= s.block_size);
	slab_fini(&s);
	assert_int_equal(s.bytes, 0);
}

static void no_object_is_given_out_twice(void **unused)
{
	static const size_t sizes[] = {1, 16, 17, 100, 1024, 5000};

	(void)unused;
	for (size_t i = 0; i < COUNT_OF(sizes); i++)
		random_use(sizes[i]);
}

static void memory_goes_back_but_for_one_block(void **unused)
{
	static void *out[OUT_MAX];
	struct slab s;

	(void)unused;
	slab_init(&s, 512);
	for (size_t i = 0; i < OUT_MAX; i++)
		out[i] = slab_get(&s);
	assert_true(s.bytes >= OUT_MAX * 512);
	assert_true(s.bytes <= OUT_MAX * 512 * 102 / 100 + s.block_size);
	for (size_t i = 0; i < OUT_MAX; i++)
		slab_put(&s, out[i]);
	assert_int_equal(s.objects, 0);
	assert_int_equal(s.bytes, s.block_size);
	slab_fini(&s);
}

static void one_object_coming_and_going_does_not_reach_the_system(void **unused)
{
	struct slab s;

	(void)unused;
	slab_init(&s, 64);
	slab_put(&s, slab_get(&s));
	for (int n = 0; n < 100; n++) {
		void *object = slab_get(&s);
		assert_int_equal(s.bytes, s.block_size);
		slab_put(&s, object);
		assert_int_equal(s.bytes, s.block_size);
	}
	slab_fini(&s);
}

/* Scattered survivors: what comes next fills their blocks, and takes no new ones. */
static void free_places_are_used_before_new_blocks(void **unused)
{
	static void *out[OUT_MAX];
	struct slab s;

	(void)unused;
	slab_init(&s, 1000);
	for (size_t i = 0; i < OUT_MAX; i++)
		out[i] = slab_get(&s);
	uint64_t most = s.bytes;
	for (size_t i = 0; i < OUT_MAX; i++)
		if (i % 10 != 0)
			slab_put(&s, out[i]);
	for (size_t i = 0; i < OUT_MAX; i++)
		if (i % 10 != 0)
			out[i] = slab_get(&s);
	assert_int_equal(s.bytes, most);
	for (size_t i = 0; i < OUT_MAX; i++)
		slab_put(&s, out[i]);
	slab_fini(&s);
}

static void large_objects_come_at_least_four_to_a_block(void **unused)
{
	struct slab s;

	(void)unused;
	slab_init(&s, 300 * 1000);
	assert_true(s.objects_per_block >= 4);
	char *object = slab_get(&s);
	memset(object, 1, 300 * 1000);
	slab_put(&s, object);
	slab_put(&s, NULL);
	slab_fini(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_object_is_given_out_twice),
		cmocka_unit_test(memory_goes_back_but_for_one_block),
		cmocka_unit_test(one_object_coming_and_going_does_not_reach_the_system),
		cmocka_unit_test(free_places_are_used_before_new_blocks),
		cmocka_unit_test(large_objects_come_at_least_four_to_a_block),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
