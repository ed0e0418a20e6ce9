/* base/plain.h - bytes that mean nothing but themselves in a line between quotes: printable
 * ASCII without the quote and the backslash.
 *
 * Nearly all that clients send is made of these, so they are copied sixteen at a time with
 * SSE2, which every x86-64 has. Pure.
 */
#ifndef BASE_PLAIN_H
#define BASE_PLAIN_H

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "base/span.h"

/* Those from here on are plain: with spaces or without. */
enum plain_from { PLAIN_FROM_SPACE = ' ', PLAIN_FROM_SEEN = '!' };

static inline bool plain_is(char c, enum plain_from from)
{
	return c >= (char)from && c < 0x7f && c != '"' && c != '\\';
}

#ifdef __SSE2__
/* Copies sixteen bytes; bit i: byte i is not plain. Bytes above 0x7f are negative. */
static inline unsigned plain_step(char *to, const char *at, enum plain_from from)
{
	__m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)at);
	__m128i low = _mm_cmplt_epi8(bytes, _mm_set1_epi8((char)from));
	__m128i del = _mm_cmpeq_epi8(bytes, _mm_set1_epi8(0x7f));
	__m128i quote = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('"'));
	__m128i backslash = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\'));

	_mm_storeu_si128((__m128i *)(void *)to, bytes);
	return (unsigned)_mm_movemask_epi8(_mm_or_si128(_mm_or_si128(low, del),
							_mm_or_si128(quote, backslash)));
}
#endif

/* Copies the text up to its first byte that is not plain, and returns how many bytes that
 * were. `to` has room for all of it; what is behind those may have been written to. */
static inline size_t plain_copy(char *to, struct span text, enum plain_from from)
{
	size_t done = 0;

#ifdef __SSE2__
	if (text.len >= 16) {
		/* The last step begins where it ends with the text: some bytes go twice. */
		size_t last = text.len - 16;
		for (;; done = done + 16 < last ? done + 16 : last) {
			unsigned stops = plain_step(to + done, text.at + done, from);
			if (stops != 0)
				return done + (unsigned)__builtin_ctz(stops);
			if (done == last)
				return text.len;
		}
	}
#endif
	for (; done < text.len && plain_is(text.at[done], from); done++)
		to[done] = text.at[done];
	return done;
}

#endif
