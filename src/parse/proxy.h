/* parse/proxy.h - the PROXY protocol, versions 1 and 2: who a connection comes from, told
 * in its first bytes by the proxy that it came through.
 *
 * "The PROXY protocol, versions 1 & 2", W. Tarreau, haproxy.org, doc/proxy-protocol.txt;
 * sections below are those of that text. Pure: bytes in, facts out, and back.
 *
 * Strict by intent, as the text asks (section 2): the header must be there, at once and
 * whole, and what is not a header is refused, never taken for the protocol behind it.
 *
 * Invariants: how the bytes were cut into reads never changes the result; what is written
 * is read as the same.
 */
#ifndef PARSE_PROXY_H
#define PARSE_PROXY_H

#include <netinet/in.h>
#include <stdbool.h>
#include <sys/un.h>

#include "base/span.h"

enum {
	PROXY_V1_MAX    = 107,		/* the whole line with its CRLF, section 2.1 */
	PROXY_BLOCK_MAX = 4096,		/* version 2: addresses and TLVs; ours, not the text's */
	PROXY_MAX       = 16 + PROXY_BLOCK_MAX,	/* any header */
};

enum proxy_result { PROXY_BAD, PROXY_MORE, PROXY_DONE };

/* Why a header was refused. */
enum proxy_fault {
	PROXY_FAULT_NONE,
	PROXY_FAULT_MISSING,		/* neither version's first bytes */
	PROXY_FAULT_LINE_LONG,		/* no CRLF within PROXY_V1_MAX bytes */
	PROXY_FAULT_LINE,		/* not the line of section 2.1 */
	PROXY_FAULT_VERSION,		/* not 2 after version 2's signature */
	PROXY_FAULT_COMMAND,		/* neither LOCAL nor PROXY */
	PROXY_FAULT_FAMILY,		/* an address family or transport that is not defined */
	PROXY_FAULT_BLOCK_LONG,		/* more than PROXY_BLOCK_MAX bytes */
	PROXY_FAULT_BLOCK_SHORT,	/* less than its family's addresses */
	PROXY_FAULT_TLV,		/* they do not fill the block */
	PROXY_FAULT_CHECKSUM,		/* PP2_TYPE_CRC32C says otherwise, or twice */
	PROXY_FAULTS
};

/* For a person: "the checksum is wrong" */
const char *proxy_fault_text(enum proxy_fault fault);

union proxy_address {
	struct sockaddr     any;
	struct sockaddr_in  in4;
	struct sockaddr_in6 in6;
	struct sockaddr_un  un;		/* a path of 108 bytes has no NUL */
};

struct proxy_header {
	uint32_t length;		/* bytes of the header: what follows is the client's */
	enum proxy_fault fault;		/* of PROXY_BAD */
	uint8_t  version;		/* 1 or 2 */
	bool     local;			/* version 2's LOCAL: the proxy speaks for itself */
	bool     named;			/* the two addresses are there; otherwise LOCAL, UNKNOWN
					 * or UNSPEC: the connection's own are to be used */
	union proxy_address source, destination;	/* while `named`: both of one family */
	struct span tlvs;		/* version 2: borrowed from the bytes, well formed;
					 * empty for LOCAL */
};

/* Reads the header at the start of [at, at + len). PROXY_MORE: it is not whole yet, never
 * with PROXY_MAX bytes or more; call again with all of the bytes and more. Only
 * PROXY_DONE sets all members; PROXY_BAD sets the fault. */
enum proxy_result proxy_parse(struct proxy_header *h, const char *at, size_t len);

/* Writes version 1 and returns its length. Two IPv4 addresses (written as IPv6 ones or
 * not) are TCP4, two others of IPv6 TCP6; everything else is UNKNOWN. Both may be NULL,
 * for connections of our own such as probes. */
size_t proxy_write_v1(char out[PROXY_V1_MAX], const struct sockaddr *source,
		      const struct sockaddr *destination);

/* Writes version 2, for a stream, with a checksum (PP2_TYPE_CRC32C), and returns its
 * length. Addresses as in version 1, and two UNIX ones (sun_path up to its NUL, if there
 * is one); others are UNSPEC; both NULL: LOCAL. `tlvs`, well formed, are passed on but for
 * checksums and padding (NOOP); those that would make the block too long are left out. */
size_t proxy_write_v2(char out[PROXY_MAX], const struct sockaddr *source,
		      const struct sockaddr *destination, struct span tlvs);

#endif
