/* parse/h1.h - HTTP/1.x heads and chunked bodies become facts (RFC 9110, RFC 9112).
 *
 * Pure: bytes in, facts out; no socket, no clock, no allocation. A head is read in
 * place from one contiguous run of bytes; everything found is an offset from the
 * first byte given, so that the bytes may be moved afterwards.
 *
 * Strict by intent: what two readers could understand in two ways is refused, not
 * repaired (RFC 9112, section 11). Lines end in CRLF; a bare CR, a bare LF, a NUL,
 * obs-fold, white space before a colon are refused in requests and in responses.
 *
 * Invariant: how the bytes were cut into reads never changes the result.
 */
#ifndef PARSE_H1_H
#define PARSE_H1_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/span.h"

enum {
	H1_HEAD_MAX   = 65535,	/* offsets are 16 bits */
	H1_FIELDS_MAX = 256,
	H1_CHUNK_LINE_MAX = 256,	/* size, extension and CRLF of one chunk */
	H1_TRAILER_MAX = 8192,	/* the whole trailer section */
};

enum h1_result { H1_BAD, H1_MORE, H1_DONE };

/* Why a head or a body was refused. Text and status come from one table. */
enum h1_fault {
	H1_FAULT_NONE,
	H1_FAULT_METHOD,		/* not a token, or longer than 32 */
	H1_FAULT_TARGET,		/* none of the four forms, or a bad byte */
	H1_FAULT_TARGET_LONG,		/* 414 */
	H1_FAULT_VERSION,		/* no HTTP/1.x version after the target */
	H1_FAULT_VERSION_UNKNOWN,	/* 505: HTTP/2.0 and the like */
	H1_FAULT_STATUS_LINE,
	H1_FAULT_LINE_END,		/* bare CR or bare LF */
	H1_FAULT_FOLD,			/* obs-fold */
	H1_FAULT_FIELD_NAME,		/* no token with a colon directly after */
	H1_FAULT_FIELD_VALUE,		/* a control byte, or Connection is no list */
	H1_FAULT_HEAD_LONG,		/* 431 */
	H1_FAULT_FIELDS_MANY,		/* 431 */
	H1_FAULT_HOST,			/* none in HTTP/1.1, two, or malformed */
	H1_FAULT_LENGTH,		/* Content-Length is not one number */
	H1_FAULT_LENGTH_AND_CODING,	/* Content-Length and Transfer-Encoding */
	H1_FAULT_CODING,		/* chunked not last, twice, in HTTP/1.0 */
	H1_FAULT_CODING_UNKNOWN,	/* 501: a transfer coding other than chunked */
	H1_FAULT_EXPECT,		/* 417: anything but 100-continue */
	H1_FAULT_CHUNK_SIZE,
	H1_FAULT_CHUNK_LINE,		/* extension malformed or too long, or no CRLF */
	H1_FAULT_CHUNK_END,		/* no CRLF after the bytes of a chunk */
	H1_FAULT_TRAILER,		/* malformed, long, or not allowed there */
	H1_FAULTS
};

/* For a person: "two Content-Length values" */
const char *h1_fault_text(enum h1_fault fault);

/* The status a server answers it with: 400, 414, 417, 431, 501 or 505. */
int h1_fault_status(enum h1_fault fault);

enum h1_method {
	H1_METHOD_OTHER, H1_GET, H1_HEAD, H1_POST, H1_PUT, H1_DELETE, H1_OPTIONS,
	H1_PATCH, H1_TRACE, H1_CONNECT,
};

/* RFC 9110, section 9.2.2. */
bool h1_method_is_idempotent(enum h1_method method);

enum h1_target {
	H1_TARGET_ORIGIN,	/* /path?query */
	H1_TARGET_ABSOLUTE,	/* http://authority/path?query */
	H1_TARGET_ASTERISK,	/* *, with OPTIONS only */
	H1_TARGET_AUTHORITY,	/* host:port, with CONNECT only */
};

enum h1_body { H1_BODY_NONE, H1_BODY_LENGTH, H1_BODY_CHUNKED, H1_BODY_UNTIL_CLOSE };

/* Fields that a proxy has to know. The order is of no meaning. */
enum h1_name {
	H1_NAME_OTHER,
	H1_NAME_HOST, H1_NAME_CONNECTION, H1_NAME_CONTENT_LENGTH,
	H1_NAME_TRANSFER_ENCODING, H1_NAME_TE, H1_NAME_TRAILER, H1_NAME_UPGRADE,
	H1_NAME_EXPECT, H1_NAME_KEEP_ALIVE, H1_NAME_PROXY_CONNECTION, H1_NAME_VIA,
	H1_NAME_FORWARDED, H1_NAME_X_FORWARDED_FOR, H1_NAME_X_FORWARDED_PROTO,
	H1_NAME_X_FORWARDED_HOST, H1_NAME_HTTP2_SETTINGS, H1_NAME_USER_AGENT,
	H1_NAME_REFERER, H1_NAME_COOKIE, H1_NAME_X_REQUEST_ID, H1_NAME_DATE,
	H1_NAME_SERVER, H1_NAME_TRACEPARENT, H1_NAME_TRACESTATE,
	H1_NAMES
};

