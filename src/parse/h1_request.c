/* parse/h1_request.c - reads a request head: the request line, Host, the framing.
 *
 * The request line is judged byte by byte, so that a client that speaks something
 * else (TLS, SSH, HTTP/2 with prior knowledge) is refused with its first bytes
 * instead of being waited for.
 */
#include <arpa/inet.h>

#include "parse/h1_scan.h"

enum { EMPTY_LINES_MAX = 4, METHOD_MAX = 32, PORT_DIGITS_MAX = 5, PORT_MAX = 65535 };

/* Repeated or malformed, these make a request ambiguous. */
#define JUDGED (1u << H1_NAME_HOST | 1u << H1_NAME_CONTENT_LENGTH | \
		1u << H1_NAME_TRANSFER_ENCODING | 1u << H1_NAME_EXPECT)

/* RFC 9112, section 2.2: some clients send an empty line after a POST. */
static enum h1_result skip_empty_lines(struct h1_reader *r, struct h1_head *head)
{
	for (int i = 0; i < EMPTY_LINES_MAX; i++) {
		if (r->at == r->end)
			return H1_MORE;
		if (LIKELY(*r->at != '\r' && *r->at != '\n'))
			break;
		enum h1_result result = h1_read_line_end(r, head, H1_FAULT_LINE_END);
		if (result != H1_DONE)
			return result;
	}
	head->start = h1_offset(r, r->at);
	return H1_DONE;
}

static enum h1_method method_of(struct span m)
{
	switch (m.len) {
	case 3:
		return memcmp(m.at, "GET", 3) == 0 ? H1_GET :
		       memcmp(m.at, "PUT", 3) == 0 ? H1_PUT : H1_METHOD_OTHER;
	case 4:
		return memcmp(m.at, "POST", 4) == 0 ? H1_POST :
		       memcmp(m.at, "HEAD", 4) == 0 ? H1_HEAD : H1_METHOD_OTHER;
	case 5:
		return memcmp(m.at, "PATCH", 5) == 0 ? H1_PATCH :
		       memcmp(m.at, "TRACE", 5) == 0 ? H1_TRACE : H1_METHOD_OTHER;
	case 6:
		return memcmp(m.at, "DELETE", 6) == 0 ? H1_DELETE : H1_METHOD_OTHER;
	case 7:
		return memcmp(m.at, "OPTIONS", 7) == 0 ? H1_OPTIONS :
		       memcmp(m.at, "CONNECT", 7) == 0 ? H1_CONNECT : H1_METHOD_OTHER;
	default:
		return H1_METHOD_OTHER;
	}
}

static enum h1_result read_method(struct h1_reader *r, struct h1_head *head)
{
	const char *from = r->at;

	while (r->at < r->end && h1_is(*r->at, H1_TOKEN)) {
		if (r->at - from == METHOD_MAX)
			return h1_refuse(head, H1_FAULT_METHOD);
		r->at++;
	}
	if (r->at == r->end)
		return H1_MORE;
	if (*r->at != ' ' || r->at == from)
		return h1_refuse(head, H1_FAULT_METHOD);

	head->method_len = (uint16_t)(r->at - from);
	head->method = method_of((struct span){from, head->method_len});
	r->at++;
	return H1_DONE;
}

static enum h1_result read_target(struct h1_reader *r, struct h1_head *head,
				  uint32_t target_max)
{
	const char *from = r->at;

	r->at = h1_skip_target(r, from);
	size_t len = (size_t)(r->at - from);
	if (len > target_max)
		return h1_refuse(head, H1_FAULT_TARGET_LONG);
	if (r->at == r->end)
		return H1_MORE;
	if (len == 0)
		return h1_refuse(head, H1_FAULT_TARGET);
	if (*r->at == '\r' || *r->at == '\n')
		return h1_refuse(head, H1_FAULT_VERSION);
	if (*r->at != ' ')
		return h1_refuse(head, H1_FAULT_TARGET);

	head->target_at = h1_offset(r, from);
	head->target_len = (uint16_t)len;
	r->at++;
	return H1_DONE;
}

/* RFC 9112, section 2.3: HTTP-version is eight bytes, in capitals. */
static enum h1_result read_version(struct h1_reader *r, struct h1_head *head)
{
	enum h1_result result = h1_read_form(r, head, "HTTP/0.0", H1_FAULT_VERSION);

	if (result != H1_DONE)
		return result;
	if (r->at[-3] != '1')
		return h1_refuse(head, H1_FAULT_VERSION_UNKNOWN);
	head->minor = (uint8_t)(r->at[-1] - '0');
	return h1_read_line_end(r, head, H1_FAULT_VERSION);
}

/* ":port", digits or none (RFC 3986, section 3.2.3). */
static bool port_is_valid(struct span s, bool required)
{
	uint64_t port = 0;

	if (s.len == 0)
		return !required;
	if (s.at[0] != ':')
		return false;
	if (s.len == 1)
		return !required;
	return s.len - 1 <= PORT_DIGITS_MAX &&
	       span_to_u64((struct span){s.at + 1, s.len - 1}, &port) && port <= PORT_MAX;
}

