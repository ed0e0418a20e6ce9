/* Chunked bodies: cutting changes nothing; a scan, and a relay that moves payload
 * unseen, end at the same byte; and a plain and strict decoder that sees all bytes at
 * once gets the same payload from whatever is accepted. */
#include <ctype.h>
#include <stdlib.h>

#include "base/must.h"
#include "fuzz.h"
#include "h1_plain.h"
#include "parse/h1.h"

enum { PAYLOAD_MAX = 1 << 20 };

struct outcome {
	enum h1_result result;
	enum h1_fault  fault;
	size_t         taken;
	size_t         payload_len;
};

static char whole_payload[PAYLOAD_MAX], payload[PAYLOAD_MAX];

static struct outcome read_in_pieces(const char *at, size_t len, size_t piece, char *out)
{
	struct h1_chunked c = {0};
	struct outcome o = {.result = H1_MORE};
	struct span data;

	while (o.taken < len && o.result == H1_MORE) {
		size_t now = len - o.taken < piece ? len - o.taken : piece;
		const char *from = at + o.taken;
		size_t taken = h1_chunked_next(&c, from, now, &data, &o.result);
		must(taken <= now && (taken > 0 || o.result != H1_MORE));
		must(data.at >= from && data.at + data.len == from + taken);
		memcpy(out + o.payload_len, data.at, data.len);
		o.payload_len += data.len;
		o.taken += taken;
	}
	must((o.result == H1_BAD) == (c.fault != H1_FAULT_NONE));
	o.fault = c.fault;
	return o;
}

static struct outcome scan_in_pieces(const char *at, size_t len, size_t piece)
{
	struct h1_chunked c = {0};
	struct outcome o = {.result = H1_MORE};

	while (o.taken < len && o.result == H1_MORE) {
		size_t now = len - o.taken < piece ? len - o.taken : piece;
		size_t taken = h1_chunked_scan(&c, at + o.taken, now, &o.result);
		must(taken == now || o.result != H1_MORE);
		o.taken += taken;
	}
	o.fault = c.fault;
	return o;
}

/* Reads lines and moves payload past the parser, as splice does. */
static struct outcome skip_payload(const char *at, size_t len)
{
	struct h1_chunked c = {0};
	struct outcome o = {.result = H1_MORE};

	while (o.taken < len && o.result == H1_MORE) {
		uint64_t left = h1_chunked_payload_left(&c);
		if (left > len - o.taken)
			left = len - o.taken;
		if (left > 0) {
			h1_chunked_skip(&c, left);
			o.taken += (size_t)left;
			o.payload_len += (size_t)left;
			continue;
		}
		o.taken += h1_chunked_scan(&c, at + o.taken, 1, &o.result);
		if (o.result == H1_BAD)
			break;
	}
	o.fault = c.fault;
	return o;
}

static void check_same(struct outcome a, struct outcome b)
{
	must(a.result == b.result && a.fault == b.fault && a.taken == b.taken);
}

/* The size at the start of a line, or -1. */
static long long plain_size(struct plain_text line)
{
	struct plain_text digits = line;
	long long size = 0;

	if (memchr(line.at, ';', line.len) != NULL)
		plain_cut(&line, ';', &digits);
	if (digits.len == 0 || digits.len > 16 || plain_has_control(line))
		return -1;
	for (size_t i = 0; i < digits.len; i++) {
		char digit[2] = {digits.at[i], '\0'};
		if (!isxdigit((unsigned char)digit[0]) || size > (INT64_MAX >> 4))
			return -1;
		size = size * 16 + strtol(digit, NULL, 16);
	}
	return size;
}

static bool plain_trailer_is_harmless(struct plain_text line)
{
	static const char *const harmful[] = {
		"content-length", "transfer-encoding", "host", "connection", "trailer",
		"te", "upgrade", "expect", "authorization", "cookie", "set-cookie",
		"forwarded",
		"x-forwarded-for", "x-forwarded-proto", "x-forwarded-host",
		"content-encoding", "content-type", "content-range",
	};
	struct plain_text name;

	if (!plain_cut(&line, ':', &name) || !plain_is_token(name) ||
	    plain_has_control(line))
		return false;
	for (size_t i = 0; i < COUNT_OF(harmful); i++)
		if (plain_is(name, harmful[i]))
			return false;
	return true;
}

/* Whether [at, at + len) is one whole chunked body, and its payload. */
static bool plain_decode(const char *at, size_t len, char *out, size_t *out_len)
{
	struct plain_text rest = {at, len}, line;
	long long size;

	*out_len = 0;
	do {
		if (!plain_line(&rest, &line) || (size = plain_size(line)) < 0)
			return false;
		if (size == 0)
			break;
		if ((unsigned long long)size + 2 > rest.len ||
		    memcmp(rest.at + size, "\r\n", 2) != 0)
			return false;
		memcpy(out + *out_len, rest.at, (size_t)size);
		*out_len += (size_t)size;
		rest.at += size + 2;
		rest.len -= (size_t)size + 2;
	} while (size > 0);

	while (plain_line(&rest, &line)) {
		if (line.len == 0)
			return rest.len == 0;
		if (!plain_trailer_is_harmless(line))
			return false;
	}
	return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const size_t pieces[] = {1, 3, 7};
	const char *at = (const char *)data;
	size_t plain_len;

	if (size == 0 || size > PAYLOAD_MAX)
		return 0;
	struct outcome whole = read_in_pieces(at, size, size, whole_payload);
	for (size_t i = 0; i < COUNT_OF(pieces); i++) {
		struct outcome cut = read_in_pieces(at, size, pieces[i], payload);
		check_same(cut, whole);
		must(cut.payload_len == whole.payload_len);
		must(memcmp(payload, whole_payload, whole.payload_len) == 0);
		check_same(scan_in_pieces(at, size, pieces[i]), whole);
	}
	check_same(scan_in_pieces(at, size, size), whole);
	check_same(skip_payload(at, size), whole);
	if (whole.result == H1_DONE) {
		must(plain_decode(at, whole.taken, payload, &plain_len));
		must(plain_len == whole.payload_len);
		must(memcmp(payload, whole_payload, plain_len) == 0);
	}
	return 0;
}
