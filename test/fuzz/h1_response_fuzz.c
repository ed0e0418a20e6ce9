/* Response heads: cutting changes nothing, offsets stay in the head, and a plain and
 * strict second reader accepts whatever the parser accepts and understands the same. */
#include "fuzz.h"
#include "h1_heads.h"
#include "h1_plain.h"

static enum h1_method asked;

static enum h1_result parse(struct h1_head *head, const char *at, size_t len,
			    size_t before, const struct h1_limits *limits)
{
	return h1_parse_response(head, at, len, before, asked, limits);
}

static bool plain_response(struct plain_head *h, const char *at, size_t len)
{
	struct plain_text rest = {at, len}, line, version, status;

	*h = (struct plain_head){0};
	if (!plain_line(&rest, &line) || !plain_cut(&line, ' ', &version))
		return false;
	if (version.len != 8 || memcmp(version.at, "HTTP/1.", 7) != 0)
		return false;
	if (!plain_cut(&line, ' ', &status)) {	/* no reason and no space before it */
		status = line;
		line.len = 0;
	}
	if (status.len != 3 || !plain_is_digits(status) || plain_has_control(line))
		return false;
	h->minor = version.at[7] - '0';
	h->status = (int)plain_number(status);
	return h->minor >= 0 && h->minor <= 9 && h->status >= 100 && h->status <= 599 &&
	       plain_fields(h, rest, at) && plain_framing_is_sound(h);
}

static enum h1_body plain_body(const struct plain_head *h)
{
	if (asked == H1_HEAD || h->status / 100 == 1 || h->status == 204 ||
	    h->status == 304)
		return H1_BODY_NONE;
	if (h->codings == 1)
		return H1_BODY_CHUNKED;
	return h->lengths == 1 ? H1_BODY_LENGTH : H1_BODY_UNTIL_CLOSE;
}

static void check(const struct h1_head *head, const char *at, size_t len)
{
	struct plain_head plain;

	must(plain_response(&plain, at, len));
	must(plain.length == head->length);
	must(plain.field_count == head->field_count);
	must(plain.minor == head->minor);
	must(plain.status == head->status);
	must(plain_keeps_alive(&plain) == head->keep_alive);
	must(plain_body(&plain) == head->body);
	must((plain.lengths == 1) == head->has_content_length);
	must(plain_number(plain.content_length) == head->content_length);
	must(head->content_length <= INT64_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const enum h1_method methods[] = {H1_GET, H1_HEAD};

	for (size_t i = 0; i < COUNT_OF(methods); i++) {
		asked = methods[i];
		try_head(parse, (const char *)data, size, check);
	}
	return 0;
}
