/* Property: what is read from a journal, written and read again, is the same; whatever
 * stands in the file, with a checksum that fits too. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/hash.h"
#include "base/must.h"
#include "control/journal_text.h"
#include "fuzz.h"

static const char serves[] = "fuzz";

static void must_be_stable(const char *text, size_t len)
{
	struct err err;
	struct changes *first = journal_decode(text, len, serves, &err);

	if (first == NULL)
		return;
	char *written = journal_encode(first, serves);
	struct changes *second = journal_decode(written, strlen(written), serves, &err);
	must(second != NULL && changes_count(second) == changes_count(first));
	char *again = journal_encode(second, serves);
	must(strcmp(again, written) == 0);
	free(again);
	free(written);
	changes_destroy(first);
	changes_destroy(second);
}

/* The input as the list of changes in a file that is whole. */
static void must_be_stable_inside(const char *at, size_t len)
{
	json_t *list = json_loadb(at, len, 0, NULL);
	char sum[17];

	if (list == NULL)
		return;
	json_t *body = json_pack("{s:i, s:s, s:o}", "format", JOURNAL_FORMAT, "serves",
				 serves, "changes", list);
	char *plain = json_dumps(body, JSON_COMPACT);
	snprintf(sum, sizeof sum, "%016" PRIx64, hash_bytes(plain, strlen(plain)));
	json_object_set_new(body, "checksum", json_string(sum));
	char *text = json_dumps(body, 0);
	must_be_stable(text, strlen(text));
	free(text);
	free(plain);
	json_decref(body);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	must_be_stable((const char *)data, size);
	must_be_stable_inside((const char *)data, size);
	return 0;
}
