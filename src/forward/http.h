/* forward/http.h - HTTP/1.1: the shell around request.h, one client connection and
 * the exchange on it.
 *
 *   http_session.c   the client's connection: heads in, keep-alive, time limits, end
 *   http_request.c   from a head to a server: route, pick, wait, connect, send, body
 *   http_response.c  from a server to the client: heads, bodies in three framings
 *   http_tunnel.c    what follows 101
 *   http_answer.c    what we answer ourselves
 *
 * One exchange at a time runs on a connection; pipelined requests wait in `in`.
 * Whatever ends a session or a request may happen deep inside a call: a session
 * that ended is marked dead, and freed when the next event begins, so callers look
 * at `state` after each call that may end it.
 *
 * Thread: the loop's.
 */
#ifndef FORWARD_HTTP_H
#define FORWARD_HTTP_H

#include <netinet/in.h>

#include "forward/request.h"
#include "forward/upstream.h"
#include "forward/worker.h"

struct sockaddr;

enum session_state {
	SESSION_HEAD,		/* idle, or a request head is coming in */
	SESSION_REQUEST,	/* an exchange runs */
	SESSION_LINGER,		/* answered; reads what still comes, then closes */
	SESSION_DEAD,
};

enum {
	DRIVE_PER_TURN_MAX = 32,	/* pipelined requests of one connection */
	PUMP_PER_TURN_MAX = 1024 * 1024,	/* bytes of one direction */
	INTERIM_MAX = 16,		/* 1xx responses to one request */
	LINGER_BYTES_MAX = 64 * 1024 * 1024,
	DRAIN_GRACE_MS = 500,
	LOOK_AFTER_MS = 100,		/* from then on a waiting client is watched */
};

struct session {
	struct stream client;		/* owned */
	struct loop_timer deadline;
	struct worker *worker;		/* borrowed */
	struct port   *port;		/* borrowed: ends after its sessions */
	struct request *request;	/* owned, NULL between requests */
	struct buf    *in;		/* owned: bytes that wait to be read as requests */
	struct buf    *out;		/* owned: bytes that the client's socket did not take */
	struct link    link;		/* in worker->sessions */
	struct link    idle_link;	/* in worker->idle while idle */
	uint32_t in_seen;		/* bytes of `in` that the parser has seen */
	uint32_t requests;		/* so far */
	uint32_t lingered;		/* bytes thrown away */
	enum session_state state;
	bool     driving;		/* session_drive is on the stack */
	bool     closing;		/* the next bytes are the last: their packet may say so */
	uint16_t peer_len;
	char     peer[INET6_ADDRSTRLEN];
	uint64_t head_since_us;		/* when the present head's first byte came */
	uint64_t bytes_out;		/* of the present answer, towards the client */
	uint32_t heads_out;		/* what of them is heads */
};

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
	uint32_t        server;		/* index in the lane, while one is picked */
	bool            counted;	/* in that server's in_flight and gate */
	bool            at_door;	/* in the listener's gate */
	struct tried    tried;
	struct upstream *upstream;	/* owned, NULL when none is at hand */
	struct link     wait_link;	/* in lane->waiting or door->waiting */
	bool            waits_at_door;
	uint64_t        waiting_since_ms;	/* 0: has not waited */

	struct buf *head;		/* owned: the head as sent, and body bytes with it */
	uint32_t    head_sent;		/* bytes of it that went out */
	uint32_t    head_len;		/* of the head alone */
	uint32_t    rest_at;		/* where its lines behind Host begin */
	uint16_t    line_len;		/* of its first line */
	bool        server_as_host;	/* Host is the server's address, set with each pick */
	struct buf *body_wait;		/* owned: body bytes that the server's socket did not take */
	struct body body;
	uint64_t    body_seen;		/* bytes of the body, framing included */
	uint16_t    fault_status;	/* of EVENT_REFUSED */
	const char *fault_text;

	struct body response;
	enum framing framing;
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

/* ---- http_session.c ---- */

/* Begins a session on an accepted descriptor, which is given. */
void session_begin(struct port *port, int fd, const struct sockaddr *peer);

/* Ends it at once; a request on it is abandoned. */
void session_end(struct session *s);

/* Reads and begins requests until one is under way or bytes are missing. */
void session_drive(struct session *s);

/* The exchange is over and the request is gone: on to the next one, or to the end.
 * `alive`: the connection may carry another. `sending`: the client has more to send of
 * this one's body. */
void session_next(struct session *s, bool alive, bool sending);

/* Writes to the client, keeping what it does not take. False: the client is gone. */
bool session_write(struct session *s, const char *at, size_t len);

/* Sets the time limit of the present state anew. */
void session_rearm(struct session *s);

/* Has the loop tell about the client's socket, from now on. A connection that sends one
 * request and gets its answer at once never needs it: that saves a system call. */
void session_watch(struct session *s);

/* No reading until the client has taken what waits. */
static inline bool session_is_blocked(const struct session *s)
{
	return s->out != NULL || !s->client.writable;
}

/* Whether connections wait unaccepted for this one's place: then it is given up after
 * one answer, or keep-alive would let them wait forever. */
bool session_others_wait(const struct session *s);

/* Ends the session of this port that has been idle longest, for its place. False: none
 * is idle. */
bool session_make_room(struct worker *w, struct port *port);

/* The worker drains, or this port's listener was removed: idle connections (port NULL:
 * all) get DRAIN_GRACE_MS more, so that a request that is on its way is answered (with
 * Connection: close) instead of being cut off. */
void session_begin_drain(struct worker *w, const struct port *port);

/* ---- http_request.c ---- */

/* Makes the exchange for the head in worker->head, which was read at `at`; the `len`
 * bytes include it and what came behind it. Returns how many of them belong to this
 * request; what follows is the next one's. 0: out of memory, the session has ended. */
size_t request_make(struct session *s, const char *at, size_t len);

/* Begins it. The bytes that it was made from are looked at no more, but for the log;
 * scratch and session.in may be used anew. */
void request_start(struct request *r);

/* Tells the life what happened, and does what it says. */
void request_on(struct request *r, enum request_event event);

/* The client or the server is ready: moves the request's body on. */
void request_pump(struct request *r);

/* A place is free at a gate that this one waits at: tries again. */
void request_retry_wait(struct request *r);

/* Gives everything back and frees it; nothing is sent. The session has none then. */
void request_free(struct request *r);

/* Whether the client's connection may carry another request after this one's answer. */
bool request_may_stay(const struct request *r);

/* Lets go of the server at hand; its connection is kept if `keep`. */
void request_drop_server(struct request *r, bool keep);

/* The connection to the server is gone: what that means depends on how far it was. */
void request_on_lost(struct request *r, enum live_failure why);

/* Limits of the present state, in ms; 0: none. */
uint32_t request_limit_ms(const struct request *r);

/* That time is over. */
void request_on_deadline(struct request *r);

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
bool answer_write(struct session *s, const struct model_listener *l, uint16_t status,
		  const char *why, bool close, bool head_only);

/* Notes a finished exchange in the counters and, if wanted, the access log. */
void answer_record(struct session *s, const struct request *r, uint16_t status);

#endif
