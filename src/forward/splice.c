#include "forward/splice.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

struct pipe *pipe_get(struct pipes *pipes)
{
	int ends[2];

	if (pipes->kept_count > 0) {
		pipes->lent++;
		return pipes->kept[--pipes->kept_count];
	}
	if (pipes->lent >= PIPES_MAX)
		return NULL;
	struct pipe *p = malloc(sizeof *p);
	if (p == NULL)
		return NULL;
	if (pipe2(ends, O_NONBLOCK | O_CLOEXEC) != 0) {
		free(p);
		return NULL;
	}
	/* Refused beyond the user's pipe quota: then it stays at 64 KiB. */
	fcntl(ends[1], F_SETPIPE_SZ, PIPE_BYTES);
	*p = (struct pipe){.out = ends[0], .in = ends[1]};
	pipes->lent++;
	return p;
}

static void pipe_close(struct pipe *p)
{
	close(p->in);
	close(p->out);
	free(p);
}

void pipe_put(struct pipes *pipes, struct pipe *p)
{
	if (p == NULL)
		return;
	pipes->lent--;
	if (p->held > 0 || pipes->kept_count == PIPES_KEPT_MAX)
		pipe_close(p);
	else
		pipes->kept[pipes->kept_count++] = p;
}

void pipes_fini(struct pipes *pipes)
{
	while (pipes->kept_count > 0)
		pipe_close(pipes->kept[--pipes->kept_count]);
}

/* Fills the empty pipe. */
static enum stream_result fill(struct pipe *p, struct stream *from, uint64_t *left)
{
	size_t want = *left < PIPE_BYTES ? (size_t)*left : PIPE_BYTES;
	ssize_t n = splice(from->watch.fd, NULL, p->in, NULL, want,
			   SPLICE_F_NONBLOCK | SPLICE_F_MOVE);

	if (n > 0) {
		p->held = (size_t)n;
		*left -= (uint64_t)n;
		return STREAM_OK;
	}
	if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
		from->readable = false;
		return STREAM_WAIT;
	}
	from->ended = true;
	from->broken = from->broken || n < 0;
	return n == 0 ? STREAM_END : STREAM_BROKEN;
}

static enum stream_result empty(struct pipe *p, struct stream *to, bool more, size_t *moved)
{
	while (p->held > 0) {
		ssize_t n = splice(p->out, NULL, to->watch.fd, NULL, p->held,
				   SPLICE_F_NONBLOCK | SPLICE_F_MOVE |
				   (more ? SPLICE_F_MORE : 0));
		if (n > 0) {
			p->held -= (size_t)n;
			*moved += (size_t)n;
			to->untaken = INT_MAX;
		} else if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
			to->writable = false;
			return STREAM_WAIT;
		} else {
			to->broken = true;
			return STREAM_BROKEN;
		}
	}
	to->writable = true;
	return STREAM_OK;
}

enum stream_result splice_move(struct pipe *p, struct stream *from, struct stream *to,
			       uint64_t *left, size_t budget, size_t *moved)
{
	*moved = 0;
	for (;;) {
		enum stream_result result = empty(p, to, false, moved);
		if (result != STREAM_OK || *left == 0 || *moved >= budget)
			return result;
		result = fill(p, from, left);
		if (result != STREAM_OK)
			return result;
	}
}
