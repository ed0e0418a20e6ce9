/* base/hash.h - 64-bit hashes: of bytes (XXH3), of numbers, and of pairs.
 *
 * Stable over versions and machines: pick/ builds tables from them that have to
 * be equal on every balancer. Not for defence against chosen collisions.
 */
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

/* XXH3, 64 bits, seed 0, of len bytes. */
uint64_t hash_bytes(const void *at, size_t len);

/* The same with a seed of one's own. */
uint64_t hash_bytes_seeded(const void *at, size_t len, uint64_t seed);

/* The finalizer of splitmix64 (Steele, Lea, Flood: "Fast splittable pseudorandom
 * number generators", 2014): a bijection that mixes every bit into every other. */
static inline uint64_t hash_mix(uint64_t x)
{
	x ^= x >> 30;
	x *= UINT64_C(0xbf58476d1ce4e5b9);
	x ^= x >> 27;
	x *= UINT64_C(0x94d049bb133111eb);
	return x ^ x >> 31;
}

static inline uint64_t hash_pair(uint64_t a, uint64_t b)
{
	return hash_mix(a + UINT64_C(0x9e3779b97f4a7c15) * (hash_mix(b) | 1));
}

#endif
