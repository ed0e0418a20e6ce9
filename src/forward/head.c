#include "forward/head.h"

#include "model/model.h"

#define BIT(name) (1u << (name))

/* Fields of one connection only. */
static const uint32_t hop_fields = BIT(H1_NAME_CONNECTION) | BIT(H1_NAME_KEEP_ALIVE) |
				   BIT(H1_NAME_PROXY_CONNECTION) | BIT(H1_NAME_TE) |
				   BIT(H1_NAME_UPGRADE) | BIT(H1_NAME_HTTP2_SETTINGS);

static const uint32_t x_forwarded_fields = BIT(H1_NAME_X_FORWARDED_FOR) |
					   BIT(H1_NAME_X_FORWARDED_PROTO) |
					   BIT(H1_NAME_X_FORWARDED_HOST);

struct writer {
	char *start, *at, *end;
	bool  full;		/* something did not fit: nothing is written any more */
};

static void put(struct writer *w, const char *at, size_t len)
{
	if (w->full || (size_t)(w->end - w->at) < len) {
		w->full = true;
		return;
	}
	memcpy(w->at, at, len);
	w->at += len;
}

static void put_span(struct writer *w, struct span s)
{
	if (s.len > 0)		/* an empty one may point at NULL */
		put(w, s.at, s.len);
}

#define PUT(w, literal) put(w, "" literal, sizeof(literal) - 1)

/* Copies all field lines but those in `dropped` and those that Connection names;
 * neighbours that stay are copied in one piece. */
static void put_fields(struct writer *w, const struct h1_head *head, const char *at,
		       uint32_t dropped)
{
	size_t from = head->fields_at;

	if ((head->seen & (dropped | BIT(H1_NAME_CONNECTION))) == 0) {
		put(w, at + from, head->length - 2u - from);
		return;
	}
	for (uint16_t i = 0; i < head->field_count; i++) {
		const struct h1_field *f = &head->fields[i];
		if (!(dropped & BIT(f->name) && f->name != H1_NAME_OTHER) && !f->named_hop)
			continue;
		put(w, at + from, f->line - from);
		from = i + 1 < head->field_count ? head->fields[i + 1].line
						 : head->length - 2u;
	}
	put(w, at + from, head->length - 2u - from);
}

static void put_upgrade(struct writer *w, const struct h1_head *head, const char *at)
{
	const struct h1_field *f = h1_field_find(head, H1_NAME_UPGRADE);

	PUT(w, "Connection: upgrade\r\n");
	if (f == NULL)
		return;
	PUT(w, "Upgrade: ");
	put_span(w, h1_value_span(at, f));
	PUT(w, "\r\n");
}

/* All values of a field as one list, each followed by ", ". */
static void put_list(struct writer *w, const struct h1_head *head, const char *at,
		     enum h1_name name)
{
	if (!(head->seen & BIT(name)))
		return;
	for (uint16_t i = 0; i < head->field_count; i++) {
		if (head->fields[i].name != name || head->fields[i].value_len == 0)
			continue;
		put_span(w, h1_value_span(at, &head->fields[i]));
		PUT(w, ", ");
	}
}

static void put_x_forwarded(struct writer *w, const struct h1_head *head, const char *at,
			    const struct head_request *how)
{
	PUT(w, "X-Forwarded-For: ");
	put_list(w, head, at, H1_NAME_X_FORWARDED_FOR);
	put_span(w, how->peer);
	PUT(w, "\r\nX-Forwarded-Proto: http\r\n");
	if (how->host_asked.len > 0) {
		PUT(w, "X-Forwarded-Host: ");
		put_span(w, how->host_asked);
		PUT(w, "\r\n");
	}
}

/* RFC 7239, section 4: an IPv6 address is quoted and in brackets, and so is a host
 * with a port. */
static void put_forwarded(struct writer *w, const struct h1_head *head, const char *at,
			  const struct head_request *how)
{
	bool ip6 = memchr(how->peer.at, ':', how->peer.len) != NULL;

	PUT(w, "Forwarded: ");
	put_list(w, head, at, H1_NAME_FORWARDED);
	if (ip6)
		PUT(w, "for=\"[");
	else
		PUT(w, "for=");
	put_span(w, how->peer);
	if (ip6)
		PUT(w, "]\"");
	if (how->host_asked.len > 0) {
		PUT(w, ";host=\"");
		put_span(w, how->host_asked);
		PUT(w, "\"");
	}
	PUT(w, ";proto=http\r\n");
}

