/* Goal: what was written is read back, and nothing else is ever taken for it. */
#include "control/journal_text.h"

#include "unit/control/sample.h"

#include <stdlib.h>

static const char serves[] = "/etc/balancerd/b\xc3\xa4r.conf";

static struct changes *decode(const char *text, size_t len)
{
	struct err err;

	return journal_decode(text, len, serves, &err);
}

static struct changes *random_changes(uint64_t *random, int count)
{
	struct changes *all = changes_create();
	struct model *file = sample_random_file(random);

	for (int i = 0; i < count; i++) {
		struct change c = sample_random_change(random);
		struct model *m = model_copy(file);
		uint32_t caught_up;
		struct err err;
		changes_apply(all, m, &caught_up);
		if (change_apply(m, &c, &err) == CHANGE_FINE)
			changes_note(all, file, &c, &err);
		model_put(m);
	}
	model_put(file);
	return all;
}

static void what_was_written_is_read_back(void **state)
{
	uint64_t random = 3;

	(void)state;
	for (int i = 0; i < 300; i++) {
		struct changes *all = random_changes(&random, i % 40);
		char *text = journal_encode(all, serves);
		struct changes *back = decode(text, strlen(text));
		assert_non_null(back);
		assert_same_lasting(back, all);
		changes_destroy(back);
		changes_destroy(all);
		free(text);
	}
}

/* Only what does not matter may be missing: the newline at the end. */
static void a_part_is_never_the_whole(void **state)
{
	uint64_t random = 4;
	struct changes *all = random_changes(&random, 40);
	char *text = journal_encode(all, serves);
	size_t len = strlen(text);

	(void)state;
	for (size_t i = 0; i < len - 1; i++)
		assert_null(decode(text, i));
	struct changes *back = decode(text, len - 1);
	assert_non_null(back);
	assert_same_lasting(back, all);
	changes_destroy(back);
	changes_destroy(all);
	free(text);
}

/* Each byte in each of its bits: refused, or of no account (a tab for a space). */
static void damage_changes_nothing(void **state)
{
	uint64_t random = 5;
	struct changes *all = random_changes(&random, 12);
	char *text = journal_encode(all, serves);
	size_t len = strlen(text), refused = 0;

	(void)state;
	for (size_t i = 0; i < len; i++) {
		for (int change = 1; change < 256; change *= 2) {
			text[i] = (char)(text[i] ^ change);
			struct changes *back = decode(text, len);
			if (back != NULL)
				assert_same_lasting(back, all);
			else
				refused++;
			changes_destroy(back);
			text[i] = (char)(text[i] ^ change);
		}
	}
	assert_true(refused > 6 * len);
	changes_destroy(all);
	free(text);
}

static void refuses(const char *text, const char *reason)
{
	struct err err = {""};

	assert_null(journal_decode(text, strlen(text), serves, &err));
	if (strstr(err.text, reason) == NULL)
		fail_msg("\"%s\" does not say \"%s\"", err.text, reason);
}

static void a_refusal_says_why(void **state)
{
	struct changes *all = changes_create();
	char *other = journal_encode(all, "http 8080");

	(void)state;
	refuses("", "JSON");
	refuses("[]", "members");
	refuses("{\"format\": 1}", "members");
	refuses("{\"format\": 2, \"serves\": \"\", \"changes\": [], \"checksum\": \"\"}",
		"format 2; this balancer knows format 1");
	refuses("{\"format\": 1, \"serves\": \"\", \"changes\": [], \"checksum\": \"\"}",
		"checksum");
	refuses("{\"format\": 1, \"format\": 1}", "duplicate");
	refuses(other, "serves \"http 8080\"");
	free(other);
	changes_destroy(all);
}

static void any_path_may_be_served(void **state)
{
	static const char latin1[] = "/etc/b\xe4r.conf";
	struct changes *all = changes_create(), *back;
	struct err err = {""};

	(void)state;
	char *text = journal_encode(all, latin1);
	assert_non_null(strstr(text, "/etc/b?r.conf"));
	back = journal_decode(text, strlen(text), latin1, &err);
	assert_non_null(back);
	changes_destroy(back);
	changes_destroy(all);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_written_is_read_back),
		cmocka_unit_test(a_part_is_never_the_whole),
		cmocka_unit_test(damage_changes_nothing),
		cmocka_unit_test(a_refusal_says_why),
		cmocka_unit_test(any_path_may_be_served),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
