/* Properties of reading a configuration, whatever the bytes:
 *
 * - a tree that was read without an error is printed as a text that reads as an equal
 *   tree, and prints the same again;
 * - there is a model exactly when there is no error, and every problem has a place
 *   within the text and a message in one line;
 * - a text that makes a model makes an equal one after its tree was printed, and after
 *   the model was; the latter prints the same again;
 * - a tree is the same after it was JSON. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/must.h"
#include "config/config.h"
#include "config/json.h"
#include "config/print.h"
#include "config/tree.h"
#include "model_equal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A printed text is longer, and has to be within the limit of a file too. */
enum { SIZE_MAX_HERE = CONFIG_FILE_MAX / 16 };

static struct config_report report;

static char *print(const struct tree *t, size_t *len)
{
	char *text;
	FILE *out = open_memstream(&text, len);

	must(out != NULL);
	tree_print(t, out);
	must(fclose(out) == 0);
	return text;
}

/* The text of a tree that reads without an error, owned by the caller; else NULL. */
static char *printed(struct span text, size_t *len)
{
	struct tree first, second;
	char *once = NULL, *twice;
	size_t twice_len;

	report_init(&report, "fuzz", text);
	tree_init(&first, text, &report);
	if (report.error_count == 0) {
		once = print(&first, len);
		report_init(&report, "fuzz", (struct span){once, *len});
		tree_init(&second, report.text, &report);
		must(report.error_count == 0);
		must(tree_equals(&first, &second));
		twice = print(&second, &twice_len);
		must(twice_len == *len && memcmp(once, twice, *len) == 0);
		free(twice);
		tree_fini(&second);
	}
	tree_fini(&first);
	return once;
}

static void check_problems(struct span text)
{
	uint32_t lines = 1;
	struct place last = {0};

	for (size_t i = 0; i < text.len; i++)
		lines += text.at[i] == '\n';
	for (uint32_t i = 0; i < report.count; i++) {
		const struct config_problem *p = &report.problems[i];
		must(p->at.line >= 1 && p->at.line <= lines);
		must(p->at.column >= 1 && p->at.column <= text.len + 1);
		must(p->at.line > last.line ||
		     (p->at.line == last.line && p->at.column >= last.column));
		must(p->text[0] != '\0' && strchr(p->text, '\n') == NULL);
		must(strlen(p->source) < REPORT_SOURCE_MAX);
		must(p->caret <= strlen(p->source));
		last = p->at;
	}
}

/* The model of the text, owned by the caller, or NULL. */
static struct model *read_model(struct span text)
{
	struct model *m = config_read(text.at, text.len, "fuzz", &report);
	char *said;
	size_t len;
	FILE *out = open_memstream(&said, &len);

	must((m != NULL) == (report.error_count == 0));
	check_problems(text);
	must(out != NULL);
	report_print(&report, out);
	must(fclose(out) == 0);
	free(said);
	return m;
}

/* What was printed of a model is the same again and again. */
static void check_printed(const struct model *m)
{
	char *once = config_print(m);
	struct model *again = read_model(span_of(once));

	must(again != NULL && models_equal(m, again));
	char *twice = config_print(again);
	must(strcmp(once, twice) == 0);
	free(once);
	free(twice);
	model_put(again);
}

/* The tree of a text, which has no error, is the same after it was JSON. */
static void check_json(struct span text)
{
	struct tree first, second;
	struct err err;
	json_t *json = config_json_of_text(text.at, text.len, "fuzz", &report);

	must(json != NULL);
	char *again = config_text_of_json(json, &err);
	must(again != NULL);
	tree_init(&first, text, &report);
	tree_init(&second, span_of(again), &report);
	must(report.error_count == 0 && tree_equals(&first, &second));
	tree_fini(&first);
	tree_fini(&second);
	free(again);
	json_decref(json);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span text = {(const char *)data, size};
	size_t len;

	if (size > SIZE_MAX_HERE)
		return 0;
	char *again = printed(text, &len);
	struct model *m = read_model(text), *same = NULL;
	must(m == NULL || again != NULL);
	if (again != NULL) {
		same = read_model((struct span){again, len});
		check_json(text);
	}
	must((m != NULL) == (same != NULL));
	if (m != NULL) {
		must(models_equal(m, same));
		check_printed(m);
	}
	model_put(m);
	model_put(same);
	free(again);
	return 0;
}
