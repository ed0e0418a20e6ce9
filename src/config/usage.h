/* config/usage.h - how a directive is written, in one line, as messages and the
 * manual page show it.
 */
#ifndef CONFIG_USAGE_H
#define CONFIG_USAGE_H

#include "config/directives.h"

enum { USAGE_MAX = 512 };

struct usage {
	char text[USAGE_MAX];
};

/* `server ADDRESS [weight N] [parallel N|unlimited] [drain]`, with the arguments that
 * may stand in one of these blocks. */
struct usage usage_directive(const struct directive *d, unsigned in);

/* What stands for the value of an argument: `TIME`, `N|auto`, `on|off`; nothing for
 * a flag. */
struct usage usage_argument(const struct argument *a);

#endif
