/* base/roff.h - text for manual pages, which are printed from tables (mdoc(7)).
 *
 * Pure but for the file it is printed to.
 */
#ifndef BASE_ROFF_H
#define BASE_ROFF_H

#include <stdio.h>

/* Text that is no macro and has no escapes of roff. */
void roff_text(FILE *out, const char *text);

/* Sentences, each on a line of its own as mdoc wants it; no newline behind the last. */
void roff_sentences(FILE *out, const char *text);

#endif
