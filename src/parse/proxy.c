/* parse/proxy.c - reads and writes the headers of the PROXY protocol.
 *
 * Version 2 is sixteen bytes (signature, version and command, family and transport,
 * length) and a block: the family's two addresses and, behind them, TLVs. All numbers
 * are in network order.
 */
#include "parse/proxy.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "base/bigendian.h"
#include "base/crc32c.h"
#include "base/must.h"

enum {
	FIXED_BYTES = 16,		/* before the block of version 2 */
	UNIX_BYTES  = 108,		/* a path in it, section 2.2 */
	TLV_HEAD    = 3,		/* type, length */
	CRC_BYTES   = 4,
};

/* Section 2.2: the high and the low half of bytes 13 and 14. */
enum { VERSION_2 = 2 };
enum { COMMAND_LOCAL, COMMAND_PROXY };
enum { FAMILY_UNSPEC, FAMILY_INET, FAMILY_INET6, FAMILY_UNIX, FAMILIES };
enum { TRANSPORT_UNSPEC, TRANSPORT_STREAM, TRANSPORT_DATAGRAM, TRANSPORTS };

/* Sections 2.2.3 and 2.2.4: the types that are looked at here. */
enum { TLV_CRC32C = 0x03, TLV_NOOP = 0x04 };

static const char signature[] = "\r\n\r\n\0\r\nQUIT\n";		/* and a NUL of C's */
enum { SIGNATURE_BYTES = sizeof signature - 1 };

/* Two addresses of a family in a block. */
static const uint32_t address_bytes[FAMILIES] = {
	[FAMILY_INET] = 2 * (4 + 2), [FAMILY_INET6] = 2 * (16 + 2),
	[FAMILY_UNIX] = 2 * UNIX_BYTES,
};

static const char *const fault_texts[PROXY_FAULTS] = {
	[PROXY_FAULT_NONE]        = "no fault",
	[PROXY_FAULT_MISSING]     = "the connection does not begin with a PROXY header",
	[PROXY_FAULT_LINE_LONG]   = "the line is longer than 107 bytes",
	[PROXY_FAULT_LINE]        = "the line is malformed",
	[PROXY_FAULT_VERSION]     = "the version is not 2",
	[PROXY_FAULT_COMMAND]     = "the command is neither LOCAL nor PROXY",
	[PROXY_FAULT_FAMILY]      = "the address family or the transport is not defined",
	[PROXY_FAULT_BLOCK_LONG]  = "addresses and TLVs are longer than 4096 bytes",
	[PROXY_FAULT_BLOCK_SHORT] = "the header is too short for its addresses",
	[PROXY_FAULT_TLV]         = "a TLV goes beyond the header's end",
	[PROXY_FAULT_CHECKSUM]    = "the checksum is wrong",
};

const char *proxy_fault_text(enum proxy_fault fault)
{
	must(fault < PROXY_FAULTS);
	return fault_texts[fault];
}

static enum proxy_result refuse(struct proxy_header *h, enum proxy_fault fault)
{
	h->fault = fault;
	return PROXY_BAD;
}

/* As far as the bytes go. */
static bool may_start_with(const char *at, size_t len, const char *start, size_t start_len)
{
	return memcmp(at, start, len < start_len ? len : start_len) == 0;
}

/* ---- version 1 ---- */

/* The next word of a line, and the rest behind the one space after it. */
static struct span take_word(struct span *rest)
{
	const char *space = memchr(rest->at, ' ', rest->len);
	struct span word = {rest->at, space != NULL ? (size_t)(space - rest->at) : rest->len};

	rest->at += word.len + (space != NULL);
	rest->len -= word.len + (space != NULL);
	return word;
}

static bool read_host(struct span text, union proxy_address *to, sa_family_t family)
{
	char host[INET6_ADDRSTRLEN];

	if (text.len >= sizeof host || memchr(text.at, '\0', text.len) != NULL)
		return false;
	memcpy(host, text.at, text.len);
	host[text.len] = '\0';
	to->any.sa_family = family;
	return inet_pton(family, host, family == AF_INET ? (void *)&to->in4.sin_addr
							 : (void *)&to->in6.sin6_addr) == 1;
}

static bool read_port(struct span text, union proxy_address *to)
{
	uint64_t port;

	if (!span_to_u64(text, &port) || port > 65535 || (text.len > 1 && text.at[0] == '0'))
		return false;
	if (to->any.sa_family == AF_INET)
		to->in4.sin_port = htons((uint16_t)port);
	else
		to->in6.sin6_port = htons((uint16_t)port);
	return true;
}

