#include "config/json.h"

#include <stdlib.h>

#include "base/must.h"
#include "base/text.h"
#include "config/tree.h"

/* ---- text to JSON ---- */

static json_t *words_to_json(const struct tree_statement *s)
{
	json_t *words = json_array();

	must(words != NULL);
	for (uint32_t i = 0; i < s->word_count; i++)
		must(json_array_append_new(words, json_string(s->words[i].text)) == 0);
	return words;
}

static json_t *statements_to_json(const struct tree_statement *s)
{
	json_t *all = json_array();

	must(all != NULL);
	for (; s != NULL; s = s->next) {
		json_t *statement = json_object();
		must(json_object_set_new(statement, "words", words_to_json(s)) == 0);
		if (s->has_block)
			must(json_object_set_new(statement, "block",
						 statements_to_json(s->children)) == 0);
		must(json_array_append_new(all, statement) == 0);
	}
	return all;
}

json_t *config_json_of_text(const char *text, size_t len, const char *name,
			    struct config_report *report)
{
	struct tree tree;

	report_init(report, name, (struct span){text, len});
	tree_init(&tree, report->text, report);
	json_t *all = report->error_count == 0 ? statements_to_json(tree.first) : NULL;
	tree_fini(&tree);
	report->text = (struct span){0};
	return all;
}

/* ---- JSON to text ---- */

struct writing {
	FILE       *out;
	uint32_t    number;		/* of the statement at hand */
	uint32_t    depth;
	struct err *err;
};

/* A word of a configuration may have new lines and tabs, nothing else that controls. */
static bool is_word(const json_t *word)
{
	const char *text = json_string_value(word);

	if (text == NULL || strlen(text) != json_string_length(word))
		return false;
	for (; *text != '\0'; text++)
		if (((unsigned char)*text < 0x20 && *text != '\n' && *text != '\t') ||
		    *text == 0x7f)
			return false;
	return true;
}

static int write_words(struct writing *w, const json_t *words)
{
	if (json_array_size(words) == 0)
		return err_set(w->err,
			       "statement %u needs \"words\", an array of at least one "
			       "word",
			       w->number);
	for (size_t i = 0; i < json_array_size(words); i++) {
		const json_t *word = json_array_get(words, i);
		if (!is_word(word))
			return err_set(w->err,
				       "word %zu of statement %u is no string without "
				       "control characters",
				       i + 1, w->number);
		if (i > 0)
			fputc(' ', w->out);
		tree_print_word(json_string_value(word), w->out);
	}
	return 0;
}

#define MEMBERS "\"words\" and, where it has one, \"block\""

static int check_members(const struct writing *w, const json_t *statement)
{
	const char *key;
	json_t *value;

	if (!json_is_object(statement))
		return err_set(w->err,
			       "statement %u is no object with " MEMBERS, w->number);
	json_object_foreach((json_t *)statement, key, value)
		if (strcmp(key, "words") != 0 && strcmp(key, "block") != 0)
			return err_set(w->err,
				       "statement %u has %s; expected " MEMBERS,
				       w->number, quote(key).text);
	return 0;
}

static int write_statements(struct writing *w, const json_t *all);

static int write_block(struct writing *w, const json_t *block)
{
	if (!json_is_array(block))
		return err_set(w->err, "the \"block\" of statement %u is no array",
			       w->number);
	if (w->depth == TREE_DEPTH_MAX)
		return err_set(w->err,
			       "statement %u: blocks within blocks, more than %d deep",
			       w->number, TREE_DEPTH_MAX);
	fputs(" {", w->out);
	w->depth++;
	if (write_statements(w, block) != 0)
		return -1;
	w->depth--;
	fputs(" }", w->out);
	return 0;
}

static int write_statements(struct writing *w, const json_t *all)
{
	for (size_t i = 0; i < json_array_size(all); i++) {
		const json_t *statement = json_array_get(all, i);
		if (w->number++ > 0)
			fputc('\n', w->out);
		for (uint32_t k = 0; k < w->depth; k++)
			fputc('\t', w->out);
		if (check_members(w, statement) != 0 ||
		    write_words(w, json_object_get(statement, "words")) != 0)
			return -1;
		const json_t *block = json_object_get(statement, "block");
		if (block != NULL && write_block(w, block) != 0)
			return -1;
	}
	return 0;
}

char *config_text_of_json(const json_t *statements, struct err *err)
{
	struct writing w = {.err = err};
	char *text;
	size_t len;
	int result = 0;

	if (!json_is_array(statements)) {
		err_set(err, "a configuration in JSON is an array of statements");
		return NULL;
	}
	w.out = open_memstream(&text, &len);
	must(w.out != NULL);
	result = write_statements(&w, statements);
	if (w.number > 0)
		fputc('\n', w.out);
	must(fclose(w.out) == 0);
	if (result == 0)
		return text;
	free(text);
	return NULL;
}
