/* base/json_text.h - any bytes become a string of JSON, in ASCII and UTF-8 that neither a
 * parser nor a terminal can take for something else.
 *
 * UTF-8 stays as it is; a byte that is not part of any becomes \u00HH, and so do control
 * characters. What some readers take for the end of a line, or terminals for a command
 * (U+0080 to U+009F, U+2028, U+2029), is written as an escape, which means the same.
 *
 * Pure.
 */
#ifndef BASE_JSON_TEXT_H
#define BASE_JSON_TEXT_H

#include "base/span.h"

enum { JSON_TEXT_BYTE_MAX = 6 };	/* bytes that one byte may become: \u00HH */

/* Writes the string with its quotes to `at`, which has room for the text's length times
 * JSON_TEXT_BYTE_MAX, and two more. Returns where it ended. */
char *json_text_put(char *at, struct span text);

#endif
