/* parse/h1_scan.h - what the readers of HTTP/1.x share; private to parse/h1_*.c.
 *
 * The kinds of bytes, loops that run to the first byte of another kind (sixteen at
 * a time with SSE2, which every x86-64 has), and the reader that the request head
 * and the response head have in common.
 *
 * When a fault is told: a fault of the first line as soon as its byte has come, a
 * fault of the fields when the end of the head has come, whichever is first. Bytes
 * past head_max are never looked at. So the answer depends on the bytes alone, not
 * on how they were cut into reads. The end is LF LF or LF CR LF: a head with bare
 * line feeds is refused when it ends, not when patience does.
 */
#ifndef PARSE_H1_SCAN_H
#define PARSE_H1_SCAN_H

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "base/must.h"
#include "parse/h1.h"

enum {
	H1_TOKEN = 1,	/* RFC 9110, section 5.6.2 */
	H1_HOST  = 2,	/* reg-name without its percent signs: RFC 3986, section 3.2.2 */
	H1_DIGIT = 4,
	H1_HEX   = 8,
};

extern const uint8_t h1_byte_kinds[256];

static inline bool h1_is(char c, unsigned kinds)
{
	return (h1_byte_kinds[(uint8_t)c] & kinds) != 0;
}

/* Allowed in a field's value: RFC 9110, section 5.5. */
static inline bool h1_is_value(char c)
{
	return ((uint8_t)c >= 0x20 && c != 0x7f) || c == '\t';
}

/* Allowed in a request's target: what can be seen, and no fragment. */
static inline bool h1_is_target(char c)
{
	return c > 0x20 && c < 0x7f && c != '#';
}

static inline bool h1_is_blank(char c)
{
	return c == ' ' || c == '\t';
}

#ifdef __SSE2__
enum { H1_STEP = 16 };

static inline __m128i h1_load(const char *at)
{
	return _mm_loadu_si128((const __m128i *)(const void *)at);
}

/* Bit i: byte i is neither a letter nor a hyphen, the bytes most names are made of. */
static inline unsigned h1_stops_name(const char *at)
{
	__m128i bytes = h1_load(at);
	__m128i lower = _mm_or_si128(bytes, _mm_set1_epi8(0x20));
	__m128i letters = _mm_and_si128(_mm_cmpgt_epi8(lower, _mm_set1_epi8('a' - 1)),
					_mm_cmplt_epi8(lower, _mm_set1_epi8('z' + 1)));
	__m128i hyphens = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('-'));
	return (unsigned)_mm_movemask_epi8(_mm_or_si128(letters, hyphens)) ^ 0xffff;
}

/* Bit i: h1_is_value does not hold for byte i. */
static inline unsigned h1_stops_value(const char *at)
{
	__m128i bytes = h1_load(at);
	__m128i control = _mm_cmpeq_epi8(_mm_min_epu8(bytes, _mm_set1_epi8(0x1f)), bytes);
	__m128i tab = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\t'));
	__m128i del = _mm_cmpeq_epi8(bytes, _mm_set1_epi8(0x7f));
	return (unsigned)_mm_movemask_epi8(
		_mm_or_si128(_mm_andnot_si128(tab, control), del));
}

/* Bit i: h1_is_target does not hold for byte i. Bytes above 0x7f are negative. */
static inline unsigned h1_stops_target(const char *at)
{
	__m128i bytes = h1_load(at);
	__m128i low = _mm_cmplt_epi8(bytes, _mm_set1_epi8(0x21));
	__m128i hash = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('#'));
	__m128i del = _mm_cmpeq_epi8(bytes, _mm_set1_epi8(0x7f));
	return (unsigned)_mm_movemask_epi8(_mm_or_si128(_mm_or_si128(low, hash), del));
}
#endif

/* Where in a head the reading stands. */
struct h1_reader {
	const char *base;	/* the first byte given; offsets count from here */
	const char *at;		/* the next byte */
	const char *end;	/* past the last byte given, or past head_max of them */
	size_t      before;	/* bytes an earlier call has seen */
	bool        capped;	/* more bytes were given than a head may have */
};

#ifdef __SSE2__
/* The first byte from `at` on that stops, or the end. The rest before the end, less
 * than a step, is read as the last part of one; where there is no whole step at all
 * `at` comes back, and the loops below go byte by byte. */
static inline __attribute__((always_inline)) const char *
h1_skip(const struct h1_reader *r, const char *at, unsigned (*stops_of)(const char *))
{
	for (; r->end - at >= H1_STEP; at += H1_STEP) {
		unsigned stops = stops_of(at);
		if (stops != 0)
			return at + __builtin_ctz(stops);
	}
	if (UNLIKELY(r->end - r->base < H1_STEP))
		return at;
	unsigned stops = stops_of(r->end - H1_STEP) >> (H1_STEP - (r->end - at));
	return stops != 0 ? at + __builtin_ctz(stops) : r->end;
}
#else
#define h1_skip(r, at, stops_of) (at)
#endif

/* Each passes over the bytes of its kind and returns the first other one, or the end. */
static inline const char *h1_skip_name(const struct h1_reader *r, const char *at)
{
	at = h1_skip(r, at, h1_stops_name);
	while (at < r->end && h1_is(*at, H1_TOKEN))	/* digits, underscores */
		at++;
	return at;
}

static inline const char *h1_skip_value(const struct h1_reader *r, const char *at)
{
	at = h1_skip(r, at, h1_stops_value);
	while (at < r->end && h1_is_value(*at))
		at++;
	return at;
}

static inline const char *h1_skip_target(const struct h1_reader *r, const char *at)
{
	at = h1_skip(r, at, h1_stops_target);
	while (at < r->end && h1_is_target(*at))
		at++;
	return at;
}

static inline uint16_t h1_offset(const struct h1_reader *r, const char *at)
{
	return (uint16_t)(at - r->base);
}

static inline enum h1_result h1_refuse(struct h1_head *head, enum h1_fault fault)
{
	head->fault = fault;
	return H1_BAD;
}

/* A reader at the first byte, and a head that says nothing yet. */
void h1_reader_init(struct h1_reader *r, struct h1_head *head, const char *at, size_t len,
		    size_t before, const struct h1_limits *limits);

/* Passes over a version and what else `form` describes, in which 0 is any digit;
 * `fault` if it is something else. */
enum h1_result h1_read_form(struct h1_reader *r, struct h1_head *head, const char *form,
			    enum h1_fault fault);

/* Less or other than CRLF where a line should end. */
enum h1_result h1_read_odd_line_end(const char *at, const char *end,
				    struct h1_head *head, enum h1_fault other);

/* Passes over the CRLF that ends a line. `other` is the fault if there is neither CR
 * nor LF at this place. */
static inline enum h1_result h1_read_line_end(struct h1_reader *r, struct h1_head *head,
					      enum h1_fault other)
{
	if (UNLIKELY(r->end - r->at < 2 || r->at[0] != '\r' || r->at[1] != '\n'))
		return h1_read_odd_line_end(r->at, r->end, head, other);
	r->at += 2;
	return H1_DONE;
}

/* Reads the fields and the empty line. The names in `judged` (bits as in
 * head->seen) are those whose value or number matters for this kind of head. */
enum h1_result h1_read_fields(struct h1_reader *r, struct h1_head *head, uint32_t judged,
			      uint32_t fields_max);

/* The last word about a head: H1_MORE beyond head_max is a fault. */
enum h1_result h1_conclude(const struct h1_reader *r, struct h1_head *head,
			   enum h1_result result);

#endif
