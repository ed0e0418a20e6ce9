/* base/span.h - a borrowed run of bytes: where, and how many.
 *
 * Never NUL-terminated, never owned. Comparisons that ignore case do so for
 * ASCII only, as HTTP defines it (RFC 9110, section 5.1). An empty one may point
 * anywhere, at NULL too, which is why its length is looked at before memcmp is.
 */
#ifndef BASE_SPAN_H
#define BASE_SPAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

struct span {
	const char *at;
	size_t      len;
};

#define SPAN(literal) ((struct span){"" literal, sizeof(literal) - 1})

static inline struct span span_of(const char *text)
{
	return (struct span){text, strlen(text)};
}

static inline bool span_equals(struct span a, struct span b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.at, b.at, a.len) == 0);
}

static inline char span_lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

static inline bool span_equals_nocase(struct span a, struct span b)
{
	if (a.len != b.len)
		return false;
	for (size_t i = 0; i < a.len; i++)
		if (span_lower(a.at[i]) != span_lower(b.at[i]))
			return false;
	return true;
}

static inline bool span_starts_with(struct span whole, struct span start)
{
	return whole.len >= start.len &&
	       (start.len == 0 || memcmp(whole.at, start.at, start.len) == 0);
}

/* Reads all of `digits` as a decimal number into *value. False when it is empty,
 * holds anything but digits, or does not fit. */
static inline bool span_to_u64(struct span digits, uint64_t *value)
{
	uint64_t v = 0;

	if (digits.len == 0)
		return false;
	for (size_t i = 0; i < digits.len; i++) {
		if (digits.at[i] < '0' || digits.at[i] > '9')
			return false;
		if (__builtin_mul_overflow(v, (uint64_t)10, &v) ||
		    __builtin_add_overflow(v, (uint64_t)(digits.at[i] - '0'), &v))
			return false;
	}
	*value = v;
	return true;
}

#endif
