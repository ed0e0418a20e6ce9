/* Goal: a PROXY header says one thing or is refused, however it was cut, and what is
 * written is read as the same. */
#include "parse/proxy.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/address.h"
#include "base/must.h"

#define TEXT(literal) "" literal, sizeof(literal) - 1
#define SIGNATURE "\r\n\r\n\0\r\nQUIT\n"

/* Hands over `piece` bytes more each time, from memory that ends with the last one, until
 * the parser has made up its mind. The TLVs are borrowed from `at`. */
static enum proxy_result read_in_pieces(struct proxy_header *h, const char *at, size_t len,
					size_t piece)
{
	enum proxy_result result = PROXY_MORE;

	for (size_t now = 0; result == PROXY_MORE && now < len; ) {
		now = len - now < piece ? len : now + piece;
		char *copy = malloc(now);
		assert_non_null(copy);
		memcpy(copy, at, now);
		result = proxy_parse(h, copy, now);
		if (h->tlvs.at != NULL)
			h->tlvs.at = at + (h->tlvs.at - copy);
		free(copy);
	}
	return result;
}

static enum proxy_result read_all_ways(struct proxy_header *h, const char *at, size_t len)
{
	static const size_t pieces[] = {1, 2, 3, 7, 16, 61};
	enum proxy_result result = read_in_pieces(h, at, len, len);

	for (size_t i = 0; i < COUNT_OF(pieces); i++) {
		struct proxy_header cut;
		assert_int_equal(read_in_pieces(&cut, at, len, pieces[i]), result);
		assert_memory_equal(&cut, h, sizeof cut);
	}
	return result;
}

static void refused(const char *at, size_t len, enum proxy_fault fault)
{
	struct proxy_header h;

	if (read_all_ways(&h, at, len) != PROXY_BAD || h.fault != fault)
		fail_msg("%s instead of %s", proxy_fault_text(h.fault), proxy_fault_text(fault));
}

/* Reads a header with three bytes of the client behind it. */
static struct proxy_header accepted(const char *at, size_t len)
{
	struct proxy_header h;
	char *more = malloc(len + 3);

	assert_non_null(more);
	memcpy(more, at, len);
	memcpy(more + len, "GET", 3);
	if (read_all_ways(&h, more, len + 3) != PROXY_DONE)
		fail_msg("%s: %.*s", proxy_fault_text(h.fault), (int)len, at);
	assert_int_equal(h.length, len);
	if (h.tlvs.at != NULL)
		h.tlvs.at = at + (h.tlvs.at - more);
	free(more);
	return h;
}

static void assert_is(const union proxy_address *a, const char *text)
{
	struct address formed = {0};

	memcpy(&formed.un, a, sizeof formed.un);
	address_format(&formed);
	assert_string_equal(formed.text, text);
}

static const struct sockaddr *address(const char *text)
{
	static struct address kept[4];
	static unsigned next;
	struct address *a = &kept[next++ % COUNT_OF(kept)];
	struct err err;

	assert_int_equal(address_parse(a, text, "127.0.0.1", &err), 0);
	return &a->any;
}

/* ---- version 1 ---- */

static void a_line_names_both_ends(void **unused)
{
	struct proxy_header h;

	(void)unused;
	h = accepted(TEXT("PROXY TCP4 192.0.2.1 198.51.100.7 56324 443\r\n"));
	assert_int_equal(h.version, 1);
	assert_true(h.named && !h.local);
	assert_is(&h.source, "192.0.2.1:56324");
	assert_is(&h.destination, "198.51.100.7:443");

	h = accepted(TEXT("PROXY TCP4 255.255.255.255 0.0.0.0 65535 0\r\n"));
	assert_is(&h.source, "255.255.255.255:65535");
	assert_is(&h.destination, "0.0.0.0:0");

	h = accepted(TEXT("PROXY TCP6 2001:db8::1 "
			  "fedc:ba98:7654:3210:FEDC:BA98:7654:3210 1 2\r\n"));
	assert_is(&h.source, "[2001:db8::1]:1");
	assert_is(&h.destination, "[fedc:ba98:7654:3210:fedc:ba98:7654:3210]:2");
}

