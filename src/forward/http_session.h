/* forward/http_session.h - a client's connection: its heads, its time limits, its end.
 *
 *         bytes            a whole head          the exchange is over
 *   HEAD -------> HEAD ---------------> REQUEST ----------------------> HEAD
 *     | end, time over                     | the last one               (keep-alive)
 *     v                                    v
 *   DEAD <---- closed, time over ------ LINGER (reads what still comes)
 *
 * A connection from a trusted proxy is in PROXY before its first HEAD, until it has said
 * whom it speaks for; if it does not, it is DEAD.
 *
 * One exchange at a time runs on a connection; pipelined requests wait in `in`.
 * Whatever ends a session or its request may happen deep inside a call: a session
 * that ended is marked dead, and freed when the next event begins, so callers look
 * at `state` after each call that may end it.
 *
 * Thread: the loop's.
 */
#ifndef FORWARD_HTTP_SESSION_H
#define FORWARD_HTTP_SESSION_H

#include <netinet/in.h>

#include "forward/worker.h"
#include "listen/stream.h"

struct request;
struct sockaddr;

enum session_state {
	SESSION_HEAD,		/* idle, or a request head is coming in */
	SESSION_REQUEST,	/* an exchange runs */
	SESSION_LINGER,		/* answered; reads what still comes, then closes */
	SESSION_PROXY,		/* a PROXY header comes first; http_proxy.c */
	SESSION_DEAD,
};

enum {
	DRIVE_PER_TURN_MAX = 32,	/* pipelined requests of one connection */
	PUMP_PER_TURN_MAX = 1024 * 1024,	/* bytes of one direction */
	INTERIM_MAX = 16,		/* 1xx responses to one request */
	LINGER_BYTES_MAX = 64 * 1024 * 1024,
	DRAIN_GRACE_MS = 500,
	GIVE_WAY_MS = 50,		/* idle so long, one may be ended for another */
	HOLD_MS = 1,			/* how long an answer may wait for the next one */
	HOLD_BYTES_MAX = 4096,		/* longer ones do not wait */
	LOOK_AFTER_MS = 100,		/* from then on a waiting client is watched */
};

struct session {
	struct grave  grave;		/* once it is dead */
	struct stream client;		/* owned */
	struct loop_timer deadline;
	struct worker *worker;		/* borrowed */
	struct port   *port;		/* borrowed: ends after its sessions */
	struct request *request;	/* owned, NULL between requests */
	struct buf    *in;		/* owned: bytes that wait to be read as requests */
	struct buf    *out;		/* owned: bytes that the client's socket did not take */
	struct buf    *held;		/* owned: answers that leave with the next one */
	struct link    held_link;	/* in worker->holding while `held` */
	struct link    link;		/* in worker->sessions */
	struct link    idle_link;	/* in worker->idle while idle */
	uint32_t in_seen;		/* bytes of `in` that the parser has seen */
	uint32_t requests;		/* so far */
	uint32_t lingered;		/* bytes thrown away */
	enum session_state state;
	bool     driving;		/* session_drive is on the stack */
	bool     closing;		/* the next bytes are the last: their packet may say so */
	uint16_t peer_port;
	uint16_t peer_len;
	char     peer[INET6_ADDRSTRLEN];
	uint64_t peer_key;		/* of its address; forward/key.h */
	uint64_t head_since_us;		/* when the present head's first byte came */
	uint64_t bytes_out;		/* of the present answer, towards the client */
	uint32_t heads_out;		/* what of them is heads */
};

/* What the session works by: of its request's edition, else of its port's. */
const struct model_listener *session_listener(const struct session *s);

/* Ends it at once; a request on it is abandoned. */
void session_end(struct session *s);

/* Reads and begins requests until one is under way or bytes are missing. */
void session_drive(struct session *s);

/* The exchange is over and the request is gone: on to the next one, or to the end. */
enum session_after {
	AFTER_NEXT,	/* the connection may carry another */
	AFTER_CLOSE,	/* the client has asked for the end, and sent all it will send */
	AFTER_LINGER,	/* the client may be sending: the end must not take the answer away */
};
void session_next(struct session *s, enum session_after after);

/* Refuses what came: answered once, and nothing behind it is read as a request. */
void session_refuse(struct session *s, uint16_t status, const char *why);

/* Whether the request whose head, in worker->head, was read at `at`, is one for the admin
 * interface: exactly /rep, /add or /rm, where the listener has such. */
bool session_is_for_admin(const struct session *s, const char *at);

/* Hands its connection over to that, with the `len` bytes, which begin with the head, once
 * the client has taken all earlier answers: until then it stays, blocked. Returns 0. */
size_t session_hand_over(struct session *s, const char *at, size_t len);

/* Notes whom the connection comes from: its peer, or whom that one names. */
void session_note_peer(struct session *s, const struct sockaddr *peer);

/* Keeps bytes that are no whole head (or PROXY header) yet, instead of those kept
 * before. Out of memory: the session has ended. */
void session_keep(struct session *s, const char *at, size_t len);

/* Reads the PROXY header that has to come first, and drives on behind it. One that is
 * missing or bad ends the session. */
void session_read_proxy(struct session *s);

/* There is none, or a bad one: the session ends, and that is counted and said. */
void session_refuse_proxy(struct session *s, const char *why);

/* Writes to the client, keeping what it does not take. False: the client is gone. */
bool session_write(struct session *s, const char *at, size_t len);

/* Writes what was held; what the client does not take waits as `out`. False: it is
 * gone. */
bool session_release(struct session *s);

/* Hands over what waits, as far as the client takes it. */
void session_flush(struct session *s);

/* Keeps a whole answer, to leave in one packet with the next one's, where the client has
 * pipelined another request; for HOLD_MS at most. False: it has to be written. */
bool session_hold(struct session *s, const char *at, size_t len);

/* Writes the answers that were held. Worker's timer. */
void session_release_all(struct worker *w);

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

/* Ends the session of this port (NULL: of any) that has been idle longest, for its
 * place: at once, or when it has been idle for GIVE_WAY_MS, since its next request may
 * be on its way. False: none is idle. */
bool session_make_room(struct worker *w, const struct port *port, bool at_once);

#endif
