/* test/fuzz/h1_plain.h - a second reading of HTTP/1.x heads, to compare with.
 *
 * Written from RFC 9110 and RFC 9112 for plainness: line by line, byte by byte, one
 * rule after the other, nothing shared with src/parse. What this reader refuses the
 * parser must refuse too, and of what both accept they must say the same.
 */
#ifndef FUZZ_H1_PLAIN_H
#define FUZZ_H1_PLAIN_H

#include <ctype.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

struct plain_text {
	const char *at;
	size_t      len;
};

struct plain_head {
	size_t   length;	/* up to and with the empty line */
	unsigned field_count;
	int      minor;
	int      status;
	unsigned hosts, lengths, codings, expects;
	struct plain_text host, content_length, coding, expect;
	bool     says_close, says_keep_alive;
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

/* host[:port] with a host; the characters only, not the whole grammar. */
static inline bool plain_is_authority(struct plain_text t)
{
	size_t host = 0;

	if (t.len > 0 && t.at[0] == '[') {
		const char *close = memchr(t.at, ']', t.len);
		if (close == NULL)
			return false;
		host = (size_t)(close - t.at) + 1;
		for (size_t i = 1; i + 1 < host; i++)
			if (!isxdigit((unsigned char)t.at[i]) && t.at[i] != ':' &&
			    t.at[i] != '.')
				return false;
	} else {
		while (host < t.len && t.at[host] != ':')
			host++;
		if (!plain_only((struct plain_text){t.at, host}, "-._~!$&'()*+,;=%"))
			return false;
	}
	if (host == 0)
		return false;
	struct plain_text port = {t.at + host, t.len - host};
	if (port.len == 0)
		return true;
	if (port.at[0] != ':' || port.len > 6)
		return false;
	unsigned number = 0;
	for (size_t i = 1; i < port.len; i++) {
		if (port.at[i] < '0' || port.at[i] > '9')
			return false;
		number = number * 10 + (unsigned)(port.at[i] - '0');
	}
	return number <= 65535;
}

static inline void plain_connection(struct plain_head *h, struct plain_text value)
{
	struct plain_text option;

	while (plain_cut(&value, ',', &option)) {
		h->says_close |= plain_is(plain_trim(option), "close");
		h->says_keep_alive |= plain_is(plain_trim(option), "keep-alive");
	}
	h->says_close |= plain_is(plain_trim(value), "close");
	h->says_keep_alive |= plain_is(plain_trim(value), "keep-alive");
}

static inline bool plain_field(struct plain_head *h, struct plain_text line)
{
	struct plain_text name, value = line;

	if (!plain_cut(&value, ':', &name) || !plain_is_token(name) ||
	    plain_has_control(value))
		return false;
	value = plain_trim(value);
	h->field_count++;
	if (plain_is(name, "host")) {
		h->hosts++;
		h->host = value;
	} else if (plain_is(name, "content-length")) {
		h->lengths++;
		h->content_length = value;
	} else if (plain_is(name, "transfer-encoding")) {
		h->codings++;
		h->coding = value;
	} else if (plain_is(name, "expect")) {
		h->expects++;
		h->expect = value;
	} else if (plain_is(name, "connection")) {
		plain_connection(h, value);
	}
	return true;
}

/* Everything after the first line. `rest` begins there; `whole` is where it all began. */
static inline bool plain_fields(struct plain_head *h, struct plain_text rest,
				const char *whole)
{
	struct plain_text line;

	for (;;) {
		if (!plain_line(&rest, &line))
			return false;
		if (line.len == 0)
			break;
		if (!plain_field(h, line))
			return false;
	}
	h->length = (size_t)(rest.at - whole);
	return true;
}

/* What is said about the length of a body, in requests and in responses. */
static inline bool plain_framing_is_sound(const struct plain_head *h)
{
	if (h->lengths + h->codings > 1)
		return false;
	if (h->lengths == 1 && !plain_is_digits(h->content_length))
		return false;
	if (h->codings == 1 && (h->minor == 0 || !plain_is(h->coding, "chunked")))
		return false;
	return true;
}

static inline uint64_t plain_number(struct plain_text digits)
{
	uint64_t n = 0;

	for (size_t i = 0; i < digits.len; i++)
		n = n * 10 + (uint64_t)(digits.at[i] - '0');
	return n;
}

static inline bool plain_keeps_alive(const struct plain_head *h)
{
	if (h->says_close)
		return false;
	return h->minor >= 1 || h->says_keep_alive;
}

#endif
