/* forward/splice.h - bytes from socket to socket without passing through us.
 *
 * splice(2) moves pages through a pipe. Pipes are kept by the loop and lent while bytes
 * are on their way, at most PIPES_MAX at once: who gets none copies instead.
 *
 * Invariant: `held` bytes are in the pipe; a pipe goes back empty, or is closed.
 * Thread: the loop's.
 */
#ifndef FORWARD_SPLICE_H
#define FORWARD_SPLICE_H

#include "listen/stream.h"

enum {
	PIPES_MAX = 2048,	/* lent, per loop */
	PIPES_KEPT_MAX = 64,	/* idle ones */
	PIPE_BYTES = 256 * 1024,
	SPLICE_MIN = 32 * 1024,	/* what is shorter is copied */
};

struct pipe {
	int    in, out;		/* owned; write end, read end */
	size_t held;
};

struct pipes {
	struct pipe *kept[PIPES_KEPT_MAX];	/* owned */
	uint32_t kept_count;
	uint32_t lent;
};

/* NULL: none is left, or no descriptor. */
struct pipe *pipe_get(struct pipes *pipes);

/* Takes it back; with bytes in it, it is closed. NULL is allowed. */
void pipe_put(struct pipes *pipes, struct pipe *p);

void pipes_fini(struct pipes *pipes);

/* Moves up to *left bytes from one stream to the other, until either has to wait
 * or `budget` bytes have passed; *left counts down as bytes leave `from`. *moved is
 * set to the bytes that reached `to`.
 *   STREAM_OK      *left is 0 and the pipe is empty, or the budget is used up
 *   STREAM_WAIT    one of the two is not ready: from->readable or to->writable
 *   STREAM_END     `from` has ended before *left bytes came; the pipe is empty
 *   STREAM_BROKEN  one of the two failed: its `broken` is set */
enum stream_result splice_move(struct pipe *p, struct stream *from, struct stream *to,
			       uint64_t *left, size_t budget, size_t *moved);

#endif
