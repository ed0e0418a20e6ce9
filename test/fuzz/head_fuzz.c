/* Heads as they are passed on: whatever the parser accepts, the written head reads as
 * the same message to the parser and to the plain second reader. What is end to end is
 * there in order and byte for byte, nothing of one connection is, and the room that is
 * kept for it suffices. */
#include <stdlib.h>

#include "base/must.h"
#include "forward/head.h"
#include "fuzz.h"
#include "h1_plain.h"
#include "model/model.h"

static const struct h1_limits limits_of_clients = {
	.head_max = 32768, .target_max = 8192, .fields_max = 200,
};
static const struct h1_limits limits_of_the_next = {
	.head_max = H1_HEAD_MAX, .target_max = H1_HEAD_MAX, .fields_max = H1_FIELDS_MAX,
};

/* Connection, Upgrade, three of X-Forwarded, Forwarded, Via. */
enum { ADDED_MAX = 7, NAMES_MAX = 6 };

static const char *const hop_names[] = {
	"connection", "keep-alive", "proxy-connection", "te", "upgrade", "http2-settings",
};

static struct h1_head head, again;	/* as received, as written */
static char out[2 * H1_HEAD_MAX];

static bool is_one_of(struct plain_text name, const char *const *names, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (plain_is(name, names[i]))
			return true;
	return false;
}

static struct plain_text name_of(const struct h1_head *h, const char *at, unsigned i)
{
	return (struct plain_text){at + h->fields[i].line, h->fields[i].name_len};
}

/* The whole line, CRLF included. */
static struct span line_of(const struct h1_head *h, const char *at, unsigned i)
{
	unsigned end = i + 1 < h->field_count ? h->fields[i + 1].line : h->length - 2u;

	return (struct span){at + h->fields[i].line, end - h->fields[i].line};
}

/* Fields of `h` that have one of these names and those of one connection are left out:
 * all others begin the fields of the written head from number `first` on. */
static void check_end_to_end(const char *at, unsigned first, const char *const *names,
			     size_t count)
{
	unsigned next = first;

	for (unsigned i = 0; i < head.field_count; i++) {
		struct plain_text name = name_of(&head, at, i);
		if (is_one_of(name, hop_names, COUNT_OF(hop_names)) ||
		    is_one_of(name, names, count) || head.fields[i].named_hop)
			continue;
		must(next < again.field_count);
		must(span_equals(line_of(&again, out, next), line_of(&head, at, i)));
		next++;
	}
	must(again.field_count - next <= ADDED_MAX);
}

/* Connection and Upgrade where we wrote them, and no other of their kind. */
static void check_hop_is_over(bool upgrade, bool says_connection)
{
	unsigned connections = 0, upgrades = 0;

	for (unsigned i = 0; i < again.field_count; i++) {
		struct plain_text name = name_of(&again, out, i);
		connections += plain_is(name, "connection");
		upgrades += plain_is(name, "upgrade");
		must(!is_one_of(name, hop_names, COUNT_OF(hop_names)) ||
		     plain_is(name, "connection") || plain_is(name, "upgrade"));
	}
	must(connections == (upgrade || says_connection));
	must(upgrades <= upgrade);
}

/* A second reader finds the same fields in both heads that say where the body ends. */
static void read_plainly(struct plain_head *plain, const char *at, size_t len,
			 unsigned fields_at)
{
	struct plain_text fields = {at + fields_at, len - fields_at};

	*plain = (struct plain_head){.minor = 1};
	must(plain_fields(plain, fields, at));
	must(plain->length == len && plain_framing_is_sound(plain));
}

typedef size_t write_head(char *to, size_t room, const char *at, const void *how);

static size_t write_request(char *to, size_t room, const char *at, const void *how)
{
	return head_write_request(to, room, &head, at, how);
}

static size_t write_response(char *to, size_t room, const char *at, const void *how)
{
	return head_write_response(to, room, &head, at, how);
}

/* Into `out`, and into memory of just that size and of one byte less. */
static size_t write_within(write_head *write, size_t room, const char *at,
			   const void *how)
{
	must(room <= sizeof out);
	size_t len = write(out, room, at, how);
	must(len > 0 && len <= room);

	char *exact = malloc(len), *small = malloc(len - 1);
	must(exact != NULL && small != NULL);
	must(write(exact, len, at, how) == len && memcmp(exact, out, len) == 0);
	must(write(small, len - 1, at, how) == 0);
	free(exact);
	free(small);
	return len;
}

/* ---- requests ---- */

/* What a server has to be asked for (RFC 9112, section 3.2). */
static void check_path(const char *at)
{
	struct span written = {out + again.path_at, again.path_len};
	struct span path = {at + head.path_at, head.path_len};

	if (head.target == H1_TARGET_ASTERISK ||
	    (path.len == 0 && head.method == H1_OPTIONS)) {
		must(again.target == H1_TARGET_ASTERISK);
		return;
	}
	must(again.target == H1_TARGET_ORIGIN);
	if (path.len == 0 || path.at[0] == '?') {
		must(written.at[0] == '/');
		written.at++;
		written.len--;
	}
	must(span_equals(written, path));
}