/* What stands behind "PROXY " and before the CRLF. */
static bool read_line(struct proxy_header *h, struct span line)
{
	struct span protocol = take_word(&line);
	sa_family_t family = AF_INET;

	if (span_equals(protocol, SPAN("UNKNOWN")))
		return true;		/* whatever stands behind it says nothing */
	if (span_equals(protocol, SPAN("TCP6")))
		family = AF_INET6;
	else if (!span_equals(protocol, SPAN("TCP4")))
		return false;
	struct span source = take_word(&line), destination = take_word(&line);
	struct span source_port = take_word(&line);
	h->named = true;
	return read_host(source, &h->source, family) &&
	       read_host(destination, &h->destination, family) &&
	       read_port(source_port, &h->source) && read_port(line, &h->destination);
}

static enum proxy_result parse_v1(struct proxy_header *h, const char *at, size_t len)
{
	static const char start[] = {'P', 'R', 'O', 'X', 'Y', ' '};

	if (!may_start_with(at, len, start, sizeof start))
		return refuse(h, PROXY_FAULT_MISSING);
	const char *end = memmem(at, len < PROXY_V1_MAX ? len : PROXY_V1_MAX, "\r\n", 2);
	if (end == NULL && len < PROXY_V1_MAX)
		return PROXY_MORE;
	if (end == NULL)
		return refuse(h, PROXY_FAULT_LINE_LONG);

	struct span line = {at + sizeof start, (size_t)(end - at) - sizeof start};
	h->version = 1;
	h->length = (uint32_t)(end - at) + 2;
	return read_line(h, line) ? PROXY_DONE : refuse(h, PROXY_FAULT_LINE);
}

/* ---- version 2 ---- */

struct tlv {
	uint8_t     type;
	struct span whole, value;
};

/* Takes the first of `rest`. False: there is none, or it goes beyond the end. */
static bool take_tlv(struct span *rest, struct tlv *t)
{
	if (rest->len < TLV_HEAD)
		return false;
	size_t len = bigendian_u16(rest->at + 1);
	if (rest->len - TLV_HEAD < len)
		return false;
	t->type = (uint8_t)rest->at[0];
	t->whole = (struct span){rest->at, TLV_HEAD + len};
	t->value = (struct span){rest->at + TLV_HEAD, len};
	rest->at += t->whole.len;
	rest->len -= t->whole.len;
	return true;
}

/* Of a header, as if the checksum in it were zeros (section 2.2.3). */
static uint32_t checksum(const char *header, size_t len, const char *crc_at)
{
	static const char zeros[CRC_BYTES];
	size_t before = (size_t)(crc_at - header);

	uint32_t crc = crc32c(0, header, before);
	crc = crc32c(crc, zeros, CRC_BYTES);
	return crc32c(crc, crc_at + CRC_BYTES, len - before - CRC_BYTES);
}

static enum proxy_fault check_tlvs(const struct proxy_header *h, const char *header)
{
	struct span rest = h->tlvs, crc = {NULL, 0};
	struct tlv t;

	while (take_tlv(&rest, &t)) {
		if (t.type != TLV_CRC32C)
			continue;
		if (crc.at != NULL || t.value.len != CRC_BYTES)
			return PROXY_FAULT_CHECKSUM;
		crc = t.value;
	}
	if (rest.len > 0)
		return PROXY_FAULT_TLV;
	if (crc.at != NULL && bigendian_u32(crc.at) != checksum(header, h->length, crc.at))
		return PROXY_FAULT_CHECKSUM;
	return PROXY_FAULT_NONE;
}

static void read_ip4(union proxy_address *to, const char *ip, const char *port)
{
	to->in4.sin_family = AF_INET;
	memcpy(&to->in4.sin_addr, ip, 4);
	memcpy(&to->in4.sin_port, port, 2);
}

static void read_ip6(union proxy_address *to, const char *ip, const char *port)
{
	to->in6.sin6_family = AF_INET6;
	memcpy(&to->in6.sin6_addr, ip, 16);
	memcpy(&to->in6.sin6_port, port, 2);
}

static void read_path(union proxy_address *to, const char *path)
{
	to->un.sun_family = AF_UNIX;
	memcpy(to->un.sun_path, path, UNIX_BYTES);
}

