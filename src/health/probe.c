#include "health/probe.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/must.h"

static void done(struct probe *p, enum probe_decision decision, const char *reason)
{
	probe_cancel(p);
	p->on_done(p, decision, reason);
}

static void on_limit(struct loop_timer *t)
{
	struct probe *p = CONTAINER_OF(t, struct probe, limit);
	char reason[PROBE_REASON_MAX];

	snprintf(reason, sizeof reason, "no answer within %u ms",
		 (unsigned)p->timeout_ms);
	done(p, PROBE_BAD, reason);
}

/* Sends what is left of the request. A server that hangs up meanwhile may have
 * answered before, so that only reading tells what there is. */
static void send_rest(struct probe *p)
{
	while (p->request_sent < p->request_len) {
		ssize_t n = send(p->watch.fd, p->request + p->request_sent,
				 p->request_len - p->request_sent, MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno != EAGAIN)
			p->request_sent = p->request_len;
		if (n < 0)
			return;
		p->request_sent += (uint32_t)n;
	}
}

static void receive(struct probe *p)
{
	char bytes[PROBE_READ_SIZE];

	for (int i = 0; i < PROBE_READS_PER_TURN; i++) {
		ssize_t n = recv(p->watch.fd, bytes, sizeof bytes, 0);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return;
		if (n < 0) {
			done(p, PROBE_BAD, errno == ECONNRESET ? "connection reset"
							       : strerrordesc_np(errno));
			return;
		}
		enum probe_decision decision =
			n > 0 ? probe_answer_feed(&p->answer, bytes, (size_t)n)
			      : probe_answer_end(&p->answer);
		if (decision != PROBE_UNDECIDED) {
			done(p, decision, p->answer.reason);
			return;
		}
	}
	loop_again(p->loop, &p->watch);
}

static void on_dialed(struct dial *d, enum dial_result result)
{
	struct probe *p = CONTAINER_OF(d, struct probe, dial);
	uint64_t now_ms = loop_now_ms(p->loop);

	if (result == DIAL_NO_DESCRIPTORS || result == DIAL_NO_PORTS) {
		done(p, PROBE_UNDECIDED, dial_result_text(result));
	} else if (result != DIAL_OPEN) {
		done(p, PROBE_BAD, dial_result_text(result));
	} else if (p->kind == CHECK_TCP) {
		done(p, PROBE_GOOD, dial_result_text(result));
	} else {
		loop_timer_start(p->loop, &p->limit,
				 p->deadline_ms > now_ms ? p->deadline_ms - now_ms : 0);
		send_rest(p);
		receive(p);	/* what came before we asked was told already */
	}
}

static void on_ready(struct loop_watch *w, unsigned events)
{
	struct probe *p = CONTAINER_OF(w, struct probe, watch);

	if (p->dial.pending) {
		dial_on_ready(&p->dial, events);
		return;
	}
	send_rest(p);
	receive(p);
}

void probe_init(struct probe *p, struct loop *loop,
		void (*on_done)(struct probe *p, enum probe_decision decision,
				const char *reason), void *arg)
{
	p->loop = loop;
	p->on_done = on_done;
	p->arg = arg;
	dial_init(&p->dial, loop, on_dialed);
	loop_watch_init(&p->watch, -1, on_ready);
	loop_timer_init(&p->limit, on_limit);
}

/* False: it does not fit. */
static bool write_request(struct probe *p, const struct model_check *check,
			  const struct address *to, const char *name)
{
	if (check->host != NULL)
		name = check->host;
	else if (to->any.sa_family == AF_UNIX)
		name = "localhost";
	int len = snprintf(p->request, sizeof p->request,
			   "GET %s HTTP/1.1\r\n"
			   "Host: %s\r\n"
			   "User-Agent: balancerd-check\r\n"
			   "Connection: close\r\n\r\n",
			   check->path, name);
	p->request_sent = 0;
	p->request_len = (uint32_t)len;
	return len > 0 && (size_t)len < sizeof p->request;
}

void probe_start(struct probe *p, const struct model_check *check,
		 const struct address *to, const char *name)
{
	enum dial_result result;

	must(check->kind != CHECK_OFF);
	p->kind = check->kind;
	p->timeout_ms = check->timeout_ms;
	p->deadline_ms = loop_now_ms(p->loop) + check->timeout_ms;
	if (check->kind == CHECK_HTTP) {
		probe_answer_init(&p->answer, check);
		if (!write_request(p, check, to, name)) {
			done(p, PROBE_BAD, "the check's path and host are too long");
			return;
		}
	}
	if (dial_start(&p->dial, &p->watch, to, check->timeout_ms, on_ready, &result))
		on_dialed(&p->dial, result);
}

void probe_cancel(struct probe *p)
{
	dial_cancel(&p->dial);
	loop_timer_stop(p->loop, &p->limit);
	loop_watch_close(p->loop, &p->watch);
}
