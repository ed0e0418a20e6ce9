/* control/reply.h - one answer: a status and a JSON object.
 *
 * An error has one shape everywhere: a code for programs, a sentence for people and,
 * where a member of the request is wrong, its name. Codes and statuses are one table,
 * which the manual page is printed from.
 *
 * Pure. Thread: control.
 */
#ifndef CONTROL_REPLY_H
#define CONTROL_REPLY_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "control/control.h"
#include "parse/h1.h"

/* Why something was not done. Status, code and meaning are in reply.c. */
enum reply_code {
	REPLY_BAD_REQUEST, REPLY_NO_TOKEN, REPLY_READ_ONLY, REPLY_FOREIGN_ORIGIN,
	REPLY_POOL_UNKNOWN, REPLY_SERVER_UNKNOWN, REPLY_PATH_UNKNOWN,
	REPLY_METHOD_UNKNOWN, REPLY_SERVER_EXISTS, REPLY_POOL_FULL,
	REPLY_CHANGES_FULL, REPLY_COUNT_RANGE, REPLY_NOT_OWNED, REPLY_DRAINING,
	REPLY_CONFIG_ERRORS, REPLY_NO_FILE, REPLY_REFUSED,
	REPLY_VERSION_CHANGED, REPLY_BODY_LONG, REPLY_HEAD_LONG,
	REPLY_STATE_NOT_WRITTEN, REPLY_NO_MEMORY, REPLY_NOT_STARTED, REPLY_NOT_UPGRADED, REPLY_BUSY,
	REPLY_LATE,
	REPLY_CODES
};

struct later;
struct stream;

struct reply {
	uint16_t status;	/* 0: nothing is answered so far */
	enum reply_code code;	/* of an error */
	struct later *later;	/* given: the answer comes by it, status is 0 (later.h) */
	struct stream *stream;	/* owned: the body goes on, status is 200; or NULL */
	json_t  *body;		/* owned; an object; NULL with a text */
	const char *text;	/* instead of an object, or NULL */
	size_t   text_len;
	char    *text_owned;	/* the text, or NULL: it is borrowed for good */
	const char *type;	/* of the text, or of the stream */
	const char *fields;	/* more lines of the head, each with its end; or NULL */
	uint64_t tag;		/* ETag of what does not change; 0: the version is */
	unsigned allow;		/* with 405: methods, 1 << enum h1_method each; else 0 */
};

/* What is around it on the connection. */
struct reply_frame {
	uint64_t version;	/* of what is in force: ETag */
	uint64_t wall_s;	/* since 1970: Date */
	bool     closes;	/* the connection ends behind it */
	bool     is_old;	/* the client is of HTTP/1.0 */
	bool     head_only;	/* HEAD */
	bool     compact;	/* JSON without a blank or a newline */
};

void reply_init(struct reply *r);
void reply_fini(struct reply *r);

/* The answer is this status with this object, which is given. */
void reply_json(struct reply *r, uint16_t status, json_t *body);

/* The answer is this text of heap memory, which is given, of this Content-Type, which is
 * borrowed for good. */
void reply_bytes(struct reply *r, const char *type, char *text, size_t len);

/* The same of memory that is there for good, with this status. */
void reply_fixed(struct reply *r, uint16_t status, const char *type, const char *text,
		 size_t len);

/* The answer is what the stream has, which is given, for as long as its reader stays. */
void reply_stream(struct reply *r, const char *type, struct stream *stream);

/* The answer is this error; `field` (may be NULL) is the member that is wrong. */
__attribute__((format(printf, 4, 5)))
void reply_error(struct reply *r, enum reply_code code, const char *field,
		 const char *format, ...);

/* The answer is why a request could not be read. */
void reply_fault(struct reply *r, enum h1_fault fault);

/* True: it was done. Else the answer says why not; `fault` and *err as the hook gave
 * them. */
bool reply_outcome(struct reply *r, enum control_result result, enum change_fault fault,
		   const struct err *err);

/* The whole answer as bytes, of a stream its head, owned by the caller (free); one without
 * a body is what reply_init makes, and must not come here. *body_len: how many of the *len
 * bytes are the body, at the end. */
char *reply_print(const struct reply *r, const struct reply_frame *frame, size_t *len,
		  size_t *body_len);

/* A JSON string of any text: what is not UTF-8 in it becomes U+FFFD, byte by byte. */
json_t *reply_text(const char *text);

/* The table of errors, for the manual page. */
void reply_print_codes(FILE *out);

#endif
