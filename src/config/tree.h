/* config/tree.h - a configuration as statements, whatever they mean.
 *
 * A statement is words up to `;` or the end of the line, or words and a block of
 * further statements. Which words there are is the business of directives.h; this
 * file knows none.
 *
 * Invariant: printing a tree that was read without an error and reading it again
 * gives an equal tree.
 */
#ifndef CONFIG_TREE_H
#define CONFIG_TREE_H

#include "config/report.h"

enum {
	TREE_DEPTH_MAX = 8,		/* blocks within blocks */
	TREE_WORDS_MAX = 80,		/* of a statement; MODEL_PEERS_MAX and some */
};

struct tree_word {
	const char  *text;		/* without quotes and escapes */
	struct place at;
};

struct tree_statement {
	struct tree_statement *next;		/* in the same block; owned */
	struct tree_statement *children;	/* the first; owned */
	bool has_block;
	bool broken;			/* its words were complained about */
	uint32_t word_count;		/* 0 only when broken */
	struct tree_word words[];
};

struct tree {
	struct tree_statement *first;	/* owned */
	char *storage;			/* owned: the texts of all words */
};

/* Reads all of a text; what is wrong with it goes to the report, and the tree is
 * what could be made of the rest. To be ended with tree_fini in any case. */
void tree_init(struct tree *t, struct span text, struct config_report *report);
void tree_fini(struct tree *t);

/* One statement a line, a tab for each block around it. */
void tree_print(const struct tree *t, FILE *out);

/* A word, in quotes if it needs them. */
void tree_print_word(const char *word, FILE *out);

/* The same words in the same blocks; places do not count. */
bool tree_equals(const struct tree *a, const struct tree *b);

#endif
