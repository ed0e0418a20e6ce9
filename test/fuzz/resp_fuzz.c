/* Requests of Redis: a plain second reading, slow and by copies, sees the same arguments or
 * the same error, and cutting changes nothing. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "fuzz.h"
#include "parse/resp.h"

enum { SIZE_MAX_TRIED = 4096, ARGUMENTS_MAX = 40 };	/* few, so that it is reached */

struct plain {
	enum resp_result result;
	size_t   length;
	char     error[RESP_ERROR_BYTES];
	unsigned count;
	char     text[ARGUMENTS_MAX][SIZE_MAX_TRIED];
	size_t   len[ARGUMENTS_MAX];
};

struct reader {
	const char *at;
	size_t size, pos;
};

static struct plain plain;

static enum resp_result plain_bad(struct plain *p, const char *text)
{
	snprintf(p->error, sizeof p->error, "Protocol error: %s", text);
	return RESP_BAD;
}

/* A decimal number is one that would be printed the same. */
static enum resp_result plain_number(struct reader *r, long long *n, struct plain *p,
				     const char *texts[2])
{
	char digits[RESP_COUNT_MAX] = "", again[32];
	size_t len = 0;

	for (r->pos++; r->pos < r->size && r->at[r->pos] != '\r'; r->pos++) {
		digits[len++] = r->at[r->pos];
		if (len == RESP_COUNT_MAX - 1)
			return plain_bad(p, texts[0]);
	}
	if (r->size - r->pos < 2)
		return RESP_MORE;
	r->pos += 2;
	*n = strtoll(digits, NULL, 10);
	int printed = snprintf(again, sizeof again, "%lld", *n);
	if (r->at[r->pos - 1] != '\n' || (size_t)printed != len ||
	    memcmp(again, digits, len) != 0)
		return plain_bad(p, texts[1]);
	return RESP_DONE;
}

static enum resp_result plain_bulk(struct reader *r, struct plain *p)
{
	static const char *texts[] = {"too big bulk count string", "invalid bulk length"};
	char text[] = "expected '$', got 'x'";
	long long len;

	if (r->pos == r->size)
		return RESP_MORE;
	char got = r->at[r->pos];
	if (got != '$') {
		text[19] = isprint((unsigned char)got) ? got : '?';
		return plain_bad(p, text);
	}
	enum resp_result result = plain_number(r, &len, p, texts);
	if (result != RESP_DONE)
		return result;
	if (len < 0 || len > RESP_BULK_MAX)
		return plain_bad(p, texts[1]);
	if (r->size - r->pos < (size_t)len + 2)
		return RESP_MORE;
	memcpy(p->text[p->count], r->at + r->pos, (size_t)len);
	p->len[p->count++] = (size_t)len;
	r->pos += (size_t)len + 2;
	if (r->at[r->pos - 2] != '\r' || r->at[r->pos - 1] != '\n')
		return plain_bad(p, "expected CRLF after a bulk string");
	return RESP_DONE;
}

static enum resp_result plain_array(struct reader *r, struct plain *p)
{
	static const char *texts[] = {"too big mbulk count string",
				      "invalid multibulk length"};
	long long count = 0;
	enum resp_result result = plain_number(r, &count, p, texts);

	if (result == RESP_DONE && count > ARGUMENTS_MAX)
		return plain_bad(p, texts[1]);
	for (long long i = 0; i < count && result == RESP_DONE; i++)
		result = plain_bulk(r, p);
	return result;
}

static void add(struct plain *p, char c)
{
	p->text[p->count][p->len[p->count]++] = c;
}

/* What stands at line[i] within a quote; returns where its last character is. */
static size_t plain_quoted(const char *line, size_t len, size_t i, char quote,
			   struct plain *p)
{
	static const char letters[] = "nrtba", meant[] = "\n\r\t\b\a";
	size_t left = len - i;

	if (line[i] != '\\' || left < 2 || (quote == '\'' && line[i + 1] != '\'')) {
		add(p, line[i]);
		return i;
	}
	if (quote == '"' && left >= 4 && line[i + 1] == 'x' &&
	    isxdigit((unsigned char)line[i + 2]) && isxdigit((unsigned char)line[i + 3])) {
		char hex[] = {line[i + 2], line[i + 3], '\0'};
		add(p, (char)strtol(hex, NULL, 16));
		return i + 3;
	}
	const char *letter = quote == '"' ? strchr(letters, line[i + 1]) : NULL;
	add(p, letter != NULL ? meant[letter - letters] : line[i + 1]);
	return i + 1;
}

