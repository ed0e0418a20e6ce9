#include "observe/access_format.h"

#include <string.h>
#include <time.h>

#include "base/must.h"

/* What a byte may not be written as itself in. */
enum { IN_WORD = 1, IN_QUOTES = 2, IN_JSON = 4, IN_ANY = 7 };

static const unsigned char unsafe[256] = {
	[0x00 ... 0x1f] = IN_ANY,
	[' '] = IN_WORD,
	['"'] = IN_ANY,
	['\\'] = IN_ANY,
	[0x7f ... 0xff] = IN_ANY,
};

static const char hex_digits[] = "0123456789ABCDEF";

/* Each of these writes at `at` and returns where it ended. */
static char *put_span(char *at, struct span s)
{
	if (s.len > 0)
		memcpy(at, s.at, s.len);
	return at + s.len;
}

#define PUT(at, literal) put_span(at, SPAN(literal))

static char *put_hex(char *at, unsigned char byte)
{
	*at++ = hex_digits[byte >> 4];
	*at++ = hex_digits[byte & 15];
	return at;
}

static char *put_number(char *at, uint64_t n)
{
	char digits[20];
	size_t len = 0;

	do {
		digits[sizeof digits - ++len] = (char)('0' + n % 10);
		n /= 10;
	} while (n > 0);
	return put_span(at, (struct span){digits + sizeof digits - len, len});
}

/* The last `width` digits, zeros in front. */
static char *put_padded(char *at, uint64_t n, int width)
{
	for (int i = width - 1; i >= 0; i--) {
		at[i] = (char)('0' + n % 10);
		n /= 10;
	}
	return at + width;
}

static char *put_seconds(char *at, uint64_t us)
{
	at = put_number(at, us / 1000000);
	*at++ = '.';
	return put_padded(at, us % 1000000, 6);
}

/* ---- time ---- */

/* strftime would follow the locale. */
static void clock_set(struct access_clock *clock, uint64_t second)
{
	static const char months[12][4] = {
		"Jan", "Feb", "Mar", "Apr", "May", "Jun",
		"Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
	};
	time_t when = (time_t)second;
	struct tm utc = {0};

	gmtime_r(&when, &utc);
	const uint64_t year = (uint64_t)utc.tm_year + 1900, month = (uint64_t)utc.tm_mon + 1,
		       day = (uint64_t)utc.tm_mday, hour = (uint64_t)utc.tm_hour,
		       minute = (uint64_t)utc.tm_min, left = (uint64_t)utc.tm_sec;
	memcpy(clock->combined, "dd/Mon/yyyy:hh:mm:ss +0000", sizeof clock->combined);
	put_padded(clock->combined, day, 2);
	memcpy(clock->combined + 3, months[utc.tm_mon], 3);
	put_padded(clock->combined + 7, year, 4);
	put_padded(clock->combined + 12, hour, 2);
	put_padded(clock->combined + 15, minute, 2);
	put_padded(clock->combined + 18, left, 2);

	memcpy(clock->json, "yyyy-mm-ddThh:mm:ss", sizeof clock->json);
	put_padded(clock->json, year, 4);
	put_padded(clock->json + 5, month, 2);
	put_padded(clock->json + 8, day, 2);
	put_padded(clock->json + 11, hour, 2);
	put_padded(clock->json + 14, minute, 2);
	put_padded(clock->json + 17, left, 2);
	clock->second = second;
}

static void clock_follow(struct access_clock *clock, uint64_t second)
{
	if (clock->second != second || clock->json[0] == '\0')
		clock_set(clock, second);
}

/* ---- combined ---- */

static char *put_escaped(char *at, struct span text, unsigned char where)
{
	if (text.len == 0)
		return PUT(at, "-");
	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.at[i];
		if (LIKELY(!(unsafe[c] & where)))
			*at++ = (char)c;
		else
			at = put_hex(PUT(at, "\\x"), c);
	}
	return at;
}

static char *put_request_line(char *at, const struct record *r,
			      const struct span texts[RECORD_TEXTS])
{
	if (texts[RECORD_METHOD].len == 0)
		return PUT(at, "-");
	at = put_escaped(at, texts[RECORD_METHOD], IN_QUOTES);
	*at++ = ' ';
	at = put_escaped(at, texts[RECORD_TARGET], IN_QUOTES);
	return put_number(PUT(at, " HTTP/1."), r->minor);
}

static char *put_combined(char *at, const struct record *r,
			  const struct span texts[RECORD_TEXTS],
			  const struct access_clock *clock)
{
	at = put_escaped(at, texts[RECORD_PEER], IN_WORD);
	at = PUT(at, " - - [");
	at = put_span(at, (struct span){clock->combined, sizeof clock->combined - 1});
	at = PUT(at, "] \"");
	at = put_request_line(at, r, texts);
	at = PUT(at, "\" ");
	at = r->status > 0 ? put_number(at, r->status) : PUT(at, "-");
	*at++ = ' ';
	at = put_number(at, r->bytes_out);
	at = PUT(at, " \"");
	at = put_escaped(at, texts[RECORD_REFERER], IN_QUOTES);
	at = PUT(at, "\" \"");
	at = put_escaped(at, texts[RECORD_USER_AGENT], IN_QUOTES);
	return PUT(at, "\"\n");
}

