/* config/show.h - one field of the model becomes the words that fill it: fill.h,
 * backwards.
 */
#ifndef CONFIG_SHOW_H
#define CONFIG_SHOW_H

#include <stdbool.h>
#include <stdio.h>

#include "config/directives.h"
#include "model/model.h"

/* Writes what stands for the value of an argument whose field is in `target`, quoted
 * where it needs to be; a flag's is nothing. False, and nothing written: the field says
 * what holds without the argument and what no word says. Pools are named as m has
 * them. */
bool show_field(const struct argument *a, const void *target, const struct model *m,
		FILE *out);

/* The same as a text, owned by the caller; NULL for false. */
char *show_text(const struct argument *a, const void *target, const struct model *m);

#endif
