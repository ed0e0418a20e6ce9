/* Goal: a block belongs to one owner at a time, is aligned, and leaves memory when asked. */
#include "base/region.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

#include "base/slab.h"

enum { OUT_MAX = 400 };

static uint32_t dice_state = 1;

static uint32_t dice(uint32_t sides)
{
	dice_state = dice_state * 1664525 + 1013904223;
	return (uint32_t)((uint64_t)dice_state * sides >> 32);
}

static void random_use(size_t block_size)
{
	static unsigned char *out[OUT_MAX];
	static unsigned char marks[OUT_MAX];
	struct region_source r;
	uint32_t count = 0;

	region_source_init(&r, block_size);
	for (int n = 0; n < 4000; n++) {
		bool take = dice(10) < (n / 1000 % 2 == 0 ? 7u : 3u);
		if (take && count < OUT_MAX) {
			out[count] = region_get(&r);
			assert_non_null(out[count]);
			assert_int_equal((uintptr_t)out[count] % block_size, 0);
			marks[count] = (unsigned char)dice(256);
			out[count][0] = out[count][block_size - 1] = marks[count];
			count++;
		} else if (!take && count > 0) {
			uint32_t i = dice(count);
			assert_int_equal(out[i][0], marks[i]);
			assert_int_equal(out[i][block_size - 1], marks[i]);
			region_put(&r, out[i]);
			out[i] = out[--count];
			marks[i] = marks[count];
		}
		if (n / 500 % 2 == 0 && dice(3) == 0)
			region_trim(&r, dice(4));
		assert_true(r.dirty_blocks <= OUT_MAX);
	}
	assert_int_equal(region_bytes_out(), count * block_size);
	while (count > 0)
		region_put(&r, out[--count]);
	assert_int_equal(region_bytes_out(), 0);
	region_source_fini(&r);
}

static void no_block_is_given_out_twice(void **unused)
{
	(void)unused;
	for (size_t size = REGION_BLOCK_MIN; size <= REGION_BYTES / 8; size *= 2)
		random_use(size);
}

static void a_block_that_was_put_back_leaves_memory_at_a_trim(void **unused)
{
	unsigned char resident[REGION_BLOCK_MIN / 4096];
	struct region_source r;

	(void)unused;
	region_source_init(&r, REGION_BLOCK_MIN);
	char *kept = region_get(&r), *block = region_get(&r);
	memset(block, 1, REGION_BLOCK_MIN);
	assert_int_equal(mincore(block, REGION_BLOCK_MIN, resident), 0);
	assert_int_equal(resident[7] & 1, 1);
	region_put(&r, block);
	assert_int_equal(r.dirty_blocks, 1);
	region_trim(&r, 10);
	assert_int_equal(r.dirty_blocks, 0);
	assert_int_equal(mincore(block, REGION_BLOCK_MIN, resident), 0);
	for (size_t i = 0; i < sizeof resident; i++)
		assert_int_equal(resident[i] & 1, 0);
	region_put(&r, kept);
	region_source_fini(&r);
}

static void a_slab_fills_its_blocks_from_a_source(void **unused)
{
	enum { OBJECTS = 3000 };
	static char *out[OBJECTS];
	struct region_source r;
	struct slab s;

	(void)unused;
	region_source_init(&r, 4 * REGION_BLOCK_MIN);
	slab_init_from(&s, 1000, &r);
	for (int i = 0; i < OBJECTS; i++)
		memset(out[i] = slab_get(&s), i, 1000);
	assert_true(s.bytes >= OBJECTS * 1000);
	assert_int_equal(s.bytes % (4 * REGION_BLOCK_MIN), 0);
	for (int i = 0; i < OBJECTS; i++) {
		assert_int_equal(out[i][999], (char)i);
		slab_put(&s, out[i]);
	}
	assert_int_equal(s.bytes, 4 * REGION_BLOCK_MIN);
	slab_fini(&s);
	region_source_fini(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_block_is_given_out_twice),
		cmocka_unit_test(a_block_that_was_put_back_leaves_memory_at_a_trim),
		cmocka_unit_test(a_slab_fills_its_blocks_from_a_source),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