enum mode { BETWEEN, WITHIN, QUOTED, BEHIND_QUOTE };

/* One character after the other, and one space more than there are. */
static enum resp_result plain_words(const char *line, size_t len, struct plain *p)
{
	enum mode mode = BETWEEN;
	char quote = 0;

	for (size_t i = 0; i <= len; i++) {
		char c = i < len ? line[i] : ' ';
		if (mode == BEHIND_QUOTE && !isspace((unsigned char)c))
			return plain_bad(p, "unbalanced quotes in request");
		if (mode == BEHIND_QUOTE) {
			p->count++;
			mode = BETWEEN;
		}
		if (mode == BETWEEN && isspace((unsigned char)c))
			continue;
		if (mode == BETWEEN) {
			if (p->count == ARGUMENTS_MAX)
				return plain_bad(p, "too many words in request");
			p->len[p->count] = 0;
			mode = WITHIN;
		}
		if (mode == QUOTED && i == len)
			return plain_bad(p, "unbalanced quotes in request");
		if (mode == QUOTED && c == quote) {
			mode = BEHIND_QUOTE;
		} else if (mode == QUOTED) {
			i = plain_quoted(line, len, i, quote, p);
		} else if (strchr(" \t\r\n", c) != NULL) {
			p->count++;
			mode = BETWEEN;
		} else if (c == '"' || c == '\'') {
			quote = c;
			mode = QUOTED;
		} else {
			add(p, c);
		}
	}
	return RESP_DONE;
}

static void plain_read(struct plain *p, const char *at, size_t size)
{
	struct reader r = {at, size, 0};

	p->count = 0;
	if (size > 0 && at[0] == '*') {
		p->result = plain_array(&r, p);
		p->length = r.pos;
		return;
	}
	while (r.pos < size && at[r.pos] != '\n')
		r.pos++;
	p->result = RESP_MORE;
	p->length = r.pos + 1;
	if (r.pos == size)
		return;
	if (r.pos > 0 && at[r.pos - 1] == '\r')
		r.pos--;
	p->result = strnlen(at, r.pos) < r.pos ? plain_bad(p, "NUL in inline request")
					       : plain_words(at, r.pos, p);
}

static void check(enum resp_result result, const struct resp_command *command)
{
	must(result == plain.result);
	if (result == RESP_BAD)
		must(strcmp(command->error, plain.error) == 0);
	if (result != RESP_DONE)
		return;
	must(command->length == plain.length && command->count == plain.count);
	for (unsigned i = 0; i < plain.count; i++)
		must(command->arguments[i].len == plain.len[i] &&
		     (plain.len[i] == 0 || memcmp(command->arguments[i].at, plain.text[i],
						  plain.len[i]) == 0));
}

/* Hands over `step` bytes more each time, from memory that ends with the last one. Only
 * the whole of it is compared, or the part that was enough. */
static void check_in_steps(const char *at, size_t size, size_t step)
{
	struct span arguments[ARGUMENTS_MAX];
	struct resp_command command = {.arguments = arguments,
				       .arguments_max = ARGUMENTS_MAX};
	struct resp_progress progress = {0};
	enum resp_result result = RESP_MORE;

	for (size_t len = 0; result == RESP_MORE && len < size; ) {
		len = size - len < step ? size : len + step;
		char *copy = malloc(len);
		must(copy != NULL);
		memcpy(copy, at, len);
		result = resp_parse(&progress, copy, len, &command);
		must(progress.at <= len && progress.left <= ARGUMENTS_MAX);
		must(result != RESP_DONE || command.length <= len);
		if (result != RESP_MORE || len == size)
			check(result, &command);
		free(copy);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *at = (const char *)data;

	if (size > SIZE_MAX_TRIED)
		return 0;
	do {
		plain_read(&plain, at, size);
		check_in_steps(at, size, SIZE_MAX_TRIED);
		check_in_steps(at, size, 5);
		if (size <= 512)
			check_in_steps(at, size, 1);
		if (plain.result != RESP_DONE)
			return 0;
		at += plain.length;
		size -= plain.length;
	} while (size > 0);
	return 0;
}
