/* parse/h1_chunked.c - follows a chunked body (RFC 9112, section 7.1).
 *
 *   SIZE_FIRST -> SIZE -> [EXTENSION] -> SIZE_LF -> PAYLOAD -> PAYLOAD_CR
 *       ^                                   |                      |
 *       |                                   | size 0               v
 *       '-----------------------------------+----------------- PAYLOAD_LF
 *                                           v
 *       ENDED <- END_LF <----------- TRAILER_FIRST <-----------.
 *                                           |                  |
 *                        TRAILER_NAME <-----'                  |
 *                              '-> TRAILER_VALUE -> TRAILER_LF-'
 *
 * Lines go by byte for byte, payload in runs. A fault leads to BROKEN from anywhere
 * and stays.
 */
#include "parse/h1_scan.h"

enum state {
	SIZE_FIRST, SIZE, EXTENSION, SIZE_LF,
	PAYLOAD, PAYLOAD_CR, PAYLOAD_LF,
	TRAILER_FIRST, TRAILER_NAME, TRAILER_VALUE, TRAILER_LF, END_LF,
	ENDED, BROKEN
};

enum { SIZE_DIGITS_MAX = 16 };

/* Not allowed behind a body (RFC 9110, section 6.5.1): framing and connection,
 * routing, request modifiers, authentication, and how to understand the content.
 * Names that start with "x-forwarded-" neither. Response control data (Date and
 * the like) is harmless here: nobody merges it unasked. */
static const struct span forbidden[] = {
	SPAN("content-length"), SPAN("transfer-encoding"), SPAN("connection"),
	SPAN("keep-alive"), SPAN("proxy-connection"), SPAN("te"), SPAN("trailer"),
	SPAN("upgrade"), SPAN("http2-settings"),

	SPAN("host"), SPAN("forwarded"), SPAN("via"), SPAN("x-real-ip"),

	SPAN("cache-control"), SPAN("expect"), SPAN("max-forwards"), SPAN("pragma"),
	SPAN("range"), SPAN("if-match"), SPAN("if-none-match"), SPAN("if-range"),
	SPAN("if-modified-since"), SPAN("if-unmodified-since"),

	SPAN("authorization"), SPAN("proxy-authorization"), SPAN("www-authenticate"),
	SPAN("proxy-authenticate"), SPAN("cookie"), SPAN("set-cookie"),

	SPAN("content-encoding"), SPAN("content-type"), SPAN("content-range"),
};

static bool is_forbidden(const struct h1_chunked *c)
{
	struct span name = {c->name, c->name_len};

	if (span_starts_with(name, SPAN("x-forwarded-")))
		return true;
	for (size_t i = 0; i < COUNT_OF(forbidden); i++)
		if (span_equals(name, forbidden[i]))
			return true;
	return false;
}

static uint64_t hex_value(char digit)
{
	int value = h1_is(digit, H1_DIGIT) ? digit - '0' : (digit | 0x20) - 'a' + 10;
	return (uint64_t)value;
}

/* The size stays below 2^63. */
static enum h1_fault add_digit(struct h1_chunked *c, char byte)
{
	if (!h1_is(byte, H1_HEX) || c->line_len > SIZE_DIGITS_MAX || c->size >> 59 != 0)
		return H1_FAULT_CHUNK_SIZE;
	c->size = c->size << 4 | hex_value(byte);
	c->state = SIZE;
	return H1_FAULT_NONE;
}

static void end_size_line(struct h1_chunked *c)
{
	c->remaining = c->size;
	c->state = c->size > 0 ? PAYLOAD : TRAILER_FIRST;
	c->size = 0;
	c->line_len = 0;
}

