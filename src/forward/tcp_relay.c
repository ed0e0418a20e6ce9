/* forward/tcp_relay.c - a session's bytes, both ways: one read into scratch and one write;
 * what has many full reads in a row is spliced.
 *
 * What the other end does not take waits, and nothing more is read for it until it is gone:
 * so a slow reader stops its writer by way of the kernel, and no more is ever held than one
 * read has brought. What the client says is kept besides, as far as the pool wants it, until
 * the server answers.
 *
 * Invariant: bytes leave in the order in which they came, and the end after the last one.
 */
#include <sys/socket.h>

#include "base/must.h"
#include "forward/tcp_session.h"

enum flow { FLOW_ON, FLOW_WAITS };

static uint32_t kept(const struct tcp_session *s, int flow)
{
	return flow == TCP_UP ? s->kept : 0;
}

size_t tcp_untaken(const struct tcp_session *s, int flow)
{
	const struct tcp_flow *f = &s->flows[flow];

	return buf_waiting(f->wait) - kept(s, flow) + (f->pipe != NULL ? f->pipe->held : 0);
}

/* ---- what is kept, and what waits ---- */

static void let_go_when_empty(struct tcp_session *s, int flow)
{
	struct tcp_flow *f = &s->flows[flow];

	if (f->wait == NULL || buf_waiting(f->wait) > 0)
		return;
	buf_put(&s->worker->bufs, f->wait);
	f->wait = NULL;
}

/* What the server has taken need not be told again. */
static void forget_kept(struct tcp_session *s)
{
	if (s->kept == 0)
		return;
	buf_consume(s->flows[TCP_UP].wait, s->kept);
	s->kept = 0;
	let_go_when_empty(s, TCP_UP);
}

void tcp_rewind(struct tcp_session *s)
{
	s->kept = 0;
}

/* The other end has taken so many of the bytes that waited. */
static void note_taken(struct tcp_session *s, int flow, size_t count)
{
	if (flow == TCP_UP && tcp_life_keeps(&s->life)) {
		s->kept += (uint32_t)count;
		return;
	}
	buf_consume(s->flows[flow].wait, kept(s, flow) + count);
	if (flow == TCP_UP)
		s->kept = 0;
	let_go_when_empty(s, flow);
}

/* Puts bytes behind what waits. False: out of memory, and the session is over. */
static bool hold(struct tcp_session *s, int flow, const char *at, size_t len)
{
	struct tcp_flow *f = &s->flows[flow];
	struct worker *w = s->worker;
	size_t all = buf_waiting(f->wait) + len;

	must(all <= BUF_LARGE);
	if ((f->wait == NULL || buf_room(f->wait) < len) &&
	    !buf_larger(&w->bufs, &f->wait, all)) {
		live_count(&w->live->memory_refused);
		tcp_on(s, TCP_EVENT_CLIENT_GONE);
		return false;
	}
	buf_append(f->wait, at, len);
	return true;
}

/* Keeps what the client has said before there is a server to tell. */
static bool hold_ahead(struct tcp_session *s, const char *at, size_t len)
{
	if (len > s->keep_max)
		s->life.replayable = false;
	return hold(s, TCP_UP, at, len);
}

/* Whether so many more bytes of the client are to be kept; if not, none are from now on
 * until the server answers. */
static bool may_keep(struct tcp_session *s, size_t len)
{
	bool keep = tcp_life_keeps(&s->life) &&
		    buf_waiting(s->flows[TCP_UP].wait) + len <= s->keep_max;

	if (!keep) {
		s->life.replayable = false;
		forget_kept(s);
	}
	return keep;
}

/* ---- the ends ---- */

/* A flow's source has failed, for a reason of errno. A server that resets had not read all
 * that it was sent, so it was not at rest, however silent. */
static void on_broken(struct tcp_session *s, int flow, int reason)
{
	if (flow == TCP_UP) {
		tcp_on(s, TCP_EVENT_CLIENT_GONE);
		return;
	}
	tcp_note_silence(s);
	s->life.quiet = s->life.quiet && reason != ECONNRESET;
	tcp_on(s, TCP_EVENT_SERVER_RESET);
}

/* The server has sent its end, or failed: what that means is for the life to say. */
static void report_server_end(struct tcp_session *s)
{
	if (s->ends[TCP_SERVER].broken) {
		on_broken(s, TCP_DOWN, ECONNRESET);
		return;
	}
	tcp_note_silence(s);
	tcp_on(s, TCP_EVENT_SERVER_ENDED);
}

/* A read has shown the end of the flow's source. */
static void on_end(struct tcp_session *s, int flow)
{
	s->flows[flow].ended = true;
	if (flow == TCP_UP)
		s->life.client_ended = true;
	else if (s->life.state != TCP_ENDING)
		report_server_end(s);
}

/* A write has failed. A server may have answered before it failed: that is read first, and
 * its end after it. */
