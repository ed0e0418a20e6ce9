/* base/address.h - where a server or a listener is: a socket address and its text.
 *
 * Pure: no name is looked up here (loop/resolve.h does that). Text forms:
 * `8080` (see address_parse), `:8080`, `127.0.0.1:8080`, `[::1]:8080`,
 * `unix:/run/app.sock`. Anything else before a port is a name. All are UTF-8 without
 * control bytes.
 */
#ifndef BASE_ADDRESS_H
#define BASE_ADDRESS_H

#include <netinet/in.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/err.h"

enum {
	ADDRESS_HOST_MAX = 253,		/* RFC 1035, section 2.3.4 */
	ADDRESS_TEXT_MAX = 264,		/* host, brackets, colon, port and NUL */
};

struct address {
	union {
		struct sockaddr         any;
		struct sockaddr_in      in4;
		struct sockaddr_in6     in6;
		struct sockaddr_un      un;
	};
	socklen_t len;			/* 0: not known yet, the host is a name */
	char      text[ADDRESS_TEXT_MAX];	/* as given, a bare port completed */
};

/* Reads one of the forms above. A bare port or an empty host means `host`
 * ("127.0.0.1" for a server, "0.0.0.0" or "::" for a listener). A name leaves
 * len at 0 and the text at "name:port". */
int address_parse(struct address *a, const char *text, const char *host, struct err *err);

/* Splits a text of the form host:port that address_parse has accepted. */
void address_split(const struct address *a, char host[ADDRESS_HOST_MAX + 1], uint16_t *port);

/* Whether both name the same place. Numeric addresses are compared as such, since there
 * are many ways to write one; names by their text, whatever its case. */
bool address_equals(const struct address *a, const struct address *b);

/* Equal for equal addresses. */
uint64_t address_hash(const struct address *a);

/* Sets text from the socket address. */
void address_format(struct address *a);

/* The port in host byte order; 0 for a UNIX socket. */
uint16_t address_port(const struct address *a);

/* The numeric host of a peer without its port, for headers and logs: "192.0.2.1",
 * "2001:db8::1", "unix". Returns its length. */
size_t address_host_text(const struct sockaddr *peer, char out[INET6_ADDRSTRLEN]);

#endif
