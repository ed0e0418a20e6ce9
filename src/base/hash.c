#include "base/hash.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

uint64_t hash_bytes(const void *at, size_t len)
{
	return XXH3_64bits(at, len);
}

uint64_t hash_bytes_seeded(const void *at, size_t len, uint64_t seed)
{
	return XXH3_64bits_withSeed(at, len, seed);
}
