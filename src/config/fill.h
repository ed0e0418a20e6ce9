/* config/fill.h - one word of a configuration becomes one field of the model.
 *
 * Says nothing to anybody: the reason goes to err, and build.c knows the place.
 */
#ifndef CONFIG_FILL_H
#define CONFIG_FILL_H

#include "base/err.h"
#include "base/value.h"
#include "config/directives.h"
#include "model/model.h"

/* Reads `word` as argument a of a directive and sets its field in `target`, the
 * struct that the directive fills. Pools are looked up in m. On -1 the field has
 * not changed. */
int fill_field(const struct argument *a, void *target, const char *word,
	       const struct model *m, struct err *err);

/* The address of a listener: opened before any name could be looked up, once in each
 * loop, so it has to be a number and a port. Without a host it is `host`. */
int fill_listen(struct address *out, const char *word, const char *host,
		struct err *err);

/* The host of a listener that names none: every IPv4 address. */
#define FILL_LISTEN_HOST "0.0.0.0"

/* How the value of an argument is written; false: it is no number. */
bool fill_value_kind(const struct argument *a, enum value_kind *kind);

/* Whether it is a text, kept as it is: a char * of its own. */
bool fill_is_text(const struct argument *a);

/* Sets a number of any size; it must fit. */
void fill_number(struct field field, void *target, uint64_t value);

/* The number in a field. */
uint64_t fill_read_number(struct field field, const void *target);

#endif
