/* ctl/table.h - rows of text: aligned under bold titles on a terminal, with tabs and
 * without titles elsewhere, where the order of the columns never changes.
 */
#ifndef CTL_TABLE_H
#define CTL_TABLE_H

#include <stdbool.h>
#include <stdint.h>

#include "ctl/paper.h"

struct column {
	const char *title;
	bool        is_number;		/* aligned to the right */
};

struct table;

/* The columns are borrowed. */
struct table *table_create(const struct column *columns, uint32_t count);
void table_destroy(struct table *t);

/* The next cell, row by row. Bytes below 0x20 become '?', nothing becomes "-". */
__attribute__((format(printf, 3, 4)))
void table_put(struct table *t, enum style style, const char *format, ...);

/* Prints all rows, which are whole, on standard output. Elsewhere than on a terminal
 * each begins with `noun` and a tab, unless it is NULL. */
void table_print(const struct table *t, const struct paper *paper, const char *noun);

#endif
