#include "base/text.h"

#include <string.h>

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

struct quoted quote(const char *word)
{
	struct quoted q;
	size_t used = 0;

	q.text[used++] = '"';
	for (; *word != '\0' && used <= TEXT_QUOTE_MAX; word++) {
		unsigned char c = (unsigned char)*word;
		if (c == '\n') {
			q.text[used++] = '\\';
			q.text[used++] = 'n';
		} else {
			q.text[used++] = c < 0x20 || c == 0x7f ? '?' : (char)c;
		}
	}
	if (*word != '\0') {
		used = 1 + text_whole(q.text + 1, used - 1, *word);
		memcpy(q.text + used, "...", 3);
		used += 3;
	}
	q.text[used++] = '"';
	q.text[used] = '\0';
	return q;
}
