/* Goal: memory for the control side comes zeroed and as aligned as asked. */
#include "base/memory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static void assert_zeros(const char *at, size_t count)
{
	for (size_t i = 0; i < count; i++)
		assert_int_equal(at[i], 0);
}

static void new_memory_is_zeroed(void **unused)
{
	char *at = memory_new(7, 100);

	(void)unused;
	assert_zeros(at, 700);
	free(at);
	at = memory_new(0, 100);	/* none is an answer, too, and may be freed */
	assert_non_null(at);
	free(at);
}

static void aligned_memory_is_aligned_and_zeroed(void **unused)
{
	(void)unused;
	for (size_t alignment = 16; alignment <= 4096; alignment *= 2) {
		char *at = memory_new_aligned(alignment, 100);
		assert_int_equal((uintptr_t)at % alignment, 0);
		assert_zeros(at, 100);
		free(at);
	}
}

static void growing_keeps_what_was_there(void **unused)
{
	int *at = memory_new(2, sizeof *at);

	(void)unused;
	at[0] = 1;
	at[1] = 2;
	at = memory_grow(at, 1000, sizeof *at);
	assert_int_equal(at[0], 1);
	assert_int_equal(at[1], 2);
	free(at);
}

static void a_text_is_copied(void **unused)
{
	char text[] = "web", *copy = memory_text(text);

	(void)unused;
	text[0] = 'x';
	assert_string_equal(copy, "web");
	free(copy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(new_memory_is_zeroed),
		cmocka_unit_test(aligned_memory_is_aligned_and_zeroed),
		cmocka_unit_test(growing_keeps_what_was_there),
		cmocka_unit_test(a_text_is_copied),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
