/* base/siphash.h - a keyed 64-bit hash that whoever does not know the key cannot steer:
 * SipHash-2-4 (Aumasson and Bernstein, "SipHash: a fast short-input PRF", 2012).
 *
 * For hash tables whose keys come from strangers. For everything else base/hash.h, which
 * is quicker and equal everywhere.
 */
#ifndef BASE_SIPHASH_H
#define BASE_SIPHASH_H

#include <stddef.h>
#include <stdint.h>

struct siphash_key {
	uint64_t low, high;
};

uint64_t siphash(const struct siphash_key *key, const void *at, size_t len);

#endif
