/* Goal: what is in use is counted, and what is free goes back to the system. */
#include "base/heap.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static void what_is_taken_is_in_use_until_it_is_freed(void **unused)
{
	enum { SMALL_COUNT = 1000, SMALL_BYTES = 100, LARGE_BYTES = 4 << 20 };
	static char *small[SMALL_COUNT];

	(void)unused;
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
	skip();			/* theirs is another heap */
#endif
	size_t before = heap_bytes_in_use();
	for (size_t i = 0; i < SMALL_COUNT; i++)
		assert_non_null(small[i] = malloc(SMALL_BYTES));
	char *large = malloc(LARGE_BYTES);
	assert_non_null(large);
	size_t used = heap_bytes_in_use() - before;
	assert_in_range(used, SMALL_COUNT * SMALL_BYTES + LARGE_BYTES,
			2 * SMALL_COUNT * SMALL_BYTES + LARGE_BYTES + 8192);
	free(large);
	for (size_t i = 0; i < SMALL_COUNT; i++)
		free(small[i]);
	assert_in_range(heap_bytes_in_use(), before, before + 4096);
}

static size_t resident_bytes(void)
{
	unsigned long size = 0, resident = 0;
	FILE *in = fopen("/proc/self/statm", "r");

	assert_non_null(in);
	assert_int_equal(fscanf(in, "%lu %lu", &size, &resident), 2);
	fclose(in);
	return resident * (size_t)sysconf(_SC_PAGESIZE);
}

/* Every tenth block stays, so that nothing is free at the end. */
static void what_is_free_leaves_memory(void **unused)
{
	enum { COUNT = 500, BYTES = 100 * 1000 };
	static char *blocks[COUNT];

	(void)unused;
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
	skip();
#endif
	for (size_t i = 0; i < COUNT; i++) {
		assert_non_null(blocks[i] = malloc(BYTES));
		memset(blocks[i], 1, BYTES);
	}
	size_t full = resident_bytes();
	for (size_t i = 0; i < COUNT; i++)
		if (i % 10 != 9)
			free(blocks[i]);
	heap_trim();
	assert_true(resident_bytes() < full - COUNT * BYTES / 2);
	for (size_t i = 9; i < COUNT; i += 10)
		free(blocks[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_taken_is_in_use_until_it_is_freed),
		cmocka_unit_test(what_is_free_leaves_memory),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