static void read_addresses(struct proxy_header *h, unsigned family, const char *at)
{
	switch (family) {
	case FAMILY_INET:
		read_ip4(&h->source, at, at + 8);
		read_ip4(&h->destination, at + 4, at + 10);
		break;
	case FAMILY_INET6:
		read_ip6(&h->source, at, at + 32);
		read_ip6(&h->destination, at + 16, at + 34);
		break;
	case FAMILY_UNIX:
		read_path(&h->source, at);
		read_path(&h->destination, at + UNIX_BYTES);
		break;
	default:
		must(false);
	}
}

static enum proxy_result parse_v2(struct proxy_header *h, const char *at, size_t len)
{
	if (!may_start_with(at, len, signature, SIGNATURE_BYTES))
		return refuse(h, PROXY_FAULT_MISSING);
	if (len < FIXED_BYTES)
		return PROXY_MORE;

	unsigned command = at[12] & 15u, transport = at[13] & 15u;
	unsigned family = (uint8_t)at[13] >> 4;
	uint32_t block = bigendian_u16(at + 14);
	if ((uint8_t)at[12] >> 4 != VERSION_2)
		return refuse(h, PROXY_FAULT_VERSION);
	if (command > COMMAND_PROXY)
		return refuse(h, PROXY_FAULT_COMMAND);
	if (block > PROXY_BLOCK_MAX)
		return refuse(h, PROXY_FAULT_BLOCK_LONG);
	h->version = VERSION_2;
	h->length = FIXED_BYTES + block;
	h->local = command == COMMAND_LOCAL;
	if (h->local)		/* the block is discarded, whatever it is */
		return len < h->length ? PROXY_MORE : PROXY_DONE;

	if (family >= FAMILIES || transport >= TRANSPORTS)
		return refuse(h, PROXY_FAULT_FAMILY);
	if (block < address_bytes[family])
		return refuse(h, PROXY_FAULT_BLOCK_SHORT);
	if (len < h->length)
		return PROXY_MORE;
	h->named = family != FAMILY_UNSPEC && transport != TRANSPORT_UNSPEC;
	if (h->named)
		read_addresses(h, family, at + FIXED_BYTES);
	h->tlvs = (struct span){at + FIXED_BYTES + address_bytes[family],
				block - address_bytes[family]};
	enum proxy_fault fault = check_tlvs(h, at);
	if (fault == PROXY_FAULT_TLV && family == FAMILY_UNSPEC) {
		h->tlvs.len = 0;	/* it may be addresses of who knows what */
		fault = PROXY_FAULT_NONE;
	}
	return fault == PROXY_FAULT_NONE ? PROXY_DONE : refuse(h, fault);
}

enum proxy_result proxy_parse(struct proxy_header *h, const char *at, size_t len)
{
	*h = (struct proxy_header){0};
	if (len == 0)
		return PROXY_MORE;
	return at[0] == 'P' ? parse_v1(h, at, len) : parse_v2(h, at, len);
}

/* ---- writing ---- */

/* An IPv4 address, also one that is written as IPv6, as what it is. */
static bool as_ip4(const struct sockaddr *from, union proxy_address *to)
{
	if (from->sa_family == AF_INET) {
		memcpy(&to->in4, from, sizeof to->in4);
		return true;
	}
	const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)(const void *)from;
	if (from->sa_family != AF_INET6 || !IN6_IS_ADDR_V4MAPPED(&in6->sin6_addr))
		return false;
	to->in4 = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = in6->sin6_port};
	memcpy(&to->in4.sin_addr, &in6->sin6_addr.s6_addr[12], 4);
	return true;
}

/* Both addresses as one family, which is the result; FAMILY_UNSPEC: they are of none. */
static unsigned agree(const struct sockaddr *source, const struct sockaddr *destination,
		      union proxy_address to[2])
{
	if (source == NULL || destination == NULL)
		return FAMILY_UNSPEC;
	if (as_ip4(source, &to[0]) && as_ip4(destination, &to[1]))
		return FAMILY_INET;
	if (source->sa_family != destination->sa_family)
		return FAMILY_UNSPEC;
	switch (source->sa_family) {
	case AF_INET6:
		memcpy(&to[0].in6, source, sizeof to[0].in6);
		memcpy(&to[1].in6, destination, sizeof to[1].in6);
		return FAMILY_INET6;
	case AF_UNIX:
		memcpy(&to[0].un, source, sizeof to[0].un);
		memcpy(&to[1].un, destination, sizeof to[1].un);
		return FAMILY_UNIX;
	default:
		return FAMILY_UNSPEC;
	}
}

