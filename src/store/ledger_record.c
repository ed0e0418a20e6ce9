#include "store/ledger_record.h"

#include <endian.h>

#include "base/crc32c.h"
#include "base/must.h"

static const char magics[][8] = {
	[LEDGER_LOG] = {'k', 'v', 'l', 'o', 'g', ' ', '1', '\n'},
	[LEDGER_SNAPSHOT] = {'k', 'v', 's', 'n', 'a', 'p', '1', '\n'},
};

enum { HEAD_SUMMED = LEDGER_HEAD_BYTES - 8, CHECKED = 8 };

static uint8_t *put_u16(uint8_t *to, uint16_t value)
{
	value = htole16(value);
	return (uint8_t *)memcpy(to, &value, sizeof value) + sizeof value;
}

static uint8_t *put_u32(uint8_t *to, uint32_t value)
{
	value = htole32(value);
	return (uint8_t *)memcpy(to, &value, sizeof value) + sizeof value;
}

static uint8_t *put_u64(uint8_t *to, uint64_t value)
{
	value = htole64(value);
	return (uint8_t *)memcpy(to, &value, sizeof value) + sizeof value;
}

static uint32_t u32_at(const void *at)
{
	uint32_t value;

	memcpy(&value, at, sizeof value);
	return le32toh(value);
}

static uint64_t u64_at(const void *at)
{
	uint64_t value;

	memcpy(&value, at, sizeof value);
	return le64toh(value);
}

/* ---- heads ---- */

void ledger_head_write(const struct ledger_head *h, uint8_t out[LEDGER_HEAD_BYTES])
{
	uint8_t *to = out;

	memcpy(to, magics[h->file], sizeof magics[0]);
	to = put_u32(to + sizeof magics[0], h->number);
	to = put_u32(to, 0);
	to = put_u64(to, h->salt);
	to = put_u64(to, h->key.low);
	to = put_u64(to, h->key.high);
	to = put_u32(to, crc32c(0, out, HEAD_SUMMED));
	put_u32(to, 0);
}

bool ledger_head_read(struct ledger_head *h, const uint8_t at[LEDGER_HEAD_BYTES])
{
	bool is_log = memcmp(at, magics[LEDGER_LOG], sizeof magics[0]) == 0;
	bool is_snapshot = memcmp(at, magics[LEDGER_SNAPSHOT], sizeof magics[0]) == 0;

	if ((!is_log && !is_snapshot) ||
	    crc32c(0, at, HEAD_SUMMED) != u32_at(at + HEAD_SUMMED))
		return false;
	if (u32_at(at + 12) != 0 || u32_at(at + HEAD_SUMMED + 4) != 0)
		return false;
	*h = (struct ledger_head){
		.file = is_log ? LEDGER_LOG : LEDGER_SNAPSHOT,
		.number = u32_at(at + 8), .salt = u64_at(at + 16),
		.key = {u64_at(at + 24), u64_at(at + 32)},
	};
	return true;
}

/* ---- records ---- */

/* Of a record's first bytes, length and payload's crc. */
static uint32_t check_of(const uint8_t *head, uint64_t salt)
{
	uint8_t bytes[8];

	put_u64(bytes, salt);
	return crc32c(crc32c(0, bytes, sizeof bytes), head, CHECKED);
}

/* Puts the head in front of a payload that is there. */
static void seal(uint8_t *out, size_t payload, uint64_t salt)
{
	uint8_t *to = put_u32(out, (uint32_t)payload);

	to = put_u32(to, crc32c(0, out + LEDGER_RECORD_HEAD, payload));
	put_u32(to, check_of(out, salt));
}

static size_t value_len(const struct store_item *item)
{
	return item->deleted ? 0 : item->value.len;
}

size_t ledger_item_size(const struct store_item *item)
{
	return LEDGER_RECORD_HEAD + LEDGER_ITEM_BYTES + item->key.len + value_len(item);
}

void ledger_item_write(const struct store_item *item, uint64_t salt, void *out)
{
	uint8_t *to = (uint8_t *)out + LEDGER_RECORD_HEAD;

	*to++ = item->deleted ? LEDGER_DELETED : LEDGER_SET;
	to = put_u64(to, item->version);
	to = put_u64(to, item->deleted ? 0 : item->expires_ms);
	to = put_u16(to, (uint16_t)item->key.len);
	memcpy(to, item->key.at, item->key.len);
	if (value_len(item) > 0)
		memcpy(to + item->key.len, item->value.at, item->value.len);
	seal(out, ledger_item_size(item) - LEDGER_RECORD_HEAD, salt);
}

void ledger_end_write(const struct ledger_end *end, uint64_t salt, void *out)
{
	uint8_t *to = (uint8_t *)out + LEDGER_RECORD_HEAD;

	*to++ = LEDGER_END;
	to = put_u64(to, end->entries);
	to = put_u64(to, end->newest);
	put_u64(to, end->purged);
	seal(out, LEDGER_END_BYTES, salt);
}

static bool read_item(struct ledger_record *r, const uint8_t *at, size_t len)
{
	if (len < LEDGER_ITEM_BYTES)
		return false;
	size_t key_len = (size_t)at[17] | (size_t)at[18] << 8;
	size_t rest = len - LEDGER_ITEM_BYTES;
	if (key_len < 1 || key_len > STORE_KEY_MAX || key_len > rest ||
	    rest - key_len > STORE_VALUE_MAX)
		return false;
	const char *key = (const char *)at + LEDGER_ITEM_BYTES;
	r->item = (struct store_item){
		.key = {key, key_len}, .value = {key + key_len, rest - key_len},
		.version = u64_at(at + 1), .expires_ms = u64_at(at + 9),
		.deleted = r->kind == LEDGER_DELETED,
	};
	if (r->item.version == 0)
		return false;
	return !r->item.deleted || (r->item.value.len == 0 && r->item.expires_ms == 0);
}

static bool read_payload(struct ledger_record *r, const uint8_t *at, size_t len)
{
	*r = (struct ledger_record){.kind = (enum ledger_kind)at[0]};
	if (at[0] == LEDGER_SET || at[0] == LEDGER_DELETED)
		return read_item(r, at, len);
	if (at[0] != LEDGER_END || len != LEDGER_END_BYTES)
		return false;
	r->end = (struct ledger_end){u64_at(at + 1), u64_at(at + 9), u64_at(at + 17)};
	return true;
}

enum ledger_read ledger_record_read(struct ledger_record *r, uint64_t salt,
				    struct span at, size_t *size)
{
	const uint8_t *bytes = (const uint8_t *)at.at;

	*size = LEDGER_RECORD_HEAD;
	if (at.len < LEDGER_RECORD_HEAD)
		return LEDGER_READ_MORE;
	size_t payload = u32_at(bytes);
	if (check_of(bytes, salt) != u32_at(bytes + CHECKED) ||
	    payload < LEDGER_ITEM_BYTES ||
	    payload > LEDGER_RECORD_MAX - LEDGER_RECORD_HEAD)
		return LEDGER_READ_BAD;
	*size = LEDGER_RECORD_HEAD + payload;
	if (at.len < *size)
		return LEDGER_READ_MORE;
	bytes += LEDGER_RECORD_HEAD;
	if (crc32c(0, bytes, payload) != u32_at(bytes - CHECKED) ||
	    !read_payload(r, bytes, payload))
		return LEDGER_READ_BAD;
	return LEDGER_READ_DONE;
}
