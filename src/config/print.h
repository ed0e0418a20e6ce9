/* config/print.h - a model becomes a configuration again.
 *
 * By the table in directives.h alone: what differs from the defaults, in the order of the
 * table, a statement a line. Reading it gives an equal model.
 */
#ifndef CONFIG_PRINT_H
#define CONFIG_PRINT_H

#include "model/model.h"

/* The text, owned by the caller. It may be longer than a file may be. */
char *config_print(const struct model *m);

#endif