static void check_request(const char *at, const struct head_request *how)
{
	const char *names[NAMES_MAX] = {"host"};
	size_t count = 1;
	struct plain_head before, after;
	size_t room = head.length + how->host.len + 2 * how->host_asked.len +
		      HEAD_GROWTH_MAX;
	size_t len = write_within(write_request, room, at, how);

	must(h1_parse_request(&again, out, len, 0, &limits_of_the_next) == H1_DONE);
	must(again.length == len && again.start == 0 && again.minor == 1);
	must(span_equals((struct span){out, again.method_len},
			 (struct span){at + head.start, head.method_len}));
	check_path(at);
	must(again.host_len == how->host.len);
	must(memcmp(out + again.host_at, how->host.at, how->host.len) == 0);
	must(again.body == head.body && again.content_length == head.content_length);
	must(again.expects_continue == head.expects_continue);

	if (head.minor == 0)
		names[count++] = "expect";
	if (how->forwarded & FORWARD_FORWARDED)
		names[count++] = "forwarded";
	if (how->forwarded & FORWARD_X_FORWARDED) {
		names[count++] = "x-forwarded-for";
		names[count++] = "x-forwarded-proto";
		names[count++] = "x-forwarded-host";
	}
	check_end_to_end(at, 1, names, count);
	check_hop_is_over(how->upgrade, false);

	read_plainly(&before, at, head.length, head.fields_at);
	read_plainly(&after, out, len, again.fields_at);
	must(after.hosts == 1 && plain_is_authority(after.host));
	must(after.lengths == before.lengths && after.codings == before.codings);
	must(plain_number(after.content_length) == plain_number(before.content_length));
}

static void try_request(const char *at, size_t len)
{
	static const struct span peers[] = {SPAN("192.0.2.7"), SPAN("2001:db8::1")};
	const unsigned all = FORWARD_VIA | FORWARD_X_FORWARDED | FORWARD_FORWARDED;

	if (h1_parse_request(&head, at, len, 0, &limits_of_clients) != H1_DONE ||
	    head.method == H1_CONNECT)		/* which is never passed on */
		return;
	struct span asked = {at + head.host_at, head.host_len};
	if (head.authority_len > 0)
		asked = (struct span){at + head.authority_at, head.authority_len};
	bool may_upgrade = head.connection_upgrade && head_upgrade_may_pass(&head, at);

	for (unsigned forwarded = 0; forwarded <= all; forwarded++) {
		struct head_request how = {
			.host = asked.len > 0 ? asked : SPAN("127.0.0.1:8081"),
			.host_asked = asked, .peer = peers[forwarded % COUNT_OF(peers)],
			.forwarded = forwarded,
		};
		check_request(at, &how);
		how.peer = peers[(forwarded + 1) % COUNT_OF(peers)];
		how.upgrade = may_upgrade;
		check_request(at, &how);
	}
}

/* ---- responses ---- */

/* How a client of this version has to see the end of the body. */
static enum h1_body body_wanted(const struct head_response *how)
{
	if (how->chunked_added)
		return H1_BODY_CHUNKED;
	if (how->coding_dropped && head.body == H1_BODY_CHUNKED)
		return H1_BODY_UNTIL_CLOSE;
	return head.body;
}

static void check_response(const char *at, enum h1_method method,
			   const struct head_response *how)
{
	const char *names[NAMES_MAX];
	size_t count = 0;
	struct plain_head before, after;
	bool no_body = head.status < 200 || head.status == 204;
	size_t room = head.length + (size_t)HEAD_GROWTH_MAX;
	size_t len = write_within(write_response, room, at, how);

	must(h1_parse_response(&again, out, len, 0, method, &limits_of_the_next) ==
	     H1_DONE);
	must(again.length == len && again.minor == 1 && again.status == head.status);
	must(span_equals((struct span){out + 8, again.fields_at - 8u},
			 (struct span){at + 8, head.fields_at - 8u}));
	must(again.body == body_wanted(how));

	if (no_body || how->coding_dropped)
		names[count++] = "transfer-encoding";
	if (how->coding_dropped)
		names[count++] = "trailer";
	if (no_body)
		names[count++] = "content-length";
	check_end_to_end(at, 0, names, count);
	check_hop_is_over(how->upgrade, how->close || how->keep_alive);
	if (head_response_is_plain(&head, how))
		must(len == head.length && memcmp(out + 8, at + 8, len - 8) == 0);

	read_plainly(&before, at, head.length, head.fields_at);
	read_plainly(&after, out, len, again.fields_at);
	must(after.lengths == (no_body ? 0 : before.lengths));
	must(after.codings == (no_body || how->coding_dropped ? 0 : before.codings) +
				      how->chunked_added);
	if (after.lengths == 1)
		must(again.content_length == head.content_length);
}

static void try_response(const char *at, size_t len, enum h1_method method)
{
	if (h1_parse_response(&head, at, len, 0, method, &limits_of_clients) != H1_DONE)
		return;
	if (head.status < 200) {
		check_response(at, method, &(struct head_response){0});
		check_response(at, method, &(struct head_response){.upgrade = true});
		return;
	}
	for (unsigned i = 0; i < 4; i++) {
		bool old_client = (i & 1) != 0, keep = (i & 2) != 0;
		check_response(at, method, &(struct head_response){
			.chunked_added = head.body == H1_BODY_UNTIL_CLOSE && !old_client,
			.coding_dropped = old_client, .close = !keep,
			.keep_alive = keep && old_client,
		});
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *at = (const char *)data;

	try_request(at, size);
	try_response(at, size, H1_GET);
	try_response(at, size, H1_HEAD);
	return 0;
}
