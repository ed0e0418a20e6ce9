/* Goal: what was written is read; what was changed, anywhere, is not. */
#include "store/ledger_record.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/must.h"

static const uint64_t salt = UINT64_C(0x1122334455667788);

static const struct store_item items[] = {
	{.key = {"k", 1}, .value = {"v", 1}, .version = 1},
	{.key = {"a\0b", 3}, .value = {"", 0}, .version = UINT64_MAX, .expires_ms = 77},
	{.key = {"gone", 4}, .version = 5, .deleted = true},
	{.key = {"some longer key", 15}, .value = {"and what belongs to it", 22},
	 .version = UINT64_C(1) << 60, .expires_ms = UINT64_MAX},
};

static void must_be_equal(const struct store_item *a, const struct store_item *b)
{
	assert_true(span_equals(a->key, b->key));
	assert_true(span_equals(a->value, b->value));
	assert_int_equal(a->version, b->version);
	assert_int_equal(a->expires_ms, b->expires_ms);
	assert_int_equal(a->deleted, b->deleted);
}

static void an_item_comes_back_as_it_was(void **unused)
{
	(void)unused;
	for (size_t i = 0; i < COUNT_OF(items); i++) {
		char bytes[256];
		struct ledger_record r;
		size_t size = ledger_item_size(&items[i]), used;
		ledger_item_write(&items[i], salt, bytes);
		assert_int_equal(ledger_record_read(&r, salt, (struct span){bytes, sizeof bytes},
						    &used), LEDGER_READ_DONE);
		assert_int_equal(used, size);
		assert_int_equal(r.kind, items[i].deleted ? LEDGER_DELETED : LEDGER_SET);
		must_be_equal(&r.item, &items[i]);
	}
}

static void a_part_of_a_record_asks_for_the_rest(void **unused)
{
	(void)unused;
	for (size_t i = 0; i < COUNT_OF(items); i++) {
		char bytes[256];
		struct ledger_record r;
		size_t size = ledger_item_size(&items[i]), needed;
		ledger_item_write(&items[i], salt, bytes);
		for (size_t len = 0; len < size; len++) {
			assert_int_equal(ledger_record_read(&r, salt,
							    (struct span){bytes, len},
							    &needed), LEDGER_READ_MORE);
			assert_int_equal(needed, len < LEDGER_RECORD_HEAD ?
						 LEDGER_RECORD_HEAD : size);
		}
	}
}

static void no_bit_may_be_another(void **unused)
{
	(void)unused;
	for (size_t i = 0; i < COUNT_OF(items); i++) {
		char bytes[256] = {0};
		struct ledger_record r;
		size_t size = ledger_item_size(&items[i]), used;
		ledger_item_write(&items[i], salt, bytes);
		for (size_t bit = 0; bit < size * 8; bit++) {
			bytes[bit / 8] ^= (char)(1 << bit % 8);
			assert_int_equal(ledger_record_read(&r, salt,
							    (struct span){bytes, sizeof bytes},
							    &used), LEDGER_READ_BAD);
			bytes[bit / 8] ^= (char)(1 << bit % 8);
		}
	}
}

/* A value that is a record of another ledger is none of this one. */
static void a_record_of_another_salt_is_none(void **unused)
{
	char bytes[256];
	struct ledger_record r;
	size_t used;

	(void)unused;
	ledger_item_write(&items[0], salt + 1, bytes);
	assert_int_equal(ledger_record_read(&r, salt, (struct span){bytes, sizeof bytes}, &used),
			 LEDGER_READ_BAD);
}

static void the_largest_item_comes_back(void **unused)
{
	char *all = calloc(1, STORE_KEY_MAX + STORE_VALUE_MAX);
	char *bytes = malloc(LEDGER_RECORD_MAX);
	struct store_item item = {
		.key = {all, STORE_KEY_MAX}, .value = {all, STORE_VALUE_MAX}, .version = 1,
	};
	struct ledger_record r;
	size_t used;

	(void)unused;
	assert_int_equal(ledger_item_size(&item), LEDGER_RECORD_MAX);
	ledger_item_write(&item, salt, bytes);
	assert_int_equal(ledger_record_read(&r, salt, (struct span){bytes, LEDGER_RECORD_MAX},
					    &used), LEDGER_READ_DONE);
	must_be_equal(&r.item, &item);
	free(all);
	free(bytes);
}

static void an_end_comes_back(void **unused)
{
	struct ledger_end end = {1, UINT64_MAX, 3};
	char bytes[LEDGER_RECORD_HEAD + LEDGER_END_BYTES];
	struct ledger_record r;
	size_t used;

	(void)unused;
	ledger_end_write(&end, salt, bytes);
	assert_int_equal(ledger_record_read(&r, salt, (struct span){bytes, sizeof bytes}, &used),
			 LEDGER_READ_DONE);
	assert_int_equal(used, sizeof bytes);
	assert_int_equal(r.kind, LEDGER_END);
	assert_memory_equal(&r.end, &end, sizeof end);
}

static void a_head_comes_back_unless_a_bit_is_another(void **unused)
{
	struct ledger_head heads[] = {
		{LEDGER_LOG, 1, 2, {3, 4}},
		{LEDGER_SNAPSHOT, UINT32_MAX, UINT64_MAX, {UINT64_MAX, 0}},
	};

	(void)unused;
	for (size_t i = 0; i < COUNT_OF(heads); i++) {
		uint8_t bytes[LEDGER_HEAD_BYTES];
		struct ledger_head h;
		ledger_head_write(&heads[i], bytes);
		assert_true(ledger_head_read(&h, bytes));
		assert_int_equal(h.file, heads[i].file);
		assert_int_equal(h.number, heads[i].number);
		assert_int_equal(h.salt, heads[i].salt);
		assert_memory_equal(&h.key, &heads[i].key, sizeof h.key);
		for (size_t bit = 0; bit < sizeof bytes * 8; bit++) {
			bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
			assert_false(ledger_head_read(&h, bytes));
			bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_item_comes_back_as_it_was),
		cmocka_unit_test(a_part_of_a_record_asks_for_the_rest),
		cmocka_unit_test(no_bit_may_be_another),
		cmocka_unit_test(a_record_of_another_salt_is_none),
		cmocka_unit_test(the_largest_item_comes_back),
		cmocka_unit_test(an_end_comes_back),
		cmocka_unit_test(a_head_comes_back_unless_a_bit_is_another),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
