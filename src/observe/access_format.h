/* observe/access_format.h - one record of a request becomes one line of the access log.
 *
 * Pure but for the calendar. Texts come from clients and may hold any byte: whatever
 * they are, a line stays one line, keeps its number of fields, and holds nothing that
 * a terminal obeys.
 */
#ifndef OBSERVE_ACCESS_FORMAT_H
#define OBSERVE_ACCESS_FORMAT_H

#include <stddef.h>
#include <stdint.h>

#include "forward/record.h"
#include "model/model.h"

enum {
	ACCESS_ESCAPED_MAX = 6,		/* bytes that one byte may become: \u00HH */
	ACCESS_FIXED_MAX   = 512,	/* names, numbers and punctuation of a line */
	ACCESS_LINE_MAX = RECORD_TEXTS * RECORD_TEXT_MAX * ACCESS_ESCAPED_MAX +
			  ACCESS_FIXED_MAX,
};

/* The date and time of one second as text: worked out once, not for each line. Starts
 * as zeroed memory. */
struct access_clock {
	uint64_t second;
	char     combined[sizeof "20/Nov/2026:16:10:00 +0000"];
	char     json[sizeof "2026-11-20T16:10:00"];
};

/* Writes the line with its newline to `out`, which has room for ACCESS_LINE_MAX bytes.
 * Returns its length; 0 with ACCESS_OFF.
 *
 * ACCESS_COMBINED: what Apache and nginx call combined, in UTC. Missing values are "-".
 * Bytes that are not printable ASCII, the quote and the backslash become \xHH.
 * ACCESS_JSON: an object with the same members each time, null where a value is
 * missing. UTF-8 stays as it is; a byte that is not part of any becomes \u00HH, and so
 * do control characters. */
size_t access_format_write(char *out, enum access_format format, const struct record *r,
			   const struct span texts[RECORD_TEXTS],
			   struct access_clock *clock);

#endif
