#include "parse/resp.h"

#include <stdio.h>

#include "base/must.h"
#include "parse/words.h"

static enum resp_result refuse(struct resp_command *command, const char *why)
{
	int len = snprintf(command->error, RESP_ERROR_BYTES, "Protocol error: %s", why);

	must(len > 0 && len < RESP_ERROR_BYTES);
	return RESP_BAD;
}

/* ---- arrays of bulk strings ---- */

/* What is read, and how far. */
struct cursor {
	char  *start;
	size_t at, len;
};

/* All of `digits` as a number, as strict as redis-server: no plus, no zero before it. */
static bool read_number(const char *digits, size_t len, int64_t *number)
{
	bool negative = len > 0 && digits[0] == '-';
	size_t i = negative;
	int64_t n = 0;

	if (i == len || (digits[i] == '0' && len > 1))
		return false;
	for (; i < len; i++) {
		unsigned digit = (unsigned char)digits[i] - (unsigned)'0';
		int64_t more = negative ? -(int64_t)digit : (int64_t)digit;
		if (digit > 9 || __builtin_mul_overflow(n, 10, &n) ||
		    __builtin_add_overflow(n, more, &n))
			return false;
	}
	*number = n;
	return true;
}

/* The same of one to seven digits and a CRLF, which nearly all numbers are. Returns how
 * many digits; 0: it is something else, or a part. */
static inline size_t read_short(const char *digits, size_t there, int64_t *number)
{
	size_t len = 0;
	uint32_t n = 0;

	if (there < 9)
		return 0;
	for (unsigned digit; len < 8; len++, n = n * 10 + digit) {
		digit = (unsigned char)digits[len] - (unsigned)'0';
		if (digit > 9)
			break;
	}
	if (len == 8 || digits[len] != '\r' || digits[len + 1] != '\n' ||
	    (digits[0] == '0' && len > 1))
		return 0;
	*number = n;
	return len;
}

enum count { COUNT_MORE, COUNT_DONE, COUNT_LONG, COUNT_INVALID };

/* Of any number, up to its CRLF. */
static enum count read_long(const char *digits, size_t there, int64_t *number,
			    size_t *used)
{
	size_t len = 0;

	while (len < there && len < RESP_COUNT_MAX - 1 && digits[len] != '\r')
		len++;
	if (len == RESP_COUNT_MAX - 1)
		return COUNT_LONG;
	if (there - len < 2)
		return COUNT_MORE;
	*used = len;
	if (digits[len + 1] != '\n' || !read_number(digits, len, number))
		return COUNT_INVALID;
	return COUNT_DONE;
}

/* The number behind a type's byte, up to its CRLF. The cursor moves when it is done. In
 * line with its caller it takes half the time, since the cursor is in registers then. */
static inline __attribute__((always_inline)) enum count take_number(struct cursor *c,
								    int64_t *number)
{
	const char *digits = c->start + c->at + 1;
	size_t there = c->len - c->at - 1, len = read_short(digits, there, number);

	if (UNLIKELY(len == 0)) {
		enum count result = read_long(digits, there, number, &len);
		if (result != COUNT_DONE)
			return result;
	}
	c->at += 1 + len + 2;
	return COUNT_DONE;
}

static enum resp_result refuse_type(struct resp_command *command, char got)
{
	char why[] = "expected '$', got '?'";

	if (got >= ' ' && got <= '~')
		why[sizeof why - 3] = got;
	return refuse(command, why);
}

/* The bulk string at the cursor, which moves behind it when it is all there. */
static inline __attribute__((always_inline)) enum resp_result
take_bulk(struct cursor *c, struct span *bulk, struct resp_command *command)
{
	struct cursor now = *c;
	int64_t len = 0;

	if (now.at == now.len)
		return RESP_MORE;
	if (now.start[now.at] != '$')
		return refuse_type(command, now.start[now.at]);
	switch (take_number(&now, &len)) {
	case COUNT_MORE:
		return RESP_MORE;
	case COUNT_LONG:
		return refuse(command, "too big bulk count string");
	case COUNT_INVALID:
		return refuse(command, "invalid bulk length");
	case COUNT_DONE:
		break;
	}
	if (len < 0 || len > RESP_BULK_MAX)
		return refuse(command, "invalid bulk length");
	size_t end = now.at + (size_t)len;
	if (end + 2 > RESP_COMMAND_MAX)
		return refuse(command, "too big request");
	if (now.len < end + 2)
		return RESP_MORE;
	if (now.start[end] != '\r' || now.start[end + 1] != '\n')
		return refuse(command, "expected CRLF after a bulk string");
	*bulk = (struct span){now.start + now.at, (size_t)len};
	c->at = end + 2;
	return RESP_DONE;
}