static void on_refused(struct tcp_session *s, int flow)
{
	struct stream *to = &s->ends[!flow];

	if (flow == TCP_DOWN)
		tcp_on(s, TCP_EVENT_CLIENT_GONE);
	else if (s->flows[TCP_DOWN].ended)
		on_broken(s, TCP_DOWN, ECONNRESET);
	else
		to->readable = true;
}

/* The source has ended and all of it is delivered: the other end is told, or both are
 * closed. */
static void pass_end(struct tcp_session *s, int flow)
{
	s->flows[flow].shut = true;
	if (s->flows[!flow].shut)
		tcp_on(s, TCP_EVENT_FINISHED);
	else
		shutdown(s->ends[!flow].watch.fd, SHUT_WR);
}

/* A failure that no read will tell of: the source of a flow that is not read any more, or
 * not at present. */
static bool has_failed(const struct tcp_session *s, int flow)
{
	if (!s->ends[flow].broken)
		return false;
	return s->flows[flow].ended ||
	       (flow == TCP_UP && (tcp_untaken(s, TCP_UP) > 0 || s->ends[TCP_SERVER].broken));
}

/* ---- what was said ---- */

/* The client has said something, which is at [at, at + len) or, spliced, on its way (NULL).
 * False: that is held, to be written by flush, or the session has ended. */
static bool on_client_spoke(struct tcp_session *s, const char *at, size_t len)
{
	bool may_move = false;

	if (s->life.state == TCP_ENDING || (s->life.state == TCP_ASKING && s->life.asked))
		return true;
	tcp_note_silence(s);
	if (at == NULL)
		s->life.down = false;	/* what is in a pipe cannot be moved */
	else
		may_move = s->life.state == TCP_ANSWERING && s->life.down && s->life.quiet;
	if (may_move && !hold_ahead(s, at, len))
		return false;
	tcp_on(s, TCP_EVENT_CLIENT_SPOKE);
	return !may_move;
}

static void on_server_spoke(struct tcp_session *s)
{
	s->spoke_ms = loop_now_ms(s->worker->loop);
	if (s->life.state != TCP_ASKING)
		return;
	tcp_on(s, TCP_EVENT_SERVER_SPOKE);
	forget_kept(s);
	s->life.replayable = tcp_untaken(s, TCP_UP) == 0;
}

/* ---- copying ---- */

/* Writes what waits. False: the other end takes no more at present, or is gone. */
static bool flush(struct tcp_session *s, int flow)
{
	struct tcp_flow *f = &s->flows[flow];
	struct stream *to = &s->ends[!flow];
	size_t put, len = buf_waiting(f->wait) - kept(s, flow);

	if (len == 0)
		return true;
	if (!to->writable)
		return false;
	if (stream_write(to, buf_at(f->wait) + kept(s, flow), len, &put) != STREAM_OK) {
		on_refused(s, flow);
		return false;
	}
	s->bytes[flow] += put;
	note_taken(s, flow, put);
	return put == len;
}

static void pass_up(struct tcp_session *s, const char *at, size_t len)
{
	size_t put = 0;

	if (!on_client_spoke(s, at, len))
		return;
	bool good = stream_write(&s->ends[TCP_SERVER], at, len, &put) == STREAM_OK;
	if (!good)
		put = 0;
	s->bytes[TCP_UP] += put;
	if (may_keep(s, len)) {
		if (!hold(s, TCP_UP, at, len))
			return;
		s->kept += (uint32_t)put;
	} else if (put < len && !hold(s, TCP_UP, at + put, len - put)) {
		return;
	}
	if (!good)
		on_refused(s, TCP_UP);
}

static void pass_down(struct tcp_session *s, const char *at, size_t len)
{
	size_t put;

	on_server_spoke(s);
	if (UNLIKELY(stream_write(&s->ends[TCP_CLIENT], at, len, &put) != STREAM_OK)) {
		on_refused(s, TCP_DOWN);
		return;
	}
	s->bytes[TCP_DOWN] += put;
	if (UNLIKELY(put < len))
		hold(s, TCP_DOWN, at + put, len - put);
}

static enum flow copy(struct tcp_session *s, int flow, size_t *budget)
{
	struct tcp_flow *f = &s->flows[flow];
	struct stream *from = &s->ends[flow];
	char *at = s->worker->scratch;
	size_t got;

	switch (stream_read(from, at, SCRATCH_BYTES, &got)) {
	case STREAM_OK:
		break;
	case STREAM_WAIT:
		return FLOW_WAITS;
	case STREAM_END:
		on_end(s, flow);
		return FLOW_ON;
	case STREAM_BROKEN:
		on_broken(s, flow, errno);
		return FLOW_WAITS;
	}
	*budget -= got < *budget ? got : *budget;
	if (got < TCP_BULK_BYTES)
		f->full_reads = 0;
	else if (f->full_reads < TCP_BULK_READS)
		f->full_reads++;
	if (flow == TCP_UP)
		pass_up(s, at, got);
	else
		pass_down(s, at, got);
	return from->readable ? FLOW_ON : FLOW_WAITS;
}

