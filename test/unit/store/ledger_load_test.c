/* Goal: whatever is cut off the newest log, what is left is loaded; whatever is changed
 * anywhere is never loaded as if it were not; and every state that a crash can leave is
 * loaded as what was written. */
#include "store/ledger_load.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "base/hash.h"
#include "base/log.h"
#include "unit/store/folder.h"

enum { RECORDS = 40, HALF = RECORDS / 2, BYTES_MAX = 64 * 1024 };

static const uint64_t salt = UINT64_C(0x5eed5eed5eed5eed);

static struct store *new_store(void)
{
	struct store_options o = {.shards = 1, .tombstone_ms = 1000, .key = {1, 2}};
	struct store *s = store_create(&o);

	assert_non_null(s);
	return s;
}

static uint64_t digest_of(struct store *s)
{
	struct store_figures f;

	store_figures(s, &f);
	return hash_pair(f.digest, f.tombstones);
}

/* The i-th write; keys come again, some are deleted. */
static struct store_item write_of(uint32_t i, char key[16], char value[400])
{
	uint32_t dice = (uint32_t)hash_mix(i);
	int len = snprintf(key, 16, "key%u", dice % 20);
	size_t value_len = dice % 5 == 0 ? 300 : dice % 50;

	memset(value, (int)('a' + i % 26), value_len);
	return (struct store_item){
		.key = {key, (size_t)len}, .value = {value, i % 7 == 3 ? 0 : value_len},
		.version = i + 1, .deleted = i % 7 == 3,
	};
}

/* A file with the writes of [from, to). ends[i]: where the i-th ends. */
struct file {
	uint8_t  bytes[BYTES_MAX];
	size_t   len;
	uint32_t from, to;
	size_t   ends[RECORDS];
};

static void make_file(struct file *f, enum ledger_file kind, uint32_t number, uint32_t from,
		      uint32_t to)
{
	struct ledger_head head = {kind, number, salt, {1, 2}};
	char key[16], value[400];

	*f = (struct file){.len = LEDGER_HEAD_BYTES, .from = from, .to = to};
	ledger_head_write(&head, f->bytes);
	for (uint32_t i = from; i < to; i++) {
		struct store_item item = write_of(i, key, value);
		ledger_item_write(&item, salt, f->bytes + f->len);
		f->len += ledger_item_size(&item);
		f->ends[i] = f->len;
	}
	if (kind == LEDGER_SNAPSHOT) {
		struct ledger_end end = {to - from, to, 7};
		ledger_end_write(&end, salt, f->bytes + f->len);
		f->len += LEDGER_RECORD_HEAD + LEDGER_END_BYTES;
	}
}

/* What a store is like after the first `count` writes. */
static uint64_t digests[RECORDS + 1];

static int make_digests(void **unused)
{
	struct store *s = new_store();
	char key[16], value[400];

	(void)unused;
	log_set_level(LOG_LEVEL_ERROR);
	for (uint32_t i = 0; i < RECORDS; i++) {
		digests[i] = digest_of(s);
		struct store_item item = write_of(i, key, value);
		store_write(s, &item, 0, 1, NULL);
	}
	digests[RECORDS] = digest_of(s);
	store_destroy(s);
	return 0;
}

struct result {
	int code;
	uint64_t digest;
	struct ledger_loaded loaded;
	struct err err;
};

static struct result load(const struct folder *f)
{
	struct result r = {0};
	struct ledger_directory d;
	struct store *s = new_store();

	assert_int_equal(ledger_directory_open(&d, f->path, &r.err), 0);
	r.code = ledger_load(&d, s, 1, &r.loaded, &r.err);
	if (r.code == 0)
		close(r.loaded.log_fd);
	r.digest = digest_of(s);
	ledger_directory_close(&d);
	store_destroy(s);
	return r;
}

static void must_fail_at(const struct result *r, const char *name, uint64_t offset)
{
	char where[100];

	assert_int_equal(r->code, -1);
	snprintf(where, sizeof where, "/%s is damaged at byte %llu: ", name,
		 (unsigned long long)offset);
	if (strstr(r->err.text, where) == NULL)
		fail_msg("%s, not in: %s", where, r->err.text);
}