/* How many bulk strings follow. */
static enum resp_result take_count(struct cursor *c, int64_t *count,
				   struct resp_command *command)
{
	switch (take_number(c, count)) {
	case COUNT_MORE:
		return RESP_MORE;
	case COUNT_LONG:
		return refuse(command, "too big mbulk count string");
	case COUNT_INVALID:
		return refuse(command, "invalid multibulk length");
	case COUNT_DONE:
		break;
	}
	if (*count > (int64_t)command->arguments_max)
		return refuse(command, "invalid multibulk length");
	if (*count < 0)
		*count = 0;		/* redis-server takes it for nothing, too */
	return RESP_DONE;
}

/* Goes on where it stopped. Arguments are noted only by who begins at the beginning,
 * since the bytes may have moved; so who has gone on begins once more at the end. */
static enum resp_result parse_array(struct resp_progress *progress, struct cursor c,
				    struct resp_command *command)
{
	bool goes_on = progress->at > 0;
	int64_t left = progress->left;
	struct span bulk;

	c.at = progress->at;
	if (!goes_on) {
		enum resp_result result = take_count(&c, &left, command);
		if (result != RESP_DONE)
			return result;
		command->count = (uint32_t)left;
	}
	for (uint32_t i = 0; left > 0; i++, left--) {
		enum resp_result result = take_bulk(&c, &bulk, command);
		if (result == RESP_MORE)
			*progress = (struct resp_progress){(uint32_t)c.at,
							   (uint32_t)left};
		if (result != RESP_DONE)
			return result;
		if (!goes_on)
			command->arguments[i] = bulk;
	}
	*progress = (struct resp_progress){0};
	if (goes_on)
		return parse_array(progress, c, command);
	command->length = c.at;
	return RESP_DONE;
}

/* ---- inline commands ---- */

static enum resp_result split(char *line, size_t len, struct resp_command *command)
{
	switch (words_split(line, len, command->arguments, command->arguments_max,
			    &command->count)) {
	case WORDS_UNBALANCED:
		return refuse(command, "unbalanced quotes in request");
	case WORDS_MANY:
		return refuse(command, "too many words in request");
	case WORDS_DONE:
		break;
	}
	return RESP_DONE;
}

static enum resp_result parse_inline(struct resp_progress *progress, struct cursor c,
				     struct resp_command *command)
{
	char *lf = memchr(c.start + progress->at, '\n', c.len - progress->at);
	size_t line = lf != NULL ? (size_t)(lf - c.start) : c.len;

	if (line > RESP_INLINE_MAX)
		return refuse(command, "too big inline request");
	if (lf == NULL) {
		progress->at = (uint32_t)c.len;
		return RESP_MORE;
	}
	*progress = (struct resp_progress){0};
	command->length = line + 1;
	if (line > 0 && c.start[line - 1] == '\r')
		line--;
	/* redis-server would never see the end of such a line, and say nothing. */
	if (memchr(c.start, '\0', line) != NULL)
		return refuse(command, "NUL in inline request");
	return split(c.start, line, command);
}

enum resp_result resp_parse(struct resp_progress *progress, char *at, size_t len,
			    struct resp_command *command)
{
	struct cursor c = {at, 0, len};

	must(command->arguments_max <= RESP_ARGUMENTS_MAX && progress->at <= len);
	if (len == 0)
		return RESP_MORE;
	return at[0] == '*' ? parse_array(progress, c, command)
			    : parse_inline(progress, c, command);
}

/* ---- replies ---- */

/* A type, a number and CRLF. */
static size_t write_number(char *out, char type, uint64_t number, bool negative)
{
	char digits[20], *at = digits + sizeof digits;
	size_t len = 0;

	do {
		*--at = (char)('0' + number % 10);
		number /= 10;
	} while (number > 0);
	out[len++] = type;
	if (negative)
		out[len++] = '-';
	while (at < digits + sizeof digits)
		out[len++] = *at++;
	out[len++] = '\r';
	out[len++] = '\n';
	return len;
}

size_t resp_write_bulk(char *out, struct span value)
{
	size_t len = write_number(out, '$', value.len, false);

	if (value.len > 0)
		memcpy(out + len, value.at, value.len);
	memcpy(out + len + value.len, "\r\n", 2);
	return len + value.len + 2;
}

size_t resp_write_integer(char *out, int64_t number)
{
	uint64_t size = (uint64_t)number;

	return write_number(out, ':', number < 0 ? -size : size, number < 0);
}

size_t resp_write_array(char *out, uint32_t count)
{
	return write_number(out, '*', count, false);
}

size_t resp_write_null(char *out)
{
	memcpy(out, "$-1\r\n", RESP_NULL_BYTES);
	return RESP_NULL_BYTES;
}

static size_t write_line(char *out, char type, struct span text)
{
	size_t len = 0;

	out[len++] = type;
	for (size_t i = 0; i < text.len; i++) {
		bool ends = text.at[i] == '\r' || text.at[i] == '\n';
		out[len++] = ends ? ' ' : text.at[i];
	}
	out[len++] = '\r';
	out[len++] = '\n';
	return len;
}

size_t resp_write_simple(char *out, struct span text)
{
	return write_line(out, '+', text);
}

size_t resp_write_error(char *out, struct span text)
{
	return write_line(out, '-', text);
}