/* One byte of "1a;name=value CR LF". */
static enum h1_fault step_size_line(struct h1_chunked *c, char byte)
{
	if (++c->line_len > H1_CHUNK_LINE_MAX)
		return H1_FAULT_CHUNK_LINE;
	if (c->state == SIZE_FIRST)
		return add_digit(c, byte);
	if (c->state == SIZE_LF) {
		if (byte != '\n')
			return H1_FAULT_CHUNK_LINE;
		end_size_line(c);
		return H1_FAULT_NONE;
	}
	if (byte == '\r') {
		c->state = SIZE_LF;
		return H1_FAULT_NONE;
	}
	if (c->state == EXTENSION)
		return h1_is_value(byte) ? H1_FAULT_NONE : H1_FAULT_CHUNK_LINE;
	if (byte == ';') {
		c->state = EXTENSION;
		return H1_FAULT_NONE;
	}
	return byte == '\n' ? H1_FAULT_CHUNK_LINE : add_digit(c, byte);
}

/* A byte of a name that does not fit any more only needs to make it a longer one:
 * all forbidden names are shorter than the room. */
static void add_to_name(struct h1_chunked *c, char byte)
{
	if (c->name_len < sizeof c->name)
		c->name[c->name_len++] = span_lower(byte);
}

/* One byte of a trailer field's line or of the empty line. */
static bool step_trailer(struct h1_chunked *c, char byte)
{
	if (++c->trailer_len > H1_TRAILER_MAX)
		return false;
	switch (c->state) {
	case TRAILER_FIRST:
		c->state = byte == '\r' ? END_LF : TRAILER_NAME;
		c->name_len = 0;
		add_to_name(c, byte);
		return byte == '\r' || h1_is(byte, H1_TOKEN);
	case TRAILER_NAME:
		if (byte == ':') {
			c->state = TRAILER_VALUE;
			return !is_forbidden(c);
		}
		add_to_name(c, byte);
		return h1_is(byte, H1_TOKEN);
	case TRAILER_VALUE:
		if (byte == '\r')
			c->state = TRAILER_LF;
		return byte == '\r' || h1_is_value(byte);
	case TRAILER_LF:
		c->state = TRAILER_FIRST;
		return byte == '\n';
	default:
		c->state = ENDED;
		return byte == '\n';
	}
}

/* One byte that is not payload. */
static enum h1_fault step(struct h1_chunked *c, char byte)
{
	if (c->state < PAYLOAD)
		return step_size_line(c, byte);
	if (c->state > PAYLOAD_LF)
		return step_trailer(c, byte) ? H1_FAULT_NONE : H1_FAULT_TRAILER;
	if (byte != (c->state == PAYLOAD_CR ? '\r' : '\n'))
		return H1_FAULT_CHUNK_END;
	c->state = c->state == PAYLOAD_CR ? PAYLOAD_LF : SIZE_FIRST;
	return H1_FAULT_NONE;
}

void h1_chunked_skip(struct h1_chunked *c, uint64_t moved)
{
	must(moved <= c->remaining);
	c->remaining -= moved;
	if (c->state == PAYLOAD && c->remaining == 0)
		c->state = PAYLOAD_CR;
}

size_t h1_chunked_next(struct h1_chunked *c, const char *at, size_t len,
		       struct span *data, enum h1_result *result)
{
	size_t taken = 0;

	while (taken < len && c->state != PAYLOAD && c->state < ENDED) {
		c->fault = step(c, at[taken]);
		if (c->fault != H1_FAULT_NONE)
			c->state = BROKEN;
		else
			taken++;
	}

	*data = (struct span){at + taken, 0};
	if (c->state == PAYLOAD) {
		data->len = len - taken < c->remaining ? len - taken : c->remaining;
		taken += data->len;
		h1_chunked_skip(c, data->len);
	}
	*result = c->state == ENDED ? H1_DONE : c->state == BROKEN ? H1_BAD : H1_MORE;
	return taken;
}

size_t h1_chunked_scan(struct h1_chunked *c, const char *at, size_t len,
		       enum h1_result *result)
{
	size_t taken = 0;
	struct span data;

	do {
		taken += h1_chunked_next(c, at + taken, len - taken, &data, result);
	} while (*result == H1_MORE && taken < len);
	return taken;
}
