/* parse/h1_fields.c - reads the fields of a head, and what they say about the
 * connection and about the length of the body.
 *
 * One pass over the bytes: each line becomes an entry of head->fields, its name an
 * id, and the few fields that decide about framing are judged as they come by.
 * Connection is read last, because it may name fields that stand before it.
 */
#include "parse/h1_scan.h"

/* What Connection names, in all; more is nobody's good intention. */
enum { OPTIONS_MAX = 64 };

/* Connection cannot take these away: they say where a message ends, where it goes
 * and where it came from, and a client must not make the next hop see others than
 * we saw (RFC 9110, section 7.6.1). */
#define END_TO_END (1u << H1_NAME_HOST | 1u << H1_NAME_CONTENT_LENGTH | \
		    1u << H1_NAME_TRANSFER_ENCODING | 1u << H1_NAME_EXPECT | \
		    1u << H1_NAME_VIA | 1u << H1_NAME_FORWARDED | \
		    1u << H1_NAME_X_FORWARDED_FOR | 1u << H1_NAME_X_FORWARDED_PROTO | \
		    1u << H1_NAME_X_FORWARDED_HOST | 1u << H1_NAME_X_REQUEST_ID)

static inline uint64_t load8(const char *at)
{
	uint64_t v;
	memcpy(&v, at, sizeof v);
	return v | 0x2020202020202020;
}

static inline uint32_t load4(const char *at)
{
	uint32_t v;
	memcpy(&v, at, sizeof v);
	return v | 0x20202020;
}

/* Whether `len` bytes of a token are `lower` in any case. For tokens, setting bit
 * 0x20 is exact: it maps no other token byte onto a letter, a digit or a hyphen.
 * With a constant length this is two or three comparisons. */
static inline __attribute__((always_inline)) bool same(const char *token,
						       const char *lower, size_t len)
{
	size_t i = 0;

	if (len < 4) {
		for (; i < len; i++)
			if ((token[i] | 0x20) != lower[i])
				return false;
		return true;
	}
	if (len < 8)
		return load4(token) == load4(lower) &&
		       load4(token + len - 4) == load4(lower + len - 4);
	for (; i + 8 < len; i += 8)
		if (load8(token + i) != load8(lower + i))
			return false;
	return load8(token + len - 8) == load8(lower + len - 8);
}

#define NAME(lower, id)                                \
	if (same(at, lower, sizeof(lower) - 1))        \
		return id

static enum h1_name name_of(const char *at, size_t len)
{
	switch (len) {
	case 2:
		NAME("te", H1_NAME_TE);
		break;
	case 3:
		NAME("via", H1_NAME_VIA);
		break;
	case 4:
		NAME("host", H1_NAME_HOST);
		NAME("date", H1_NAME_DATE);
		break;
	case 6:
		NAME("cookie", H1_NAME_COOKIE);
		NAME("server", H1_NAME_SERVER);
		NAME("expect", H1_NAME_EXPECT);
		break;
	case 7:
		NAME("referer", H1_NAME_REFERER);
		NAME("upgrade", H1_NAME_UPGRADE);
		NAME("trailer", H1_NAME_TRAILER);
		break;
	case 9:
		NAME("forwarded", H1_NAME_FORWARDED);
		break;
	case 10:
		NAME("connection", H1_NAME_CONNECTION);
		NAME("user-agent", H1_NAME_USER_AGENT);
		NAME("keep-alive", H1_NAME_KEEP_ALIVE);
		NAME("tracestate", H1_NAME_TRACESTATE);
		break;
	case 11:
		NAME("traceparent", H1_NAME_TRACEPARENT);
		break;
	case 12:
		NAME("x-request-id", H1_NAME_X_REQUEST_ID);
		break;
	case 14:
		NAME("content-length", H1_NAME_CONTENT_LENGTH);
		NAME("http2-settings", H1_NAME_HTTP2_SETTINGS);
		break;
	case 15:
		NAME("x-forwarded-for", H1_NAME_X_FORWARDED_FOR);
		break;
	case 16:
		NAME("x-forwarded-host", H1_NAME_X_FORWARDED_HOST);
		NAME("proxy-connection", H1_NAME_PROXY_CONNECTION);
		break;
	case 17:
		NAME("transfer-encoding", H1_NAME_TRANSFER_ENCODING);
		NAME("x-forwarded-proto", H1_NAME_X_FORWARDED_PROTO);
		break;
	default:
		break;
	}
	return H1_NAME_OTHER;
}

static bool is_token(struct span s)
{
	for (size_t i = 0; i < s.len; i++)
		if (!h1_is(s.at[i], H1_TOKEN))
			return false;
	return s.len > 0;
}

/* Takes the next element off a comma-separated list, white space around it cut off.
 * False when there is none left; an empty list has none. */