static void nothing_is_loaded_as_nothing(void **unused)
{
	struct folder f = folder_make();
	struct result r = load(&f);

	(void)unused;
	assert_int_equal(r.code, 0);
	assert_int_equal(r.digest, digests[0]);
	assert_true(folder_has(&f, "log.000001"));
	r = load(&f);
	assert_int_equal(r.code, 0);
	assert_int_equal(r.loaded.loaded, 0);
	folder_end(&f);
}

static void every_cut_loads_what_is_whole(void **unused)
{
	static struct file file;
	struct folder f = folder_make();

	(void)unused;
	make_file(&file, LEDGER_LOG, 1, 0, RECORDS);
	for (size_t cut = 0; cut <= file.len; cut++) {
		uint32_t whole = 0;
		while (whole < RECORDS && file.ends[whole] <= cut)
			whole++;
		size_t kept = whole > 0 ? file.ends[whole - 1] : LEDGER_HEAD_BYTES;
		folder_write(&f, "log.000001", file.bytes, cut);
		struct result r = load(&f);
		assert_int_equal(r.code, 0);
		assert_int_equal(r.digest, digests[whole]);
		assert_int_equal(r.loaded.loaded, whole);
		assert_int_equal(r.loaded.torn_bytes, cut > kept ? cut - kept :
						      cut < LEDGER_HEAD_BYTES ? cut : 0);
		r = load(&f);		/* and the cut is done once */
		assert_int_equal(r.loaded.torn_bytes, 0);
		assert_int_equal(r.digest, digests[whole]);
	}
	folder_end(&f);
}

/* Zeros, or what else stood on the disk, may follow what was written last. */
static void rubbish_behind_the_end_is_cut_off(void **unused)
{
	static struct file file;
	struct folder f = folder_make();

	(void)unused;
	make_file(&file, LEDGER_LOG, 1, 0, RECORDS);
	for (size_t len = 1; len < 5000; len += 1 + len / 2) {
		memset(file.bytes + file.len, 0, len);
		folder_write(&f, "log.000001", file.bytes, file.len + len);
		struct result r = load(&f);
		assert_int_equal(r.code, 0);
		assert_int_equal(r.loaded.torn_bytes, len);
		assert_int_equal(r.digest, digests[RECORDS]);
	}
	folder_end(&f);
}

/* Of the newest log: the last record is as if it had not been finished; all others are an
 * error. */
static void no_changed_byte_of_the_newest_log_is_loaded(void **unused)
{
	static struct file file;
	struct folder f = folder_make();

	(void)unused;
	make_file(&file, LEDGER_LOG, 1, 0, RECORDS);
	for (size_t at = 0; at < file.len; at++) {
		uint8_t change = (uint8_t)(1 << hash_mix(at) % 8);
		size_t start = 0;
		uint32_t before = 0;
		for (uint32_t i = 0; at >= LEDGER_HEAD_BYTES && file.ends[i] <= at; i++)
			before = i + 1;
		if (at >= LEDGER_HEAD_BYTES)
			start = before > 0 ? file.ends[before - 1] : LEDGER_HEAD_BYTES;
		file.bytes[at] ^= change;
		folder_write(&f, "log.000001", file.bytes, file.len);
		file.bytes[at] ^= change;
		struct result r = load(&f);
		if (at >= LEDGER_HEAD_BYTES && before == RECORDS - 1) {
			assert_int_equal(r.code, 0);
			assert_int_equal(r.loaded.torn_bytes, file.len - start);
			assert_int_equal(r.digest, digests[before]);
		} else {
			must_fail_at(&r, "log.000001", start);
		}
	}
	folder_end(&f);
}

