#include "base/json_text.h"

#include "base/plain.h"
#include "base/text.h"

static const char hex_digits[] = "0123456789ABCDEF";

static char *put_escape(char *at, unsigned code)
{
	*at++ = '\\';
	*at++ = 'u';
	for (int shift = 12; shift >= 0; shift -= 4)
		*at++ = hex_digits[code >> shift & 15];
	return at;
}

/* A character of two to four bytes. */
static char *put_character(char *at, const char *from, size_t len)
{
	unsigned char first = (unsigned char)from[0], second = (unsigned char)from[1];

	if (len == 2 && first == 0xc2 && second < 0xa0)
		return put_escape(at, second);
	if (len == 3 && first == 0xe2 && second == 0x80 && (from[2] & 0xfe) == 0xa8)
		return put_escape(at, 0x2000u | (from[2] & 0x3fu));
	memcpy(at, from, len);
	return at + len;
}

/* One that is not plain. Returns how many bytes it takes. */
static size_t put_odd(char **at, const char *from, const char *end)
{
	unsigned char c = (unsigned char)from[0];
	size_t len = c >= 0x80 ? text_character(from, end) : 0;

	if (len > 0) {
		*at = put_character(*at, from, len);
		return len;
	}
	if (c == '"' || c == '\\') {
		*(*at)++ = '\\';
		*(*at)++ = (char)c;
	} else {
		*at = put_escape(*at, c);
	}
	return 1;
}

char *json_text_put(char *at, struct span text)
{
	const char *from = text.at, *end = text.at + text.len;

	*at++ = '"';
	for (;;) {
		struct span rest = {from, (size_t)(end - from)};
		size_t plain = plain_copy(at, rest, PLAIN_FROM_SPACE);
		at += plain;
		from += plain;
		if (from == end)
			break;
		from += put_odd(&at, from, end);
	}
	*at++ = '"';
	return at;
}
