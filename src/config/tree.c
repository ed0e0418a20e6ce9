#include "config/tree.h"

#include <stdlib.h>

#include "base/memory.h"
#include "config/lexer.h"

/* A block that is open while the text is read. Level 0 is the file itself. */
struct level {
	struct tree_statement **tail;	/* where the next statement goes */
	struct tree_statement *last;	/* the one before, NULL when there is none */
	struct tree_statement *opened_by;
	struct place opened_at;
};

struct parser {
	struct config_report *report;
	struct level levels[TREE_DEPTH_MAX + 1];
	uint32_t depth;
	uint32_t skipped_depth;		/* blocks too deep: read over, not kept */

	struct tree_word words[TREE_WORDS_MAX];	/* of the statement at hand */
	uint32_t word_count;
	bool     broken;
};

static void add_word(struct parser *p, const struct token *t)
{
	if (t->broken)
		p->broken = true;
	if (p->word_count < TREE_WORDS_MAX) {
		p->words[p->word_count++] = (struct tree_word){t->text, t->at};
	} else if (!p->broken) {
		report_error(p->report, t->at,
			     "more than %d words in one statement; is a \";\" or a new "
			     "line missing?",
			     TREE_WORDS_MAX);
		p->broken = true;
	}
}

/* Ends the statement at hand; NULL when there is none. */
static struct tree_statement *finish(struct parser *p)
{
	struct level *level = &p->levels[p->depth];
	uint32_t n = p->word_count;

	if (n == 0 && !p->broken)
		return NULL;
	struct tree_statement *s =
		memory_new(1, sizeof *s + n * sizeof s->words[0]);
	memcpy(s->words, p->words, n * sizeof s->words[0]);
	s->word_count = n;
	s->broken = p->broken;
	p->word_count = 0;
	p->broken = false;
	*level->tail = level->last = s;
	level->tail = &s->next;
	return s;
}

/* A brace without words in front of it. Most often it stands in a line of its own,
 * below the statement that it was meant for: taken for that one, what is in the
 * block keeps its meaning, and there is one error instead of many. */
static struct tree_statement *adopt_block(struct parser *p, struct place at)
{
	struct tree_statement *last = p->levels[p->depth].last;

	if (last != NULL && !last->has_block && last->word_count > 0) {
		report_error(p->report, at,
			     "\"{\" stands alone; put it at the end of line %u, behind "
			     "%s",
			     last->words[last->word_count - 1].at.line,
			     quote(last->words[last->word_count - 1].text).text);
		return last;
	}
	report_error(p->report, at,
		     "\"{\" without a word in front of it; a block begins with its name, "
		     "for example: pool web {");
	p->broken = true;
	return finish(p);
}

static void open_block(struct parser *p, struct place at)
{
	if (p->depth == TREE_DEPTH_MAX) {
		if (p->skipped_depth++ == 0)
			report_error(p->report, at,
				     "blocks within blocks, more than %d deep",
				     TREE_DEPTH_MAX);
		p->broken = true;
		return;
	}
	struct tree_statement *s = finish(p);
	if (s == NULL)
		s = adopt_block(p, at);
	s->has_block = true;
	p->levels[++p->depth] = (struct level){
		.tail = &s->children, .opened_by = s, .opened_at = at,
	};
}

static void close_block(struct parser *p, struct place at)
{
	if (p->skipped_depth > 0) {
		p->skipped_depth--;
		return;
	}
	finish(p);
	if (p->depth == 0)
		report_error(p->report, at,
			     "\"}\" closes nothing; no block is open here");
	else
		p->depth--;
}

static void refuse_unclosed(struct parser *p)
{
	for (; p->depth > 0; p->depth--) {
		const struct level *level = &p->levels[p->depth];
		const struct tree_statement *s = level->opened_by;
		report_error(p->report, level->opened_at,
			     "the block%s%s that is opened here is never closed; add "
			     "\"}\"",
			     s->word_count > 0 ? " of " : "",
			     s->word_count > 0 ? quote(s->words[0].text).text : "");
	}
}

void tree_init(struct tree *t, struct span text, struct config_report *report)
{
	struct parser p = {.report = report};
	struct lexer lexer;
	struct token token;

	t->first = NULL;
	t->storage = memory_new(text.len + 1, 1);
	p.levels[0].tail = &t->first;
	lexer_init(&lexer, text, t->storage, report);
	do {
		token = lexer_next(&lexer);
		switch (token.kind) {
		case TOKEN_WORD:
			if (p.skipped_depth == 0)
				add_word(&p, &token);
			break;
		case TOKEN_STOP:
		case TOKEN_END:
			finish(&p);
			break;
		case TOKEN_OPEN:
			open_block(&p, token.at);
			break;
		case TOKEN_CLOSE:
			close_block(&p, token.at);
			break;
		}
	} while (token.kind != TOKEN_END);
	refuse_unclosed(&p);
}

static void free_statements(struct tree_statement *s)
{
	while (s != NULL) {
		struct tree_statement *next = s->next;
		free_statements(s->children);
		free(s);
		s = next;
	}
}

void tree_fini(struct tree *t)
{
	free_statements(t->first);
	free(t->storage);
	*t = (struct tree){0};
}

void tree_print_word(const char *word, FILE *out)
{
	if (!lexer_needs_quotes(word)) {
		fputs(word, out);
		return;
	}
	fputc('"', out);
	for (; *word != '\0'; word++) {
		if (*word == '\n') {
			fputs("\\n", out);
			continue;
		}
		if (*word == '"' || *word == '\\')
			fputc('\\', out);
		fputc(*word, out);
	}
	fputc('"', out);
}

static void indent(unsigned depth, FILE *out)
{
	while (depth-- > 0)
		fputc('\t', out);
}

static void print_statements(const struct tree_statement *s, unsigned depth, FILE *out)
{
	for (; s != NULL; s = s->next) {
		indent(depth, out);
		for (uint32_t i = 0; i < s->word_count; i++) {
			if (i > 0)
				fputc(' ', out);
			tree_print_word(s->words[i].text, out);
		}
		if (s->has_block) {
			fputs(" {\n", out);
			print_statements(s->children, depth + 1, out);
			indent(depth, out);
			fputc('}', out);
		}
		fputc('\n', out);
	}
}

void tree_print(const struct tree *t, FILE *out)
{
	print_statements(t->first, 0, out);
}

static bool statements_equal(const struct tree_statement *a,
			     const struct tree_statement *b)
{
	for (; a != NULL && b != NULL; a = a->next, b = b->next) {
		if (a->word_count != b->word_count || a->has_block != b->has_block)
			return false;
		for (uint32_t i = 0; i < a->word_count; i++)
			if (strcmp(a->words[i].text, b->words[i].text) != 0)
				return false;
		if (!statements_equal(a->children, b->children))
			return false;
	}
	return a == b;
}

bool tree_equals(const struct tree *a, const struct tree *b)
{
	return statements_equal(a->first, b->first);
}
