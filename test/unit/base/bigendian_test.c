/* Goal: the first byte is the highest, at any address, and no byte beside is touched. */
#include "base/bigendian.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static const uint8_t bytes[] = {
	0xff, 0x81, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0xf8, 0xff,
};

static void numbers_are_read(void **unused)
{
	(void)unused;
	assert_int_equal(bigendian_u16(bytes + 1), 0x8102);
	assert_int_equal(bigendian_u32(bytes + 1), 0x81020304);
	assert_true(bigendian_u64(bytes + 1) == UINT64_C(0x81020304050607f8));
}

static void numbers_are_written(void **unused)
{
	uint8_t out[sizeof bytes];

	(void)unused;
	memset(out, 0xff, sizeof out);
	bigendian_put_u64(out + 1, UINT64_C(0x81020304050607f8));
	assert_memory_equal(out, bytes, sizeof bytes);

	memset(out, 0xff, sizeof out);
	bigendian_put_u32(out + 1, 0x81020304);
	assert_memory_equal(out, bytes, 5);
	assert_int_equal(out[5], 0xff);

	memset(out, 0xff, sizeof out);
	bigendian_put_u16(out + 1, 0x8102);
	assert_memory_equal(out, bytes, 3);
	assert_int_equal(out[3], 0xff);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_are_read),
		cmocka_unit_test(numbers_are_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
