/* config/format.h - a configuration text in the usual form: a statement a line, a tab for
 * each block around it, comments where they were, at most one blank line between.
 *
 * Only white space and `;` change: every word, and how it was quoted, stays. Formatting
 * what was formatted changes nothing.
 *
 * Pure. Thread: any.
 */
#ifndef CONFIG_FORMAT_H
#define CONFIG_FORMAT_H

#include <stddef.h>

#include "base/span.h"

/* Of a text that the lexer and the tree have no complaint about. Owned by the caller
 * (free); *len is without the NUL that ends it. */
char *config_format(struct span text, size_t *len);

#endif