static void an_unknown_line_names_nobody(void **unused)
{
	(void)unused;
	assert_false(accepted(TEXT("PROXY UNKNOWN\r\n")).named);
	assert_false(accepted(TEXT("PROXY UNKNOWN \r\n")).named);
	assert_false(accepted(TEXT("PROXY UNKNOWN a\nb\rc  d\r\n")).named);
	/* The longest there is: 107 bytes. */
	assert_false(accepted(TEXT(
		"PROXY UNKNOWN ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff "
		"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n")).named);
}

static void malformed_lines_are_refused(void **unused)
{
	static const char *const lines[] = {
		"PROXY \r\n", "PROXY TCP4\r\n", "PROXY TCP5 1.2.3.4 1.2.3.4 1 2\r\n",
		"PROXY tcp4 1.2.3.4 1.2.3.4 1 2\r\n", "PROXY UNKNOWNS\r\n",
		"PROXY  TCP4 1.2.3.4 1.2.3.4 1 2\r\n", "PROXY TCP4  1.2.3.4 1.2.3.4 1 2\r\n",
		"PROXY TCP4 1.2.3.4 1.2.3.4 1\r\n", "PROXY TCP4 1.2.3.4 1.2.3.4 1 2 \r\n",
		"PROXY TCP4 1.2.3.4 1.2.3.4 1 2 3\r\n", "PROXY TCP4 1.2.3 1.2.3.4 1 2\r\n",
		"PROXY TCP4 1.2.3.4.5 1.2.3.4 1 2\r\n", "PROXY TCP4 1.2.3.256 1.2.3.4 1 2\r\n",
		"PROXY TCP4 01.2.3.4 1.2.3.4 1 2\r\n", "PROXY TCP4 1.2.3.4 1.2.3.00 1 2\r\n",
		"PROXY TCP4 0x1.2.3.4 1.2.3.4 1 2\r\n", "PROXY TCP4 ::1 1.2.3.4 1 2\r\n",
		"PROXY TCP4 1.2.3.4 1.2.3.4 01 2\r\n", "PROXY TCP4 1.2.3.4 1.2.3.4 1 00\r\n",
		"PROXY TCP4 1.2.3.4 1.2.3.4 65536 2\r\n", "PROXY TCP4 1.2.3.4 1.2.3.4 1 -2\r\n",
		"PROXY TCP4 1.2.3.4 1.2.3.4 1 +2\r\n", "PROXY TCP4 1.2.3.4 1.2.3.4\t1 2\r\n",
		"PROXY TCP6 1.2.3.4 1.2.3.4 1 2\r\n", "PROXY TCP6 ::1 1.2.3.4 1 2\r\n",
		"PROXY TCP6 [::1] ::1 1 2\r\n", "PROXY TCP6 ::1%lo ::1 1 2\r\n",
		"PROXY TCP6 1::2::3 ::1 1 2\r\n", "PROXY TCP4 1.2.3.4\n1.2.3.4 1 2\r\n",
	};

	(void)unused;
	for (size_t i = 0; i < COUNT_OF(lines); i++)
		refused(lines[i], strlen(lines[i]), PROXY_FAULT_LINE);
	refused(TEXT("PROXY TCP4 1.2.3.4\0 1.2.3.4 1 2\r\n"), PROXY_FAULT_LINE);
}

static void a_line_ends_within_107_bytes(void **unused)
{
	struct proxy_header h;
	char line[200];

	(void)unused;
	memset(line, 'x', sizeof line);
	memcpy(line, "PROXY UNKNOWN ", 14);
	assert_int_equal(proxy_parse(&h, line, PROXY_V1_MAX - 1), PROXY_MORE);
	refused(line, PROXY_V1_MAX, PROXY_FAULT_LINE_LONG);
	memcpy(line + PROXY_V1_MAX - 1, "\r\n", 2);
	refused(line, PROXY_V1_MAX + 1, PROXY_FAULT_LINE_LONG);
	memcpy(line + PROXY_V1_MAX - 2, "\r\n", 2);
	accepted(line, PROXY_V1_MAX);
}