struct h1_field {
	uint16_t line;		/* offset of the name */
	uint16_t name_len;
	uint16_t value;		/* offset of the value, white space around it cut off */
	uint16_t value_len;
	uint8_t  name;		/* enum h1_name */
	bool     named_hop;	/* a Connection field names it: not to be passed on */
};

struct h1_limits {
	uint32_t head_max;	/* up to and with the empty line, at most H1_HEAD_MAX */
	uint32_t target_max;	/* bytes */
	uint32_t fields_max;	/* at most H1_FIELDS_MAX */
};

/* What a head says. Offsets are from the first byte handed to the parser. */
struct h1_head {
	enum h1_fault  fault;
	uint16_t start;			/* the first line: after empty lines, if any */
	uint16_t fields_at;		/* the first field's line, or the empty line */
	uint16_t length;		/* past the empty line: where a body begins */
	uint16_t field_count;
	uint8_t  minor;			/* of HTTP/1.x; above 1 is understood as 1 */

	/* requests only */
	enum h1_method method;
	enum h1_target target;
	uint16_t method_len;
	uint16_t target_at, target_len;		/* as it stands in the line */
	uint16_t authority_at, authority_len;	/* host[:port] of the absolute form */
	uint16_t path_at, path_len;		/* with the query; may be empty */
	uint16_t host_at, host_len;		/* what Host says; absent: 0, 0 */

	/* responses only */
	uint16_t status;

	enum h1_body body;
	uint64_t content_length;	/* also of responses that have no body */
	bool has_content_length;
	bool keep_alive;		/* by version and Connection */
	bool connection_close, connection_keep_alive, connection_upgrade;
	bool expects_continue;
	uint32_t seen;			/* bit 1 << enum h1_name for each known field */

	struct h1_field fields[H1_FIELDS_MAX];
};

/* Reads a request head from [at, at + len). `before` is how many of these bytes an
 * earlier call, which said H1_MORE, has seen (0 the first time): they are not all
 * looked at again. On H1_BAD head->fault says why, and nothing else of head may be
 * used. A fault of the request line is told as soon as its byte has come, so that
 * what is no HTTP is not waited for; a fault of the fields when the head has ended.
 * Up to four empty lines before the request line are skipped. */
enum h1_result h1_parse_request(struct h1_head *head, const char *at, size_t len,
				size_t before, const struct h1_limits *limits);

/* Reads a response head likewise, but nothing may stand before the status line.
 * `request` is the method that is answered: with HEAD, and with status 1xx, 204 and
 * 304, body is H1_BODY_NONE. */
enum h1_result h1_parse_response(struct h1_head *head, const char *at, size_t len,
				 size_t before, enum h1_method request,
				 const struct h1_limits *limits);

static inline struct span h1_name_span(const char *at, const struct h1_field *f)
{
	return (struct span){at + f->line, f->name_len};
}

static inline struct span h1_value_span(const char *at, const struct h1_field *f)
{
	return (struct span){at + f->value, f->value_len};
}

/* The first field with this id, or NULL. */
const struct h1_field *h1_field_find(const struct h1_head *head, enum h1_name name);

/* The only one; NULL: there is none, or there are several, of which none can be trusted. */
const struct h1_field *h1_field_find_only(const struct h1_head *head, enum h1_name name);

/* A chunked body as it goes by (RFC 9112, section 7.1). */
struct h1_chunked {
	uint8_t  state;		/* private to h1_chunked.c; 0 is the beginning */
	enum h1_fault fault;
	uint16_t line_len;	/* bytes of the present size line */
	uint16_t trailer_len;	/* bytes of the trailer section so far */
	uint64_t size;		/* of the present chunk, as far as its line is read */
	uint64_t remaining;	/* bytes of its payload still to come; 0 outside of it */
	char     name[24];	/* of the present trailer field, as far as it fits */
	uint8_t  name_len;
};

/* Reads on, up to the end of a run of payload or of the bytes given, whichever
 * comes first. Returns how many bytes it took and sets *data to the payload among
 * them (a run, possibly empty, always the last of the bytes taken). *result is
 * H1_DONE when the body has ended with the bytes taken, H1_BAD on a fault (then
 * `fault` says which), otherwise H1_MORE. Trailer fields that would change framing,
 * routing or authentication (RFC 9110, section 6.5.1) are a fault. */
size_t h1_chunked_next(struct h1_chunked *c, const char *at, size_t len,
		       struct span *data, enum h1_result *result);

/* The same for all the bytes given, for a relay that passes framing on unchanged:
 * how many of them belong to this body. */
size_t h1_chunked_scan(struct h1_chunked *c, const char *at, size_t len,
		       enum h1_result *result);

/* While inside the payload of a chunk: bytes of it that may be moved unseen. The
 * caller tells h1_chunked_skip how many it moved. */
static inline uint64_t h1_chunked_payload_left(const struct h1_chunked *c)
{
	return c->remaining;
}
void h1_chunked_skip(struct h1_chunked *c, uint64_t moved);

#endif
