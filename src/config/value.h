/* config/value.h - words of a configuration become values, and back.
 *
 * Pure: a word in, a value or a reason out. Reasons quote the word, say what it
 * should have been and, where that can be known, how to write it.
 */
#ifndef CONFIG_VALUE_H
#define CONFIG_VALUE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

enum value_kind {
	VALUE_NUMBER,		/* 100 */
	VALUE_TIME,		/* 500ms 3s 2m 1h, in milliseconds */
	VALUE_SIZE,		/* 64 16k 1m 2g, in bytes; k is 1024 */
	VALUE_PERCENT,		/* 20% */
	VALUE_SECONDS,		/* 3s 2m 1h, in seconds */
};

struct value_range {
	enum value_kind kind;
	uint64_t min, max;
};

/* Reads a word of that kind within these bounds. */
int value_read(const struct value_range *range, const char *word, uint64_t *value,
	       struct err *err);

enum { VALUE_TEXT_MAX = 24 };
struct value_text {
	char text[VALUE_TEXT_MAX];
};
/* The shortest word that value_read reads as this value. */
struct value_text value_text(enum value_kind kind, uint64_t value);

/* Whether it is a prime; if not, the reason names the nearest one. */
int value_check_prime(uint64_t value, struct err *err);

/* Letters, digits, "-", "_" and ".": the name of a pool. */
int value_check_name(const char *word, struct err *err);

/* The name of a header field or of a cookie (RFC 9110, section 5.6.2: token). */
int value_check_token(const char *word, struct err *err);

/* The name of an argument of a query, as it stands in a URL. */
int value_check_query_name(const char *word, struct err *err);

/* Something to open, whatever it is. */
int value_check_file(const char *word, struct err *err);

/* The path of a URL: begins with "/", and no byte in it could end a request line
 * or be read in two ways. A query is allowed only where one is sent. */
int value_check_path(const char *word, bool with_query, struct err *err);

/* A host name or a numeric address, [::1] in brackets; with_port: a port may
 * follow. */
int value_check_host(const char *word, bool with_port, struct err *err);

/* The same, or "*." and a host name: every host below it. */
int value_check_host_pattern(const char *word, struct err *err);

#endif
