/* forward/tcp_proxy.c - PROXY headers of TCP sessions: the one that a trusted peer's
 * connection begins with, and the one that servers are told whom they serve by.
 *
 * A header that was read is remembered as long as the session lasts, for each server that
 * it may be joined to; its TLVs are passed on where servers get version 2.
 */
#include <netinet/in.h>
#include <stdlib.h>

#include "forward/tcp_session.h"
#include "listen/peers.h"
#include "parse/proxy.h"

struct tcp_origin {
	bool     named;			/* there are addresses; else the connection's own hold */
	union proxy_address source, destination;
	uint32_t tlvs_len;
	char     tlvs[];
};

/* The address of either end of the client's connection. */
static union proxy_address own_address(const struct tcp_session *s,
				       int (*get)(int, struct sockaddr *, socklen_t *))
{
	union proxy_address address = {0};
	socklen_t len = sizeof address;

	address.any.sa_family = AF_UNSPEC;
	get(s->ends[TCP_CLIENT].watch.fd, &address.any, &len);
	return address;
}

bool tcp_begin_reach_of_peer(struct tcp_session *s, const struct live_server *lost)
{
	if (s->origin != NULL && s->origin->named)
		return tcp_reach_begin(s, &s->origin->source.any, lost);
	union proxy_address peer = own_address(s, getpeername);
	return tcp_reach_begin(s, &peer.any, lost);
}

/* ---- from peers ---- */

bool tcp_proxy_awaits(const struct tcp_session *s, const struct sockaddr *peer)
{
	const struct model_listener *l = tcp_listener(s);

	return l->proxy_peer_count > 0 && peers_trust(l, peer);
}

void tcp_proxy_refuse(struct tcp_session *s, const char *why)
{
	union proxy_address peer = own_address(s, getpeername);
	char text[INET6_ADDRSTRLEN];

	address_host_text(&peer.any, text);
	worker_refuse_proxy(s->port, text, why);
	tcp_on(s, TCP_EVENT_REFUSED);
}

/* False: out of memory. */
static bool remember(struct tcp_session *s, const struct proxy_header *h)
{
	struct tcp_origin *origin = malloc(sizeof *origin + h->tlvs.len);

	if (origin == NULL) {
		live_count(&s->worker->live->memory_refused);
		return false;
	}
	origin->named = h->named;
	origin->tlvs_len = (uint32_t)h->tlvs.len;
	if (h->named) {
		origin->source = h->source;
		origin->destination = h->destination;
	}
	if (h->tlvs.len > 0)
		memcpy(origin->tlvs, h->tlvs.at, h->tlvs.len);
	s->origin = origin;
	return true;
}

/* The header is whole: what is behind it is the client's. */
static void go_on_behind(struct tcp_session *s, const struct proxy_header *h)
{
	if (!remember(s, h) || !tcp_begin_reach_of_peer(s, NULL)) {
		tcp_on(s, TCP_EVENT_REFUSED);
		return;
	}
	tcp_forget_ahead(s, h->length);
	tcp_on(s, TCP_EVENT_BEGUN);
}

void tcp_proxy_read(struct tcp_session *s)
{
	struct proxy_header h;

	while (s->life.state == TCP_NEW && tcp_read_ahead(s)) {
		struct buf *b = s->flows[TCP_UP].wait;
		switch (proxy_parse(&h, buf_at(b), buf_waiting(b))) {
		case PROXY_DONE:
			go_on_behind(s, &h);
			return;
		case PROXY_BAD:
			tcp_proxy_refuse(s, proxy_fault_text(h.fault));
			return;
		case PROXY_MORE:
			break;
		}
	}
	if (s->life.state != TCP_NEW)
		return;
	if (s->life.client_ended && tcp_untaken(s, TCP_UP) > 0)
		tcp_proxy_refuse(s, "it ends in its middle");
	else if (s->life.client_ended)		/* who only looks whether we are there */
		tcp_on(s, TCP_EVENT_CLIENT_GONE);
	else if (!tcp_watch_client(s))
		tcp_on(s, TCP_EVENT_REFUSED);
	else
		tcp_rearm(s);
}

/* ---- to servers ---- */

static size_t write_header(const struct tcp_session *s, uint32_t version,
			   char out[PROXY_MAX])
{
	const struct tcp_origin *origin = s->origin;
	union proxy_address source, destination;
	struct span tlvs = {0};

	if (origin != NULL)
		tlvs = (struct span){origin->tlvs, origin->tlvs_len};
	if (origin != NULL && origin->named) {
		source = origin->source;
		destination = origin->destination;
	} else {
		source = own_address(s, getpeername);
		destination = own_address(s, getsockname);
	}
	if (version == 1)
		return proxy_write_v1(out, &source.any, &destination.any);
	return proxy_write_v2(out, &source.any, &destination.any, tlvs);
}

bool tcp_proxy_introduce(struct tcp_session *s, uint32_t version)
{
	char header[PROXY_MAX];
	size_t put = 0, len = write_header(s, version, header);
	bool more = tcp_untaken(s, TCP_UP) > 0;		/* and may go in the same packet */

	/* Nothing is in the way of the first bytes of a connection. */
	return stream_write_more(&s->ends[TCP_SERVER], header, len, more, &put) == STREAM_OK &&
	       put == len;
}