static bool next_element(struct span *list, struct span *element)
{
	if (list->len == 0)
		return false;
	const char *comma = memchr(list->at, ',', list->len);
	const char *from = list->at, *end = list->at + list->len;
	const char *to = comma != NULL ? comma : end;

	list->at = comma != NULL ? comma + 1 : end;
	list->len = (size_t)(end - list->at);
	while (from < to && h1_is_blank(*from))
		from++;
	while (to > from && h1_is_blank(to[-1]))
		to--;
	*element = (struct span){from, (size_t)(to - from)};
	return true;
}

/* RFC 9112, section 6.1. Only "chunked" alone can be passed on; the rest is told
 * apart for the answer: chunked misplaced, or a coding we do not know. */
static enum h1_fault judge_coding(const struct h1_head *head, struct span value,
				  bool again)
{
	struct span element;
	bool chunked = false, unknown = false;

	if (head->minor == 0 || again)
		return H1_FAULT_CODING;
	if (LIKELY(span_equals_nocase(value, SPAN("chunked"))))
		return H1_FAULT_NONE;
	while (next_element(&value, &element)) {
		if (element.len == 0 || chunked)
			return H1_FAULT_CODING;
		if (span_equals_nocase(element, SPAN("chunked")))
			chunked = true;
		else
			unknown = true;
	}
	return unknown ? H1_FAULT_CODING_UNKNOWN : H1_FAULT_CODING;
}

/* A field whose value or whose repetition can make a head ambiguous. `again`: the
 * head has had one of this name. */
static enum h1_fault judge_field(const char *base, struct h1_head *head,
				 const struct h1_field *f, bool again)
{
	struct span value = h1_value_span(base, f);

	switch (f->name) {
	case H1_NAME_HOST:
		head->host_at = f->value;
		head->host_len = f->value_len;
		return again ? H1_FAULT_HOST : H1_FAULT_NONE;
	case H1_NAME_CONTENT_LENGTH:
		head->has_content_length = true;
		return again || !span_to_u64(value, &head->content_length) ||
		       head->content_length > INT64_MAX ? H1_FAULT_LENGTH : H1_FAULT_NONE;
	case H1_NAME_TRANSFER_ENCODING:
		return judge_coding(head, value, again);
	case H1_NAME_EXPECT:
		if (head->minor == 0)	/* RFC 9110, section 10.1.1 */
			return H1_FAULT_NONE;
		head->expects_continue = true;
		return again || !span_equals_nocase(value, SPAN("100-continue")) ?
		       H1_FAULT_EXPECT : H1_FAULT_NONE;
	default:
		return H1_FAULT_NONE;
	}
}

/* The empty line, or something that cannot begin a field. */
static enum h1_result read_no_field(struct h1_reader *r, struct h1_head *head)
{
	return h1_read_line_end(r, head, h1_is_blank(*r->at) ? H1_FAULT_FOLD :
							       H1_FAULT_FIELD_NAME);
}

/* One line, CRLF included. Its end is sought from its start, not from the colon: so
 * the processor is at the next line while it still looks at this name. */
static inline enum h1_result read_field(struct h1_reader *r, struct h1_head *head,
					struct h1_field *f)
{
	const char *line = r->at;
	const char *value_end = h1_skip_value(r, line);
	const char *colon = h1_skip_name(r, line);

	if (UNLIKELY(colon == r->end))
		return H1_MORE;
	if (UNLIKELY(*colon != ':'))
		return h1_refuse(head, H1_FAULT_FIELD_NAME);
	r->at = value_end;
	enum h1_result result = h1_read_line_end(r, head, H1_FAULT_FIELD_VALUE);
	if (UNLIKELY(result != H1_DONE))
		return result;

	const char *value = colon + 1;
	while (h1_is_blank(*value))	/* stops at the CR, if not before */
		value++;
	while (value_end > value && h1_is_blank(value_end[-1]))
		value_end--;

	size_t name_len = (size_t)(colon - line);
	*f = (struct h1_field){
		.line = h1_offset(r, line), .name_len = (uint16_t)name_len,
		.value = h1_offset(r, value), .value_len = (uint16_t)(value_end - value),
		.name = (uint8_t)name_of(line, name_len),
	};
	return H1_DONE;
}

/* All lines up to and with the empty one. The reader is copied so that it stays in
 * registers: what is written to the head could otherwise have changed it. */
