#include "config/manual.h"

#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "base/roff.h"
#include "base/value.h"
#include "config/config.h"
#include "config/directives.h"
#include "config/fill.h"
#include "config/fresh.h"
#include "config/lexer.h"
#include "config/manual_text.h"
#include "config/show.h"
#include "config/tree.h"
#include "config/usage.h"
#include "pick/policy.h"

struct page {
	FILE *out;
	struct fresh fresh;
};

static const enum context contexts[] = {IN_FILE, IN_HTTP, IN_TCP, IN_UDP, IN_KV,
					IN_POOL, IN_DOCKER, IN_PROCESS};

/* What holds in a place, put behind what holds in others, if that is something else. Both
 * are given; either may be NULL, and so may what is returned. */
static char *add_default(char *all, char *text, const char *where)
{
	char *both;

	if (text == NULL || (all != NULL && strcmp(all, text) == 0)) {
		free(text);
		return all;
	}
	must(asprintf(&both, "%s%s%s %s", all != NULL ? all : "",
		      all != NULL ? ", " : "", text, where) > 0);
	free(all);
	free(text);
	return both;
}

/* What holds without the argument, as one would write it; where blocks differ, for
 * each: `1h, 30s in a listen tcp block`. Owned by the caller; NULL: nothing. */
static char *default_text(const struct fresh *f, const struct directive *d,
			  const struct argument *a)
{
	char *all = NULL;

	for (size_t i = 0; i < COUNT_OF(contexts); i++) {
		enum context in = contexts[i];
		if ((d->in & in) == 0 || !argument_is_for(a, in) ||
		    fresh_target(f, d, in, NULL) == NULL)
			continue;
		char *text = show_text(a, fresh_target(f, d, in, NULL), f->model);
		all = all == NULL ? text
				  : add_default(all, text, context_text(in).text);
	}
	if ((d->in & IN_POOL) == 0 || d->makes != MAKES_NOTHING)
		return all;
	const void *owning = fresh_target(f, d, IN_POOL, &f->owning);
	return add_default(all, show_text(a, owning, f->model),
			   "in a pool that owns its servers");
}

/* `1 to 64, by default auto`, or nothing; owned by the caller. */
static char *facts(const struct fresh *f, const struct directive *d,
		   const struct argument *a)
{
	char *by_default = default_text(f, d, a), *text;
	const char *comma = "";
	enum value_kind kind;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	must(out != NULL);
	if (a->in != 0) {
		fputs(context_text(a->in).text, out);
		comma = ", ";
	}
	if (fill_value_kind(a, &kind)) {
		fprintf(out, "%s%s to %s", comma, value_text(kind, a->min).text,
			value_text(kind, a->max).text);
		comma = ", ";
	}
	if (by_default != NULL && *by_default != '\0')
		fprintf(out, "%sby default %s", comma, by_default);
	must(fclose(out) == 0);
	free(by_default);
	return text;
}

/* What stands for a value: words of the language as such, the rest as what is to be
 * replaced: `TIME`, `N | auto`. */
static void print_value(FILE *out, const struct argument *a)
{
	struct usage usage = usage_argument(a);
	const char *between = "";
	char *rest = usage.text, *word;

	if (a->unit != NULL)
		usage.text[strlen(usage.text) - strlen(a->unit) - 1] = '\0';
	while ((word = strsep(&rest, "|")) != NULL) {
		bool is_name = *word >= 'A' && *word <= 'Z';
		fprintf(out, "%s%s ", between, is_name ? "Ar" : "Cm");
		roff_text(out, word);
		between = " No | ";
	}
	if (a->unit != NULL)
		fprintf(out, " Cm %s", a->unit);
}

/* One argument on one line: behind `.Op `, `.It ` or only the dot of a macro line. */
static void print_argument(FILE *out, const char *begin, const struct argument *a)
{
	fputs(begin, out);
	if (a->keyword != NULL) {
		fputs("Cm ", out);
		roff_text(out, a->keyword);
		if (a->kind != ARGUMENT_FLAG)
			fputc(' ', out);
	}
	if (a->kind != ARGUMENT_FLAG)
		print_value(out, a);
	fputc('\n', out);
}