static void put_request_line(struct writer *w, const struct h1_head *head, const char *at)
{
	put(w, at + head->start, head->method_len);
	PUT(w, " ");
	if (head->path_len > 0) {
		if (at[head->path_at] == '?')	/* http://host?query */
			PUT(w, "/");
		put(w, at + head->path_at, head->path_len);
	} else if (head->target == H1_TARGET_ASTERISK || head->method == H1_OPTIONS) {
		PUT(w, "*");
	} else {
		PUT(w, "/");
	}
	PUT(w, " HTTP/1.1\r\n");
}

size_t head_write_request(char *out, size_t room, const struct h1_head *head,
			  const char *at, const struct head_request *how)
{
	struct writer w = {out, out, out + room, false};
	uint32_t dropped = hop_fields | BIT(H1_NAME_HOST) | how->dropped;

	if (how->forwarded & FORWARD_X_FORWARDED)
		dropped |= x_forwarded_fields;
	if (how->forwarded & FORWARD_FORWARDED)
		dropped |= BIT(H1_NAME_FORWARDED);
	if (head->minor == 0)
		dropped |= BIT(H1_NAME_EXPECT);
	put_request_line(&w, head, at);
	PUT(&w, "Host: ");
	put_span(&w, how->host);
	PUT(&w, "\r\n");
	put_fields(&w, head, at, dropped);
	if (how->upgrade)
		put_upgrade(&w, head, at);
	if (how->forwarded & FORWARD_X_FORWARDED)
		put_x_forwarded(&w, head, at, how);
	if (how->forwarded & FORWARD_FORWARDED)
		put_forwarded(&w, head, at, how);
	if (how->forwarded & FORWARD_VIA)
		put_span(&w, head->minor == 0 ? SPAN("Via: 1.0 balancerd\r\n")
					      : SPAN("Via: 1.1 balancerd\r\n"));
	put_span(&w, how->lines);
	PUT(&w, "\r\n");
	return w.full ? 0 : (size_t)(w.at - w.start);
}

/* What of the framing must not be passed on: a status without a body has none
 * (RFC 9112, section 6.3). */
static uint32_t dropped_of_response(const struct h1_head *head,
				    const struct head_response *how)
{
	uint32_t dropped = hop_fields;

	if (head->status < 200 || head->status == 204)
		dropped |= BIT(H1_NAME_TRANSFER_ENCODING) | BIT(H1_NAME_CONTENT_LENGTH);
	if (how->coding_dropped)
		dropped |= BIT(H1_NAME_TRANSFER_ENCODING) | BIT(H1_NAME_TRAILER);
	return dropped;
}

bool head_response_is_plain(const struct h1_head *head, const struct head_response *how)
{
	return (head->seen & dropped_of_response(head, how)) == 0 && !how->chunked_added &&
	       !how->close && !how->keep_alive && !how->upgrade && how->lines.len == 0;
}

size_t head_write_response(char *out, size_t room, const struct h1_head *head,
			   const char *at, const struct head_response *how)
{
	struct writer w = {out, out, out + room, false};

	PUT(&w, "HTTP/1.1");
	put(&w, at + head->start + 8, head->fields_at - head->start - 8u);
	put_fields(&w, head, at, dropped_of_response(head, how));
	if (how->chunked_added)
		PUT(&w, "Transfer-Encoding: chunked\r\n");
	if (how->upgrade)
		put_upgrade(&w, head, at);
	else if (how->close)
		PUT(&w, "Connection: close\r\n");
	else if (how->keep_alive)
		PUT(&w, "Connection: keep-alive\r\n");
	put_span(&w, how->lines);
	PUT(&w, "\r\n");
	return w.full ? 0 : (size_t)(w.at - w.start);
}

bool head_upgrade_may_pass(const struct h1_head *head, const char *at)
{
	const struct h1_field *found = h1_field_find_only(head, H1_NAME_UPGRADE);

	if (found == NULL)
		return false;
	struct span value = h1_value_span(at, found);
	if (value.len == 0 || memchr(value.at, ',', value.len) != NULL)
		return false;
	return !span_equals_nocase(value, SPAN("h2c")) &&
	       !(value.len >= 4 && span_equals_nocase((struct span){value.at, 4}, SPAN("HTTP")));
}
