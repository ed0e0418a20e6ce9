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

#include "base/json_text.h"
#include "forward/record.h"
#include "model/access_form.h"
#include "model/model.h"

enum {
	ACCESS_ESCAPED_MAX = JSON_TEXT_BYTE_MAX,	/* bytes that one byte may become */
	ACCESS_FIXED_MAX   = ACCESS_FORM_MAX + 512,	/* names, numbers, punctuation */
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

/* How lines are written. */
struct access_way {
	enum access_format format;
	const struct access_form *form;		/* borrowed; of ACCESS_OWN, else NULL */
};

/* Writes the line with its newline to `out`, which has room for ACCESS_LINE_MAX bytes;
 * texts have at most RECORD_TEXT_MAX bytes, as record_put has seen to.
 * Returns its length; 0 with ACCESS_OFF.
 *
 * ACCESS_COMBINED: what Apache and nginx call combined, in UTC. Missing values are "-".
 * Bytes that are not printable ASCII, the quote and the backslash become \xHH.
 * ACCESS_JSON: an object with the same members each time, null where a value is
 * missing. UTF-8 stays as it is; a byte that is not part of any becomes \u00HH, and so
 * do control characters.
 * ACCESS_OWN: what the form says, with dashes and \xHH as in combined; outside of double
 * quotes a space is \x20. Headers of a record that was noted by another form are missing. */
size_t access_format_write(char *out, const struct access_way *way, const struct record *r,
			   const struct span texts[RECORD_TEXTS],
			   struct access_clock *clock);

#endif
