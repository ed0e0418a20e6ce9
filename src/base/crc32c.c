#include "base/crc32c.h"

#include <string.h>

/* What four bits do to a checksum: 0x82f63b78 is the polynomial, bits reversed. */
static const uint32_t nibbles[16] = {
	0x00000000, 0x105ec76f, 0x20bd8ede, 0x30e349b1,
	0x417b1dbc, 0x5125dad3, 0x61c69362, 0x7198540d,
	0x82f63b78, 0x92a8fc17, 0xa24bb5a6, 0xb21572c9,
	0xc38d26c4, 0xd3d3e1ab, 0xe330a81a, 0xf36e6f75,
};

uint32_t crc32c_by_table(uint32_t before, const void *at, size_t len)
{
	const uint8_t *bytes = at;
	uint32_t crc = ~before;

	for (size_t i = 0; i < len; i++) {
		crc ^= bytes[i];
		crc = crc >> 4 ^ nibbles[crc & 15];
		crc = crc >> 4 ^ nibbles[crc & 15];
	}
	return ~crc;
}

#if defined(__x86_64__)

#define STEP_8(crc, word) ((uint32_t)__builtin_ia32_crc32di(crc, word))
#define STEP_1(crc, byte) __builtin_ia32_crc32qi(crc, byte)
#define BY_INSTRUCTION __attribute__((target("sse4.2")))

static inline int has_instruction(void)
{
	return __builtin_cpu_supports("sse4.2");
}

#elif defined(__aarch64__) && defined(__ARM_FEATURE_CRC32)

#include <arm_acle.h>

#define STEP_8(crc, word) __crc32cd(crc, word)
#define STEP_1(crc, byte) __crc32cb(crc, byte)
#define BY_INSTRUCTION

static inline int has_instruction(void)
{
	return 1;
}

#endif

#ifdef BY_INSTRUCTION

BY_INSTRUCTION static uint32_t crc32c_by_instruction(uint32_t before, const uint8_t *bytes,
						     size_t len)
{
	uint32_t crc = ~before;

	for (; len >= 8; bytes += 8, len -= 8) {
		uint64_t word;
		memcpy(&word, bytes, 8);
		crc = STEP_8(crc, word);
	}
	while (len-- > 0)
		crc = STEP_1(crc, *bytes++);
	return ~crc;
}

uint32_t crc32c(uint32_t before, const void *at, size_t len)
{
	return has_instruction() ? crc32c_by_instruction(before, at, len) :
				   crc32c_by_table(before, at, len);
}

#else

uint32_t crc32c(uint32_t before, const void *at, size_t len)
{
	return crc32c_by_table(before, at, len);
}

#endif
