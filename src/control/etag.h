/* control/etag.h - the tags of answers, as clients give them back (RFC 9110, section 13.1).
 *
 * Pure. Thread: control.
 */
#ifndef CONTROL_ETAG_H
#define CONTROL_ETAG_H

#include <stdbool.h>
#include <stdint.h>

#include "base/span.h"

/* Whether a value of If-Match or If-None-Match names this tag: "*", or a list of strong
 * tags. What is neither names none. */
bool etag_is_among(struct span value, uint64_t tag);

#endif
