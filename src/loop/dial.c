#include "loop/dial.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/must.h"

enum { PAUSE_MS_MIN = 2, PAUSE_MS_MAX = 64 };	/* between two calls for a full queue */

static const char *const texts[DIAL_RESULTS] = {
	[DIAL_OPEN] = "connected",
	[DIAL_REFUSED] = "connection refused",
	[DIAL_TIMED_OUT] = "connecting timed out",
	[DIAL_UNREACHABLE] = "host unreachable",
	[DIAL_NO_DESCRIPTORS] = "out of descriptors",
	[DIAL_NO_PORTS] = "out of local ports",
};

const char *dial_result_text(enum dial_result result)
{
	return texts[result];
}

static enum dial_result result_of(int reason)
{
	switch (reason) {
	case 0:             return DIAL_OPEN;
	case ECONNREFUSED:
	case ECONNRESET:
	case ENOENT:	    return DIAL_REFUSED;	/* no UNIX socket there */
	case ETIMEDOUT:     return DIAL_TIMED_OUT;
	case EMFILE:
	case ENFILE:
	case ENOBUFS:
	case ENOMEM:        return DIAL_NO_DESCRIPTORS;
	case EADDRNOTAVAIL: return DIAL_NO_PORTS;
	default:            return DIAL_UNREACHABLE;
	}
}

static void done(struct dial *d, enum dial_result result)
{
	d->pending = false;
	loop_timer_stop(d->loop, &d->limit);
	if (result != DIAL_OPEN)
		loop_watch_close(d->loop, d->watch);
	d->on_done(d, result);
}

/* Makes the call. True: *result says what came of it. */
static bool call(struct dial *d, const struct address *to, enum dial_result *result)
{
	bool waits = false;

	d->full = NULL;
	*result = DIAL_OPEN;
	if (connect(d->watch->fd, &to->any, to->len) != 0) {
		if (errno == EAGAIN && to->any.sa_family == AF_UNIX) {
			d->full = to;
			return false;
		}
		waits = errno == EINPROGRESS;
		*result = result_of(errno);
	}
	if ((waits || *result == DIAL_OPEN) && loop_watch_register(d->loop, d->watch) != 0) {
		waits = false;
		*result = DIAL_NO_DESCRIPTORS;
	}
	return !waits;
}

static void await(struct dial *d)
{
	uint64_t now_ms = loop_now_ms(d->loop);
	uint64_t left_ms = d->until_ms > now_ms ? d->until_ms - now_ms : 0;

	if (d->full != NULL && left_ms > d->pause_ms) {
		left_ms = d->pause_ms;
		if (d->pause_ms < PAUSE_MS_MAX)
			d->pause_ms *= 2;
	}
	loop_timer_start(d->loop, &d->limit, left_ms);
}

static void on_limit(struct loop_timer *t)
{
	struct dial *d = CONTAINER_OF(t, struct dial, limit);
	enum dial_result result = DIAL_TIMED_OUT;

	if (d->full != NULL && loop_now_ms(d->loop) < d->until_ms &&
	    !call(d, d->full, &result))
		await(d);
	else
		done(d, result);
}

void dial_init(struct dial *d, struct loop *l,
	       void (*on_done)(struct dial *d, enum dial_result result))
{
	*d = (struct dial){.loop = l, .on_done = on_done};
	loop_timer_init(&d->limit, on_limit);
}

void dial_on_ready(struct dial *d, unsigned events)
{
	int reason = 0;
	socklen_t len = sizeof reason;

	if (!d->pending || !(events & (LOOP_WRITABLE | LOOP_BROKEN)))
		return;
	if (events & LOOP_BROKEN)	/* without it, room to write says that it stands */
		getsockopt(d->watch->fd, SOL_SOCKET, SO_ERROR, &reason, &len);
	done(d, result_of(reason));
}

bool dial_start(struct dial *d, struct loop_watch *w, const struct address *to,
		uint64_t limit_ms, void (*on_ready)(struct loop_watch *w, unsigned events),
		enum dial_result *result)
{
	int on = 1;

	must(!d->pending && w->fd < 0);
	int fd = socket(to->any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0) {
		*result = result_of(errno);
		return true;
	}
	if (to->any.sa_family != AF_UNIX)
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	loop_watch_init(w, fd, on_ready);
	d->watch = w;
	if (call(d, to, result)) {
		if (*result != DIAL_OPEN)
			loop_watch_close(d->loop, w);
		return true;
	}
	d->pending = true;
	d->pause_ms = PAUSE_MS_MIN;
	d->until_ms = loop_now_ms(d->loop) + limit_ms;
	await(d);
	return false;
}

void dial_cancel(struct dial *d)
{
	if (!d->pending)
		return;
	d->pending = false;
	loop_timer_stop(d->loop, &d->limit);
	loop_watch_close(d->loop, d->watch);
}
