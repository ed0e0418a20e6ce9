#include "observe/access_format.h"

#include <string.h>
#include <time.h>

#include "base/json_text.h"
#include "base/must.h"
#include "base/plain.h"

static const char hex_digits[] = "0123456789ABCDEF";

/* Each of these writes at `at` and returns where it ended. */
static char *put_span(char *at, struct span s)
{
	if (s.len > 0)
		memcpy(at, s.at, s.len);
	return at + s.len;
}

#define PUT(at, literal) put_span(at, SPAN(literal))

static char *put_hex(char *at, unsigned char byte)
{
	*at++ = hex_digits[byte >> 4];
	*at++ = hex_digits[byte & 15];
	return at;
}

static char *put_number(char *at, uint64_t n)
{
	char digits[20];
	size_t len = 0;

	do {
		digits[sizeof digits - ++len] = (char)('0' + n % 10);
		n /= 10;
	} while (n > 0);
	return put_span(at, (struct span){digits + sizeof digits - len, len});
}

/* The last `width` digits, zeros in front. */
static char *put_padded(char *at, uint64_t n, int width)
{
	for (int i = width - 1; i >= 0; i--) {
		at[i] = (char)('0' + n % 10);
		n /= 10;
	}
	return at + width;
}

static char *put_seconds(char *at, uint64_t us)
{
	at = put_number(at, us / 1000000);
	*at++ = '.';
	return put_padded(at, us % 1000000, 6);
}

/* ---- time ---- */

/* strftime would follow the locale. */
static void clock_set(struct access_clock *clock, uint64_t second)
{
	static const char months[12][4] = {
		"Jan", "Feb", "Mar", "Apr", "May", "Jun",
		"Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
	};
	time_t when = (time_t)second;
	struct tm utc = {0};

	gmtime_r(&when, &utc);
	const uint64_t year = (uint64_t)utc.tm_year + 1900, month = (uint64_t)utc.tm_mon + 1,
		       day = (uint64_t)utc.tm_mday, hour = (uint64_t)utc.tm_hour,
		       minute = (uint64_t)utc.tm_min, left = (uint64_t)utc.tm_sec;
	memcpy(clock->combined, "dd/Mon/yyyy:hh:mm:ss +0000", sizeof clock->combined);
	put_padded(clock->combined, day, 2);
	memcpy(clock->combined + 3, months[utc.tm_mon], 3);
	put_padded(clock->combined + 7, year, 4);
	put_padded(clock->combined + 12, hour, 2);
	put_padded(clock->combined + 15, minute, 2);
	put_padded(clock->combined + 18, left, 2);

	memcpy(clock->json, "yyyy-mm-ddThh:mm:ss", sizeof clock->json);
	put_padded(clock->json, year, 4);
	put_padded(clock->json + 5, month, 2);
	put_padded(clock->json + 8, day, 2);
	put_padded(clock->json + 11, hour, 2);
	put_padded(clock->json + 14, minute, 2);
	put_padded(clock->json + 17, left, 2);
	clock->second = second;
}

static void clock_follow(struct access_clock *clock, uint64_t second)
{
	if (clock->second != second || clock->json[0] == '\0')
		clock_set(clock, second);
}

static char *put_iso_time(char *at, const struct record *r, const struct access_clock *clock)
{
	at = put_span(at, (struct span){clock->json, sizeof clock->json - 1});
	*at++ = '.';
	at = put_padded(at, r->wall_us / 1000 % 1000, 3);
	*at++ = 'Z';
	return at;
}

/* ---- combined ---- */

static char *put_escaped(char *at, struct span text, enum plain_from from)
{
	if (text.len == 0)
		return PUT(at, "-");
	for (size_t done = 0;;) {
		struct span rest = {text.at + done, text.len - done};
		size_t plain = plain_copy(at, rest, from);
		at += plain;
		done += plain;
		if (done == text.len)
			return at;
		at = put_hex(PUT(at, "\\x"), (unsigned char)text.at[done++]);
	}
}