/* The newest log is log.000002; neither the one before nor the snapshot may differ. */
static void no_changed_byte_of_an_older_file_is_loaded(void **unused)
{
	static struct file snapshot, older, newest;
	struct folder f = folder_make();

	(void)unused;
	make_file(&snapshot, LEDGER_SNAPSHOT, 3, 0, HALF);
	make_file(&older, LEDGER_LOG, 3, HALF, HALF + 10);
	make_file(&newest, LEDGER_LOG, 4, HALF + 10, RECORDS);
	folder_write(&f, "snapshot.000003", snapshot.bytes, snapshot.len);
	folder_write(&f, "log.000003", older.bytes, older.len);
	folder_write(&f, "log.000004", newest.bytes, newest.len);
	struct result r = load(&f);
	assert_int_equal(r.code, 0);
	assert_int_equal(r.digest, digests[RECORDS]);

	struct file *files[] = {&snapshot, &older};
	const char *names[] = {"snapshot.000003", "log.000003"};
	for (int n = 0; n < 2; n++) {
		for (size_t at = 0; at < files[n]->len; at++) {
			uint8_t change = (uint8_t)(1 << hash_mix(at) % 8);
			files[n]->bytes[at] ^= change;
			folder_write(&f, names[n], files[n]->bytes, files[n]->len);
			files[n]->bytes[at] ^= change;
			r = load(&f);
			assert_int_equal(r.code, -1);
			assert_non_null(strstr(r.err.text, names[n]));
			assert_non_null(strstr(r.err.text, "damaged at byte"));
		}
		for (size_t cut = 0; cut < files[n]->len; cut++) {
			uint32_t whole = files[n]->from;
			folder_write(&f, names[n], files[n]->bytes, cut);
			r = load(&f);
			while (whole < files[n]->to && files[n]->ends[whole] < cut)
				whole++;
			bool between = cut == LEDGER_HEAD_BYTES ||
				       (whole < files[n]->to && files[n]->ends[whole] == cut);
			/* A log that ends between two records cannot be told from a whole one. */
			assert_int_equal(r.code, n == 1 && between ? 0 : -1);
		}
		folder_write(&f, names[n], files[n]->bytes, files[n]->len);
	}
	folder_end(&f);
}

/* ---- what a crash leaves ---- */

struct state {
	const char *files[6];
};

/* As ledger_directory.h lists them, and with older files gone in any order. snapshot.3
 * has the first half; log.3 some, log.4 all the rest; snapshot.4 what was there before
 * log.4. */
static const struct state states[] = {
	{{"snapshot.000003", "log.000003", "log.000004"}},
	{{"snapshot.000003", "log.000003", "log.000004", "snapshot.000004.new"}},
	{{"snapshot.000003", "log.000003", "log.000004", "snapshot.000004"}},
	{{"log.000003", "log.000004", "snapshot.000004"}},
	{{"snapshot.000003", "log.000004", "snapshot.000004"}},
	{{"log.000004", "snapshot.000004"}},
	{{"log.000004", "snapshot.000004", "snapshot.000005.new", "other", "log.1", "log.0000x5"}},
};

static void every_state_that_a_crash_leaves_is_loaded(void **unused)
{
	static struct file snapshot3, log3, log4, snapshot4;

	(void)unused;
	make_file(&snapshot3, LEDGER_SNAPSHOT, 3, 0, HALF);
	make_file(&log3, LEDGER_LOG, 3, HALF, HALF + 10);
	make_file(&log4, LEDGER_LOG, 4, HALF + 10, RECORDS);
	make_file(&snapshot4, LEDGER_SNAPSHOT, 4, 0, HALF + 10);
	for (size_t i = 0; i < COUNT_OF(states); i++) {
		struct folder f = folder_make();
		for (int n = 0; n < 6 && states[i].files[n] != NULL; n++) {
			const char *name = states[i].files[n];
			const struct file *file =
				strcmp(name, "snapshot.000003") == 0 ? &snapshot3 :
				strcmp(name, "log.000003") == 0 ? &log3 :
				strcmp(name, "log.000004") == 0 ? &log4 : &snapshot4;
			bool part = strstr(name, ".new") != NULL;
			folder_write(&f, name, file->bytes, part ? file->len / 2 : file->len);
		}
		struct result r = load(&f);
		if (r.code != 0)
			fail_msg("state %zu: %s", i, r.err.text);
		assert_int_equal(r.digest, digests[RECORDS]);
		folder_end(&f);
	}
}

