/* client/load_value.h - the keys and values that the load generator writes, and which
 * value a value is.
 *
 * A value is made of the seed, its key and its id, which counts the writes of this key
 * from 1; so whoever knows the seed can tell whether a value was ever meant for a key,
 * and which write it comes from, without remembering any.
 *
 *   id u32 | sign u32 | bytes that follow from all of them ...
 *
 * Pure.
 */
#ifndef CLIENT_LOAD_VALUE_H
#define CLIENT_LOAD_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/span.h"

struct load_values {
	uint64_t seed;
	size_t   key_size;		/* room for the digits of the largest key */
	size_t   size_min, size_max;	/* below LOAD_VALUE_RECOGNISED: no id */
};

enum { LOAD_VALUE_RECOGNISED = 8 };

/* Writes key_size bytes: the number, with noughts in front. */
void load_key_write(const struct load_values *v, uint64_t key, char *out);

/* Writes the value and returns its size, size_min to size_max. */
size_t load_value_write(const struct load_values *v, uint64_t key, uint32_t id,
			char *out);

/* Whether it is a value of this key, every byte of it; *id is set if so. */
bool load_value_recognise(const struct load_values *v, uint64_t key, struct span value,
			  uint32_t *id);

#endif