static char *put_request_line(char *at, const struct record *r,
			      const struct span texts[RECORD_TEXTS])
{
	if (texts[RECORD_METHOD].len == 0)
		return PUT(at, "-");
	at = put_escaped(at, texts[RECORD_METHOD], PLAIN_FROM_SPACE);
	*at++ = ' ';
	at = put_escaped(at, texts[RECORD_TARGET], PLAIN_FROM_SPACE);
	return put_number(PUT(at, " HTTP/1."), r->minor);
}

static char *put_combined(char *at, const struct record *r,
			  const struct span texts[RECORD_TEXTS],
			  const struct access_clock *clock)
{
	at = put_escaped(at, texts[RECORD_PEER], PLAIN_FROM_SEEN);
	at = PUT(at, " - - [");
	at = put_span(at, (struct span){clock->combined, sizeof clock->combined - 1});
	at = PUT(at, "] \"");
	at = put_request_line(at, r, texts);
	at = PUT(at, "\" ");
	at = r->status > 0 ? put_number(at, r->status) : PUT(at, "-");
	*at++ = ' ';
	at = put_number(at, r->bytes_out);
	at = PUT(at, " \"");
	at = put_escaped(at, texts[RECORD_REFERER], PLAIN_FROM_SPACE);
	at = PUT(at, "\" \"");
	at = put_escaped(at, texts[RECORD_USER_AGENT], PLAIN_FROM_SPACE);
	return PUT(at, "\"\n");
}

/* ---- JSON ---- */

static char *put_string(char *at, struct span text)
{
	return text.len > 0 ? json_text_put(at, text) : PUT(at, "null");
}

static char *put_json(char *at, const struct record *r,
		      const struct span texts[RECORD_TEXTS],
		      const struct access_clock *clock)
{
	at = put_iso_time(PUT(at, "{\"time\":\""), r, clock);
	at = put_string(PUT(at, "\",\"peer\":"), texts[RECORD_PEER]);
	at = put_string(PUT(at, ",\"method\":"), texts[RECORD_METHOD]);
	at = put_string(PUT(at, ",\"target\":"), texts[RECORD_TARGET]);
	at = put_string(PUT(at, ",\"host\":"), texts[RECORD_HOST]);
	at = PUT(at, ",\"status\":");
	at = r->status > 0 ? put_number(at, r->status) : PUT(at, "null");
	at = put_number(PUT(at, ",\"bytes\":"), r->bytes_out);
	at = put_seconds(PUT(at, ",\"seconds\":"), r->total_us);
	at = PUT(at, ",\"server_seconds\":");
	at = r->server_us > 0 ? put_seconds(at, r->server_us) : PUT(at, "null");
	at = put_string(PUT(at, ",\"pool\":"), texts[RECORD_POOL]);
	at = put_string(PUT(at, ",\"server\":"), texts[RECORD_SERVER]);
	at = put_number(PUT(at, ",\"tries\":"), r->tries);
	at = PUT(at, ",\"request_id\":");
	at = r->request_id > 0 ? put_number(at, r->request_id) : PUT(at, "null");
	at = put_string(PUT(at, ",\"trace_id\":"), texts[RECORD_TRACE]);
	at = put_string(PUT(at, ",\"referer\":"), texts[RECORD_REFERER]);
	at = put_string(PUT(at, ",\"user_agent\":"), texts[RECORD_USER_AGENT]);
	at = PUT(at, ",\"http\":");
	if (texts[RECORD_METHOD].len > 0) {
		at = put_number(PUT(at, "\"1."), r->minor);
		*at++ = '"';
	} else {
		at = PUT(at, "null");
	}
	return PUT(at, "}\n");
}

/* ---- a form of its own ---- */

static char *put_ms(char *at, uint64_t us)
{
	at = put_number(at, us / 1000);
	*at++ = '.';
	return put_padded(at, us % 1000, 3);
}

