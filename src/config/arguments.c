#include "config/arguments.h"

#include <string.h>

#include "base/expected.h"
#include "config/fill.h"
#include "config/usage.h"

/* A statement while its arguments are read. */
struct reading {
	const struct build          *b;
	enum context                 in;
	const struct directive      *directive;
	const struct tree_statement *statement;
	void         *target;
	struct given *given;
	uint32_t      next;		/* word to be read */
};

struct place arguments_end(const struct tree_statement *s)
{
	struct place at = s->words[s->word_count - 1].at;

	at.column += at.width;
	at.width = 1;
	return at;
}

static void refuse_missing(const struct reading *r, const struct argument *a)
{
	const char *word = a->keyword != NULL ? a->keyword : "";
	const char *space = a->keyword != NULL ? " " : "";

	report_error(r->b->report, arguments_end(r->statement),
		     "\"%s\" needs %s%s%s; write: %s", r->directive->word, word, space,
		     usage_argument(a).text, usage_directive(r->directive, r->in).text);
}

/* Reads the word at hand as the value of an argument. False: complained about. */
static bool read_value(struct reading *r, const struct argument *a)
{
	const struct tree_word *w = &r->statement->words[r->next++];
	struct err err;

	if (fill_field(a, r->target, w->text, r->b->model, &err) == 0)
		return true;
	report_error(r->b->report, w->at, "%s", err.text);
	return false;
}

/* Whether all words that are left are values of it. */
static bool is_list(const struct argument *a)
{
	return a->kind == ARGUMENT_CHOICES || a->kind == ARGUMENT_PEERS ||
	       a->kind == ARGUMENT_COMMAND;
}

/* Choices, each once, ranges of addresses, or the words of a command. */
static void read_list(struct reading *r, const struct argument *a)
{
	bool several = r->statement->word_count - r->next > 1;
	bool choices = a->kind == ARGUMENT_CHOICES;

	if (choices)
		fill_number(a->field, r->target, 0);
	while (r->next < r->statement->word_count) {
		const struct tree_word *w = &r->statement->words[r->next];
		bool good = read_value(r, a);
		if (!good && a->kind == ARGUMENT_COMMAND)
			r->next = r->statement->word_count;
		if (good && choices && several &&
		    fill_read_number(a->field, r->target) == 0)
			report_error(r->b->report, w->at, "%s stands alone",
				     quote(w->text).text);
	}
}

static void read_by_place(struct reading *r)
{
	for (uint32_t i = 0; i < directive_argument_count(r->directive); i++) {
		const struct argument *a = &r->directive->arguments[i];
		if (a->keyword != NULL)
			continue;
		bool missing = r->next >= r->statement->word_count;
		if (missing && !a->optional)
			refuse_missing(r, a);
		else if (missing)
			continue;
		else if (is_list(a))
			read_list(r, a);
		else
			read_value(r, a);
	}
}

/* The index of the argument with this keyword, ARGUMENTS_MAX when there is none. */
static uint32_t find_keyword(const struct directive *d, const char *word)
{
	for (uint32_t i = 0; i < directive_argument_count(d); i++)
		if (d->arguments[i].keyword != NULL &&
		    strcmp(d->arguments[i].keyword, word) == 0)
			return i;
	return ARGUMENTS_MAX;
}

/* Skips what is most likely the value of a word that was refused. */
static void skip_to_keyword(struct reading *r)
{
	const struct tree_statement *s = r->statement;

	while (++r->next < s->word_count &&
	       find_keyword(r->directive, s->words[r->next].text) == ARGUMENTS_MAX)
		continue;
}

static void refuse_keyword(struct reading *r)
{
	const struct tree_statement *s = r->statement;
	const struct tree_word *w = &s->words[r->next];
	struct expected e;

	expected_init(&e, w->text);
	for (uint32_t i = 0; i < directive_argument_count(r->directive); i++)
		if (r->directive->arguments[i].keyword != NULL &&
		    argument_is_for(&r->directive->arguments[i], r->in))
			expected_add(&e, r->directive->arguments[i].keyword);
	if (e.count > 0)
		report_error(r->b->report, w->at, "unknown word %s in \"%s\", %s",
			     quote(w->text).text, r->directive->word,
			     expected_text(&e).text);
	else
		report_error(r->b->report, w->at, "%s is too much; write: %s",
			     quote(w->text).text,
			     usage_directive(r->directive, r->in).text);
	skip_to_keyword(r);
}

/* A word of the directive, but for listeners of another kind. */
static void refuse_keyword_here(struct reading *r, const struct argument *a)
{
	report_error(r->b->report, r->statement->words[r->next].at,
		     "\"%s %s\" belongs %s; write: %s", r->directive->word, a->keyword,
		     context_text(a->in).text, usage_directive(r->directive, r->in).text);
	skip_to_keyword(r);
}

static void read_unit(struct reading *r, const struct argument *a)
{
	const struct tree_statement *s = r->statement;
	const struct tree_word *w = r->next < s->word_count ? &s->words[r->next] : NULL;
	bool is_keyword =
		w != NULL && find_keyword(r->directive, w->text) < ARGUMENTS_MAX;

	if (w != NULL && !is_keyword)
		r->next++;
	if (w == NULL || strcmp(w->text, a->unit) != 0)
		report_error(r->b->report, w != NULL ? w->at : arguments_end(s),
			     "\"%s\" is missing; write: %s %s", a->unit, a->keyword,
			     usage_argument(a).text);
}

static void read_by_keyword(struct reading *r, uint32_t index)
{
	const struct argument *a = &r->directive->arguments[index];
	const struct tree_word *w = &r->statement->words[r->next];
	const struct tree_word **before = &r->given->arguments[index];

	if (*before != NULL)
		report_error(r->b->report, w->at, "\"%s\" is already set in line %u",
			     a->keyword, (*before)->at.line);
	*before = w;
	if (a->kind == ARGUMENT_FLAG) {
		read_value(r, a);
		return;
	}
	r->next++;
	if (r->next >= r->statement->word_count) {
		refuse_missing(r, a);
		return;
	}
	read_value(r, a);
	while (a->kind == ARGUMENT_NAME_SERVERS && r->next < r->statement->word_count &&
	       find_keyword(r->directive, r->statement->words[r->next].text) == ARGUMENTS_MAX)
		read_value(r, a);
	if (a->unit != NULL)
		read_unit(r, a);
}

void arguments_read(const struct build *b, enum context in,
		    const struct tree_statement *s, void *target, struct given *given)
{
	const struct directive *d = given->directive;
	struct reading r = {
		.b = b, .in = in, .directive = d, .statement = s,
		.target = target, .given = given,
		.next = d->second != NULL ? 2 : 1,
	};

	read_by_place(&r);
	uint32_t first = r.next;
	while (r.next < s->word_count) {
		uint32_t index = find_keyword(d, s->words[r.next].text);
		if (index == ARGUMENTS_MAX)
			refuse_keyword(&r);
		else if (!argument_is_for(&d->arguments[index], in))
			refuse_keyword_here(&r, &d->arguments[index]);
		else
			read_by_keyword(&r, index);
	}
	for (uint32_t i = 0; i < directive_argument_count(d); i++)
		if (d->arguments[i].required && given->arguments[i] == NULL)
			refuse_missing(&r, &d->arguments[i]);
	if (d->merges && first == s->word_count)
		report_error(b->report, arguments_end(s),
			     "\"%s\" sets nothing; write: %s", d->word,
			     usage_directive(d, in).text);
}
