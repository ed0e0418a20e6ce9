#include "client/load_value.h"

#include "base/hash.h"
#include "base/must.h"

/* What all bytes of one value follow from. */
static uint64_t root_of(const struct load_values *v, uint64_t key, uint32_t id)
{
	return hash_pair(hash_pair(v->seed, key), id);
}

static size_t size_of(const struct load_values *v, uint64_t root)
{
	return v->size_min + hash_mix(root) % (v->size_max - v->size_min + 1);
}

/* Eight bytes of the value, those that begin at `at`, which is a multiple of eight. */
static uint64_t piece_at(uint64_t root, uint32_t id, size_t at)
{
	if (at > 0)
		return hash_mix(root + at);
	uint64_t head = (uint64_t)id << 32 | (root & UINT32_MAX);
	return __builtin_bswap64(head);		/* so that the id comes first */
}

void load_key_write(const struct load_values *v, uint64_t key, char *out)
{
	for (size_t i = v->key_size; i > 0; i--) {
		out[i - 1] = (char)('0' + key % 10);
		key /= 10;
	}
	must(key == 0);
}

size_t load_value_write(const struct load_values *v, uint64_t key, uint32_t id,
			char *out)
{
	uint64_t root = root_of(v, key, id);
	size_t size = size_of(v, root);

	for (size_t at = 0; at < size; at += 8) {
		uint64_t piece = piece_at(root, id, at);
		memcpy(out + at, &piece, size - at < 8 ? size - at : 8);
	}
	return size;
}

bool load_value_recognise(const struct load_values *v, uint64_t key, struct span value,
			  uint32_t *id)
{
	uint64_t head;

	if (value.len < LOAD_VALUE_RECOGNISED)
		return false;
	memcpy(&head, value.at, sizeof head);
	uint32_t claimed = (uint32_t)(__builtin_bswap64(head) >> 32);
	uint64_t root = root_of(v, key, claimed);
	if (claimed == 0 || value.len != size_of(v, root))
		return false;
	for (size_t at = 0; at < value.len; at += 8) {
		uint64_t piece = piece_at(root, claimed, at);
		size_t len = value.len - at < 8 ? value.len - at : 8;
		if (memcmp(value.at + at, &piece, len) != 0)
			return false;
	}
	*id = claimed;
	return true;
}