static enum h1_result read_lines(struct h1_reader *given, struct h1_head *head,
				 uint32_t judged, uint32_t fields_max)
{
	struct h1_reader r = *given;
	struct h1_field *f = head->fields;
	uint32_t seen = 0;
	enum h1_result result = H1_MORE;

	for (; r.at < r.end; f++) {
		if (UNLIKELY(!h1_is(*r.at, H1_TOKEN))) {
			result = read_no_field(&r, head);
			break;
		}
		if (UNLIKELY(f == head->fields + fields_max))
			return h1_refuse(head, H1_FAULT_FIELDS_MANY);
		result = read_field(&r, head, f);
		if (UNLIKELY(result != H1_DONE))
			return result;

		uint32_t bit = 1u << f->name;
		if (bit & judged) {
			enum h1_fault fault = judge_field(r.base, head, f, seen & bit);
			if (UNLIKELY(fault != H1_FAULT_NONE))
				return h1_refuse(head, fault);
		}
		seen |= bit;
		result = H1_MORE;
	}
	given->at = r.at;
	head->seen = seen;
	head->field_count = (uint16_t)(f - head->fields);
	return result;
}

static void mark_named(const struct h1_reader *r, struct h1_head *head, struct span name)
{
	for (unsigned i = 0; i < head->field_count; i++) {
		struct h1_field *f = &head->fields[i];
		if (f->name_len == name.len &&
		    span_equals_nocase(h1_name_span(r->base, f), name))
			f->named_hop = true;
	}
}

static void read_option(const struct h1_reader *r, struct h1_head *head,
			struct span option)
{
	enum h1_name name = name_of(option.at, option.len);

	if (name == H1_NAME_KEEP_ALIVE)
		head->connection_keep_alive = true;
	else if (name == H1_NAME_UPGRADE)
		head->connection_upgrade = true;
	else if (span_equals_nocase(option, SPAN("close")))
		head->connection_close = true;
	if (1u << name & head->seen & ~END_TO_END)
		mark_named(r, head, option);
}

/* RFC 9110, section 7.6.1. `left` is how many options there may still be. */
static enum h1_fault read_connection(const struct h1_reader *r, struct h1_head *head,
				     struct span list, unsigned *left)
{
	struct span option;

	while (next_element(&list, &option)) {
		if (option.len == 0)	/* RFC 9110, section 5.6.1.2 */
			continue;
		if (!is_token(option))
			return H1_FAULT_FIELD_VALUE;
		if ((*left)-- == 0)
			return H1_FAULT_FIELDS_MANY;
		read_option(r, head, option);
	}
	return H1_FAULT_NONE;
}

static enum h1_fault read_connections(const struct h1_reader *r, struct h1_head *head)
{
	unsigned left = OPTIONS_MAX;

	for (unsigned i = 0; i < head->field_count; i++) {
		const struct h1_field *f = &head->fields[i];
		if (f->name != H1_NAME_CONNECTION)
			continue;
		enum h1_fault fault =
			read_connection(r, head, h1_value_span(r->base, f), &left);
		if (fault != H1_FAULT_NONE)
			return fault;
	}
	return H1_FAULT_NONE;
}

/* Whether LF LF or LF CR LF stands in [at, end). */
static bool has_end(const char *at, const char *end)
{
	while ((at = memchr(at, '\n', (size_t)(end - at))) != NULL) {
		at++;
		const char *next = at < end && *at == '\r' ? at + 1 : at;
		if (next < end && *next == '\n')
			return true;
	}
	return false;
}

/* Whether the end of the head is among the bytes; an earlier call has not found it
 * in the first `before` of them. The first line's LF may be its first byte. */
static bool end_is_there(const struct h1_reader *r)
{
	const char *from = r->at - 1;

	if (r->before >= 2 && r->base + r->before - 2 > from)
		from = r->base + r->before - 2;
	return from < r->end && has_end(from, r->end);
}

enum h1_result h1_read_fields(struct h1_reader *r, struct h1_head *head, uint32_t judged,
			      uint32_t fields_max)
{
	struct h1_reader first = *r;

	if (r->before > 0 && !end_is_there(r))
		return H1_MORE;
	head->fields_at = h1_offset(r, r->at);
	enum h1_result result = read_lines(r, head, judged, fields_max);
	if (result == H1_BAD && r->before == 0 && !end_is_there(&first)) {
		head->fault = H1_FAULT_NONE;
		return H1_MORE;
	}
	if (result != H1_DONE)
		return result;

	const uint32_t both = 1u << H1_NAME_CONTENT_LENGTH |
			      1u << H1_NAME_TRANSFER_ENCODING;
	if ((head->seen & both) == both)
		return h1_refuse(head, H1_FAULT_LENGTH_AND_CODING);
	if (head->seen & 1u << H1_NAME_CONNECTION) {
		enum h1_fault fault = read_connections(r, head);
		if (fault != H1_FAULT_NONE)
			return h1_refuse(head, fault);
	}
	head->seen &= ~(1u << H1_NAME_OTHER);
	head->length = h1_offset(r, r->at);
	head->keep_alive = !head->connection_close &&
			   (head->minor > 0 || head->connection_keep_alive);
	return H1_DONE;
}