/* A log that was made in the very moment has no head yet, or a part of it. */
static void a_log_without_a_head_is_the_newest_alone(void **unused)
{
	static struct file log1, log2;

	(void)unused;
	make_file(&log1, LEDGER_LOG, 1, 0, RECORDS);
	make_file(&log2, LEDGER_LOG, 2, 0, 0);
	for (size_t len = 0; len <= LEDGER_HEAD_BYTES; len++) {
		struct folder f = folder_make();
		folder_write(&f, "log.000001", log1.bytes, log1.len);
		folder_write(&f, "log.000002", log2.bytes, len);
		struct result r = load(&f);
		assert_int_equal(r.code, 0);
		assert_int_equal(r.digest, digests[RECORDS]);
		assert_int_equal(r.loaded.number, 2);
		assert_int_equal(r.loaded.salt, salt);
		folder_write(&f, "log.000001", log1.bytes, len);
		r = load(&f);
		if (len < LEDGER_HEAD_BYTES)
			must_fail_at(&r, "log.000001", 0);
		folder_end(&f);
	}
}

static void a_missing_file_is_named(void **unused)
{
	static struct file log;
	struct folder f = folder_make();

	(void)unused;
	make_file(&log, LEDGER_LOG, 5, 0, RECORDS);
	folder_write(&f, "log.000005", log.bytes, log.len);
	struct result r = load(&f);
	assert_int_equal(r.code, -1);
	assert_non_null(strstr(r.err.text, "/snapshot.000005 is missing"));
	make_file(&log, LEDGER_SNAPSHOT, 3, 0, RECORDS);
	folder_write(&f, "snapshot.000003", log.bytes, log.len);
	r = load(&f);
	assert_int_equal(r.code, -1);
	assert_non_null(strstr(r.err.text, "/log.000003 is missing"));
	make_file(&log, LEDGER_LOG, 3, 0, RECORDS);
	folder_write(&f, "log.000003", log.bytes, log.len);
	r = load(&f);
	assert_int_equal(r.code, -1);
	assert_non_null(strstr(r.err.text, "/log.000004 is missing"));
	folder_end(&f);
}

/* A file under another one's name is not what it seems. */
static void a_renamed_file_is_an_error(void **unused)
{
	static struct file log;
	struct folder f = folder_make();

	(void)unused;
	make_file(&log, LEDGER_LOG, 2, 0, RECORDS);
	folder_write(&f, "log.000001", log.bytes, log.len);
	struct result r = load(&f);
	must_fail_at(&r, "log.000001", 0);
	folder_end(&f);
}

static void what_a_snapshot_notes_is_noted(void **unused)
{
	static struct file snapshot, log;
	struct folder f = folder_make();
	struct store *s = new_store();
	struct ledger_directory d;
	struct ledger_loaded loaded;
	struct store_figures figures;
	struct err err;

	(void)unused;
	make_file(&snapshot, LEDGER_SNAPSHOT, 2, 0, 1);
	make_file(&log, LEDGER_LOG, 2, 0, 0);
	folder_write(&f, "snapshot.000002", snapshot.bytes, snapshot.len);
	folder_write(&f, "log.000002", log.bytes, log.len);
	assert_int_equal(ledger_directory_open(&d, f.path, &err), 0);
	assert_int_equal(ledger_load(&d, s, 1, &loaded, &err), 0);
	store_figures(s, &figures);
	assert_int_equal(figures.purged, 7);
	assert_int_equal(loaded.snapshot, 2);
	assert_int_equal(loaded.snapshot_bytes, snapshot.len);
	assert_int_equal(loaded.log_bytes, LEDGER_HEAD_BYTES);
	close(loaded.log_fd);
	ledger_directory_close(&d);
	store_destroy(s);
	folder_end(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_loaded_as_nothing),
		cmocka_unit_test(every_cut_loads_what_is_whole),
		cmocka_unit_test(rubbish_behind_the_end_is_cut_off),
		cmocka_unit_test(no_changed_byte_of_the_newest_log_is_loaded),
		cmocka_unit_test(no_changed_byte_of_an_older_file_is_loaded),
		cmocka_unit_test(every_state_that_a_crash_leaves_is_loaded),
		cmocka_unit_test(a_log_without_a_head_is_the_newest_alone),
		cmocka_unit_test(a_missing_file_is_named),
		cmocka_unit_test(a_renamed_file_is_an_error),
		cmocka_unit_test(what_a_snapshot_notes_is_noted),
	};
	return cmocka_run_group_tests(tests, make_digests, NULL);
}
