#include "config/build.h"

#include <stdlib.h>
#include <string.h>

#include "base/expected.h"
#include "base/memory.h"
#include "base/must.h"
#include "config/arguments.h"
#include "config/check.h"
#include "config/fill.h"
#include "config/usage.h"
#include "pick/policy.h"

/* The index of what a directive gives; those of one word share it. */
static uint32_t given_index(const struct directive *d)
{
	return (uint32_t)(directive_find(d->in, d->word) - directives);
}

const struct given *block_given(const struct block *block, const char *word)
{
	const struct directive *d = directive_find(block->context, word);

	must(d != NULL);
	const struct given *g = &block->given[d - directives];
	return g->statement != NULL ? g : NULL;
}

const struct tree_word *given_argument(const struct given *given, const char *keyword)
{
	for (uint32_t i = 0;
	     given != NULL && i < directive_argument_count(given->directive); i++) {
		const char *own = given->directive->arguments[i].keyword;
		if (own != NULL && strcmp(own, keyword) == 0)
			return given->arguments[i];
	}
	return NULL;
}

static void expect_words(struct expected *e, enum context in, const char *found)
{
	const char *last = "";

	expected_init(e, found);
	for (uint32_t i = 0; i < directive_count; i++) {
		if (directives[i].in != in || strcmp(directives[i].word, last) == 0)
			continue;
		last = directives[i].word;
		expected_add(e, last);
	}
}

/* The directive that a word names or, when none has that name, seems to mean: an
 * error of one letter then does not hide those in the block behind it, and makes no
 * further ones. */
static const struct directive *guess_directive(enum context in, const char *word)
{
	const struct directive *d = directive_find(in, word);
	const char *ours = directive_alias(word);
	struct expected e;

	if (d == NULL && ours != NULL)
		d = directive_find(in, ours);
	if (d != NULL)
		return d;
	expect_words(&e, in, word);
	return e.nearest != NULL ? directive_find(in, e.nearest) : NULL;
}

