/* forward/http_tunnel.c - what follows 101: bytes both ways, until both have ended.
 *
 * A half-close passes through: what one side will not send any more, the other is told
 * as the end of its stream, after everything sent before.
 */
#include "forward/http_request.h"

#include <sys/socket.h>

enum flow { FLOW_ON, FLOW_WAITS, FLOW_BROKEN };

/* One read from the client to the server. */
static enum flow move_up(struct request *r)
{
	struct session *s = r->session;
	struct worker *w = s->worker;
	struct stream *server = &r->upstream->server;
	size_t got;

	if (!request_flush(r))
		return server->broken ? FLOW_BROKEN : FLOW_WAITS;
	if (r->shut_server || !s->client.readable)
		return FLOW_WAITS;
	switch (stream_read(&s->client, w->scratch, SCRATCH_BYTES, &got)) {
	case STREAM_OK:
		break;
	case STREAM_WAIT:
		return FLOW_WAITS;
	case STREAM_END:
		r->shut_server = true;
		shutdown(server->watch.fd, SHUT_WR);
		return FLOW_WAITS;
	case STREAM_BROKEN:
		return FLOW_BROKEN;
	}
	if (!request_write(r, w->scratch, got))
		return FLOW_BROKEN;
	return r->body_wait == NULL ? FLOW_ON : FLOW_WAITS;
}

/* One read from the server to the client. */
static enum flow move_down(struct request *r)
{
	struct session *s = r->session;
	struct worker *w = s->worker;
	size_t got;

	if (session_is_blocked(s) || r->shut_client || !r->upstream->server.readable)
		return FLOW_WAITS;
	switch (stream_read(&r->upstream->server, w->scratch, SCRATCH_BYTES, &got)) {
	case STREAM_OK:
		return session_write(s, w->scratch, got) ? FLOW_ON : FLOW_BROKEN;
	case STREAM_WAIT:
		return FLOW_WAITS;
	case STREAM_END:
		r->shut_client = true;
		shutdown(s->client.watch.fd, SHUT_WR);
		return FLOW_WAITS;
	case STREAM_BROKEN:
		return FLOW_BROKEN;
	}
	return FLOW_BROKEN;
}

/* One side has said all, still listens, and has failed since: no read tells. Once both
 * have said all, what has come before is still to be written. */
static bool has_failed(const struct request *r)
{
	return (r->shut_server && !r->shut_client && r->session->client.broken) ||
	       (r->shut_client && !r->shut_server && r->upstream->server.broken);
}

void tunnel_pump(struct request *r)
{
	struct session *s = r->session;
	enum flow up = FLOW_ON, down = FLOW_ON;

	if (has_failed(r)) {
		request_on(r, EVENT_BROKEN);
		return;
	}
	for (size_t moved = 0; up == FLOW_ON || down == FLOW_ON; moved += SCRATCH_BYTES) {
		if (moved >= PUMP_PER_TURN_MAX) {
			loop_again(s->worker->loop, &s->client.watch);
			break;
		}
		up = move_up(r);
		down = move_down(r);
		if (up == FLOW_BROKEN || down == FLOW_BROKEN) {
			request_on(r, EVENT_BROKEN);
			return;
		}
	}
	if (r->shut_client && r->shut_server && s->out == NULL)
		request_on(r, EVENT_FINISHED);
	else
		session_rearm(s);
}

void tunnel_begin(struct request *r, const char *at, size_t len)
{
	struct session *s = r->session;

	r->response.kind = H1_BODY_UNTIL_CLOSE;
	r->body_wait = s->in;		/* what the client sent ahead */
	s->in = NULL;
	if (!session_write(s, at, len) ||
	    loop_watch_register(s->worker->loop, &s->client.watch) != 0) {
		request_on(r, EVENT_CLIENT_GONE);
		return;
	}
	tunnel_pump(r);
}
