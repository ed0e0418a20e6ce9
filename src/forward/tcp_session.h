/* forward/tcp_session.h - a client's connection and the server's that it is joined to: the
 * shell around tcp_life.h.
 *
 *   tcp_session.c   accepted, told of events, its time limits, its end
 *   tcp_proxy.c     PROXY headers, of clients and for servers
 *   tcp_reach.c     to a server: pick, wait for room, connect, join, let go
 *   tcp_relay.c     bytes both ways: copied, spliced, kept to be told again
 *   tcp_verify.c    whether a server whose connection ended is still there
 *   tcp_leave.c     servers that were taken out: how long their sessions may stay
 *
 * A session may be over after any call that takes an event; its memory stays until the
 * next event of the loop (worker_bury), so callers look at life.state before they go on.
 *
 * Memory: a session is 368 bytes, and 224 more until it is joined. It holds a buffer or a
 * pipe only while bytes wait in it: at most one buffer for each direction, of what one
 * read brought (SCRATCH_BYTES), and one pipe (PIPE_BYTES). An idle one holds neither.
 *
 * Thread: the loop's.
 */
#ifndef FORWARD_TCP_SESSION_H
#define FORWARD_TCP_SESSION_H

#include "forward/place.h"
#include "forward/tcp_life.h"
#include "listen/stream.h"
#include "loop/dial.h"

enum {
	TCP_PER_TURN_MAX = 512 * 1024,	/* bytes of one flow */
	TCP_BULK_BYTES = 16 * 1024,	/* a read of so much is a full one ... */
	TCP_BULK_READS = 3,		/* ... and after so many in a row the rest is spliced */
	TCP_LOOK_MS = 1000,		/* how often who waits for an answer looks whether
					 * the server is up */
	TCP_UNCOUNTED_MAX = 16 * 1024 * 1024,	/* bytes that the pool's figures are behind */
};

/* Both ends, and both flows: a flow goes from the end with its number to the other. */
enum { TCP_CLIENT, TCP_SERVER, TCP_UP = TCP_CLIENT, TCP_DOWN = TCP_SERVER };

struct tcp_flow {
	struct buf  *wait;	/* owned: bytes that the other end has not taken; up: behind
				 * those that are kept */
	struct pipe *pipe;	/* owned while it is spliced */
	uint8_t full_reads;	/* in a row, up to TCP_BULK_READS */
	bool    ended;		/* its source has said all */
	bool    shut;		/* and the other end has been told */
};

/* What a session needs until it is joined. */
struct tcp_reach {
	struct tcp_session *session;	/* borrowed: its owner */
	struct edition *edition;	/* a user of it */
	struct lane    *lane;		/* of the edition */
	uint64_t        key;		/* of the client; 0 where the policy wants none */
	struct tried    tried;
	struct dial     dial;
	struct waiter   waiter;		/* in lane->waiting */
	uint64_t        waiting_since_ms;	/* 0: has not waited */
};

struct tcp_session {
	struct grave   grave;		/* once it is over */
	struct tcp_life life;
	struct stream  ends[2];		/* owned; the server's is not open unless connected */
	struct tcp_flow flows[2];
	uint32_t       kept;		/* first bytes of flows[TCP_UP].wait: the server has
					 * taken them, another one may have to be told them */
	uint32_t       keep_max;	/* how many may be kept */
	uint32_t       quiet_ms;	/* of the pool */
	bool           probing;		/* the kernel asks whether the server is there */
	struct loop_timer deadline;
	struct worker *worker;		/* borrowed */
	struct port   *port;		/* borrowed: ends after its sessions */
	struct tcp_reach *reach;	/* owned, NULL once it is joined */
	struct tcp_origin *origin;	/* owned: what its PROXY header has said, or NULL */
	struct place   place;		/* at the server at hand, connected or not */
	struct link    link;		/* in worker->tcp_sessions */
	struct link    joined;		/* in backend.joined of place.server */
	struct link    verifying;	/* in the list of who waits for the same verdict */
	uint64_t       began_ms;
	uint64_t       active_ms;	/* when the last byte came, from either end */
	uint64_t       spoke_ms;	/* when the server's last one came */
	uint64_t       bytes[2];	/* of each flow, not counted in the pool yet */
};

/* ---- tcp_session.c ---- */

