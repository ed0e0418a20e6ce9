/* config/manual.h - the reference of the configuration language as a manual page.
 *
 * Printed from the tables that the parser works with and from the defaults of the
 * model, so that it says what is true. doc/balancerd.conf.5 is this, kept; a test
 * compares.
 */
#ifndef CONFIG_MANUAL_H
#define CONFIG_MANUAL_H

#include <stdio.h>

/* Writes the page, in mdoc(7). */
void manual_print(FILE *out);

#endif
