/* kv/client.h - a client's connection: its bytes, its requests in the order of asking,
 * and their answers in the same order, whatever order they come in.
 *
 * Reads stop while the line is long, much waits to be sent, or the pool's queue is full;
 * so a client that asks faster than it is served waits in its own socket.
 *
 * A client that has ended is in the hub's list of those until the end of the turn:
 * callers that may have ended it look at `ended`.
 *
 * Thread: the loop's.
 */
#ifndef KV_CLIENT_H
#define KV_CLIENT_H

#include "kv/hub.h"
#include "listen/stream.h"
#include "parse/resp.h"

enum {
	KV_LINE_MAX = 1024,		/* requests of a client that are
					 * not answered yet */
	KV_LINE_MIN = 16,
	KV_LINE_BYTES = 1024 * 1024,	/* and fewer, where values may be large */
	KV_OUT_MAX = 256 * 1024,	/* bytes that wait to be sent; no
					 * more is read then */
	KV_LINGER_MS = 1000,		/* for it to hear that, and to close */
	KV_CLOSE_MS = 10 * 1000,	/* for one that is closing to take
					 * what it is told */
	KV_IN_MAX = 512 * 1024,		/* bytes that wait to be understood */
};

struct kv_client;

/* What a kind of client says, and how it is answered. */
struct kv_speech {
	/* Takes what it can of these bytes, which are all that wait: makes requests
	 * (kv_client_ask), answers at once (kv_client_say). Returns how many it has
	 * taken; fewer than all: the rest is incomplete, or kv_client_may_ask has become
	 * false. It may have ended the client. */
	size_t (*take)(struct kv_client *c, char *at, size_t len);

	/* The last words, when the balancer ends. May be NULL. */
	void (*say_goodbye)(struct kv_client *c);
};
extern const struct kv_speech kv_speech_wire, kv_speech_resp;

struct kv_client {
	struct stream stream;		/* owned */
	struct kv_hub  *hub;		/* borrowed */
	struct kv_port *port;		/* borrowed: ends after its clients */
	struct kv_pool *pool;		/* a user of it */
	const struct kv_speech *speech;
	struct bytes in, out;		/* owned */
	struct kv_request *first, *last;	/* the line */
	uint32_t in_line, line_max;
	uint32_t writes;		/* of these */
	bool paused;			/* has not read all that it might have */
	bool at_end;			/* says no more */
	bool closing;			/* ends when all is answered and sent */
	bool lingering;			/* and all has been */
	bool ended;
	bool stalled;			/* what waits to be taken lacks its end */
	struct resp_progress progress;	/* Redis: of that */
	uint64_t number;		/* Redis: how CLIENT ID calls it */
	uint8_t speaks;			/* 1 or 2; 2 after a HELLO; 0: nothing yet */
	struct {			/* Redis: of several requests with one answer */
		uint64_t count;
		bool     failed;
	} sum;
	struct loop_timer silence;	/* while the listener has a time limit */
	struct link link;		/* in hub->clients */
	struct link unsent;		/* in hub->unsent_clients, or of the ended */
};

/* A connection, whose place is taken; fd is given. */
void kv_client_begin(struct kv_port *port, int fd);

/* Its end, at once. What it asked is answered to nobody. */
void kv_client_end(struct kv_client *c);

/* Ends it when all is answered and sent; nothing more is read. */
void kv_client_close(struct kv_client *c);

/* Frees one that has ended. By the hub's end of turn. */
void kv_client_free(struct kv_client *c);

/* Sends what waits, at the end of the turn, and goes on reading if that was held up. */
void kv_client_flush(struct kv_client *c);

/* ---- for speeches ---- */

/* Whether one more request may join the line. */
bool kv_client_may_ask(const struct kv_client *c);

/* Puts a request at the end of the line and sees to it. r is given. */
void kv_client_ask(struct kv_client *c, struct kv_request *r);

/* The same for one that is answered already: with these bytes, when its turn comes. */
void kv_client_ask_literal(struct kv_client *c, const void *at, size_t len);

/* Appends to what is sent. */
void kv_client_say(struct kv_client *c, const void *at, size_t len);

/* Room for len bytes to say; kv_client_said tells how many it were. NULL: out of memory,
 * and the client is at its end. */
char *kv_client_room(struct kv_client *c, size_t len);
void kv_client_said(struct kv_client *c, size_t len);

/* ---- for dispatch ---- */

/* The pool's queue has room again: it goes on at the end of this turn,
 * if it had to wait. */
void kv_client_wake(struct kv_client *c);

/* A request of its line is answered; `answer` is borrowed. r may be gone afterwards. */
void kv_client_answered(struct kv_client *c, struct kv_request *r, struct span answer);

#endif
