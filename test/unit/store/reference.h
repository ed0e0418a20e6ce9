/* test/unit/store/reference.h - what a store must be like, in the plainest way: an array
 * with a place for each key of a test. Keys and values are made from numbers. */
#ifndef UNIT_STORE_REFERENCE_H
#define UNIT_STORE_REFERENCE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "store/store.h"

enum { REFERENCE_KEYS = 6000, REFERENCE_KEY_MAX = 300, REFERENCE_VALUE_MAX = 20000 };

struct reference_entry {
	bool     known, deleted;
	uint64_t version, expires_ms, forget_ms;
	uint32_t value_len, value_seed;
};

struct reference {
	uint32_t tombstone_ms;
	uint64_t newest, purged;
	struct reference_entry entries[REFERENCE_KEYS];
};

/* Every tenth key is a long one. */
static inline struct span reference_key(uint32_t number, char out[REFERENCE_KEY_MAX])
{
	int len = snprintf(out, REFERENCE_KEY_MAX, "%u", number);
	size_t all = number % 10 == 0 ? 200 + number % 100 : (size_t)len;

	memset(out + len, '.', all - (size_t)len);
	return (struct span){out, all};
}

static inline struct span reference_value(uint32_t seed, uint32_t len,
					  char out[REFERENCE_VALUE_MAX])
{
	for (uint32_t i = 0; i < len; i++)
		out[i] = (char)(seed + i * 7);
	return (struct span){out, len};
}

static inline bool reference_is_alive(const struct reference_entry *e, uint64_t now_ms)
{
	return e->known && !e->deleted && (e->expires_ms == 0 || e->expires_ms > now_ms);
}

/* As store_write, with a version that is not 0. */
static inline enum store_result
reference_write(struct reference *r, uint32_t number, const struct reference_entry *to,
		unsigned flags, uint64_t now_ms)
{
	struct reference_entry *e = &r->entries[number];
	bool alive = reference_is_alive(e, now_ms);

	if (e->known && e->version == to->version)
		return STORE_OLD;
	if ((flags & STORE_IF_ABSENT) && alive)
		return STORE_EXISTS;
	if ((flags & STORE_IF_PRESENT) && !alive)
		return STORE_MISSING;
	if (e->known && e->version > to->version)
		return STORE_OLD;
	*e = *to;
	e->known = true;
	if (e->deleted) {
		e->value_len = 0;
		e->expires_ms = 0;
		e->forget_ms = now_ms + r->tombstone_ms;
	}
	if (e->version > r->newest)
		r->newest = e->version;
	return e->deleted && !alive ? STORE_MISSING : STORE_DONE;
}

/* As store_sweep, once around. */
static inline void reference_sweep(struct reference *r, uint64_t now_ms)
{
	for (uint32_t i = 0; i < REFERENCE_KEYS; i++) {
		struct reference_entry *e = &r->entries[i];
		bool over = e->deleted ? e->forget_ms <= now_ms :
			    e->expires_ms != 0 && e->expires_ms <= now_ms;
		if (!e->known || !over)
			continue;
		e->known = false;
		if (e->version > r->purged)
			r->purged = e->version;
	}
}

/* What doc/kv-protocol.md says that an entry adds to its bucket's digest. */
static inline uint64_t reference_digest(const struct reference_entry *e, uint32_t number,
					uint64_t hash)
{
	static char all[8 + REFERENCE_KEY_MAX + REFERENCE_VALUE_MAX];
	char key[REFERENCE_KEY_MAX], value[REFERENCE_VALUE_MAX];
	struct span k = reference_key(number, key);
	struct span v = reference_value(e->value_seed, e->value_len, value);

	for (int i = 0; i < 8; i++)
		all[i] = (char)(e->version >> (56 - 8 * i));
	memcpy(all + 8, k.at, k.len);
	memcpy(all + 8 + k.len, v.at, v.len);
	return hash_bytes_seeded(all, 8 + k.len + v.len, hash);
}

#endif
