/* ctl/manual.h - balancerctl(8), printed from the tables. doc/balancerctl.8 is this,
 * kept; a test compares.
 */
#ifndef CTL_MANUAL_H
#define CTL_MANUAL_H

#include <stdio.h>

/* Writes the page, in mdoc(7). */
void ctl_manual_print(FILE *out);

#endif