size_t proxy_write_v1(char out[PROXY_V1_MAX], const struct sockaddr *source,
		      const struct sockaddr *destination)
{
	char line[PROXY_V1_MAX + 1], hosts[2][INET6_ADDRSTRLEN];
	union proxy_address ends[2];
	int len;

	switch (agree(source, destination, ends)) {
	case FAMILY_INET:
		for (int i = 0; i < 2; i++)
			inet_ntop(AF_INET, &ends[i].in4.sin_addr, hosts[i], sizeof hosts[i]);
		len = snprintf(line, sizeof line, "PROXY TCP4 %s %s %u %u\r\n", hosts[0],
			       hosts[1], ntohs(ends[0].in4.sin_port),
			       ntohs(ends[1].in4.sin_port));
		break;
	case FAMILY_INET6:
		for (int i = 0; i < 2; i++)
			inet_ntop(AF_INET6, &ends[i].in6.sin6_addr, hosts[i], sizeof hosts[i]);
		len = snprintf(line, sizeof line, "PROXY TCP6 %s %s %u %u\r\n", hosts[0],
			       hosts[1], ntohs(ends[0].in6.sin6_port),
			       ntohs(ends[1].in6.sin6_port));
		break;
	default:
		len = snprintf(line, sizeof line, "PROXY UNKNOWN\r\n");
	}
	must(len > 0 && len <= PROXY_V1_MAX);
	memcpy(out, line, (size_t)len);
	return (size_t)len;
}

/* A path with its NUL and zeros behind it; one that fills the field has none. */
static void write_path(char *at, const char *path)
{
	size_t len = strnlen(path, UNIX_BYTES);

	memcpy(at, path, len);
	memset(at + len, 0, UNIX_BYTES - len);
}

static void write_addresses(char *at, unsigned family, const union proxy_address ends[2])
{
	switch (family) {
	case FAMILY_INET:
		memcpy(at, &ends[0].in4.sin_addr, 4);
		memcpy(at + 4, &ends[1].in4.sin_addr, 4);
		memcpy(at + 8, &ends[0].in4.sin_port, 2);
		memcpy(at + 10, &ends[1].in4.sin_port, 2);
		break;
	case FAMILY_INET6:
		memcpy(at, &ends[0].in6.sin6_addr, 16);
		memcpy(at + 16, &ends[1].in6.sin6_addr, 16);
		memcpy(at + 32, &ends[0].in6.sin6_port, 2);
		memcpy(at + 34, &ends[1].in6.sin6_port, 2);
		break;
	case FAMILY_UNIX:
		write_path(at, ends[0].un.sun_path);
		write_path(at + UNIX_BYTES, ends[1].un.sun_path);
		break;
	default:
		break;
	}
}

/* Those that are passed on, at `at`; returns how many bytes, at most `room`. */
static size_t write_tlvs(char *at, size_t room, struct span tlvs)
{
	struct tlv t;
	size_t len = 0;

	while (take_tlv(&tlvs, &t)) {
		if (t.type == TLV_CRC32C || t.type == TLV_NOOP || t.whole.len > room - len)
			continue;
		memcpy(at + len, t.whole.at, t.whole.len);
		len += t.whole.len;
	}
	return len;
}

size_t proxy_write_v2(char out[PROXY_MAX], const struct sockaddr *source,
		      const struct sockaddr *destination, struct span tlvs)
{
	union proxy_address ends[2];
	unsigned family = agree(source, destination, ends);
	unsigned transport = family == FAMILY_UNSPEC ? TRANSPORT_UNSPEC : TRANSPORT_STREAM;
	bool local = source == NULL && destination == NULL;
	size_t len = FIXED_BYTES + address_bytes[family];

	memcpy(out, signature, SIGNATURE_BYTES);
	out[12] = (char)(VERSION_2 << 4 | (local ? COMMAND_LOCAL : COMMAND_PROXY));
	out[13] = (char)(family << 4 | transport);
	write_addresses(out + FIXED_BYTES, family, ends);
	len += write_tlvs(out + len, PROXY_MAX - TLV_HEAD - CRC_BYTES - len, tlvs);
	out[len] = TLV_CRC32C;
	bigendian_put_u16(out + len + 1, CRC_BYTES);
	char *crc_at = out + len + TLV_HEAD;
	len += TLV_HEAD + CRC_BYTES;
	bigendian_put_u16(out + 14, (uint16_t)(len - FIXED_BYTES));
	bigendian_put_u32(crc_at, checksum(out, len, crc_at));
	return len;
}
