/* base/value.h - words with a unit become numbers, and back: 100, 500ms, 16k, 20%.
 *
 * Pure: a word in, a value or a reason out. Reasons quote the word, say what it
 * should have been and, where that can be known, how to write it.
 */
#ifndef BASE_VALUE_H
#define BASE_VALUE_H

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

#endif
