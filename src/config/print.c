#include "config/print.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "config/fill.h"
#include "config/fresh.h"
#include "config/made.h"
#include "config/show.h"
#include "model/srv.h"

struct printing {
	const struct model *model;
	struct fresh fresh;
	FILE *out;
	unsigned depth;		/* blocks around the statement at hand */
};

/* A statement that is being put together. */
struct line {
	const struct directive *directive;
	enum context in;
	const void  *target, *fresh;	/* fresh NULL: everything is to be said */
	FILE        *words;
	bool         says_something;	/* other than what holds anyway */
};

/* Adds an argument when it says something, and those that have to stand there. False:
 * one that has to has nothing to say, and so there is no statement. */
static bool add_argument(const struct printing *p, struct line *l,
			 const struct argument *a)
{
	char *value = show_text(a, l->target, p->model);
	char *by_default = l->fresh != NULL ? show_text(a, l->fresh, p->model) : NULL;
	bool needed = a->keyword == NULL || a->required;
	bool differs =
		value != NULL && (by_default == NULL || strcmp(value, by_default) != 0);
	bool good = value != NULL || !needed;

	if (differs || (needed && good)) {
		if (a->keyword != NULL)
			fprintf(l->words, " %s", a->keyword);
		if (*value != '\0')
			fprintf(l->words, " %s", value);
		if (a->unit != NULL)
			fprintf(l->words, " %s", a->unit);
	}
	l->says_something |= differs;
	free(value);
	free(by_default);
	return good;
}

static bool add_words(const struct printing *p, struct line *l)
{
	const struct directive *d = l->directive;

	fputs(d->word, l->words);
	if (d->second != NULL)
		fprintf(l->words, " %s", d->second);
	for (uint32_t i = 0; i < directive_argument_count(d); i++)
		if (argument_is_for(&d->arguments[i], l->in) &&
		    !add_argument(p, l, &d->arguments[i]))
			return false;
	return true;
}

/* The words of a directive for what it fills or has made, owned by the caller; NULL: they
 * would say nothing. */
static char *statement(const struct printing *p, const struct directive *d,
		       enum context in, const void *target)
{
	struct line l = {
		.directive = d, .in = in,
		.target = target, .fresh = fresh_target(&p->fresh, d, in, target),
	};
	char *text;
	size_t len;

	if (!made_by(d, target))
		return NULL;
	l.says_something = d->makes != MAKES_NOTHING || !made_by(d, l.fresh);
	l.words = open_memstream(&text, &len);
	must(l.words != NULL);
	bool good = add_words(p, &l);
	must(fclose(l.words) == 0);
	if (good && l.says_something)
		return text;
	free(text);
	return NULL;
}

static void print_inner_block(struct printing *p, enum context in, const void *target);

static void indent(const struct printing *p)
{
	for (unsigned i = 0; i < p->depth; i++)
		fputc('\t', p->out);
}

/* All that was made of a kind, in its order, by whichever row. */
static void print_made(struct printing *p, enum context in, enum makes makes,
		       const void *block)
{
	const void *thing;

	for (uint32_t i = 0; (thing = made_at(makes, block, i)) != NULL; i++) {
		if (makes == MAKES_SERVER && model_server_srv(thing) != 0)
			continue;	/* of records, which are not the file's */
		const struct directive *d = made_row(in, makes, thing);
		char *text = statement(p, d, in, thing);
		must(text != NULL);
		indent(p);
		fputs(text, p->out);
		free(text);
		if (d->opens != IN_NONE)
			print_inner_block(p, d->opens, thing);
		fputc('\n', p->out);
	}
}

/* Workers come by themselves, and servers that a pool owns are made: a file that named
 * them would be refused. */
static bool comes_by_itself(const struct printing *p, const struct model_pool *pool)
{
	return pool->own != NULL ||
	       model_pool_is_kv(p->model, (uint32_t)(pool - p->model->pools));
}

static void print_row(struct printing *p, const struct directive *d,
		      enum context in, const void *block)
{
	if (d->makes == MAKES_SERVER && comes_by_itself(p, block))
		return;
	if (d->makes != MAKES_NOTHING) {
		if (d == made_row(in, d->makes, NULL))
			print_made(p, in, d->makes, block);
		return;
	}
	char *text = statement(p, d, in, block);
	if (text != NULL) {
		indent(p);
		fprintf(p->out, "%s\n", text);
	}
	free(text);
}

/* The statements of a block: first those without blocks of their own. */
static void print_block(struct printing *p, enum context in, const void *block)
{
	const struct directive *d;

	for (int blocks = 0; blocks <= 1; blocks++)
		for (uint32_t i = 0; (d = directive_at(i)) != NULL; i++)
			if ((d->in & (unsigned)in) != 0 &&
			    (d->opens != IN_NONE) == blocks)
				print_row(p, d, in, block);
}

static void print_inner_block(struct printing *p, enum context in, const void *target)
{
	fputs(" {\n", p->out);
	p->depth++;
	print_block(p, in, target);
	p->depth--;
	indent(p);
	fputs("}", p->out);
}

char *config_print(const struct model *m)
{
	struct printing p = {.model = m};
	char *text;
	size_t len;

	fresh_init(&p.fresh);
	p.out = open_memstream(&text, &len);
	must(p.out != NULL);
	print_block(&p, IN_FILE, m);
	must(fclose(p.out) == 0);
	fresh_fini(&p.fresh);
	return text;
}
