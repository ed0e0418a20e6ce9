#include "listen/acceptor.h"

#include <errno.h>

#include "base/must.h"

static void pause_it(struct acceptor *a)
{
	a->paused = true;
	loop_watch_forget(a->loop, &a->watch);
}

enum taken { TAKEN, NONE_THERE, NO_PLACE, STARVED };

static enum taken take_one(struct acceptor *a)
{
	struct sockaddr_storage peer;
	socklen_t len = sizeof peer;

	if (!a->enter(a))
		return NO_PLACE;
	peer.ss_family = AF_UNSPEC;
	int fd = accept4(a->watch.fd, (struct sockaddr *)&peer, &len,
			 SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (fd >= 0) {
		a->on_accept(a, fd, (struct sockaddr *)&peer);
		return TAKEN;
	}
	a->leave(a);
	switch (errno) {
	case EMFILE:
	case ENFILE:
	case ENOBUFS:
	case ENOMEM:
		return STARVED;
	case EAGAIN:
		return NONE_THERE;
	default:	/* a connection that failed while it waited (accept(2), NOTES) */
		return TAKEN;
	}
}

/* Takes up to a burst. The burst grows while the queue does not run empty, so that a
 * lone connection costs no second accept just to hear that there is no other. Only the
 * first is known to be there: to have been refused a place for one that is not would
 * make others give up theirs. So a burst ends with the last place; if more wait, the
 * loop tells. */
static enum taken take_burst(struct acceptor *a, uint32_t budget)
{
	for (uint32_t n = 0; n < budget; n++) {
		enum taken what = n == 0 || a->has_place(a) ? take_one(a) : NONE_THERE;
		if (what != TAKEN) {
			a->burst = n > 0 ? n : 1;
			return what;
		}
	}
	a->burst = budget * 2 < ACCEPT_PER_TURN_MAX ? budget * 2 : ACCEPT_PER_TURN_MAX;
	return TAKEN;
}

static void on_ready(struct loop_watch *w, unsigned events)
{
	struct acceptor *a = CONTAINER_OF(w, struct acceptor, watch);

	(void)events;
	enum taken what = take_burst(a, a->burst);
	if (a->watch.fd < 0 || what == TAKEN || what == NONE_THERE)
		return;
	pause_it(a);
	if (what == STARVED) {
		a->on_starved(a);
		loop_timer_start(a->loop, &a->retry, ACCEPT_PAUSE_MS);
	}
}

static void on_retry(struct loop_timer *t)
{
	acceptor_resume(CONTAINER_OF(t, struct acceptor, retry));
}

void acceptor_start(struct acceptor *a, struct loop *loop, int fd)
{
	a->loop = loop;
	a->burst = 1;
	a->paused = false;
	loop_watch_init(&a->watch, fd, on_ready);
	loop_timer_init(&a->retry, on_retry);
	if (loop_watch_register_level(loop, &a->watch) != 0) {
		a->paused = true;
		loop_timer_start(loop, &a->retry, ACCEPT_PAUSE_MS);
	}
}

void acceptor_hold(struct acceptor *a)
{
	loop_timer_stop(a->loop, &a->retry);
	pause_it(a);
}

void acceptor_resume(struct acceptor *a)
{
	if (!a->paused || a->watch.fd < 0)
		return;
	a->paused = loop_watch_register_level(a->loop, &a->watch) != 0;
	if (a->paused)
		loop_timer_start(a->loop, &a->retry, ACCEPT_PAUSE_MS);
	else
		loop_timer_stop(a->loop, &a->retry);
}

void acceptor_stop(struct acceptor *a)
{
	if (a->watch.fd < 0)
		return;
	take_burst(a, ACCEPT_PER_TURN_MAX * ACCEPT_PER_TURN_MAX);
	acceptor_close(a);
}

void acceptor_close(struct acceptor *a)
{
	if (a->watch.fd < 0)
		return;
	loop_timer_stop(a->loop, &a->retry);
	loop_watch_close(a->loop, &a->watch);
}
