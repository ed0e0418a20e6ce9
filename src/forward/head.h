/* forward/head.h - heads as they are passed on: what is dropped, kept and added.
 *
 * Pure: reads a parsed head (parse/h1.h) and writes a new one. Dropped are the
 * fields that concern one connection only (RFC 9110, section 7.6.1): Connection, what
 * it names, Keep-Alive, Proxy-Connection, TE, Upgrade; Transfer-Encoding stays where
 * the chunked body is passed on as it is.
 */
#ifndef FORWARD_HEAD_H
#define FORWARD_HEAD_H

#include <stdbool.h>

#include "base/span.h"
#include "parse/h1.h"

/* How much longer than the one received a written head may be, apart from the
 * host, which may be written twice, and from lines to add. */
enum { HEAD_GROWTH_MAX = 512 };

struct head_request {
	struct span host;		/* the Host field to send */
	struct span host_asked;		/* what the client asked for: X-Forwarded-Host */
	struct span peer;		/* the client's address, numeric */
	unsigned    forwarded;		/* enum forwarded_headers of model/model.h */
	bool        upgrade;		/* pass Upgrade on, and name it in Connection */
	struct span lines;		/* field lines to add, each with its CRLF */
	uint32_t    dropped;		/* further fields to leave out: bits of enum h1_name */
};

/* Writes a request head for a server at `out`, which has `room` bytes; `at` is where
 * the parsed head begins. Returns the length, 0 if the room did not suffice. */
size_t head_write_request(char *out, size_t room, const struct h1_head *head,
			  const char *at, const struct head_request *how);

struct head_response {
	bool chunked_added;	/* the length is unknown: we add Transfer-Encoding: chunked */
	bool coding_dropped;	/* the client gets the body without chunks */
	bool close;		/* say Connection: close */
	bool keep_alive;	/* say Connection: keep-alive (to an HTTP/1.0 client) */
	bool upgrade;		/* 101: Upgrade and Connection stay */
	struct span lines;	/* field lines to add, each with its CRLF; usually none */
};

/* True: the head may be sent as it is, but for its version. */
bool head_response_is_plain(const struct h1_head *head, const struct head_response *how);

/* Writes a response head for a client likewise. */
size_t head_write_response(char *out, size_t room, const struct h1_head *head,
			   const char *at, const struct head_response *how);

/* Whether the Upgrade field asks for something that may be passed on: one protocol,
 * and not HTTP/2, which would let requests by unseen. */
bool head_upgrade_may_pass(const struct h1_head *head, const char *at);

#endif
