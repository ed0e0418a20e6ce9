/* parse/h1.c - what the faults are called, and what both kinds of heads share. */
#include "parse/h1_scan.h"

static const struct {
	int         status;
	const char *text;
} faults[H1_FAULTS] = {
	[H1_FAULT_NONE]            = {200, "nothing is wrong"},
	[H1_FAULT_METHOD]          = {400, "the method is no token of 1 to 32 bytes"},
	[H1_FAULT_TARGET]          = {400, "the request target is malformed"},
	[H1_FAULT_TARGET_LONG]     = {414, "the request target is too long"},
	[H1_FAULT_VERSION]         = {400, "no HTTP version after the request target"},
	[H1_FAULT_VERSION_UNKNOWN] = {505, "the HTTP version is not 1.x"},
	[H1_FAULT_STATUS_LINE]     = {400, "the status line is malformed"},
	[H1_FAULT_LINE_END]        = {400, "a line does not end in CR LF"},
	[H1_FAULT_FOLD]            = {400, "a field goes on in a second line"},
	[H1_FAULT_FIELD_NAME]      = {400, "a field name is malformed"},
	[H1_FAULT_FIELD_VALUE]     = {400, "a field value is malformed"},
	[H1_FAULT_HEAD_LONG]       = {431, "the head is too long"},
	[H1_FAULT_FIELDS_MANY]     = {431, "there are too many fields"},
	[H1_FAULT_HOST]            = {400, "there is not exactly one valid Host"},
	[H1_FAULT_LENGTH]          = {400, "Content-Length is not one number"},
	[H1_FAULT_LENGTH_AND_CODING] = {400, "Content-Length and Transfer-Encoding"},
	[H1_FAULT_CODING]          = {400, "Transfer-Encoding is not one chunked"},
	[H1_FAULT_CODING_UNKNOWN]  = {501, "the transfer coding is not chunked"},
	[H1_FAULT_EXPECT]          = {417, "Expect is not 100-continue"},
	[H1_FAULT_CHUNK_SIZE]      = {400, "a chunk size is no hexadecimal number"},
	[H1_FAULT_CHUNK_LINE]      = {400, "the line of a chunk size is malformed"},
	[H1_FAULT_CHUNK_END]       = {400, "no CR LF after the bytes of a chunk"},
	[H1_FAULT_TRAILER]         = {400, "the trailer section is malformed"},
};

const char *h1_fault_text(enum h1_fault fault)
{
	must(fault < H1_FAULTS);
	return faults[fault].text;
}

int h1_fault_status(enum h1_fault fault)
{
	must(fault < H1_FAULTS);
	return faults[fault].status;
}

bool h1_method_is_idempotent(enum h1_method method)
{
	switch (method) {
	case H1_GET:
	case H1_HEAD:
	case H1_PUT:
	case H1_DELETE:
	case H1_OPTIONS:
	case H1_TRACE:
		return true;
	case H1_METHOD_OTHER:
	case H1_POST:
	case H1_PATCH:
	case H1_CONNECT:
		break;
	}
	return false;
}

const struct h1_field *h1_field_find(const struct h1_head *head, enum h1_name name)
{
	if ((head->seen & 1u << name) == 0)
		return NULL;
	for (unsigned i = 0; i < head->field_count; i++)
		if (head->fields[i].name == name)
			return &head->fields[i];
	return NULL;
}

const struct h1_field *h1_field_find_only(const struct h1_head *head, enum h1_name name)
{
	const struct h1_field *found = h1_field_find(head, name);

	for (unsigned i = 0; found != NULL && i < head->field_count; i++)
		if (head->fields[i].name == name && &head->fields[i] != found)
			return NULL;
	return found;
}

const uint8_t h1_byte_kinds[256] = {
	['0' ... '9'] = H1_TOKEN | H1_HOST | H1_DIGIT | H1_HEX,
	['A' ... 'F'] = H1_TOKEN | H1_HOST | H1_HEX,
	['G' ... 'Z'] = H1_TOKEN | H1_HOST,
	['a' ... 'f'] = H1_TOKEN | H1_HOST | H1_HEX,
	['g' ... 'z'] = H1_TOKEN | H1_HOST,
	['-'] = H1_TOKEN | H1_HOST, ['.'] = H1_TOKEN | H1_HOST,
	['_'] = H1_TOKEN | H1_HOST, ['~'] = H1_TOKEN | H1_HOST,
	['!'] = H1_TOKEN | H1_HOST, ['$'] = H1_TOKEN | H1_HOST,
	['&'] = H1_TOKEN | H1_HOST, ['\''] = H1_TOKEN | H1_HOST,
	['*'] = H1_TOKEN | H1_HOST, ['+'] = H1_TOKEN | H1_HOST,
	['#'] = H1_TOKEN, ['%'] = H1_TOKEN, ['^'] = H1_TOKEN, ['`'] = H1_TOKEN,
	['|'] = H1_TOKEN,
	['('] = H1_HOST, [')'] = H1_HOST, [','] = H1_HOST, [';'] = H1_HOST,
	['='] = H1_HOST,
};

void h1_reader_init(struct h1_reader *r, const char *at, size_t len, size_t before,
		    const struct h1_limits *limits)
{
	must(limits->head_max <= H1_HEAD_MAX && limits->fields_max <= H1_FIELDS_MAX);
	must(before <= len);
	*r = (struct h1_reader){
		.base = at, .at = at, .before = before,
		.end = at + (len < limits->head_max ? len : limits->head_max),
		.capped = len > limits->head_max,
	};
}

enum h1_result h1_read_form(struct h1_reader *r, struct h1_head *head, const char *form,
			    enum h1_fault fault)
{
	static const struct span usual = SPAN("HTTP/1.1");
	struct span rest = {r->at, (size_t)(r->end - r->at)};

	if (LIKELY(span_starts_with(rest, usual))) {
		form += usual.len;
		r->at += usual.len;
	}
	for (; *form != '\0'; form++, r->at++) {
		if (r->at == r->end)
			return H1_MORE;
		if (*form == '0' ? !h1_is(*r->at, H1_DIGIT) : *r->at != *form)
			return h1_refuse(head, fault);
	}
	return H1_DONE;
}

enum h1_result h1_read_odd_line_end(const char *at, const char *end,
				    struct h1_head *head, enum h1_fault other)
{
	if (at == end)
		return H1_MORE;
	if (*at != '\r')
		return h1_refuse(head, *at == '\n' ? H1_FAULT_LINE_END : other);
	return end - at < 2 ? H1_MORE : h1_refuse(head, H1_FAULT_LINE_END);
}

enum h1_result h1_conclude(const struct h1_reader *r, struct h1_head *head,
			   enum h1_result result)
{
	if (result == H1_MORE && r->capped)
		return h1_refuse(head, H1_FAULT_HEAD_LONG);
	return result;
}
