/* base/option_name.h - which option of a table a word of the command line is: --limit,
 * --limit=30s, -h.
 *
 * Pure. The table is its owner's; all that is asked of it here are the names, without
 * dashes, one of which is "help".
 */
#ifndef BASE_OPTION_NAME_H
#define BASE_OPTION_NAME_H

#include <stddef.h>

#include "base/err.h"

struct option_names {
	const char *program;		/* for messages: see PROGRAM --help */
	size_t      count;
	const char *(*at)(size_t i);
};

/* Its index; `count`: there is none. */
size_t option_name_find(const struct option_names *names, const char *word);

/* There is none: the one that was probably meant, if any is near. Always -1. */
int option_name_refuse(const struct option_names *names, const char *word,
		       struct err *err);

#endif
