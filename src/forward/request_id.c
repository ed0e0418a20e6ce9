#include "forward/request_id.h"

#include <string.h>

#include "base/hash.h"

enum {
	COUNT = REQUEST_ID_MAX - REQUEST_ID_MIN + 1,
	SHUFFLE_BITS = 20,		/* the least that hold COUNT */
	SHUFFLE_MASK = (1 << SHUFFLE_BITS) - 1,
};

_Static_assert(COUNT <= SHUFFLE_MASK, "each of them has a place in the shuffle");

/* Each number of so many bits becomes another one: odd factors and shifts to the right
 * can be undone (the finalizer of MurmurHash3, cut to size). */
static uint32_t shuffle(uint32_t x)
{
	x ^= x >> 11;
	x = x * 0x5ebcbu & SHUFFLE_MASK;
	x ^= x >> 9;
	x = x * 0xb2d35u & SHUFFLE_MASK;
	return x ^ x >> 10;
}

/* Shuffled until it is one of those that count: of what is a shuffle for more, that
 * makes one for fewer (Black, Rogaway: "Ciphers with arbitrary finite domains", 2002).
 * Seven of eight are done at once. */
uint32_t request_id_of(uint64_t n)
{
	uint32_t x = shuffle((uint32_t)(n % COUNT));

	while (x >= COUNT)
		x = shuffle(x);
	return REQUEST_ID_MIN + x;
}

uint64_t request_id_key(uint32_t id)
{
	const uint64_t one_more = REQUEST_ID_MAX + 1;	/* its digits are the last */

	return hash_mix(id) % (UINT64_MAX / one_more) * one_more + id;
}

uint32_t request_id_write(uint32_t id, char out[REQUEST_ID_LINE_MAX])
{
	static const char line[] = "X-Request-Id: ......\r\n";

	memcpy(out, line, sizeof line - 1);
	for (size_t at = sizeof line - 4; id > 0; id /= 10)
		out[at--] = (char)('0' + id % 10);
	return sizeof line - 1;
}