static void what_is_no_header_is_refused_at_its_first_wrong_byte(void **unused)
{
	(void)unused;
	refused(TEXT("GET / HTTP/1.1\r\n"), PROXY_FAULT_MISSING);
	refused(TEXT("PO"), PROXY_FAULT_MISSING);
	refused(TEXT("PROXY\r\n"), PROXY_FAULT_MISSING);
	refused(TEXT("\r\n\r\n\r"), PROXY_FAULT_MISSING);
	refused(TEXT("\0"), PROXY_FAULT_MISSING);
	refused(TEXT("\x16\x03\x01"), PROXY_FAULT_MISSING);
	refused(TEXT("proxy"), PROXY_FAULT_MISSING);
}

/* ---- version 2 ---- */

static void a_block_names_both_ends(void **unused)
{
	struct proxy_header h;

	(void)unused;
	h = accepted(TEXT(SIGNATURE "\x21\x11\0\x0c"
			  "\xc0\0\2\1" "\xc6\x33\x64\7" "\xdc\4" "\1\xbb"));
	assert_int_equal(h.version, 2);
	assert_true(h.named && !h.local && h.tlvs.len == 0);
	assert_is(&h.source, "192.0.2.1:56324");
	assert_is(&h.destination, "198.51.100.7:443");

	h = accepted(TEXT(SIGNATURE "\x21\x22\0\x24"
			  "\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1"
			  "\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\2" "\0\1" "\xff\xff"));
	assert_is(&h.source, "[2001:db8::1]:1");
	assert_is(&h.destination, "[2001:db8::2]:65535");
}

static void unix_paths_may_fill_their_field(void **unused)
{
	char header[16 + 216] = SIGNATURE "\x21\x31\0\xd8/run/a";
	struct proxy_header h;

	(void)unused;
	memset(header + 16 + 108, 'x', 108);
	h = accepted(header, sizeof header);
	assert_true(h.named);
	assert_int_equal(h.source.any.sa_family, AF_UNIX);
	assert_string_equal(h.source.un.sun_path, "/run/a");
	assert_memory_equal(h.destination.un.sun_path, header + 16 + 108, 108);
}

static void local_and_unspecified_name_nobody(void **unused)
{
	struct proxy_header h;

	(void)unused;
	h = accepted(TEXT(SIGNATURE "\x20\0\0\0"));
	assert_true(h.local && !h.named);
	/* What a LOCAL one says beyond that is nobody's business. */
	h = accepted(TEXT(SIGNATURE "\x20\xff\0\3\1\2\3"));
	assert_true(h.local && !h.named && h.tlvs.len == 0);
	h = accepted(TEXT(SIGNATURE "\x21\0\0\4\5\0\1x"));
	assert_true(!h.local && !h.named && h.tlvs.len == 4);
	h = accepted(TEXT(SIGNATURE "\x21\0\0\3\xff\xff\xff"));
	assert_true(!h.named && h.tlvs.len == 0);
	h = accepted(TEXT(SIGNATURE "\x21\1\0\0"));
	assert_false(h.named);
	h = accepted(TEXT(SIGNATURE "\x21\x10\0\x0f" "abcdefghijkl" "\1\0\0"));
	assert_true(!h.named && h.tlvs.len == 3);
}

