#include "parse/words.h"

/* What is skipped before a word and may follow a quote, and what ends a word. Both are
 * redis-server's, and differ in vertical tab and form feed. */
static bool is_blank(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool ends_word(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = span_lower(c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* What a backslash and the character behind it stand for. */
static char unescape(char c)
{
	switch (c) {
	case 'n': return '\n';
	case 'r': return '\r';
	case 't': return '\t';
	case 'b': return '\b';
	case 'a': return '\a';
	default:  return c;
	}
}

/* One character of "...", which may be written as several. Returns where it ended. */
static char *take_double(char *at, const char *end, char *out)
{
	if (*at != '\\' || end - at < 2) {
		*out = *at;
		return at + 1;
	}
	if (at[1] == 'x' && end - at >= 4) {
		int high = hex_value(at[2]), low = hex_value(at[3]);
		if (high >= 0 && low >= 0) {
			*out = (char)(high << 4 | low);
			return at + 4;
		}
	}
	*out = unescape(at[1]);
	return at + 2;
}

/* One of '...', where only the quote itself can be escaped. */
static char *take_single(char *at, const char *end, char *out)
{
	bool escaped = *at == '\\' && end - at >= 2 && at[1] == '\'';

	*out = escaped ? '\'' : *at;
	return at + 1 + escaped;
}

/* What stands in quotes that opened before *at, to *to. False: they are not closed, or
 * something follows them at once. */
static bool take_quoted(char **at, const char *end, char **to, char quote)
{
	while (*at < end && **at != quote) {
		char c;
		*at = (quote == '"' ? take_double : take_single)(*at, end, &c);
		*(*to)++ = c;
	}
	if (*at == end)
		return false;
	(*at)++;
	return *at == end || is_blank(**at);
}

/* The word at *at. Only what stands in quotes moves, over the quote that opened. */
static bool take_word(char **at, const char *end, struct span *word)
{
	char *start = *at, *to;

	while (*at < end && !ends_word(**at) && **at != '"' && **at != '\'')
		++*at;
	to = *at;
	if (*at < end && !ends_word(**at)) {
		char quote = *(*at)++;
		if (!take_quoted(at, end, &to, quote))
			return false;
	}
	*word = (struct span){start, (size_t)(to - start)};
	return true;
}

enum words words_split(char *line, size_t len, struct span *words, uint32_t words_max,
		       uint32_t *count)
{
	const char *end = line + len;

	for (*count = 0; ; ++*count) {
		while (line < end && is_blank(*line))
			line++;
		if (line == end)
			return WORDS_DONE;
		if (*count == words_max)
			return WORDS_MANY;
		if (!take_word(&line, end, &words[*count]))
			return WORDS_UNBALANCED;
	}
}
