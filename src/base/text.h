/* base/text.h - text from outside as a message shows it: quoted, on one line, cut
 * between characters.
 *
 * Pure. Bytes that are no UTF-8 are kept, and count as the characters they look like.
 */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>

enum { TEXT_QUOTE_MAX = 60 };		/* bytes of a word that a message quotes */

/* Whether the byte goes on with a character of UTF-8 that an earlier one began. */
static inline bool text_continues(char c)
{
	return ((unsigned char)c & 0xc0) == 0x80;
}

/* The length of the character of UTF-8 that begins at `at`, as RFC 3629 has it; 0: it is
 * none. at < end. */
size_t text_character(const char *at, const char *end);

/* The length of the character at `at`, or 1 of a byte that is part of none. *controls: it
 * is none that is seen, but what a terminal may take for a command, or a reader for the end
 * of a line: U+0000 to U+001F, U+007F to U+009F, U+2028, U+2029, and bytes of 0x80 to 0x9F
 * that are part of no character. at < end. */
size_t text_step(const char *at, const char *end, bool *controls);

/* Puts '?' for each byte of what controls. */
void text_tame(char *text, size_t len);

/* Whether all of it is UTF-8, and no byte of it controls anything. */
bool text_is_plain(const char *text);

/* Whether both are the same text, or both are none (NULL). */
bool text_equals(const char *a, const char *b);

/* A copy in UTF-8: of a text that is none, with a question mark for each byte that is not
 * ASCII. Owned by the caller (free). */
char *text_utf8(const char *text);

/* How many characters there are. */
size_t text_width(const char *text);

/* The length of a text that was cut after `len` bytes, `next` being the first byte
 * left out: without the character that the cut went through, if it did. */
size_t text_whole(const char *text, size_t len, char next);

/* Appends to a text in an array of `size` bytes; what does not fit is a mistake of the
 * caller's tables. */
__attribute__((format(printf, 3, 4)))
void text_append(char *text, size_t size, const char *format, ...);

/* Writes what somebody else has said as a value of the log between double quotes: quotes and
 * backslashes in it are marked with a backslash, so that it ends where it ends; tabs and NUL
 * become spaces. What does not fit into `size` bytes, one or more, is cut. Returns out. */
const char *text_mark(char *out, size_t size, const char *from, size_t len);

/* A word between double quotes for a message: one line, of bounded length. */
struct quoted {
	char text[TEXT_QUOTE_MAX + 8];
};
struct quoted quote(const char *word);

#endif