/* ---- splicing ---- */

/* Bytes went into the pipe: they are no longer at hand. */
static void note_spliced(struct tcp_session *s, int flow, uint64_t count)
{
	if (count == 0)
		return;
	if (flow == TCP_DOWN) {
		on_server_spoke(s);
		return;
	}
	s->life.replayable = false;
	forget_kept(s);
	on_client_spoke(s, NULL, 0);
}

/* Once the source has no more at present, the pipe goes back; when that was little, what
 * comes next is copied again. */
static enum flow splice_flow(struct tcp_session *s, int flow, size_t *budget)
{
	struct tcp_flow *f = &s->flows[flow];
	uint64_t left = UINT64_MAX;
	size_t moved;

	enum stream_result result = splice_move(f->pipe, &s->ends[flow], &s->ends[!flow],
						&left, *budget, &moved);
	s->bytes[flow] += moved;
	*budget -= moved < *budget ? moved : *budget;
	note_spliced(s, flow, UINT64_MAX - left);
	switch (result) {
	case STREAM_OK:
		return FLOW_ON;
	case STREAM_WAIT:
		if (f->pipe->held == 0) {
			worker_pipe_back(s->worker, &f->pipe);
			if (moved < TCP_BULK_BYTES)
				f->full_reads = 0;
		}
		return FLOW_WAITS;
	case STREAM_END:
		on_end(s, flow);
		return FLOW_ON;
	case STREAM_BROKEN:
		if (s->ends[!flow].broken && f->pipe->held > 0)
			on_refused(s, flow);
		else
			on_broken(s, flow, ECONNRESET);
		return FLOW_ON;
	}
	return FLOW_WAITS;
}

static bool may_splice(struct tcp_session *s, struct tcp_flow *f)
{
	if (f->pipe == NULL && f->full_reads == TCP_BULK_READS)
		f->pipe = worker_pipe(s->worker);
	return f->pipe != NULL;
}

/* ---- both ways ---- */

static enum flow move_flow(struct tcp_session *s, int flow, size_t *budget)
{
	struct tcp_flow *f = &s->flows[flow];

	if (f->shut || !tcp_life_is_joined(&s->life))
		return FLOW_WAITS;
	if (has_failed(s, flow)) {
		on_broken(s, flow, ECONNRESET);
		return FLOW_WAITS;
	}
	if (!flush(s, flow) || (flow == TCP_UP && s->ends[TCP_SERVER].broken))
		return FLOW_WAITS;
	if (f->ended) {
		pass_end(s, flow);
		return FLOW_WAITS;
	}
	bool held = f->pipe != NULL && f->pipe->held > 0;
	if (!s->ends[!flow].writable || (!held && !s->ends[flow].readable))
		return FLOW_WAITS;
	return may_splice(s, f) ? splice_flow(s, flow, budget) : copy(s, flow, budget);
}

void tcp_relay(struct tcp_session *s)
{
	struct worker *w = s->worker;
	size_t up_left = TCP_PER_TURN_MAX, down_left = TCP_PER_TURN_MAX;
	enum flow up = FLOW_ON, down = FLOW_ON;

	while ((up == FLOW_ON && up_left > 0) || (down == FLOW_ON && down_left > 0)) {
		if (up_left > 0)
			up = move_flow(s, TCP_UP, &up_left);
		if (down_left > 0)
			down = move_flow(s, TCP_DOWN, &down_left);
	}
	if (!tcp_life_is_joined(&s->life))
		return;
	if (up == FLOW_ON || down == FLOW_ON)
		loop_again(w->loop, &s->ends[TCP_CLIENT].watch);
	if (s->bytes[TCP_UP] + s->bytes[TCP_DOWN] >= TCP_UNCOUNTED_MAX)
		tcp_count_bytes(s);
	if (up_left < TCP_PER_TURN_MAX || down_left < TCP_PER_TURN_MAX) {
		s->active_ms = loop_now_ms(w->loop);
		tcp_rearm(s);
	}
}

void tcp_forget_ahead(struct tcp_session *s, size_t count)
{
	buf_consume(s->flows[TCP_UP].wait, count);
	let_go_when_empty(s, TCP_UP);
	s->life.replayable = tcp_untaken(s, TCP_UP) <= s->keep_max;
}

bool tcp_read_ahead(struct tcp_session *s)
{
	struct stream *client = &s->ends[TCP_CLIENT];
	size_t got;

	if (!client->readable)
		return false;
	switch (stream_read(client, s->worker->scratch, SCRATCH_BYTES, &got)) {
	case STREAM_OK:
		break;
	case STREAM_WAIT:
		return false;
	case STREAM_END:
		on_end(s, TCP_UP);
		return false;
	case STREAM_BROKEN:
		on_broken(s, TCP_UP, errno);
		return false;
	}
	s->active_ms = loop_now_ms(s->worker->loop);
	return hold_ahead(s, s->worker->scratch, got);
}
