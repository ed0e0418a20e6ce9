/* Goal: of any head, what is end to end arrives in order, byte for byte, and with the
 * same meaning; nothing of one connection does. */
#include "head_cases.h"

#include "base/hash.h"

/* What was written, read by the next one. */
static struct h1_head again;

enum {
	HEADS = 3000,
	FIELDS_MAX = 10,
	LINES_MAX = 2 * FIELDS_MAX + 2,		/* with Connection, Host, framing */
	TEXT_MAX = 4096, NAME_SIZE = 24, VALUE_SIZE = 64,
};

/* What becomes of a field, by its name. */
enum fate {
	STAYS,			/* unless Connection names it */
	STAYS_ALWAYS,
	DROPPED,
	BODY,			/* framing: stays where there may be a body */
};

struct kind {
	const char *name;
	enum fate   fate;
	unsigned    replaced_by;	/* dropped with this of enum forwarded_headers */
};

static const struct kind kinds[] = {
	{"Accept", STAYS, 0}, {"X-One", STAYS, 0}, {"X-One-Two", STAYS, 0},
	{"Cookie", STAYS, 0}, {"User-Agent", STAYS, 0}, {"Date", STAYS, 0},
	{"Hostess", STAYS, 0}, {"T", STAYS, 0}, {"Trailer", STAYS, 0},
	{"TE", DROPPED, 0}, {"Keep-Alive", DROPPED, 0}, {"Upgrade", DROPPED, 0},
	{"Proxy-Connection", DROPPED, 0}, {"HTTP2-Settings", DROPPED, 0},
	{"Via", STAYS_ALWAYS, 0}, {"X-Request-Id", STAYS_ALWAYS, 0},
	{"Forwarded", STAYS_ALWAYS, FORWARD_FORWARDED},
	{"X-Forwarded-For", STAYS_ALWAYS, FORWARD_X_FORWARDED},
	{"X-Forwarded-Proto", STAYS_ALWAYS, FORWARD_X_FORWARDED},
	{"X-Forwarded-Host", STAYS_ALWAYS, FORWARD_X_FORWARDED},
};

struct line {
	char  text[128];
	char  value[VALUE_SIZE];
	const struct kind *kind;	/* NULL: Host or Connection, never passed on */
};

struct text {
	char   at[TEXT_MAX];
	size_t len;
};

/* A head as a client or a server might write it, and what has been decided on the way. */
struct sample {
	uint64_t random;
	struct line lines[LINES_MAX];
	unsigned count;
	uint32_t named;			/* bit per kind that Connection names */
	struct text text;		/* of the whole head */
};

static const struct kind length_kind = {"Content-Length", BODY, 0};
static const struct kind coding_kind = {"Transfer-Encoding", BODY, 0};

static uint64_t dice(struct sample *s, unsigned sides)
{
	s->random += UINT64_C(0x9e3779b97f4a7c15);
	return hash_mix(s->random) % sides;
}

__attribute__((format(printf, 2, 3)))
static void add(struct text *t, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	int len = vsnprintf(t->at + t->len, sizeof t->at - t->len, format, arguments);
	va_end(arguments);
	assert_true(len >= 0 && (size_t)len < sizeof t->at - t->len);
	t->len += (size_t)len;
}

/* A name in any case. */
static void spell(struct sample *s, char out[NAME_SIZE], const char *name)
{
	size_t len = strlen(name);

	assert_true(len < NAME_SIZE);
	for (size_t i = 0; i <= len; i++)
		out[i] = dice(s, 3) == 0 ? span_lower(name[i]) : name[i];
}

static void add_line(struct sample *s, const struct kind *kind, const char *name,
		     const char *value)
{
	static const char *const before[] = {" ", "", "\t ", "  "};
	static const char *const after[] = {"", "", " ", "\t\t"};
	struct line *l = &s->lines[s->count++];
	char spelled[NAME_SIZE];

	assert_true(s->count <= LINES_MAX);
	spell(s, spelled, name);
	l->kind = kind;
	snprintf(l->value, sizeof l->value, "%s", value);
	snprintf(l->text, sizeof l->text, "%s:%s%s%s\r\n", spelled, before[dice(s, 4)],
		 value, after[dice(s, 4)]);
}

/* The name of a kind, which is noted, or something else that may stand there. */
static void draw_option(struct sample *s, char spelled[NAME_SIZE])
{
	static const char *const others[] = {
		"close", "keep-alive", "X", "", "Content-Length",
	};
	uint64_t k = dice(s, COUNT_OF(kinds));

	if (dice(s, 2) == 0) {
		spell(s, spelled, others[dice(s, COUNT_OF(others))]);
		return;
	}
	s->named |= 1u << k;
	spell(s, spelled, kinds[k].name);
}

