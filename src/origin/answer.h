/* origin/answer.h - what is going to be answered to one request, and its head.
 *
 * A route (routes.c) fills it in while it sees the request; the connection carries
 * it out afterwards, when the request's bytes may be gone.
 *
 * Thread: the one that owns the connection.
 */
#ifndef ORIGIN_ANSWER_H
#define ORIGIN_ANSWER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "origin/faults.h"
#include "origin/files.h"
#include "origin/source.h"

enum {
	ANSWER_FIELDS_MAX = 160,	/* bytes of header lines of its own */
	ANSWER_HEAD_MAX   = 1024,	/* bytes that answer_write_head writes at most */
	ANSWER_TEXT_MAX   = BUF_SMALL,	/* bytes of a formatted text */
};

/* How the end of the body is told. */
enum answer_framing { ANSWER_LENGTH, ANSWER_CHUNKED, ANSWER_UNTIL_CLOSE };

/* What becomes of the request's body. */
enum answer_sink {
	ANSWER_DISCARD,
	ANSWER_ECHO,		/* it is the answer's body */
	ANSWER_UPLOAD,		/* goes to a file; its status is the answer's */
};

struct answer {
	uint16_t status;
	uint16_t interim;		/* a 1xx that goes before it, 0: none */
	enum answer_framing framing;
	enum answer_sink    sink;
	uint64_t length;		/* of the body, when that is known */
	uint64_t dies_at;		/* bytes of the body, UINT64_MAX: lives */
	bool     head_only;		/* HEAD, 204, 304 */
	bool     closes;		/* the connection ends after it */
	bool     trailer;		/* a trailer field follows the last chunk */
	bool     silent;		/* never answer at all */
	bool     tunnel;		/* after the head, both sides only send bytes */
	struct faults  faults;
	struct source  source;		/* owned; empty for an echo */
	struct upload *upload;		/* owned, NULL when none is open */
	char     fields[ANSWER_FIELDS_MAX];	/* header lines, each with its CRLF */
};

/* An empty 200 that behaves well. */
void answer_init(struct answer *a);

/* Puts back what it owns. */
void answer_fini(struct answer *a, struct buf_pool *pool);

/* A text/plain body. Longer than ANSWER_TEXT_MAX: cut; out of memory: empty. */
__attribute__((format(printf, 4, 5)))
void answer_text(struct answer *a, struct buf_pool *pool, uint16_t status,
		 const char *format, ...);

/* A 200 with a body of JSON, which is as long as a text at most. */
__attribute__((format(printf, 3, 4)))
void answer_json(struct answer *a, struct buf_pool *pool, const char *format, ...);

/* The status and its name as the body. */
void answer_status(struct answer *a, struct buf_pool *pool, uint16_t status);

/* Makes `s` (given) the body, its length known. */
void answer_source(struct answer *a, const struct source *s);

/* Appends a header line, "Name: value\r\n". One that does not fit is a bug. */
__attribute__((format(printf, 2, 3)))
void answer_field(struct answer *a, const char *format, ...);

/* Appends status line, fields and empty line; `common` are the header lines that
 * every answer has. There must be ANSWER_HEAD_MAX bytes of room. `minor` is the
 * request's HTTP/1.x version: 1.0 is told when the connection stays. */
void answer_write_head(const struct answer *a, struct span common, uint8_t minor,
		       struct buf *out);

/* Appends the interim answer's head: a status line and an empty line. */
void answer_write_interim(uint16_t status, struct buf *out);

#endif
