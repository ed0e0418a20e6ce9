#include "config/find.h"

#include <string.h>

#include "base/expected.h"
#include "base/text.h"
#include "config/arguments.h"
#include "config/usage.h"

static void expect_words(struct expected *e, enum context in, const char *found)
{
	const struct directive *d;
	const char *last = "";

	expected_init(e, found);
	for (uint32_t i = 0; (d = directive_at(i)) != NULL; i++) {
		if ((d->in & in) == 0 || strcmp(d->word, last) == 0)
			continue;
		last = d->word;
		expected_add(e, last);
	}
}

const struct directive *find_meant(enum context in, const char *word)
{
	const struct directive *d = directive_find(in, word);
	const struct alias *alias = directive_alias(word);
	struct expected e;

	if (d == NULL && alias != NULL && alias->ours != NULL)
		d = directive_find(in, alias->ours);
	if (d != NULL || alias != NULL)
		return d;
	expect_words(&e, in, word);
	return e.nearest != NULL ? directive_find(in, e.nearest) : NULL;
}

/* All blocks that know a word. */
static unsigned contexts_of(const char *word)
{
	const struct directive *d;
	unsigned in = 0;

	for (uint32_t i = 0; (d = directive_at(i)) != NULL; i++)
		if (strcmp(d->word, word) == 0)
			in |= d->in;
	return in;
}

static void refuse_word(const struct build *b, enum context in, const struct tree_word *w)
{
	const struct alias *alias = directive_alias(w->text);
	unsigned home = contexts_of(w->text);
	struct expected e;

	expect_words(&e, in, w->text);
	if (home != 0)
		report_error(b->report, w->at, "%s is not known %s, it belongs %s%s",
			     quote(w->text).text, context_text(in).text,
			     context_text(home).text,
			     (home & IN_FILE) != 0 ? "; is a \"}\" missing above it?"
						   : "");
	else if (alias != NULL && alias->ours == NULL)
		report_error(b->report, w->at, "unknown word %s; here one writes: %s",
			     quote(w->text).text, alias->hint);
	else if (alias != NULL && directive_find(in, alias->ours) != NULL)
		report_error(b->report, w->at,
			     "unknown word %s; it is called \"%s\" here",
			     quote(w->text).text, alias->ours);
	else
		report_error(b->report, w->at, "unknown word %s, %s", quote(w->text).text,
			     expected_text(&e).text);
}

/* The row for a statement whose first word needs a second one, which may be missing
 * or not known; then it is the row of the nearest word, or NULL. */
static const struct directive *find_by_second(const struct build *b,
					      const struct directive *first,
					      const struct tree_statement *s)
{
	const struct tree_word *second = s->word_count > 1 ? &s->words[1] : NULL;
	const struct directive *d =
		second != NULL ? directive_find_second(first, second->text) : NULL;
	const struct directive *only = NULL;
	struct usage usage = {""};
	struct expected e;

	if (d != NULL)
		return d;
	expected_init(&e, second != NULL ? second->text : "");
	for (uint32_t i = 0; (d = directive_at(i)) != NULL; i++) {
		if (d->in != first->in || strcmp(d->word, first->word) != 0)
			continue;
		only = e.count == 0 ? d : NULL;
		expected_add(&e, d->second);
	}
	const char *write = only != NULL ? "; write: " : "";
	if (only != NULL)
		usage = usage_directive(only, first->in);
	if (second != NULL)
		report_error(b->report, second->at,
			     "unknown word %s after \"%s\", %s%s%s",
			     quote(second->text).text, first->word,
			     expected_text(&e).text, write, usage.text);
	else
		report_error(b->report, arguments_end(s),
			     "a word is missing after \"%s\", %s%s%s", first->word,
			     expected_text(&e).text, write, usage.text);
	return e.nearest != NULL ? directive_find_second(first, e.nearest) : NULL;
}

const struct directive *find_directive(const struct build *b, enum context in,
				       const struct tree_statement *s)
{
	const struct directive *d = find_meant(in, s->words[0].text);

	if (d == NULL || strcmp(d->word, s->words[0].text) != 0)
		refuse_word(b, in, &s->words[0]);
	if (d != NULL && d->second != NULL)
		return find_by_second(b, d, s);
	if (d == NULL || d->second != NULL || s->word_count == 1)
		return d;
	const struct directive *second = directive_find_second(d, s->words[1].text);
	return second != NULL ? second : directive_find_beginning(d, s->words[1].text);
}