/* ---- JSON ---- */

/* How many bytes at the start of [at, at + left) are one character outside of ASCII;
 * 0: none that is well formed (RFC 3629, section 4). */
static size_t utf8_length(const unsigned char *at, size_t left)
{
	unsigned char first = at[0];

	if (first < 0xc2 || first > 0xf4)
		return 0;
	size_t len = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
	if (left < len)
		return 0;
	/* No longer forms, no surrogates, nothing above U+10FFFF. */
	unsigned char low = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
	unsigned char high = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;
	if (at[1] < low || at[1] > high)
		return 0;
	for (size_t i = 2; i < len; i++)
		if ((at[i] & 0xc0) != 0x80)
			return 0;
	return len;
}

static char *put_unicode(char *at, unsigned code)
{
	at = put_hex(PUT(at, "\\u"), (unsigned char)(code >> 8));
	return put_hex(at, (unsigned char)code);
}

/* A character of two to four bytes. Those that some readers take for the end of a
 * line, or terminals for a command (U+0080 to U+009F, U+2028, U+2029), are written as
 * escapes, which mean the same. */
static char *put_character(char *at, const unsigned char *from, size_t len)
{
	if (len == 2 && from[0] == 0xc2 && from[1] < 0xa0)
		return put_unicode(at, from[1]);
	if (len == 3 && from[0] == 0xe2 && from[1] == 0x80 && (from[2] & 0xfe) == 0xa8)
		return put_unicode(at, 0x2000u | (from[2] & 0x3fu));
	memcpy(at, from, len);
	return at + len;
}

static char *put_string(char *at, struct span text)
{
	const unsigned char *from = (const unsigned char *)text.at;
	size_t taken;

	if (text.len == 0)
		return PUT(at, "null");
	*at++ = '"';
	for (size_t i = 0; i < text.len; i += taken) {
		unsigned char c = from[i];
		taken = 1;
		if (LIKELY(!(unsafe[c] & IN_JSON))) {
			*at++ = (char)c;
		} else if (c == '"' || c == '\\') {
			*at++ = '\\';
			*at++ = (char)c;
		} else if (c >= 0x80 && (taken = utf8_length(from + i, text.len - i)) > 0) {
			at = put_character(at, from + i, taken);
		} else {
			at = put_unicode(at, c);
			taken = 1;
		}
	}
	*at++ = '"';
	return at;
}

static char *put_json(char *at, const struct record *r,
		      const struct span texts[RECORD_TEXTS],
		      const struct access_clock *clock)
{
	at = PUT(at, "{\"time\":\"");
	at = put_span(at, (struct span){clock->json, sizeof clock->json - 1});
	*at++ = '.';
	at = put_padded(at, r->wall_us / 1000 % 1000, 3);
	at = put_string(PUT(at, "Z\",\"peer\":"), texts[RECORD_PEER]);
	at = put_string(PUT(at, ",\"method\":"), texts[RECORD_METHOD]);
	at = put_string(PUT(at, ",\"target\":"), texts[RECORD_TARGET]);
	at = put_string(PUT(at, ",\"host\":"), texts[RECORD_HOST]);
	at = PUT(at, ",\"status\":");
	at = r->status > 0 ? put_number(at, r->status) : PUT(at, "null");
	at = put_number(PUT(at, ",\"bytes\":"), r->bytes_out);
	at = put_seconds(PUT(at, ",\"seconds\":"), r->total_us);
	at = PUT(at, ",\"server_seconds\":");
	at = r->server_us > 0 ? put_seconds(at, r->server_us) : PUT(at, "null");
	at = put_string(PUT(at, ",\"pool\":"), texts[RECORD_POOL]);
	at = put_string(PUT(at, ",\"server\":"), texts[RECORD_SERVER]);
	at = put_number(PUT(at, ",\"tries\":"), r->tries);
	at = PUT(at, ",\"request_id\":");
	at = r->request_id > 0 ? put_number(at, r->request_id) : PUT(at, "null");
	at = put_string(PUT(at, ",\"referer\":"), texts[RECORD_REFERER]);
	at = put_string(PUT(at, ",\"user_agent\":"), texts[RECORD_USER_AGENT]);
	at = PUT(at, ",\"http\":");
	if (texts[RECORD_METHOD].len > 0) {
		at = put_number(PUT(at, "\"1."), r->minor);
		*at++ = '"';
	} else {
		at = PUT(at, "null");
	}
	return PUT(at, "}\n");
}

size_t access_format_write(char *out, enum access_format format, const struct record *r,
			   const struct span texts[RECORD_TEXTS],
			   struct access_clock *clock)
{
	char *end = out;

	for (int i = 0; i < RECORD_TEXTS; i++)
		must(texts[i].len <= RECORD_TEXT_MAX);
	clock_follow(clock, r->wall_us / 1000000);
	switch (format) {
	case ACCESS_OFF:
		break;
	case ACCESS_COMBINED:
		end = put_combined(out, r, texts, clock);
		break;
	case ACCESS_JSON:
		end = put_json(out, r, texts, clock);
		break;
	}
	return (size_t)(end - out);
}
