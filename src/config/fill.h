/* config/fill.h - one word of a configuration becomes one field of the model.
 *
 * Says nothing to anybody: the reason goes to err, and build.c knows the place.
 */
#ifndef CONFIG_FILL_H
#define CONFIG_FILL_H

#include "base/err.h"
#include "config/directives.h"
#include "model/model.h"

/* Reads `word` as argument a of a directive and sets its field in `target`, the
 * struct that the directive fills. Pools are looked up in m. On -1 the field has
 * not changed. */
int fill_field(const struct argument *a, void *target, const char *word,
	       const struct model *m, struct err *err);

/* Sets a number of any size; it must fit. */
void fill_number(struct field field, void *target, uint64_t value);

/* The number in a field. */
uint64_t fill_read_number(struct field field, const void *target);

#endif
