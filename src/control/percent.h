/* control/percent.h - percent-encoding of paths and queries (RFC 3986, section 2.1).
 *
 * Pure.
 */
#ifndef CONTROL_PERCENT_H
#define CONTROL_PERCENT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/span.h"

/* Decodes `encoded` into a text of at most size - 1 bytes. False: two digits are
 * missing behind a %, a NUL is among what is meant, or it is longer. A + is a +. */
bool percent_decode(struct span encoded, char *out, size_t size);

#endif