static void malformed_blocks_are_refused(void **unused)
{
	(void)unused;
	refused(TEXT(SIGNATURE "\x11\x11\0\0"), PROXY_FAULT_VERSION);
	refused(TEXT(SIGNATURE "\xf1\x11\0\0"), PROXY_FAULT_VERSION);
	refused(TEXT(SIGNATURE "\x22\x11\0\0"), PROXY_FAULT_COMMAND);
	refused(TEXT(SIGNATURE "\x2f\0\0\0"), PROXY_FAULT_COMMAND);
	refused(TEXT(SIGNATURE "\x21\x41\0\0"), PROXY_FAULT_FAMILY);
	refused(TEXT(SIGNATURE "\x21\xf1\0\0"), PROXY_FAULT_FAMILY);
	refused(TEXT(SIGNATURE "\x21\x13\0\x0c" "abcdefghijkl"), PROXY_FAULT_FAMILY);
	refused(TEXT(SIGNATURE "\x21\x11\x10\1"), PROXY_FAULT_BLOCK_LONG);
	refused(TEXT(SIGNATURE "\x20\0\xff\xff"), PROXY_FAULT_BLOCK_LONG);
	refused(TEXT(SIGNATURE "\x21\x11\0\x0b"), PROXY_FAULT_BLOCK_SHORT);
	refused(TEXT(SIGNATURE "\x21\x21\0\x23"), PROXY_FAULT_BLOCK_SHORT);
	refused(TEXT(SIGNATURE "\x21\x31\0\xd7"), PROXY_FAULT_BLOCK_SHORT);
	refused(TEXT(SIGNATURE "\x21\x11\0\x0e" "abcdefghijkl" "\1\0"), PROXY_FAULT_TLV);
	refused(TEXT(SIGNATURE "\x21\x11\0\x0f" "abcdefghijkl" "\1\0\1"), PROXY_FAULT_TLV);
	refused(TEXT(SIGNATURE "\x21\x11\0\x12" "abcdefghijkl" "\1\0\0" "\1\xff\xff"),
		PROXY_FAULT_TLV);
}

#define WITH_CHECKSUM(flags, crc) SIGNATURE flags \
	"\xc0\0\2\1" "\xc6\x33\x64\7" "\xdc\4" "\1\xbb" "\2\0\3a.b" "\3\0\4" crc

static void a_checksum_is_verified(void **unused)
{
	char header[] = WITH_CHECKSUM("\x21\x11\0\x19", "\x22\xaa\x6c\x0f");
	size_t len = sizeof header - 1;

	(void)unused;
	struct proxy_header h = accepted(header, len);
	assert_int_equal(h.tlvs.len, 13);
	for (size_t i = 16; i < len; i++) {
		for (int bit = 0; bit < 8; bit++) {
			header[i] = (char)(header[i] ^ 1 << bit);
			/* A flip in the TLVs' heads may hide the checksum, nothing else may. */
			bool structure = i >= 28 && i < len - 4 && (i < 31 || i >= 34);
			if (!structure)
				refused(header, len, PROXY_FAULT_CHECKSUM);
			header[i] = (char)(header[i] ^ 1 << bit);
		}
	}
	refused(TEXT(SIGNATURE "\x21\0\0\x0e" "\3\0\4\0\0\0\0" "\3\0\4\0\0\0\0"),
		PROXY_FAULT_CHECKSUM);
	refused(TEXT(SIGNATURE "\x21\0\0\4" "\3\0\1\0"), PROXY_FAULT_CHECKSUM);
}

/* ---- writing ---- */

static void lines_are_written_as_the_text_has_them(void **unused)
{
	static const struct { const char *source, *destination, *line; } cases[] = {
		{"192.0.2.1:56324", "198.51.100.7:443",
		 "PROXY TCP4 192.0.2.1 198.51.100.7 56324 443\r\n"},
		{"[::ffff:192.0.2.1]:1", "[::ffff:198.51.100.7]:2",
		 "PROXY TCP4 192.0.2.1 198.51.100.7 1 2\r\n"},
		{"[2001:db8::1]:1", "[2001:db8::2]:65535",
		 "PROXY TCP6 2001:db8::1 2001:db8::2 1 65535\r\n"},
		{"192.0.2.1:1", "[2001:db8::2]:2", "PROXY UNKNOWN\r\n"},
		{"unix:/a", "unix:/b", "PROXY UNKNOWN\r\n"},
		{"unix:/a", "192.0.2.1:1", "PROXY UNKNOWN\r\n"},
	};
	char out[PROXY_V1_MAX];

	(void)unused;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		size_t len = proxy_write_v1(out, address(cases[i].source),
					    address(cases[i].destination));
		assert_int_equal(len, strlen(cases[i].line));
		assert_memory_equal(out, cases[i].line, len);
	}
	assert_int_equal(proxy_write_v1(out, NULL, NULL), 15);
	assert_memory_equal(out, "PROXY UNKNOWN\r\n", 15);
}

