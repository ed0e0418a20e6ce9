/* forward/http_request.h - one exchange: the shell around request.h.
 *
 *   http_begin.c     a head becomes a request: refused at once, or routed
 *   http_wishes.c    what of a request decides about its server: key, cookie, number
 *   http_lines.c     what we tell its server by fields of our own
 *   http_request.c   the request: its events, its time limits, its end
 *   http_reach.h     to a server: pick, wait for room, connect, let go
 *   http_send.c      the request's head and body to the server
 *   http_response.c  from a server to the client: heads, bodies in three framings
 *   http_tunnel.c    what follows 101
 *   http_answer.c    what we answer ourselves
 *
 * A request may be over, and its memory reused, after any call that takes an event:
 * callers look at session.request before they go on.
 *
 * Thread: the loop's.
 */
#ifndef FORWARD_HTTP_REQUEST_H
#define FORWARD_HTTP_REQUEST_H

#include "forward/http_session.h"
#include "forward/place.h"
#include "forward/request.h"
#include "forward/upstream.h"
#include "parse/h1.h"

/* How a response's body reaches the client. */
enum framing { FRAMING_SAME, FRAMING_TO_CHUNKED, FRAMING_FROM_CHUNKED };

struct body {
	enum h1_body kind;
	bool     done;
	uint64_t left;			/* of H1_BODY_LENGTH */
	struct h1_chunked chunked;
};

struct request {
	struct request_life life;
	struct session *session;	/* borrowed: its owner */
	struct edition *edition;	/* a user of it */
	struct door    *door;		/* of the edition */
	struct lane    *lane;		/* of the edition */
	uint32_t        server;		/* index in the lane, while one is picked; then the
					 * last one's, or PICK_NONE: no longer there */
	uint32_t        named;		/* the one that its cookie names, or PICK_NONE */
	uint64_t        key;		/* 0 where the policy wants none */
	uint32_t        id;		/* its number; 0: the pool gives none */
	struct place    place;		/* at that server, until it is dropped */
	bool            at_door;	/* in the listener's gate */
	struct tried    tried;
	struct upstream *upstream;	/* owned, NULL when none is at hand */
	struct waiter   waiter;		/* in lane->waiting, lane->batch or door->waiting */
	bool            waits_at_door;
	bool            held;		/* in the batch */
	uint64_t        waiting_since_ms;	/* 0: has not waited */

	struct buf *head;		/* owned: the head as sent, and body bytes with it */
	uint32_t    head_sent;		/* bytes of it that went out */
	uint32_t    head_len;		/* of the head alone */
	uint32_t    rest_at;		/* where its lines behind Host begin */
	uint16_t    line_len;		/* of its first line */
	bool        server_as_host;	/* Host is the server's address, set with each pick */
	struct buf *body_wait;		/* owned: body bytes that the server did not take */
	struct body body;
	uint64_t    body_seen;		/* bytes of the body, framing included */
	uint16_t    fault_status;	/* of EVENT_REFUSED */
	const char *fault_text;

	struct body response;
	enum framing framing;
	bool client_closes;		/* the client wants no other exchange */
	bool client_keep_alive;		/* after this exchange, as far as the client goes */
	bool server_keep_alive;
	uint8_t minor;			/* of the client's HTTP/1.x */
	uint8_t tries;
	uint8_t interims;
	bool upgrade_asked;
	bool server_deaf;		/* it takes no more of the body; it may have answered */
	bool shut_client, shut_server;	/* a tunnel's half that has been closed */
	enum h1_method method;
	uint16_t status;		/* of the response; 0: none yet */

	struct pipe *pipe_up, *pipe_down;	/* owned while a body is spliced */
	uint64_t since_us;		/* first byte of the head */
	uint64_t picked_us;
	uint32_t server_us;
};

/* The server at hand, or the last one that was. */
static inline struct live_server *request_server(const struct request *r)
{
	return r->lane->view.servers[r->server].live;
}

/* ---- http_begin.c ---- */

/* Makes the exchange for the head in worker->head, which was read at `at`; the `len`
 * bytes include it and what came behind it. Returns how many of them belong to this
 * request; what follows is the next one's. 0: out of memory, the session has ended. */
size_t request_make(struct session *s, const char *at, size_t len);

/* Begins it. The bytes that it was made from are looked at no more, but for the log;
 * scratch and session.in may be used anew. */
void request_start(struct request *r);

/* ---- http_wishes.c ---- */

/* Notes what of the request decides about its server; the head, which was parsed at `at`,
 * is not kept. */
void request_note_wishes(struct request *r, const struct h1_head *head, const char *at);

/* ---- http_lines.c ---- */

/* The fields, each with its CRLF, that tell its server what we know of it: its number, its
 * trace. They are written into `room`. Sets in *dropped the bits (1 << enum h1_name) of the
 * client's fields that they stand for. */
enum { REQUEST_LINES_MAX = 128 };
struct span request_own_lines(const struct request *r, const struct h1_head *head,
			      const char *at, char room[REQUEST_LINES_MAX], uint32_t *dropped);

/* ---- http_request.c ---- */

/* What begins it: EVENT_BEGUN, or EVENT_HELD where it is placed with others. */
enum request_event request_beginning(const struct request *r);

/* Tells the life what happened, and does what it says. The request may be gone after. */
void request_on(struct request *r, enum request_event event);

/* Ends the exchange with an answer of our own, of life.status. */
void request_answer(struct request *r);

/* Gives everything back and frees it; nothing is sent. The session has none then. */
void request_free(struct request *r);

/* Whether the client's connection may carry another request after this one's answer. */
bool request_may_stay(const struct request *r);

/* The connection to the server is gone: what that means depends on how far it was. */
void request_on_lost(struct request *r, enum live_failure why);

/* Limits of the present state, in ms; 0: none. */
uint32_t request_limit_ms(const struct request *r);

/* That time is over. */
void request_on_deadline(struct request *r);

/* ---- http_send.c ---- */

/* Sends the head, from its beginning, over the connection at hand. */
void request_send(struct request *r);

/* Writes what is left of the head and what waits behind it. True: all is out; false: the
 * server takes no more at present, or is gone (its `broken` is set). */
bool request_flush(struct request *r);

/* Writes bytes of a body, or of a tunnel, with nothing waiting before them; what the
 * server does not take waits. False: it is gone, or memory is. */
bool request_write(struct request *r, const char *at, size_t len);

/* The client or the server is ready: moves the request's body on. */
void request_pump(struct request *r);

/* Finds out how many of these bytes belong to the body. False: a fault, noted. */
bool request_take_body(struct request *r, const char *at, size_t len, size_t *took);

/* ---- http_response.c ---- */

/* The server or the client is ready: moves the response on. */
void response_pump(struct request *r);

/* ---- http_tunnel.c ---- */

/* The bytes that came with the 101 head, and from now on all others. */
void tunnel_begin(struct request *r, const char *at, size_t len);
void tunnel_pump(struct request *r);

/* ---- http_answer.c ---- */

/* Answers by ourselves, with this status and a line that says why. close: the
 * connection ends with it. The status counts for the log. False: the client is gone. */
bool answer_write(struct session *s, uint16_t status, const char *why, bool close,
		  bool head_only);

/* Notes a finished exchange in the counters and, if wanted, the access log. */
void answer_record(struct session *s, const struct request *r, uint16_t status);

/* How long heads may be. */
static inline struct h1_limits request_head_limits(const struct model_listener *l)
{
	return (struct h1_limits){
		.head_max = l->head_max, .target_max = l->target_max,
		.fields_max = l->fields_max,
	};
}

#endif
