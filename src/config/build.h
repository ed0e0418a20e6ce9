/* config/build.h - a tree becomes a model, by the table in directives.h.
 *
 * Never stops at an error: a statement that is wrong is left out, and reading goes
 * on behind it. Pools are read before anything else, so that routes may name those
 * that stand further down.
 */
#ifndef CONFIG_BUILD_H
#define CONFIG_BUILD_H

#include "config/directives.h"
#include "config/report.h"
#include "config/tree.h"
#include "model/model.h"

struct build {
	struct model         *model;
	struct config_report *report;
	struct block         *pools;	/* owned; by the pool's index, since their targets
					 * move when there are more */
};

/* What stood where in a block, for whoever has to name a place later. */
struct given {
	const struct directive      *directive;
	const struct tree_statement *statement;		/* NULL: not given */
	const struct tree_word      *arguments[ARGUMENTS_MAX];
};

struct block {
	enum context context;
	void        *target;		/* borrowed: the struct that it fills */
	struct place at;		/* of the statement that opens it */
	uint32_t     errors_before;	/* in the report, when it was opened */
	struct given *given;		/* owned: for each word that was given */
	uint32_t      given_count;
	struct place *made[MAKES];	/* owned: where what it adds stands */
};

/* Fills the model from the tree. Whether it can be used is said by the report. */
void build_model(struct build *b, const struct tree *tree);

/* What a block gave of a directive, NULL: nothing. */
const struct given *block_given(const struct block *block, const char *word);

/* The word after which the argument stands, NULL: it is not given. */
const struct tree_word *given_argument(const struct given *given, const char *keyword);

/* Where an argument stands, or else its directive. */
struct place given_place(const struct given *given, const char *keyword);

#endif