static void add_connection(struct sample *s)
{
	char one[NAME_SIZE], other[NAME_SIZE], value[VALUE_SIZE];

	draw_option(s, one);
	draw_option(s, other);
	snprintf(value, sizeof value, "%s ,%s", one, other);
	add_line(s, NULL, "Connection", value);
}

/* Random fields; among them Host, if there is to be one, and at times what says where
 * the body ends. */
static void draw_lines(struct sample *s, const char *host)
{
	static const char *const values[] = {
		"", "a", "b, c", "\"d;e\"", "\xe9 \t x", "for=\"[::1]\"",
	};
	const unsigned fields = 1 + (unsigned)dice(s, FIELDS_MAX);
	const uint64_t host_at = dice(s, fields), framing_at = dice(s, 3 * fields);

	for (unsigned i = 0; i < fields; i++) {
		const struct kind *kind = &kinds[dice(s, COUNT_OF(kinds))];
		if (host != NULL && i == host_at)
			add_line(s, NULL, "Host", host);
		if (i == framing_at && dice(s, 2) == 0)
			add_line(s, &length_kind, "Content-Length", "5");
		else if (i == framing_at)
			add_line(s, &coding_kind, "Transfer-Encoding", "chunked");
		if (dice(s, 8) == 0)
			add_connection(s);
		add_line(s, kind, kind->name, values[dice(s, COUNT_OF(values))]);
	}
}

static void put_lines_together(struct sample *s, const char *first_line)
{
	add(&s->text, "%s", first_line);
	for (unsigned i = 0; i < s->count; i++)
		add(&s->text, "%s", s->lines[i].text);
	add(&s->text, "\r\n");
}

static bool is_named(const struct sample *s, const struct kind *kind)
{
	return kind >= kinds && kind < kinds + COUNT_OF(kinds) &&
	       (s->named >> (kind - kinds) & 1) != 0;
}

static bool stays(const struct sample *s, const struct kind *kind, unsigned replaced)
{
	if (kind == NULL || (kind->replaced_by & replaced) != 0)
		return false;
	switch (kind->fate) {
	case STAYS:
		return !is_named(s, kind);
	case STAYS_ALWAYS:
	case BODY:
		return true;
	case DROPPED:
		return false;
	}
	return false;
}

/* All values of a field, each followed by a comma. */
static void add_list(struct text *want, const struct sample *s, const char *name)
{
	for (unsigned i = 0; i < s->count; i++) {
		const struct line *l = &s->lines[i];
		if (l->kind != NULL && strcmp(l->kind->name, name) == 0 &&
		    l->value[0] != '\0')
			add(want, "%s, ", l->value);
	}
}

static const char *first_value(const struct sample *s, const char *name)
{
	for (unsigned i = 0; i < s->count; i++)
		if (s->lines[i].kind != NULL && strcmp(s->lines[i].kind->name, name) == 0)
			return s->lines[i].value;
	return NULL;
}

static void add_upgrade(struct text *want, const struct sample *s)
{
	const char *value = first_value(s, "Upgrade");

	add(want, "Connection: upgrade\r\n");
	if (value != NULL)
		add(want, "Upgrade: %s\r\n", value);
}

static void expect_request(struct text *want, const struct sample *s,
			   const struct head_request *how, const char *peer)
{
	add(want, "PUT /p?q HTTP/1.1\r\nHost: h:1\r\n");
	for (unsigned i = 0; i < s->count; i++)
		if (stays(s, s->lines[i].kind, how->forwarded))
			add(want, "%s", s->lines[i].text);
	if (how->upgrade)
		add_upgrade(want, s);
	if (how->forwarded & FORWARD_X_FORWARDED) {
		add(want, "X-Forwarded-For: ");
		add_list(want, s, "X-Forwarded-For");
		add(want, "%s\r\n", peer);
		add(want, "X-Forwarded-Proto: http\r\nX-Forwarded-Host: b\r\n");
	}
	if (how->forwarded & FORWARD_FORWARDED) {
		add(want, "Forwarded: ");
		add_list(want, s, "Forwarded");
		add(want, "for=%s;host=\"b\";proto=http\r\n", peer);
	}
	if (how->forwarded & FORWARD_VIA)
		add(want, "Via: 1.1 balancerd\r\n");
	add(want, "\r\n");
}

/* Nothing of one connection is left, and where the body ends is said as before. */
static void check_hop_is_over(const struct text *written, bool upgrade)
{
	const uint32_t hop = 1u << H1_NAME_TE | 1u << H1_NAME_KEEP_ALIVE |
			     1u << H1_NAME_PROXY_CONNECTION |
			     1u << H1_NAME_HTTP2_SETTINGS;

	assert_int_equal(again.length, written->len);
	assert_int_equal(again.seen & hop, 0);
	assert_int_equal(again.minor, 1);
	if (!upgrade)
		assert_int_equal(again.seen & 1u << H1_NAME_UPGRADE, 0);
}

