/* store/ledger_record.h - the bytes of a ledger's files: heads and records.
 *
 *   file    | head 48 | record | record | ...
 *   head    | magic 8 | number u32 | 0 u32 | salt u64 | pool key 16 | crc u32 | 0 u32 |
 *   record  | length u32 | crc of the payload u32 | check u32 | payload: length bytes |
 *   an item | kind u8 | version u64 | expires u64 | key length u16 | key | value |
 *   the end | kind u8 | entries u64 | newest u64 | purged u64 |    of a snapshot
 *
 * All little-endian. `check` is the CRC32c of the length, the payload's crc and the salt:
 * a length that a fault has changed is known as such, instead of being followed. The salt
 * is a random number that nobody outside knows, so that a value which looks like a record
 * is none.
 *
 * Pure.
 */
#ifndef STORE_LEDGER_RECORD_H
#define STORE_LEDGER_RECORD_H

#include "store/store.h"

enum {
	LEDGER_HEAD_BYTES = 48,
	LEDGER_RECORD_HEAD = 12,
	LEDGER_ITEM_BYTES = 19,		/* of a payload, beside key and value */
	LEDGER_END_BYTES = 25,
	LEDGER_RECORD_MAX = LEDGER_RECORD_HEAD + LEDGER_ITEM_BYTES + STORE_KEY_MAX +
			    STORE_VALUE_MAX,
};

enum ledger_file { LEDGER_LOG = 1, LEDGER_SNAPSHOT };

struct ledger_head {
	enum ledger_file file;
	uint32_t number;
	uint64_t salt;
	struct siphash_key key;		/* the pool's, when the file was begun */
};

/* The first bytes of a file, with their sum. */
void ledger_head_write(const struct ledger_head *h, uint8_t out[LEDGER_HEAD_BYTES]);

/* False: they are no head. */
bool ledger_head_read(struct ledger_head *h, const uint8_t at[LEDGER_HEAD_BYTES]);

enum ledger_kind { LEDGER_SET = 1, LEDGER_DELETED, LEDGER_END };

struct ledger_end {
	uint64_t entries, newest, purged;
};

struct ledger_record {
	enum ledger_kind kind;
	struct store_item item;		/* points into what was read */
	struct ledger_end end;		/* LEDGER_END */
};

/* Of its record, with what stands in front of each. A deletion has no value. */
size_t ledger_item_size(const struct store_item *item);

/* Writes a record, ledger_item_size bytes; or LEDGER_RECORD_HEAD + LEDGER_END_BYTES. */
void ledger_item_write(const struct store_item *item, uint64_t salt, void *out);
void ledger_end_write(const struct ledger_end *end, uint64_t salt, void *out);

enum ledger_read {
	LEDGER_READ_MORE,	/* so far it is good, but not all of it is there */
	LEDGER_READ_DONE,
	LEDGER_READ_BAD,
};

/* Reads the record at `at`. *size is how long it is, as far as that is known: on
 * LEDGER_READ_MORE so many bytes are needed, on LEDGER_READ_BAD it is not set. */
enum ledger_read ledger_record_read(struct ledger_record *r, uint64_t salt,
				    struct span at, size_t *size);

#endif