static void blocks_are_written_as_the_text_has_them(void **unused)
{
	static const char expected[] = WITH_CHECKSUM("\x21\x11\0\x19", "\x22\xaa\x6c\x0f");
	static const char local[] = SIGNATURE "\x20\0\0\7\3\0\4\xa9\xb8\x7e\x8f";
	char out[PROXY_MAX];

	(void)unused;
	size_t len = proxy_write_v2(out, address("192.0.2.1:56324"), address("198.51.100.7:443"),
				    SPAN("\4\0\2xx" "\2\0\3a.b" "\3\0\4WXYZ"));
	assert_int_equal(len, sizeof expected - 1);
	assert_memory_equal(out, expected, len);

	len = proxy_write_v2(out, NULL, NULL, (struct span){NULL, 0});
	assert_int_equal(len, sizeof local - 1);
	assert_memory_equal(out, local, len);
}

static void what_is_written_is_read_as_the_same(void **unused)
{
	static const struct { const char *source, *destination; bool named; } cases[] = {
		{"192.0.2.1:56324", "198.51.100.7:443", true},
		{"[2001:db8::1]:1", "[64:ff9b::c000:201]:65535", true},
		{"unix:/run/client", "unix:/run/server", true},
		{"unix:/run/client", "192.0.2.1:1", false},
		{"192.0.2.1:1", "[2001:db8::1]:1", false},
	};
	char out[PROXY_MAX];

	(void)unused;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		size_t len = proxy_write_v2(out, address(cases[i].source),
					    address(cases[i].destination), SPAN("\5\0\1x"));
		struct proxy_header h = accepted(out, len);
		assert_int_equal(h.named, cases[i].named);
		assert_false(h.local);
		assert_memory_equal(h.tlvs.at, "\5\0\1x", 4);
		if (!h.named)
			continue;
		assert_is(&h.source, cases[i].source);
		assert_is(&h.destination, cases[i].destination);
	}
}

static void what_is_too_long_is_left_out(void **unused)
{
	char tlvs[PROXY_BLOCK_MAX] = "\xe0\x0f\xf0", out[PROXY_MAX];
	struct proxy_header h;

	(void)unused;
	memcpy(tlvs + 3 + 0xff0, "\xe1\0\2ok", 5);
	size_t len = proxy_write_v2(out, address("1.2.3.4:5"), address("6.7.8.9:10"),
				    (struct span){tlvs, 3 + 0xff0 + 5});
	h = accepted(out, len);
	assert_int_equal(h.tlvs.len, 5 + 7);
	assert_memory_equal(h.tlvs.at, "\xe1\0\2ok", 5);

	/* The most that fits beside two addresses and the checksum. */
	size_t fits = PROXY_BLOCK_MAX - 12 - 7;
	tlvs[1] = (char)((fits - 3) >> 8);
	tlvs[2] = (char)((fits - 3) & 0xff);
	len = proxy_write_v2(out, address("1.2.3.4:5"), address("6.7.8.9:10"),
			     (struct span){tlvs, fits});
	assert_int_equal(len, PROXY_MAX);
	accepted(out, len);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_line_names_both_ends),
		cmocka_unit_test(an_unknown_line_names_nobody),
		cmocka_unit_test(malformed_lines_are_refused),
		cmocka_unit_test(a_line_ends_within_107_bytes),
		cmocka_unit_test(what_is_no_header_is_refused_at_its_first_wrong_byte),
		cmocka_unit_test(a_block_names_both_ends),
		cmocka_unit_test(unix_paths_may_fill_their_field),
		cmocka_unit_test(local_and_unspecified_name_nobody),
		cmocka_unit_test(malformed_blocks_are_refused),
		cmocka_unit_test(a_checksum_is_verified),
		cmocka_unit_test(lines_are_written_as_the_text_has_them),
		cmocka_unit_test(blocks_are_written_as_the_text_has_them),
		cmocka_unit_test(what_is_written_is_read_as_the_same),
		cmocka_unit_test(what_is_too_long_is_left_out),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