/* Tells the life what happened, and does what it says. */
void tcp_on(struct tcp_session *s, enum tcp_event event);

/* Notes in the life what is true of the server at hand at this moment, for an event that
 * may move the session. */
void tcp_note_silence(struct tcp_session *s);

/* Sets the time limit of the present state anew. */
void tcp_rearm(struct tcp_session *s);

/* Adds what has passed to the pool's figures. While a server is at hand. */
void tcp_count_bytes(struct tcp_session *s);

/* The listener, by the edition that the port works by. */
const struct model_listener *tcp_listener(const struct tcp_session *s);

/* ---- tcp_proxy.c ---- */

/* Begins to look for a server for whoever the client is; as tcp_reach_begin. */
bool tcp_begin_reach_of_peer(struct tcp_session *s, const struct live_server *lost);

/* Whether a PROXY header has to come first. */
bool tcp_proxy_awaits(const struct tcp_session *s, const struct sockaddr *peer);

/* Reads it, and begins behind it. */
void tcp_proxy_read(struct tcp_session *s);

/* It did not come, or is none: counted, and the session ends. */
void tcp_proxy_refuse(struct tcp_session *s, const char *why);

/* Tells the server at hand, before anything else, whom it serves. False: that failed. */
bool tcp_proxy_introduce(struct tcp_session *s, uint32_t version);

/* ---- tcp_reach.c ---- */

/* Begins to look for a server, of the listener's pool as it is now; `peer` is who the
 * client is. Not again the server `lost`, NULL: any will do. False: out of memory. */
bool tcp_reach_begin(struct tcp_session *s, const struct sockaddr *peer,
		     const struct live_server *lost);

/* Ends that. Nothing happens when it was not begun. */
void tcp_reach_end(struct tcp_session *s);

/* Chooses a server and takes a place there; reports what came of it as an event. */
void tcp_pick(struct tcp_session *s);

/* It waits for a server, and may try again those that have failed it; how long until it
 * does, UINT64_MAX: not at all. */
void tcp_look_again(struct tcp_session *s);
uint64_t tcp_look_ms(const struct tcp_session *s);

/* Joins the queue of its pool. */
void tcp_wait(struct tcp_session *s);

/* Dials the server at hand. */
void tcp_connect(struct tcp_session *s);

/* Has the loop tell of the client's socket, from now on. False: out of memory. */
bool tcp_watch_client(struct tcp_session *s);

/* It is connected: from now on bytes pass. */
void tcp_join(struct tcp_session *s);

/* Closes the server's connection and leaves the place; `hard`: by a RST. What waits for
 * the server is kept. Nothing happens when none is at hand. */
void tcp_drop_server(struct tcp_session *s, bool hard);

/* The server's socket is ready. */
void tcp_on_server_ready(struct loop_watch *watch, unsigned events);

/* ---- tcp_relay.c ---- */

/* Either end is ready, and the session joined: moves bytes on. */
void tcp_relay(struct tcp_session *s);

/* Takes what the client has said so far and keeps it, without a server. False: nothing
 * has come, or the session is over. */
bool tcp_read_ahead(struct tcp_session *s);

/* Drops that many bytes at the beginning of what was read ahead. */
void tcp_forget_ahead(struct tcp_session *s, size_t count);

/* What of a flow its target has not taken. */
size_t tcp_untaken(const struct tcp_session *s, int flow);

/* The next server is told everything that was kept, from its beginning. */
void tcp_rewind(struct tcp_session *s);

/* ---- tcp_verify.c ---- */

/* Finds out whether the server at hand is alive, and reports it out of this call or later:
 * to a session that is VERIFYING as what it waits for; to one that is joined, and only asks
 * since the server counts as down, as SERVER_LEAVES if it is dead, else not at all. */
void tcp_verify(struct tcp_session *s);

/* Ends all that is under way. */
void tcp_verify_cancel_all(struct worker *w);

/* ---- tcp_leave.c ---- */

/* A new edition is in force: servers that it lacks begin to leave, those that have come
 * back stay. */
void tcp_leave_adopt(struct worker *w);

/* A session has joined a server that no edition has any more. */
void tcp_leave_begin(struct worker *w, struct live_server *server);

/* Ends all that is under way. */
void tcp_leave_cancel_all(struct worker *w);

#endif