static void print_title(FILE *out, const struct directive *d)
{
	fprintf(out, ".It Xo\n.Ic ");
	roff_text(out, d->word);
	if (d->second != NULL)
		fprintf(out, " %s", d->second);
	fputc('\n', out);
	for (uint32_t i = 0; i < directive_argument_count(d); i++) {
		const struct argument *a = &d->arguments[i];
		bool optional = a->keyword != NULL ? !a->required : a->optional;
		print_argument(out, optional ? ".Op " : ".", a);
	}
	if (d->opens != IN_NONE)
		fprintf(out, "{ ... }\n");
	fprintf(out, ".Xc\n");
}

/* The arguments that say something of their own. */
static void print_arguments(const struct page *p, const struct directive *d)
{
	bool open = false;

	for (uint32_t i = 0; i < directive_argument_count(d); i++) {
		const struct argument *a = &d->arguments[i];
		if (a->help == NULL)
			continue;
		if (!open)
			fprintf(p->out, ".Bl -tag -width Ds -compact\n");
		open = true;
		char *known = facts(&p->fresh, d, a);
		print_argument(p->out, ".It ", a);
		roff_text(p->out, a->help);
		if (*known != '\0') {
			fprintf(p->out, "\n(");
			roff_text(p->out, known);
			fputc(')', p->out);
		}
		fputc('\n', p->out);
		free(known);
	}
	if (open)
		fprintf(p->out, ".El\n");
}

static void print_directive(const struct page *p, const struct directive *d)
{
	print_title(p->out, d);
	roff_sentences(p->out, d->help);
	fputc('\n', p->out);
	if (((d->in & IN_LISTEN) != 0 && (d->in & IN_LISTEN) != IN_LISTEN) ||
	    ((d->in & IN_OWN) != 0 && (d->in & IN_OWN) != IN_OWN))
		fprintf(p->out, "Only %s.\n", context_text(d->in).text);
	for (uint32_t i = 0; i < directive_argument_count(d); i++) {
		if (d->arguments[i].help != NULL)
			continue;
		char *known = facts(&p->fresh, d, &d->arguments[i]);
		if (*known != '\0') {
			fputc('(', p->out);
			roff_text(p->out, known);
			fprintf(p->out, ")\n");
		}
		free(known);
	}
	print_arguments(p, d);
}

static void print_context(const struct page *p, unsigned in, const char *title)
{
	const struct directive *d;

	fprintf(p->out, ".Sh %s\n.Bl -tag -width Ds\n", title);
	for (uint32_t i = 0; (d = directive_at(i)) != NULL; i++)
		if ((d->in & in) != 0)
			print_directive(p, d);
	fprintf(p->out, ".El\n");
}

static void print_policies(FILE *out)
{
	fprintf(out, ".Sh POLICIES\n.Bl -tag -width Ds\n");
	for (uint32_t i = 0; policies[i] != NULL; i++) {
		fprintf(out, ".It Cm ");
		roff_text(out, policies[i]->name);
		fputc('\n', out);
		roff_sentences(out, policies[i]->help);
		fprintf(out, "\n");
	}
	fprintf(out, ".El\n");
}

static void print_limits(FILE *out)
{
	fprintf(out, ".Sh LIMITS\nA file has at most %d bytes, a word %d.\n",
		CONFIG_FILE_MAX, LEXER_WORD_MAX);
	fprintf(out, "A statement has at most %d words,\n", TREE_WORDS_MAX);
	fprintf(out, "and blocks stand in blocks at most %d deep.\n", TREE_DEPTH_MAX);
	fprintf(out, "There are at most %d listeners with %d routes each,\n",
		MODEL_LISTENERS_MAX, MODEL_ROUTES_MAX);
	fprintf(out, "and %d pools with %d servers each,\n", MODEL_POOLS_MAX,
		MODEL_SERVERS_MAX);
	fprintf(out, "of which a pool owns at most %d.\n", OWN_SERVERS_MAX);
}

void manual_print(FILE *out)
{
	struct page page = {.out = out};

	fresh_init(&page.fresh);
	fputs(manual_beginning, out);
	fputs(manual_listeners, out);
	fputs(manual_own, out);
	print_context(&page, IN_FILE, "AT THE TOP OF THE FILE");
	print_context(&page, IN_LISTEN, "IN A LISTEN BLOCK");
	print_context(&page, IN_POOL, "IN A POOL BLOCK");
	print_context(&page, IN_OWN, "IN AN OWN BLOCK");
	print_policies(out);
	fputs(manual_example, out);
	print_limits(out);
	fputs(manual_ending, out);
	fresh_fini(&page.fresh);
}