/* The length of "[...]" with an IPv6 address in it, or 0. */
static size_t ip_literal_len(struct span s)
{
	char text[INET6_ADDRSTRLEN];
	struct in6_addr address;
	const char *close = memchr(s.at, ']', s.len);

	if (close == NULL || (size_t)(close - s.at) > sizeof text)
		return 0;
	size_t len = (size_t)(close - s.at) - 1;
	memcpy(text, s.at + 1, len);
	text[len] = '\0';
	return inet_pton(AF_INET6, text, &address) == 1 ? len + 2 : 0;
}

/* The length of the registered name (or IPv4 address) that s starts with. */
static size_t reg_name_len(struct span s)
{
	size_t i = 0;

	for (; i < s.len; i++) {
		if (LIKELY(h1_is(s.at[i], H1_HOST)))
			continue;
		if (s.at[i] != '%' || s.len - i < 3 || !h1_is(s.at[i + 1], H1_HEX) ||
		    !h1_is(s.at[i + 2], H1_HEX))
			break;
		i += 2;
	}
	return i;
}

/* host[:port] with a host that is not empty; no user information. */
static bool authority_is_valid(struct span s, bool port_required)
{
	if (s.len == 0)
		return false;
	size_t host = s.at[0] == '[' ? ip_literal_len(s) : reg_name_len(s);
	return host != 0 && port_is_valid((struct span){s.at + host, s.len - host},
					  port_required);
}

/* The bytes of "http://" or "https://" at the start of s, or 0. */
static size_t scheme_len(struct span s)
{
	static const struct span schemes[] = {SPAN("http://"), SPAN("https://")};

	for (size_t i = 0; i < COUNT_OF(schemes); i++)
		if (s.len >= schemes[i].len &&
		    span_equals_nocase((struct span){s.at, schemes[i].len}, schemes[i]))
			return schemes[i].len;
	return 0;
}

static bool read_absolute_form(const struct h1_reader *r, struct h1_head *head,
			       struct span target)
{
	const char *end = target.at + target.len;
	const char *from = target.at + scheme_len(target), *at = from;

	if (from == target.at)
		return false;
	while (at < end && *at != '/' && *at != '?')
		at++;
	head->target = H1_TARGET_ABSOLUTE;
	head->authority_at = h1_offset(r, from);
	head->authority_len = (uint16_t)(at - from);
	head->path_at = h1_offset(r, at);
	head->path_len = (uint16_t)(end - at);
	return authority_is_valid((struct span){from, head->authority_len}, false);
}

/* RFC 9112, section 3.2: which of the four forms the method allows. */
static bool read_form(const struct h1_reader *r, struct h1_head *head)
{
	struct span target = {r->base + head->target_at, head->target_len};

	if (head->method == H1_CONNECT) {
		head->target = H1_TARGET_AUTHORITY;
		return authority_is_valid(target, true);
	}
	if (LIKELY(target.at[0] == '/')) {
		head->target = H1_TARGET_ORIGIN;
		head->path_at = head->target_at;
		head->path_len = head->target_len;
		return true;
	}
	if (target.len == 1 && target.at[0] == '*') {
		head->target = H1_TARGET_ASTERISK;
		return head->method == H1_OPTIONS;
	}
	return read_absolute_form(r, head, target);
}

static enum h1_result read_request_line(struct h1_reader *r, struct h1_head *head,
					uint32_t target_max)
{
	enum h1_result result = skip_empty_lines(r, head);

	if (result == H1_DONE)
		result = read_method(r, head);
	if (result == H1_DONE)
		result = read_target(r, head, target_max);
	if (result == H1_DONE)
		result = read_version(r, head);
	if (result == H1_DONE && !read_form(r, head))
		return h1_refuse(head, H1_FAULT_TARGET);
	return result;
}

/* RFC 9112, section 3.2. An empty Host says that the target has no authority, which
 * is never so for http and https (RFC 9110, section 4.2.1): refused, but not with
 * the absolute form, which overrides what Host says. */
static bool host_is_valid(const struct h1_reader *r, const struct h1_head *head)
{
	if ((head->seen & 1u << H1_NAME_HOST) == 0)
		return head->minor == 0;
	if (head->host_len == 0)
		return head->target == H1_TARGET_ABSOLUTE;
	return authority_is_valid((struct span){r->base + head->host_at, head->host_len},
				  false);
}

enum h1_result h1_parse_request(struct h1_head *head, const char *at, size_t len,
				size_t before, const struct h1_limits *limits)
{
	struct h1_reader r;

	h1_reader_init(&r, at, len, before, limits);
	h1_head_clear(head);
	enum h1_result result = read_request_line(&r, head, limits->target_max);
	if (result == H1_DONE)
		result = h1_read_fields(&r, head, JUDGED, limits->fields_max);
	if (result != H1_DONE)
		return h1_conclude(&r, head, result);

	if (!host_is_valid(&r, head))
		return h1_refuse(head, H1_FAULT_HOST);
	head->body = (head->seen & 1u << H1_NAME_TRANSFER_ENCODING) ? H1_BODY_CHUNKED :
		     head->has_content_length ? H1_BODY_LENGTH : H1_BODY_NONE;
	return H1_DONE;
}
