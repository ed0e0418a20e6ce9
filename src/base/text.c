#include "base/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/must.h"

size_t text_character(const char *at, const char *end)
{
	unsigned char first = (unsigned char)at[0];
	size_t len = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;

	if (len == 1)
		return 1;
	if (first < 0xc2 || first > 0xf4 || (size_t)(end - at) < len)
		return 0;
	for (size_t i = 1; i < len; i++)
		if (!text_continues(at[i]))
			return 0;
	/* There is a shorter form, it is half of a pair, it is above U+10FFFF. */
	unsigned char second = (unsigned char)at[1];
	if ((first == 0xe0 && second < 0xa0) || (first == 0xf0 && second < 0x90) ||
	    (first == 0xed && second > 0x9f) || (first == 0xf4 && second > 0x8f))
		return 0;
	return len;
}

size_t text_step(const char *at, const char *end, bool *controls)
{
	unsigned char first = (unsigned char)at[0];
	size_t len = text_character(at, end);

	if (len == 2)
		*controls = first == 0xc2 && (unsigned char)at[1] < 0xa0;
	else if (len == 3)
		*controls = first == 0xe2 && (unsigned char)at[1] == 0x80 &&
			    (at[2] & 0xfe) == 0xa8;
	else if (len <= 1)
		*controls = first < 0x20 || (first >= 0x7f && first < 0xa0);
	else
		*controls = false;
	return len > 0 ? len : 1;
}

void text_tame(char *text, size_t len)
{
	char *end = text + len;
	bool controls;

	while (text < end) {
		size_t step = text_step(text, end, &controls);
		if (controls)
			memset(text, '?', step);
		text += step;
	}
}

bool text_is_plain(const char *text)
{
	const char *end = text + strlen(text);
	bool controls;

	while (text < end) {
		if (text_character(text, end) == 0)
			return false;
		text += text_step(text, end, &controls);
		if (controls)
			return false;
	}
	return true;
}

bool text_equals(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

char *text_utf8(const char *text)
{
	char *copy = memory_text(text), *end = copy + strlen(copy);
	size_t len = 1;

	for (char *at = copy; at < end && len > 0; at += len)
		len = text_character(at, end);
	for (char *at = copy; len == 0 && at < end; at++)
		if (*at & 0x80)
			*at = '?';
	return copy;
}

size_t text_width(const char *text)
{
	size_t width = 0;

	for (; *text != '\0'; text++)
		width += !text_continues(*text);
	return width;
}

size_t text_whole(const char *text, size_t len, char next)
{
	if (!text_continues(next))
		return len;
	while (len > 0 && text_continues(text[len - 1]))
		len--;
	return len > 0 ? len - 1 : 0;
}

const char *text_mark(char *out, size_t size, const char *from, size_t len)
{
	char *at = out, *end = out + size - 1;

	for (size_t i = 0; i < len && end - at >= 2; i++) {
		if (from[i] == '"' || from[i] == '\\')
			*at++ = '\\';
		*at++ = from[i] == '\t' || from[i] == '\0' ? ' ' : from[i];
	}
	*at = '\0';
	return out;
}

struct quoted quote(const char *word)
{
	struct quoted q;
	size_t used = 0;

	q.text[used++] = '"';
	for (; *word != '\0' && used <= TEXT_QUOTE_MAX; word++) {
		if (*word == '\n')
			q.text[used++] = '\\';
		q.text[used++] = *word == '\n' ? 'n' : *word;
	}
	if (*word != '\0') {
		used = 1 + text_whole(q.text + 1, used - 1, *word);
		memcpy(q.text + used, "...", 3);
		used += 3;
	}
	text_tame(q.text, used);
	q.text[used++] = '"';
	q.text[used] = '\0';
	return q;
}

void text_append(char *text, size_t size, const char *format, ...)
{
	size_t used = strlen(text);
	va_list args;

	va_start(args, format);
	int len = vsnprintf(text + used, size - used, format, args);
	va_end(args);
	must(len >= 0 && used + (size_t)len < size);
}