static void refuse_word(const struct build *b, enum context in, const struct tree_word *w)
{
	const char *ours = directive_alias(w->text);
	struct expected e;

	for (enum context other = IN_FILE; other < CONTEXTS; other++) {
		if (directive_find(other, w->text) == NULL)
			continue;
		report_error(b->report, w->at, "%s is not known %s, it belongs %s%s",
			     quote(w->text).text, context_text(in), context_text(other),
			     other == IN_FILE ? "; is a \"}\" missing above it?" : "");
		return;
	}
	expect_words(&e, in, w->text);
	if (ours != NULL && directive_find(in, ours) != NULL)
		report_error(b->report, w->at,
			     "unknown word %s; it is called \"%s\" here",
			     quote(w->text).text, ours);
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
	struct expected e;

	if (d != NULL)
		return d;
	expected_init(&e, second != NULL ? second->text : "");
	for (d = first; d < directives + directive_count; d++) {
		if (d->in != first->in || strcmp(d->word, first->word) != 0 ||
		    d->refused != NULL)
			continue;
		only = e.count == 0 ? d : NULL;
		expected_add(&e, d->second);
	}
	const char *write = only != NULL ? "; write: " : "";
	struct usage usage = {""};
	if (only != NULL)
		usage = usage_directive(only);
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

static const struct directive *find_directive(const struct build *b,
					      const struct block *block,
					      const struct tree_statement *s)
{
	const struct directive *d = guess_directive(block->context, s->words[0].text);

	if (d == NULL || strcmp(d->word, s->words[0].text) != 0)
		refuse_word(b, block->context, &s->words[0]);
	if (d != NULL && d->second != NULL)
		d = find_by_second(b, d, s);
	if (d != NULL && d->refused != NULL) {
		report_error(b->report, s->words[0].at, "\"%s %s\": %s", d->word,
			     d->second, d->refused);
		return NULL;
	}
	return d;
}

/* Room for one more in an array of the model, zeroed; NULL when it is full. */
static void *add(void **array, uint32_t *count, size_t size, uint32_t max)
{
	if (*count == max)
		return NULL;
	*array = memory_grow(*array, *count + 1, size);
	return memset((char *)*array + size * (*count)++, 0, size);
}

#define ADD(array, count, max) add((void **)&(array), &(count), sizeof *(array), max)

static struct model_listener *add_listener(struct model *m)
{
	struct model_listener *l =
		ADD(m->listeners, m->listener_count, MODEL_LISTENERS_MAX);

	if (l != NULL)
		model_listener_defaults(l);
	return l;
}

static struct model_pool *add_pool(struct model *m)
{
	struct model_pool *p = ADD(m->pools, m->pool_count, MODEL_POOLS_MAX);

	if (p == NULL)
		return NULL;
	model_pool_defaults(p);
	p->name = memory_text("");
	p->policy = policies[0];
	return p;
}

static struct model_server *add_server(struct model_pool *p)
{
	struct model_server *s = ADD(p->servers, p->server_count, MODEL_SERVERS_MAX);

	if (s != NULL)
		model_server_defaults(s);
	return s;
}

static struct model_route *add_route(struct model_listener *l)
{
	return ADD(l->routes, l->route_count, MODEL_ROUTES_MAX);
}

/* What the directive's arguments fill: a thing that it adds, at the place noted in
 * the block, or what the block itself fills. NULL: no room. */
static void *make_target(const struct build *b, struct block *block,
			 const struct directive *d, const struct tree_statement *s)
{
	uint32_t count = 0, max = 0;
	void *target = block->target;

	switch (d->makes) {
	case MAKES_NOTHING:
		return target;
	case MAKES_LISTENER:
		target = add_listener(b->model);
		count = b->model->listener_count;
		max = MODEL_LISTENERS_MAX;
		break;
	case MAKES_POOL:
		target = add_pool(b->model);
		count = b->model->pool_count;
		max = MODEL_POOLS_MAX;
		break;
	case MAKES_SERVER:
		count = ((struct model_pool *)block->target)->server_count + 1;
		target = add_server(block->target);
		max = MODEL_SERVERS_MAX;
		break;
	case MAKES_ROUTE:
		count = ((struct model_listener *)block->target)->route_count + 1;
		target = add_route(block->target);
		max = MODEL_ROUTES_MAX;
		break;
	case MAKES:
		must(false);
	}
	if (target == NULL) {
		report_error(b->report, s->words[0].at,
			     "too many of \"%s\"; at most %u are allowed", d->word, max);
		return NULL;
	}
	struct place **places = &block->made[d->makes];
	*places = memory_grow(*places, count, sizeof **places);
	(*places)[count - 1] = s->words[0].at;
	return target;
}

static void read_block(const struct build *b, struct block *block,
		       const struct tree_statement *first);

/* What can be checked as soon as the thing is there, before its block. */
static void check_new(const struct build *b, const struct block *block,
		      const struct directive *d)
{
	switch (d->makes) {
	case MAKES_LISTENER:
		check_new_listener(b, block);
		break;
	case MAKES_POOL:
		check_new_pool(b, block);
		break;
	case MAKES_SERVER:
		check_new_server(b, block);
		break;
	case MAKES_ROUTE:
		check_new_route(b, block, &block->given[given_index(d)]);
		break;
	case MAKES_NOTHING:
	case MAKES:
		break;
	}
}

static void read_own_block(const struct build *b, const struct directive *d,
			   const struct tree_statement *s, void *target)
{
	struct block inner = {.context = d->opens,
			      .target = target,
			      .at = s->words[0].at};

	if (!s->has_block)
		report_error(b->report, arguments_end(s),
			     "\"%s\" needs a block; write: %s", d->word,
			     usage_directive(d).text);
	read_block(b, &inner, s->children);
	if (d->opens == IN_POOL)
		check_pool(b, &inner);
	else
		check_listener(b, &inner);
	for (int i = 0; i < MAKES; i++)
		free(inner.made[i]);
}

/* The words of a statement; what it fills, or NULL when that cannot be said. */
static void *read_words(const struct build *b, struct block *block,
			const struct directive *d, const struct tree_statement *s)
{
	struct given *given = &block->given[given_index(d)];
	struct given fresh = {.directive = d, .statement = s};

	if (given->statement != NULL && !d->merges && !d->repeats) {
		report_error(b->report, s->words[0].at,
			     "\"%s\" is already set in line %u", d->word,
			     given->statement->words[0].at.line);
		return NULL;
	}
	void *target = make_target(b, block, d, s);
	if (target == NULL)
		return NULL;
	if (given->statement == NULL || !d->merges)
		*given = fresh;
	arguments_read(b, d, s, target, given);
	if (d->constant_field.size > 0)
		fill_number(d->constant_field, target, d->constant);
	return target;
}

static void read_statement(const struct build *b, struct block *block,
			   const struct tree_statement *s)
{
	const struct directive *d;
	void *target = NULL;

	if (s->word_count == 0)
		return;
	/* Of words that the lexer has complained about no more is said, but what they
	 * seem to mean is kept, so that what depends on them is not wrong too. */
	b->report->quiet = s->broken;
	d = find_directive(b, block, s);
	if (d != NULL)
		target = read_words(b, block, d, s);
	if (target != NULL)
		check_new(b, block, d);
	if (target != NULL && d->opens == IN_FILE && s->has_block)
		report_error(b->report, arguments_end(s),
			     "\"%s\" has no block; write: %s", d->word,
			     usage_directive(d).text);
	b->report->quiet = false;
	if (target != NULL && d->opens != IN_FILE)
		read_own_block(b, d, s, target);
}

static void read_block(const struct build *b, struct block *block,
		       const struct tree_statement *first)
{
	for (const struct tree_statement *s = first; s != NULL; s = s->next)
		read_statement(b, block, s);
}

/* What a statement at the top adds, which decides when it is read. */
static enum makes top_makes(const struct tree_statement *s)
{
	const struct directive *d =
		s->word_count > 0 ? guess_directive(IN_FILE, s->words[0].text) : NULL;

	return d != NULL ? d->makes : MAKES_NOTHING;
}

void build_model(struct build *b, const struct tree *tree)
{
	static const enum makes turns[] = {MAKES_POOL, MAKES_NOTHING, MAKES_LISTENER};
	struct block file = {.context = IN_FILE, .target = b->model};

	for (size_t i = 0; i < COUNT_OF(turns); i++)
		for (const struct tree_statement *s = tree->first; s != NULL; s = s->next)
			if (top_makes(s) == turns[i])
				read_statement(b, &file, s);
	check_file(b);
	for (int i = 0; i < MAKES; i++)
		free(file.made[i]);
}
