#include "base/roff.h"

#include <string.h>

static void print(FILE *out, const char *text, size_t len)
{
	if (len > 0 && (*text == '.' || *text == '\''))
		fputs("\\&", out);
	for (size_t i = 0; i < len; i++) {
		if (text[i] == '\\')
			fputs("\\e", out);
		else if (text[i] == '-')
			fputs("\\-", out);
		else
			fputc(text[i], out);
	}
}

void roff_text(FILE *out, const char *text)
{
	print(out, text, strlen(text));
}

void roff_sentences(FILE *out, const char *text)
{
	const char *end;

	for (; (end = strstr(text, ". ")) != NULL; text = end + 2) {
		print(out, text, (size_t)(end + 1 - text));
		fputc('\n', out);
	}
	roff_text(out, text);
}
