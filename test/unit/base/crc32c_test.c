/* Goal: the checksum of RFC 3720, appendix B.4, whatever pieces it is made from. */
#include "base/crc32c.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void published_values_come_out(void **unused)
{
	uint8_t bytes[32] = {0};

	(void)unused;
	assert_int_equal(crc32c(0, "", 0), 0);
	assert_int_equal(crc32c(0, "123456789", 9), 0xe3069283);
	assert_int_equal(crc32c(0, bytes, 32), 0x8a9136aa);
	memset(bytes, 0xff, 32);
	assert_int_equal(crc32c(0, bytes, 32), 0x62a8ab43);
	for (uint8_t i = 0; i < 32; i++)
		bytes[i] = i;
	assert_int_equal(crc32c(0, bytes, 32), 0x46dd794e);
}

static void pieces_make_the_whole(void **unused)
{
	static const char text[] = "a checksum does not see where bytes were cut";
	size_t len = sizeof text;
	uint32_t whole = crc32c(0, text, len);

	(void)unused;
	for (size_t cut = 0; cut <= len; cut++)
		assert_int_equal(crc32c(crc32c(0, text, cut), text + cut, len - cut), whole);
}

static void the_instruction_and_the_table_agree(void **unused)
{
	uint8_t bytes[300];

	(void)unused;
	for (size_t i = 0; i < sizeof bytes; i++)
		bytes[i] = (uint8_t)(i * i + 7 * i);
	for (size_t from = 0; from < 9; from++)
		for (size_t len = 0; from + len <= sizeof bytes; len++)
			assert_int_equal(crc32c(5, bytes + from, len),
					 crc32c_by_table(5, bytes + from, len));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(published_values_come_out),
		cmocka_unit_test(pieces_make_the_whole),
		cmocka_unit_test(the_instruction_and_the_table_agree),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
