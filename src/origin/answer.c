#include "origin/answer.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/must.h"

/* RFC 9110, section 15, and RFC 8297, 6585 and 4918 for 103, 429, 431 and 507. */
static const char *const names[] = {
	[100] = "Continue", [101] = "Switching Protocols", [102] = "Processing",
	[103] = "Early Hints",
	[200] = "OK", [201] = "Created", [202] = "Accepted",
	[203] = "Non-Authoritative Information", [204] = "No Content",
	[205] = "Reset Content", [206] = "Partial Content",
	[300] = "Multiple Choices", [301] = "Moved Permanently", [302] = "Found",
	[303] = "See Other", [304] = "Not Modified", [307] = "Temporary Redirect",
	[308] = "Permanent Redirect",
	[400] = "Bad Request", [401] = "Unauthorized", [402] = "Payment Required",
	[403] = "Forbidden", [404] = "Not Found", [405] = "Method Not Allowed",
	[406] = "Not Acceptable", [407] = "Proxy Authentication Required",
	[408] = "Request Timeout", [409] = "Conflict", [410] = "Gone",
	[411] = "Length Required", [412] = "Precondition Failed",
	[413] = "Content Too Large", [414] = "URI Too Long",
	[415] = "Unsupported Media Type", [416] = "Range Not Satisfiable",
	[417] = "Expectation Failed", [421] = "Misdirected Request",
	[422] = "Unprocessable Content", [426] = "Upgrade Required",
	[428] = "Precondition Required", [429] = "Too Many Requests",
	[431] = "Request Header Fields Too Large",
	[500] = "Internal Server Error", [501] = "Not Implemented", [502] = "Bad Gateway",
	[503] = "Service Unavailable", [504] = "Gateway Timeout",
	[505] = "HTTP Version Not Supported", [507] = "Insufficient Storage",
};

static const char *name_of(uint16_t status)
{
	bool known = status < COUNT_OF(names) && names[status] != NULL;
	return known ? names[status] : "Unnamed";
}

void answer_init(struct answer *a)
{
	*a = (struct answer){.status = 200, .dies_at = UINT64_MAX};
}

void answer_fini(struct answer *a, struct buf_pool *pool)
{
	source_fini(&a->source, pool);
	upload_cancel(a->upload);
	a->upload = NULL;
}

void answer_source(struct answer *a, const struct source *s)
{
	a->source = *s;
	a->length = s->length;
}

/* Makes the formatted text the body. */
__attribute__((format(printf, 3, 0)))
static void put_text(struct answer *a, struct buf_pool *pool, const char *format,
		     va_list args)
{
	struct buf *text = buf_get(pool, ANSWER_TEXT_MAX);
	struct source source;

	if (text != NULL) {
		int len = vsnprintf(text->bytes, text->size, format, args);
		must(len >= 0);
		text->end = (uint32_t)len < text->size ? (uint32_t)len : text->size - 1;
	}
	source_from_text(&source, text);
	answer_source(a, &source);
}

void answer_text(struct answer *a, struct buf_pool *pool, uint16_t status,
		 const char *format, ...)
{
	va_list args;

	a->status = status;
	va_start(args, format);
	put_text(a, pool, format, args);
	va_end(args);
	answer_field(a, "Content-Type: text/plain\r\n");
}

void answer_json(struct answer *a, struct buf_pool *pool, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	put_text(a, pool, format, args);
	va_end(args);
	answer_field(a, "Content-Type: application/json\r\n");
}

void answer_status(struct answer *a, struct buf_pool *pool, uint16_t status)
{
	answer_text(a, pool, status, "%u %s\n", status, name_of(status));
}

void answer_field(struct answer *a, const char *format, ...)
{
	size_t used = strlen(a->fields), room = sizeof a->fields - used;
	va_list args;

	va_start(args, format);
	int len = vsnprintf(a->fields + used, room, format, args);
	va_end(args);
	must(len >= 0 && (size_t)len < room);
}

static void append_number(struct buf *out, uint64_t number)
{
	char digits[20];
	size_t at = sizeof digits;

	do {
		digits[--at] = (char)('0' + number % 10);
		number /= 10;
	} while (number > 0);
	buf_append(out, digits + at, sizeof digits - at);
}

static void append_status_line(struct buf *out, uint16_t status)
{
	buf_append_span(out, SPAN("HTTP/1.1 "));
	append_number(out, status);
	buf_append_span(out, SPAN(" "));
	buf_append_span(out, span_of(name_of(status)));
	buf_append_span(out, SPAN("\r\n"));
}

/* RFC 9112, section 6.1: neither field in an answer that has no body by status. */
static void append_framing(struct buf *out, const struct answer *a)
{
	if (a->status < 200 || a->status == 204 || a->status == 304)
		return;
	if (a->framing == ANSWER_CHUNKED) {
		buf_append_span(out, SPAN("Transfer-Encoding: chunked\r\n"));
	} else if (a->framing == ANSWER_LENGTH) {
		buf_append_span(out, SPAN("Content-Length: "));
		append_number(out, a->length);
		buf_append_span(out, SPAN("\r\n"));
	}
}

void answer_write_head(const struct answer *a, struct span common, uint8_t minor,
		       struct buf *out)
{
	append_status_line(out, a->status);
	buf_append_span(out, common);
	append_framing(out, a);
	buf_append_span(out, span_of(a->fields));
	if (a->closes)
		buf_append_span(out, SPAN("Connection: close\r\n"));
	else if (minor == 0)
		buf_append_span(out, SPAN("Connection: keep-alive\r\n"));
	buf_append_span(out, SPAN("\r\n"));
}

void answer_write_interim(uint16_t status, struct buf *out)
{
	append_status_line(out, status);
	buf_append_span(out, SPAN("\r\n"));
}
