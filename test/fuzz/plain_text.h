/* test/fuzz/plain_text.h - text taken apart in the plainest way, for second readings.
 *
 * Byte by byte and line by line; shares nothing with src/parse, on purpose.
 */
#ifndef FUZZ_PLAIN_TEXT_H
#define FUZZ_PLAIN_TEXT_H

#include <ctype.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

struct plain_text {
	const char *at;
	size_t      len;
};

static inline bool plain_is(struct plain_text t, const char *word)
{
	return t.len == strlen(word) && strncasecmp(t.at, word, t.len) == 0;
}

static inline bool plain_only(struct plain_text t, const char *others)
{
	for (size_t i = 0; i < t.len; i++) {
		unsigned char c = (unsigned char)t.at[i];
		bool alphanumeric = c < 0x80 && isalnum(c);
		if (!alphanumeric && (c == 0 || strchr(others, c) == NULL))
			return false;
	}
	return true;
}

static inline bool plain_is_token(struct plain_text t)
{
	return t.len > 0 && plain_only(t, "!#$%&'*+-.^_`|~");
}

static inline bool plain_is_digits(struct plain_text t)
{
	for (size_t i = 0; i < t.len; i++)
		if (t.at[i] < '0' || t.at[i] > '9')
			return false;
	return t.len > 0;
}

static inline bool plain_has_control(struct plain_text t)
{
	for (size_t i = 0; i < t.len; i++) {
		unsigned char c = (unsigned char)t.at[i];
		if ((c < ' ' && c != '\t') || c == 127)
			return true;
	}
	return false;
}

static inline struct plain_text plain_trim(struct plain_text t)
{
	while (t.len > 0 && (t.at[0] == ' ' || t.at[0] == '\t')) {
		t.at++;
		t.len--;
	}
	while (t.len > 0 && (t.at[t.len - 1] == ' ' || t.at[t.len - 1] == '\t'))
		t.len--;
	return t;
}

/* Cuts off what stands before the first `mark`, and the mark. False: no mark. */
static inline bool plain_cut(struct plain_text *rest, char mark,
			     struct plain_text *before)
{
	const char *at = memchr(rest->at, mark, rest->len);

	if (at == NULL)
		return false;
	*before = (struct plain_text){rest->at, (size_t)(at - rest->at)};
	rest->len -= before->len + 1;
	rest->at = at + 1;
	return true;
}

/* Cuts off a line that ends in CRLF and has no other CR or LF. */
static inline bool plain_line(struct plain_text *rest, struct plain_text *line)
{
	if (!plain_cut(rest, '\n', line) || line->len == 0 ||
	    line->at[line->len - 1] != '\r')
		return false;
	line->len--;
	return memchr(line->at, '\r', line->len) == NULL;
}

#endif
