/* forward/http_proxy.c - the PROXY header that a trusted peer's connection begins with.
 *
 * It says whom the requests behind it come from: fields for servers, the access log and
 * keys go by that address. It is read before anything else, whole, and once; what comes
 * with it is read as requests.
 */
#include "forward/http_session.h"
#include "parse/proxy.h"

void session_refuse_proxy(struct session *s, const char *why)
{
	worker_refuse_proxy(s->port, s->peer, why);
	session_end(s);
}

/* LOCAL, UNKNOWN and UNIX paths name nobody that HTTP could speak of: the peer stays. */
static void believe(struct session *s, const struct proxy_header *h)
{
	if (h->named && h->source.any.sa_family != AF_UNIX)
		session_note_peer(s, &h->source.any);
}

/* The first requests, or their beginning, may have come in the same packet. */
static void go_on_behind(struct session *s, const char *at, size_t len)
{
	struct worker *w = s->worker;

	s->state = SESSION_HEAD;
	s->head_since_us = loop_now_us(w->loop);
	buf_put(&w->bufs, s->in);
	s->in = NULL;
	if (len > 0)
		session_keep(s, at, len);
	s->in_seen = 0;
	session_rearm(s);
	if (s->state == SESSION_HEAD)
		session_drive(s);
}

static void parse(struct session *s, const char *at, size_t len)
{
	struct proxy_header h;

	switch (proxy_parse(&h, at, len)) {
	case PROXY_DONE:
		believe(s, &h);
		go_on_behind(s, at + h.length, len - h.length);
		break;
	case PROXY_MORE:
		session_keep(s, at, len);
		break;
	case PROXY_BAD:
		session_refuse_proxy(s, proxy_fault_text(h.fault));
		break;
	}
}

void session_read_proxy(struct session *s)
{
	struct worker *w = s->worker;

	while (s->state == SESSION_PROXY && s->client.readable) {
		size_t kept = buf_waiting(s->in), got = 0;
		switch (stream_read(&s->client, w->scratch + kept, SCRATCH_BYTES - kept, &got)) {
		case STREAM_OK:
			if (kept > 0)
				memcpy(w->scratch, buf_at(s->in), kept);
			parse(s, w->scratch, kept + got);
			break;
		case STREAM_WAIT:
			break;
		case STREAM_END:
		case STREAM_BROKEN:
			if (kept > 0)
				session_refuse_proxy(s, "it ends in its middle");
			else
				session_end(s);		/* who only looks whether we are there */
			break;
		}
	}
	if (s->state == SESSION_PROXY)
		session_watch(s);
}
