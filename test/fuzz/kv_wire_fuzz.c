/* Messages of the key-value protocol: what was read is written as the same bytes, cutting
 * changes nothing, and what lies behind a message neither. */
#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "fuzz.h"
#include "parse/kv_wire.h"

enum { CUTS_MAX = 256 };	/* of one message; of a longer one, the first and the last */

static char out[KV_MESSAGE_MAX];

/* Reads the first `len` bytes from memory that ends with the last of them. */
static enum kv_parse parse_part(const uint8_t *at, size_t len, size_t *used,
				const char **why)
{
	struct kv_message m;
	uint8_t *copy = malloc(len + 1);

	must(copy != NULL);
	memcpy(copy + 1, at, len);		/* not aligned, either */
	enum kv_parse result = kv_wire_parse(&m, copy + 1, len, used, why);
	if (result == KV_PARSE_DONE) {
		must(kv_wire_size(&m) == *used && kv_wire_write(&m, out) == *used);
		must(memcmp(out, copy + 1, *used) == 0);
	}
	free(copy);
	return result;
}

static void check_cuts(const uint8_t *at, size_t size, enum kv_parse result, size_t used)
{
	bool decided = false;
	size_t end = result == KV_PARSE_DONE ? used : size;

	for (size_t len = 0; len <= end && !decided; len++) {
		size_t now_used = 0;
		const char *why = NULL;
		if (len > CUTS_MAX && end - len > CUTS_MAX)
			continue;
		enum kv_parse now = parse_part(at, len, &now_used, &why);
		decided = now != KV_PARSE_MORE;
		must(!decided || now == result);
		must(now != KV_PARSE_DONE || (now_used == len && len == used));
		must((now == KV_PARSE_BAD) == (why != NULL));
	}
	must(decided || result == KV_PARSE_MORE);
}

/* Items lie where they are said to, and come back the same. */
static void check_items(const struct kv_message *m)
{
	char copy[KV_SUMMARY_ITEM_BYTES];
	struct span items = m->items;

	if (m->type == KV_SYNC_SUMMARY)
		for (size_t i = 0; i < items.len / KV_SUMMARY_ITEM_BYTES; i++) {
			struct kv_summary_item item = kv_summary_item_at(items, i);
			kv_summary_item_write(&item, copy);
			must(memcmp(copy, items.at + i * sizeof copy, sizeof copy) == 0);
		}
	if (m->type == KV_SYNC_WANT || m->type == KV_SYNC_ASK)
		for (size_t i = 0; i < items.len / 8; i++) {
			kv_u64_write(kv_u64_at(items, i), copy);
			must(memcmp(copy, items.at + i * 8, 8) == 0);
		}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct kv_message m;
	enum kv_parse result = KV_PARSE_DONE;

	while (result == KV_PARSE_DONE) {
		size_t used = 0;
		const char *why = NULL;
		result = kv_wire_parse(&m, data, size, &used, &why);
		must((result == KV_PARSE_BAD) == (why != NULL));
		if (result == KV_PARSE_DONE) {
			must(used >= KV_HEADER_BYTES && used <= size && m.type == data[0]);
			check_items(&m);
		}
		check_cuts(data, size, result, used);
		data += used;
		size -= used;
	}
	return 0;
}