static void random_requests_pass_on_what_is_end_to_end(void **unused)
{
	(void)unused;
	for (uint64_t run = 0; run < HEADS; run++) {
		static struct sample s;
		struct text want = {.len = 0};
		s = (struct sample){.random = run};
		draw_lines(&s, "b");
		put_lines_together(&s, "PUT /p?q HTTP/1.1\r\n");
		struct head_request how = {
			.host = SPAN("h:1"), .host_asked = SPAN("b"),
			.peer = SPAN("1.2.3.4"),
			.forwarded = (unsigned)dice(&s, 8), .upgrade = dice(&s, 8) == 0,
		};
		expect_request(&want, &s, &how, "1.2.3.4");
		read_request(s.text.at);
		assert_true(want.len <= request_room(&how));
		check_room(write_request, want.len, s.text.at, &how,
			   (struct span){want.at, want.len});
		check_room(write_request, dice(&s, (unsigned)want.len), s.text.at, &how,
			   (struct span){want.at, want.len});

		assert_int_equal(h1_parse_request(&again, want.at, want.len, 0, &limits),
				 H1_DONE);
		check_hop_is_over(&want, how.upgrade);
		assert_int_equal(again.method, H1_PUT);
		assert_int_equal(again.body, head.body);
		assert_int_equal(again.content_length, head.content_length);
		assert_int_equal(again.keep_alive, true);
	}
}

/* What choose_framing in http_response.c may ask for. */
static struct head_response some_response(struct sample *s)
{
	bool old_client = dice(s, 4) == 0, keep = dice(s, 2) == 0;

	return (struct head_response){
		.chunked_added = head.body == H1_BODY_UNTIL_CLOSE && !old_client,
		.coding_dropped = old_client, .close = !keep,
		.keep_alive = keep && old_client, .upgrade = head.status == 101,
	};
}

static void expect_response(struct text *want, const struct sample *s,
			    const struct head_response *how)
{
	bool no_body = head.status < 200 || head.status == 204;

	add(want, "HTTP/1.1 %d R\r\n", head.status);
	for (unsigned i = 0; i < s->count; i++) {
		const struct kind *kind = s->lines[i].kind;
		if (!stays(s, kind, 0) || (kind->fate == BODY && no_body))
			continue;
		if (how->coding_dropped && (kind == &coding_kind ||
					    strcmp(kind->name, "Trailer") == 0))
			continue;
		add(want, "%s", s->lines[i].text);
	}
	if (how->chunked_added)
		add(want, "Transfer-Encoding: chunked\r\n");
	if (how->upgrade)
		add_upgrade(want, s);
	else if (how->close)
		add(want, "Connection: close\r\n");
	else if (how->keep_alive)
		add(want, "Connection: keep-alive\r\n");
	add(want, "\r\n");
}

static enum h1_body body_wanted(const struct head_response *how)
{
	if (how->chunked_added)
		return H1_BODY_CHUNKED;
	if (how->coding_dropped && head.body == H1_BODY_CHUNKED)
		return H1_BODY_UNTIL_CLOSE;
	return head.body;
}

static void random_responses_pass_on_what_is_end_to_end(void **unused)
{
	static const int statuses[] = {100, 101, 103, 200, 200, 200, 204, 304, 404, 502};
	static const enum h1_method methods[] = {H1_GET, H1_HEAD};

	(void)unused;
	for (uint64_t run = 0; run < HEADS; run++) {
		static struct sample s;
		struct text want = {.len = 0};
		char first_line[32];
		s = (struct sample){.random = ~run};
		draw_lines(&s, NULL);
		snprintf(first_line, sizeof first_line, "HTTP/1.1 %d R\r\n",
			 statuses[dice(&s, COUNT_OF(statuses))]);
		put_lines_together(&s, first_line);
		enum h1_method method = methods[run % 2];
		read_response(s.text.at, method);
		struct head_response how = some_response(&s);
		expect_response(&want, &s, &how);
		assert_true(want.len <= head.length + (size_t)HEAD_GROWTH_MAX);
		check_room(write_response, want.len, s.text.at, &how,
			   (struct span){want.at, want.len});
		check_room(write_response, dice(&s, (unsigned)want.len), s.text.at, &how,
			   (struct span){want.at, want.len});
		check_plain(s.text.at, &how, (struct span){want.at, want.len});

		assert_int_equal(h1_parse_response(&again, want.at, want.len, 0, method,
						   &limits), H1_DONE);
		check_hop_is_over(&want, how.upgrade);
		assert_int_equal(again.status, head.status);
		assert_int_equal(again.body, body_wanted(&how));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_requests_pass_on_what_is_end_to_end),
		cmocka_unit_test(random_responses_pass_on_what_is_end_to_end),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
