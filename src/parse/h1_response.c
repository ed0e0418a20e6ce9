/* parse/h1_response.c - reads a response head: the status line, the framing.
 *
 * Nothing is allowed before the status line, not even the empty line that is
 * forgiven in requests: on a connection that is used again it means that the server
 * and we disagree about where the last body ended.
 */
#include "parse/h1_scan.h"

#define JUDGED (1u << H1_NAME_CONTENT_LENGTH | 1u << H1_NAME_TRANSFER_ENCODING)

/* "HTTP/1.1 200 OK". The space before an empty reason is missing in practice. */
static enum h1_result read_status_line(struct h1_reader *r, struct h1_head *head)
{
	enum h1_result result = h1_read_form(r, head, "HTTP/1.0 000",
					     H1_FAULT_STATUS_LINE);

	if (result != H1_DONE)
		return result;
	head->minor = (uint8_t)(r->at[-5] - '0');
	head->status = (uint16_t)((r->at[-3] - '0') * 100 + (r->at[-2] - '0') * 10 +
				  (r->at[-1] - '0'));
	if (head->status < 100 || head->status > 599)
		return h1_refuse(head, H1_FAULT_STATUS_LINE);

	if (r->at < r->end && *r->at == ' ')
		r->at = h1_skip_value(r, r->at);
	return h1_read_line_end(r, head, H1_FAULT_STATUS_LINE);
}

/* RFC 9112, section 6.3. */
static enum h1_body body_of(const struct h1_head *head, enum h1_method request)
{
	if (request == H1_HEAD || head->status < 200 || head->status == 204 ||
	    head->status == 304)
		return H1_BODY_NONE;
	if (head->seen & 1u << H1_NAME_TRANSFER_ENCODING)
		return H1_BODY_CHUNKED;
	return head->has_content_length ? H1_BODY_LENGTH : H1_BODY_UNTIL_CLOSE;
}

enum h1_result h1_parse_response(struct h1_head *head, const char *at, size_t len,
				 size_t before, enum h1_method request,
				 const struct h1_limits *limits)
{
	struct h1_reader r;

	h1_reader_init(&r, head, at, len, before, limits);
	enum h1_result result = read_status_line(&r, head);
	if (result == H1_DONE)
		result = h1_read_fields(&r, head, JUDGED, limits->fields_max);
	if (result != H1_DONE)
		return h1_conclude(&r, head, result);

	head->body = body_of(head, request);
	return H1_DONE;
}
