/* parse/resp.h - what clients of Redis say: a request of RESP2 becomes its arguments, and
 * what they are told becomes bytes.
 *
 * Sources: "Redis serialization protocol specification" (redis.io/docs/reference/
 * protocol-spec) for arrays of bulk strings, inline commands and replies; the words of
 * inline commands are those of parse/words.h.
 * Stricter than that: every CR needs its LF, every bulk string its CRLF, and an inline
 * command has no NUL.
 * What a command means is not known here.
 *
 * Pure: no socket, no clock, no allocation. Arguments point into the bytes they were read
 * from; those of an inline command are freed of their quotes in place.
 *
 * Invariants: how the bytes were cut into reads never changes the result. Reading is
 * linear however they were cut: what was seen of a command that is not all there is kept
 * as two numbers (struct resp_progress), and gone over once more when its end has come.
 */
#ifndef PARSE_RESP_H
#define PARSE_RESP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/span.h"

enum {
	RESP_ARGUMENTS_MAX = 1024,	/* of a command, its name included */
	RESP_BULK_MAX      = 1 << 20,	/* bytes of an argument: more than any entry may
					 * have, so that one too long gets a reply */
	RESP_COMMAND_MAX   = 8 << 20,	/* bytes of a whole command */
	RESP_INLINE_MAX    = 64 << 10,	/* bytes of an inline command before its LF */
	RESP_COUNT_MAX     = 32,	/* bytes of a length and its CRLF */
	RESP_ERROR_BYTES   = 64,
};

enum resp_result { RESP_BAD, RESP_MORE, RESP_DONE };

/* Of a connection, between its reads. All zero: a command begins. */
struct resp_progress {
	uint32_t at;		/* so many bytes were understood */
	uint32_t left;		/* so many arguments begin there, or behind */
};

struct resp_command {
	struct span *arguments;		/* the caller's */
	uint32_t arguments_max;		/* room there, up to RESP_ARGUMENTS_MAX */
	uint32_t count;			/* 0: nothing is asked, as by an empty line */
	size_t   length;		/* bytes of the command */
	/* Of RESP_BAD, as redis-server words it but for the "ERR " before it:
	 * "Protocol error: invalid bulk length". */
	char     error[RESP_ERROR_BYTES];
};

/* Reads the command at `at`, where `len` bytes are there. RESP_MORE: it is not whole;
 * call again with the same progress, all of its bytes and more, which may have moved.
 * RESP_DONE: *command is set, and the progress zero again. RESP_BAD: the error is, and
 * nothing that follows on the connection can be understood. */
enum resp_result resp_parse(struct resp_progress *progress, char *at, size_t len,
			    struct resp_command *command);

/* Replies. Each writes at `out` and returns how many bytes it was, at most what stands in
 * its comment. */
enum {
	RESP_NUMBER_BYTES = 1 + 20 + 2,	/* type, the longest number, CRLF */
	RESP_NULL_BYTES   = 5,
	RESP_BULK_EXTRA   = RESP_NUMBER_BYTES + 2,
	RESP_LINE_EXTRA   = 1 + 2,
};

size_t resp_write_bulk(char *out, struct span value);	/* RESP_BULK_EXTRA + value.len */
size_t resp_write_integer(char *out, int64_t number);	/* RESP_NUMBER_BYTES */
size_t resp_write_array(char *out, uint32_t count);	/* RESP_NUMBER_BYTES; a head */
size_t resp_write_null(char *out);			/* RESP_NULL_BYTES */

/* RESP_LINE_EXTRA + text.len each. What would end the line becomes a space. An error's
 * text begins with its kind: "ERR syntax error". */
size_t resp_write_simple(char *out, struct span text);
size_t resp_write_error(char *out, struct span text);

#endif
