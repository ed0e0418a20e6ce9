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

/* Cuts the first item off a list: up to `mark`, which goes too, or all that is left.
 * False: nothing is left. */
static inline bool span_cut(struct span *rest, char mark, struct span *item)
{
	if (rest->len == 0)
		return false;
	const char *end = (const char *)memchr(rest->at, mark, rest->len);
	size_t len = end != NULL ? (size_t)(end - rest->at) : rest->len;
	size_t past = end != NULL ? len + 1 : len;
	*item = (struct span){rest->at, len};
	*rest = (struct span){rest->at + past, rest->len - past};
	return true;
}

/* Whether `item` is NAME=value; sets *value, which may be empty, if it is. */
static inline bool span_is_named(struct span item, struct span name, struct span *value)
{
	if (!span_starts_with(item, name) || item.len == name.len ||
	    item.at[name.len] != '=')
		return false;
	*value = (struct span){item.at + name.len + 1, item.len - name.len - 1};
	return true;
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
