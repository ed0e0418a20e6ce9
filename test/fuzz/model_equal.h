/* test/fuzz/model_equal.h - whether two models say the same, by the table of directives:
 * every field that a word can fill, and everything that a directive has made, in order.
 * What is derived from that (tables, live parts) does not count. */
#ifndef FUZZ_MODEL_EQUAL_H
#define FUZZ_MODEL_EQUAL_H

#include <stdlib.h>
#include <string.h>

#include "config/fill.h"
#include "config/made.h"
#include "config/show.h"

struct two_models {
	const struct model *a, *b;
};

static inline bool arguments_equal(struct two_models m, const struct directive *d,
				   const void *a, const void *b)
{
	bool equal = true;

	for (uint32_t i = 0; i < directive_argument_count(d) && equal; i++) {
		char *x = show_text(&d->arguments[i], a, m.a);
		char *y = show_text(&d->arguments[i], b, m.b);
		equal = x == NULL || y == NULL ? x == y : strcmp(x, y) == 0;
		free(x);
		free(y);
	}
	return equal;
}

/* What two blocks of a kind fill, and what stands in them. */
static inline bool blocks_equal(struct two_models m, enum context in, const void *a,
				const void *b);

static inline bool made_equal(struct two_models m, enum context in, enum makes makes,
			      const void *a, const void *b)
{
	for (uint32_t i = 0;; i++) {
		const void *x = made_at(makes, a, i), *y = made_at(makes, b, i);
		if (x == NULL || y == NULL)
			return x == y;
		const struct directive *d = made_row(in, makes, x);
		if (d != made_row(in, makes, y) || !arguments_equal(m, d, x, y))
			return false;
		if (d->opens != IN_NONE && !blocks_equal(m, d->opens, x, y))
			return false;
	}
}

static inline bool blocks_equal(struct two_models m, enum context in, const void *a,
				const void *b)
{
	const struct directive *d;

	for (uint32_t i = 0; (d = directive_at(i)) != NULL; i++) {
		if ((d->in & (unsigned)in) == 0)
			continue;
		if (d->makes != MAKES_NOTHING) {
			if (!made_equal(m, in, d->makes, a, b))
				return false;
			continue;
		}
		if (made_by(d, a) != made_by(d, b) || !arguments_equal(m, d, a, b))
			return false;
	}
	return true;
}

static inline bool models_equal(const struct model *a, const struct model *b)
{
	return blocks_equal((struct two_models){a, b}, IN_FILE, a, b);
}

#endif
