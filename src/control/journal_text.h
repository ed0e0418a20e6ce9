/* control/journal_text.h - the journal as text: JSON with a checksum.
 *
 *   {"format": 1, "serves": "/etc/balancerd/balancerd.conf",
 *    "changes": [{"pool": "web", "server": "127.0.0.1:8083",
 *                 "what": "add", "weight": 2, "drain": false},
 *                {"pool": "web", "server": "127.0.0.1:8081", "what": "remove"}],
 *    "checksum": "0123456789abcdef"}
 *
 * The checksum is XXH3 of all members before it, written without spaces: what tells a
 * whole file from a damaged one, whatever became of its layout. Pure.
 *
 * Thread: control.
 */
#ifndef CONTROL_JOURNAL_TEXT_H
#define CONTROL_JOURNAL_TEXT_H

#include <stddef.h>

#include "base/err.h"
#include "control/changes.h"

enum { JOURNAL_FORMAT = 1 };

/* What of these lasts, as lines; owned by the caller (free). */
char *journal_encode(const struct changes *c, const char *serves);

/* What journal_encode was given; owned by the caller. NULL and *err: the text is not
 * whole, of another format, or of a balancer that serves something else. */
struct changes *journal_decode(const char *text, size_t len, const char *serves,
			       struct err *err);

#endif
