/* Request heads: cutting changes nothing, offsets stay in the head, and a plain and
 * strict second reader accepts whatever the parser accepts and understands the same. */
#include "fuzz.h"
#include "h1_heads.h"
#include "h1_plain.h"

static bool plain_absolute_is_sound(struct plain_text target)
{
	size_t from = 0;

	if (target.len > 7 && strncasecmp(target.at, "http://", 7) == 0)
		from = 7;
	else if (target.len > 8 && strncasecmp(target.at, "https://", 8) == 0)
		from = 8;
	size_t to = from;
	while (to < target.len && target.at[to] != '/' && target.at[to] != '?')
		to++;
	struct plain_text authority = {target.at + from, to - from};
	return from > 0 && plain_is_authority(authority);
}

static bool plain_target_is_sound(struct plain_text method, struct plain_text target)
{
	char last = target.len > 0 ? target.at[target.len - 1] : '\0';

	for (size_t i = 0; i < target.len; i++)
		if (target.at[i] <= ' ' || target.at[i] >= 127 || target.at[i] == '#')
			return false;
	if (target.len == 0)
		return false;
	if (method.len == 7 && memcmp(method.at, "CONNECT", 7) == 0)
		return last != ':' && last != ']' &&
		       memchr(target.at, ':', target.len) != NULL &&
		       plain_is_authority(target);
	if (target.at[0] == '/')
		return true;
	if (target.len == 1 && target.at[0] == '*')
		return method.len == 7 && memcmp(method.at, "OPTIONS", 7) == 0;
	return plain_absolute_is_sound(target);
}

static bool plain_request(struct plain_head *h, const char *at, size_t len)
{
	struct plain_text rest = {at, len}, line, method, target;

	*h = (struct plain_head){0};
	for (int i = 0; i < 4 && rest.len >= 2 && memcmp(rest.at, "\r\n", 2) == 0; i++) {
		rest.at += 2;
		rest.len -= 2;
	}
	if (!plain_line(&rest, &line) || !plain_cut(&line, ' ', &method) ||
	    !plain_cut(&line, ' ', &target))
		return false;
	if (!plain_is_token(method) || method.len > 32)
		return false;
	if (!plain_target_is_sound(method, target))
		return false;
	if (line.len != 8 || memcmp(line.at, "HTTP/1.", 7) != 0 ||
	    line.at[7] < '0' || line.at[7] > '9')
		return false;
	h->minor = line.at[7] - '0';
	if (!plain_fields(h, rest, at) || !plain_framing_is_sound(h))
		return false;
	if (h->hosts > 1 || (h->hosts == 0 && h->minor > 0))
		return false;
	if (h->host.len > 0 && !plain_is_authority(h->host))
		return false;
	if (h->hosts == 1 && h->host.len == 0 && strncasecmp(target.at, "http", 4) != 0)
		return false;
	if (h->minor > 0 && h->expects > 0)
		return h->expects == 1 && plain_is(h->expect, "100-continue");
	return true;
}

static void check(const struct h1_head *head, const char *at, size_t len)
{
	struct plain_head plain;

	must(plain_request(&plain, at, len));
	must(plain.length == head->length);
	must(plain.field_count == head->field_count);
	must(plain.minor == head->minor);
	must(plain_keeps_alive(&plain) == head->keep_alive);
	must((plain.codings == 1) == (head->body == H1_BODY_CHUNKED));
	must((plain.lengths == 1) == (head->body == H1_BODY_LENGTH));
	must(plain_number(plain.content_length) == head->content_length);
	must(head->content_length <= INT64_MAX);
	must(plain.host.len == head->host_len);
	must(plain.hosts == 0 || plain.host.at == at + head->host_at);

	unsigned line_end = head->fields_at;
	must(head->target_at == head->start + head->method_len + 1);
	must(head->target_at + head->target_len < line_end);
	if (head->target == H1_TARGET_ORIGIN || head->target == H1_TARGET_ABSOLUTE)
		must(head->path_at + head->path_len ==
		     head->target_at + head->target_len);
	if (head->target == H1_TARGET_ABSOLUTE) {
		must(head->authority_len > 0 && head->authority_at > head->target_at);
		must(head->authority_at + head->authority_len == head->path_at);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	try_head(h1_parse_request, (const char *)data, size, check);
	return 0;
}