static char *put_number_or_dash(char *at, uint64_t n)
{
	return n > 0 ? put_number(at, n) : PUT(at, "-");
}

static const uint8_t text_of_field[ACCESS_FIELDS] = {
	[ACCESS_PEER] = RECORD_PEER, [ACCESS_METHOD] = RECORD_METHOD,
	[ACCESS_TARGET] = RECORD_TARGET, [ACCESS_HOST] = RECORD_HOST,
	[ACCESS_POOL] = RECORD_POOL, [ACCESS_SERVER] = RECORD_SERVER,
	[ACCESS_TRACE_ID] = RECORD_TRACE, [ACCESS_REFERER] = RECORD_REFERER,
	[ACCESS_USER_AGENT] = RECORD_USER_AGENT, [ACCESS_HEADER] = RECORD_HEADER,
};

static char *put_item(char *at, const struct access_item *item, const struct record *r,
		      const struct span texts[RECORD_TEXTS], const struct access_clock *clock)
{
	switch ((enum access_field)item->field) {
	case ACCESS_TIME:
		return put_iso_time(at, r, clock);
	case ACCESS_DATE:
		return put_span(at, (struct span){clock->combined,
						  sizeof clock->combined - 1});
	case ACCESS_HTTP:
		if (texts[RECORD_METHOD].len == 0)
			return PUT(at, "-");
		return put_number(PUT(at, "1."), r->minor);
	case ACCESS_STATUS:
		return put_number_or_dash(at, r->status);
	case ACCESS_BYTES:
		return put_number(at, r->bytes_out);
	case ACCESS_TIME_MS:
		return put_ms(at, r->total_us);
	case ACCESS_SERVER_MS:
		return r->server_us > 0 ? put_ms(at, r->server_us) : PUT(at, "-");
	case ACCESS_TRIES:
		return put_number(at, r->tries);
	case ACCESS_REQUEST_ID:
		return put_number_or_dash(at, r->request_id);
	case ACCESS_PEER:
	case ACCESS_METHOD:
	case ACCESS_TARGET:
	case ACCESS_HOST:
	case ACCESS_POOL:
	case ACCESS_SERVER:
	case ACCESS_TRACE_ID:
	case ACCESS_REFERER:
	case ACCESS_USER_AGENT:
	case ACCESS_HEADER:
		return put_escaped(at, texts[text_of_field[item->field] + item->header],
				   item->quoted ? PLAIN_FROM_SPACE : PLAIN_FROM_SEEN);
	case ACCESS_LITERAL:
	case ACCESS_FIELDS:
		break;
	}
	must(false);
	return at;
}

/* The names of a record's headers are those of the form that it was noted by. */
static char *put_own(char *at, const struct access_form *form, const struct record *r,
		     const struct span texts[RECORD_TEXTS], const struct access_clock *clock)
{
	for (uint32_t i = 0; i < form->item_count; i++) {
		const struct access_item *item = &form->items[i];
		if (item->field == ACCESS_LITERAL)
			at = put_span(at, (struct span){form->literals + item->at, item->len});
		else if (item->field == ACCESS_HEADER && r->form_stamp != form->stamp)
			at = PUT(at, "-");
		else
			at = put_item(at, item, r, texts, clock);
	}
	*at++ = '\n';
	return at;
}

size_t access_format_write(char *out, const struct access_way *way, const struct record *r,
			   const struct span texts[RECORD_TEXTS],
			   struct access_clock *clock)
{
	char *end = out;

	clock_follow(clock, r->wall_us / 1000000);
	switch (way->format) {
	case ACCESS_OFF:
		break;
	case ACCESS_COMBINED:
		end = put_combined(out, r, texts, clock);
		break;
	case ACCESS_JSON:
		end = put_json(out, r, texts, clock);
		break;
	case ACCESS_OWN:
		end = put_own(out, way->form, r, texts, clock);
		break;
	}
	return (size_t)(end - out);
}
