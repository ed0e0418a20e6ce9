/* origin/source.h - where the bytes of an answer's body come from, when its length is
 * known beforehand: a text, the pattern, or a file.
 *
 * The pattern is 37 bytes, the digits, the letters a to z and a newline, again and
 * again: byte i of it is byte i % 37. 37 is prime, so that a byte which is lost or
 * doubled at any power of two shows. It lives in a file in memory, and so is sent
 * like any other file, without a copy in user space.
 *
 * Invariant: sent <= length. Thread: the one that owns the connection; the pattern
 * is constant and shared.
 */
#ifndef ORIGIN_SOURCE_H
#define ORIGIN_SOURCE_H

#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/err.h"

struct pattern {
	int         fd;		/* owned */
	const char *at;		/* owned, its bytes mapped */
};

int pattern_open(struct pattern *p, struct err *err);
void pattern_close(struct pattern *p);

enum source_kind { SOURCE_NONE, SOURCE_TEXT, SOURCE_PATTERN, SOURCE_FILE };

struct source {			/* all 0: an empty body */
	enum source_kind kind;
	uint64_t length, sent;	/* bytes */
	union {
		struct buf           *text;	/* owned */
		const struct pattern *pattern;	/* borrowed */
		int                   fd;	/* owned */
	};
};

/* The text is given; NULL is an empty one. */
void source_from_text(struct source *s, struct buf *text);
void source_from_pattern(struct source *s, const struct pattern *p, uint64_t length);

/* The descriptor is given. */
void source_from_file(struct source *s, int fd, uint64_t length);

/* Puts back what it owns; it is an empty body afterwards. */
void source_fini(struct source *s, struct buf_pool *pool);

/* Copies the next bytes, at most `max` and at most what is left. Returns how many;
 * 0 with bytes left: the file was cut short or cannot be read. */
size_t source_copy(struct source *s, char *to, size_t max);

/* Sends the next bytes, at most `max`, without a copy. Not for a text. As
 * sendfile(2): -1 and errno, and 0 with bytes left means a file cut short. */
ssize_t source_send(struct source *s, int socket, size_t max);

#endif
