/* Goal: numbers of requests have six digits, none comes twice, and slots that are chosen
 * by them are chosen evenly. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/memory.h"
#include "forward/request_id.h"

enum { IDS = 900000 };

static void none_of_900000_in_a_row_comes_twice(void **unused)
{
	/* Also where the count begins anew, and at the end of what is counted by. */
	static const uint64_t begins[] = {0, 1, 899999, 450000, UINT64_MAX / 2};

	(void)unused;
	for (size_t b = 0; b < sizeof begins / sizeof begins[0]; b++) {
		uint8_t *given = memory_new(REQUEST_ID_MAX + 1, 1);
		for (uint64_t n = begins[b]; n < begins[b] + IDS; n++) {
			uint32_t id = request_id_of(n);
			assert_in_range(id, REQUEST_ID_MIN, REQUEST_ID_MAX);
			assert_int_equal(given[id]++, 0);
		}
		free(given);
	}
}

/* Of `bins` bins, 100 expected in each: a bin of fair dice is outside of 50 to 150 once
 * in a million. */
static void assert_even(const uint32_t *hits, uint32_t bins)
{
	for (uint32_t i = 0; i < bins; i++)
		assert_in_range(hits[i], 50, 150);
}

static void consecutive_ones_spread_over_all_remainders(void **unused)
{
	uint32_t by_512[512] = {0}, by_pair[64 * 64] = {0};

	(void)unused;
	for (uint64_t n = 0; n < 512 * 100; n++)
		by_512[request_id_of(n) % 512]++;
	assert_even(by_512, 512);
	/* And what one is says nothing of the next. */
	for (uint64_t n = 0; n < 64 * 64 * 100; n++)
		by_pair[request_id_of(n) % 64 * 64 + request_id_of(n + 1) % 64]++;
	assert_even(by_pair, 64 * 64);
}

static void a_key_ends_with_its_number(void **unused)
{
	(void)unused;
	for (uint32_t id = REQUEST_ID_MIN; id <= REQUEST_ID_MAX; id++)
		assert_int_equal(request_id_key(id) % 1000000, id);
}

static void all_parts_of_a_key_are_even(void **unused)
{
	uint32_t high[512] = {0}, low[512] = {0}, prime[509] = {0};

	(void)unused;
	for (uint64_t n = 0; n < 512 * 100; n++) {
		uint64_t key = request_id_key(request_id_of(n));
		high[key >> 55]++;
		low[key & 511]++;
		prime[key % 509]++;
	}
	assert_even(high, 512);
	assert_even(low, 512);
	assert_even(prime, 509);
}

static void the_field_is_its_six_digits(void **unused)
{
	char line[REQUEST_ID_LINE_MAX];

	(void)unused;
	assert_int_equal(request_id_write(100000, line), 22);
	assert_memory_equal(line, "X-Request-Id: 100000\r\n", 22);
	assert_int_equal(request_id_write(987654, line), 22);
	assert_memory_equal(line, "X-Request-Id: 987654\r\n", 22);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(none_of_900000_in_a_row_comes_twice),
		cmocka_unit_test(consecutive_ones_spread_over_all_remainders),
		cmocka_unit_test(a_key_ends_with_its_number),
		cmocka_unit_test(all_parts_of_a_key_are_even),
		cmocka_unit_test(the_field_is_its_six_digits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
