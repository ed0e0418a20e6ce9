/* model/access_form.h - a form for lines of the access log that somebody made up:
 *
 *   {peer} {method} {target} {status} {time_ms} "{header X-Forwarded-For}"
 *
 * Text with fields in braces; {{ and }} are the braces themselves. Each field may be there
 * once, so that a line has a bound.
 *
 * Pure: one flat struct, which may be copied.
 */
#ifndef MODEL_ACCESS_FORM_H
#define MODEL_ACCESS_FORM_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

enum {
	ACCESS_FORM_MAX    = 1024,	/* bytes of its text */
	ACCESS_HEADERS_MAX = 4,		/* fields of a request's head */
	ACCESS_HEADER_MAX  = 64,	/* bytes of the name of one */
	ACCESS_ITEMS_MAX   = 64,
};

/* The order is that of the manual. */
enum access_field {
	ACCESS_LITERAL,
	ACCESS_TIME, ACCESS_DATE, ACCESS_PEER, ACCESS_METHOD, ACCESS_TARGET, ACCESS_HOST,
	ACCESS_HTTP, ACCESS_STATUS, ACCESS_BYTES, ACCESS_TIME_MS, ACCESS_SERVER_MS,
	ACCESS_POOL, ACCESS_SERVER, ACCESS_TRIES, ACCESS_REQUEST_ID, ACCESS_TRACE_ID,
	ACCESS_REFERER, ACCESS_USER_AGENT, ACCESS_HEADER, ACCESS_FIELDS
};

struct access_item {
	uint8_t  field;			/* enum access_field */
	uint8_t  header;		/* which one, of ACCESS_HEADER */
	bool     quoted;		/* it stands between double quotes */
	uint16_t at, len;		/* of a literal: in `literals` */
};

struct access_form {
	char text[ACCESS_FORM_MAX + 1];		/* as it was given */
	char literals[ACCESS_FORM_MAX];
	struct access_item items[ACCESS_ITEMS_MAX];
	uint32_t item_count;

	char     headers[ACCESS_HEADERS_MAX][ACCESS_HEADER_MAX + 2];	/* "Name:" */
	uint8_t  header_len[ACCESS_HEADERS_MAX];	/* of that, with the colon */
	uint32_t header_count;
	uint32_t stamp;			/* of these names; 0: there are none */
};

/* Reads a text. On -1 *err says what is wrong, and *form is of no use. */
int access_form_read(struct access_form *form, const char *text, struct err *err);

/* What is written in braces; NULL: there is no such field. */
const char *access_field_name(enum access_field field);

#endif
