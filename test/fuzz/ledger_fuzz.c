/* Properties: what is read as a record, written again, is the same bytes, however it came
 * about; a record that was cut asks for the rest; one with a changed bit is none. */
#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include "base/crc32c.h"
#include "base/must.h"
#include "fuzz.h"
#include "store/ledger_record.h"

static const uint64_t salt = UINT64_C(0x0123456789abcdef);

static size_t write_again(const struct ledger_record *r, char *out)
{
	if (r->kind == LEDGER_END) {
		ledger_end_write(&r->end, salt, out);
		return LEDGER_RECORD_HEAD + LEDGER_END_BYTES;
	}
	ledger_item_write(&r->item, salt, out);
	return ledger_item_size(&r->item);
}

/* The input as a payload whose checksums are right. */
static char *seal(const uint8_t *data, size_t size)
{
	char *record = malloc(LEDGER_RECORD_HEAD + size);
	uint64_t salt_le = htole64(salt);
	uint32_t words[2] = {htole32((uint32_t)size), htole32(crc32c(0, data, size))};
	uint32_t check = htole32(crc32c(crc32c(0, &salt_le, 8), words, 8));

	must(record != NULL);
	memcpy(record, words, sizeof words);
	memcpy(record + sizeof words, &check, sizeof check);
	memcpy(record + LEDGER_RECORD_HEAD, data, size);
	return record;
}

static void must_hold_for(char *bytes, size_t len, uint32_t dice)
{
	struct ledger_record r;
	size_t size, needed;

	if (ledger_record_read(&r, salt, (struct span){bytes, len}, &size) != LEDGER_READ_DONE)
		return;
	must(size <= len);
	char *again = malloc(size);
	must(again != NULL && write_again(&r, again) == size);
	must(memcmp(again, bytes, size) == 0);
	size_t cut = dice % size;
	must(ledger_record_read(&r, salt, (struct span){again, cut}, &needed) ==
	     LEDGER_READ_MORE);
	must(needed > cut && needed <= size);
	again[cut] ^= (char)(1 << dice / 7 % 8);
	must(ledger_record_read(&r, salt, (struct span){again, size}, &needed) !=
	     LEDGER_READ_DONE);
	free(again);
}

static void must_hold_for_head(const uint8_t *data, size_t size)
{
	uint8_t again[LEDGER_HEAD_BYTES];
	struct ledger_head h;

	if (size < LEDGER_HEAD_BYTES || !ledger_head_read(&h, data))
		return;
	ledger_head_write(&h, again);
	must(memcmp(again, data, sizeof again) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint32_t dice = crc32c(1, data, size);
	char *copy = malloc(size + 1), *sealed = seal(data, size);

	must(copy != NULL);
	memcpy(copy, data, size);
	must_hold_for(copy, size, dice);
	must_hold_for(sealed, LEDGER_RECORD_HEAD + size, dice);
	must_hold_for_head(data, size);
	free(copy);
	free(sealed);
	return 0;
}
