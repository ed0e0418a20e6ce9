/* store/channel.h - a connection that speaks the key-value protocol: bytes come in and
 * are told as messages; messages go out together at the end of the turn.
 *
 * What is read goes into the lane's scratch buffer, and all messages in it are handled at
 * once; only a cut one at the end is kept here. What is sent collects in `out`. There is
 * no system call for a single message, and no allocation once `out` has grown.
 *
 * Invariants: a closed channel (channel_is_open) tells nothing and takes nothing, so that
 * a handler may close it, or what it belongs to, at any time; its memory must stay until
 * the end of the turn. While `paused` has a bit set nothing is read, and nothing told.
 *
 * Thread: the lane's.
 */
#ifndef STORE_CHANNEL_H
#define STORE_CHANNEL_H

#include "base/bytes.h"
#include "listen/stream.h"
#include "loop/turn.h"
#include "parse/kv_wire.h"

enum {
	CHANNEL_SCRATCH_BYTES = 512 * 1024,	/* at least KV_MESSAGE_MAX
						 * and a good read */
	CHANNEL_READS_MAX = 4,			/* in a turn; others first */
	CHANNEL_OUT_HIGH = 1024 * 1024,		/* beyond: sent at once; then
						 * no more is read */
	CHANNEL_OUT_LOW = 256 * 1024,		/* below: on_room, and reading goes on */
	CHANNEL_PROBE_MS = 10 * 1000,		/* silence after which the kernel asks */
	CHANNEL_LINGER_READS_MAX = 16,		/* of what still comes, before a close */
};

enum channel_pause {
	CHANNEL_PAUSE_OUTPUT = 1,	/* the other side does not take what it is sent */
	CHANNEL_PAUSE_OWNER = 2,	/* whoever owns it has enough */
	CHANNEL_PAUSE_UNKNOWN = 4,	/* who it is will be known later */
};

struct channel;

/* What all channels of a lane share. */
struct channel_turn {
	struct loop *loop;		/* borrowed */
	char        *scratch;		/* owned; CHANNEL_SCRATCH_BYTES */
	uint64_t    *refused;		/* borrowed; counts channel_refuse */
	struct link  unsent;		/* channels that have something to send */
	struct loop_task end;		/* the lane's end of turn */
};

struct channel_calls {
	/* A message, borrowed for the call. It may close the channel,
	 * and may pause it. */
	void (*on_message)(struct channel *c, const struct kv_message *m);
	/* It is closed: the other side has, or has said what it must not.
	 * `why` is for people. */
	void (*on_lost)(struct channel *c, const char *why);
	/* Output that was above CHANNEL_OUT_HIGH is below
	 * CHANNEL_OUT_LOW. May be NULL. */
	void (*on_room)(struct channel *c);
};

struct channel {
	struct stream stream;		/* owned; its watch is not open: closed */
	struct channel_turn *turn;	/* borrowed */
	const struct channel_calls *calls;
	struct bytes in, out;		/* owned */
	struct link  unsent;		/* in turn->unsent */
	unsigned     paused;		/* enum channel_pause, OR */
	bool         in_is_new;		/* `in` was not looked at since it was paused */
	uint64_t     bytes_in, bytes_out;
};

/* Closed. */
void channel_init(struct channel *c, struct channel_turn *turn,
		  const struct channel_calls *calls);

/* For dials: to be told to the watch before it is open, and after channel_open only. */
void channel_on_ready(struct loop_watch *w, unsigned events);

/* Begins with a connected descriptor, given, that is not registered yet. -1: the kernel
 * refused to watch it; it is closed. */
int channel_open(struct channel *c, int fd);

/* Begins with the descriptor that a dial has opened in c's watch, already registered. */
void channel_begin(struct channel *c);

/* Bytes of it that somebody else has read already. False: out of memory. */
bool channel_unread(struct channel *c, struct span bytes);

/* Closes it without a word; what was not sent is lost. Nothing happens
 * when it is closed. */
void channel_close(struct channel *c);

/* The descriptor goes to somebody else; what was read and not told is lost, unless it was
 * taken before (channel_leftover). */
int channel_release(struct channel *c);

/* Says ERROR, closes it, and calls on_lost with the text. */
void channel_refuse(struct channel *c, enum kv_result code, const char *why);

/* Sends what is there, then closes it, all without waiting. */
void channel_part(struct channel *c);

/* Appends a message to what is sent at the end of the turn, or bytes of messages. Out of
 * memory: it is closed and on_lost called. Nothing happens when it is closed. */
void channel_send(struct channel *c, const struct kv_message *m);
void channel_send_bytes(struct channel *c, struct span bytes);

/* Sends what waits, as far as the kernel takes it. */
void channel_flush(struct channel *c);

/* Sends what waits in all channels of the lane. */
void channel_flush_all(struct channel_turn *turn);

/* Reads no more, and goes on as soon as all who have paused it have resumed. Each has a
 * reason of its own; pausing twice for one is pausing once. */
void channel_pause(struct channel *c, enum channel_pause why);
void channel_resume(struct channel *c, enum channel_pause why);

/* What was read and not told. Borrowed. */
static inline struct span channel_leftover(const struct channel *c)
{
	return (struct span){bytes_first(&c->in), bytes_waiting(&c->in)};
}

static inline bool channel_is_open(const struct channel *c)
{
	return c->stream.watch.fd >= 0;
}

static inline size_t channel_unsent(const struct channel *c)
{
	return bytes_waiting(&c->out);
}

#endif
