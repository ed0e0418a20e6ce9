/* forward/http_hand_over.c - a client of a listener that asks about the balancer itself:
 * its connection goes to the admin interface, and is none of ours any more.
 *
 * It goes with what of the request has been read, as the first one that is not answered
 * yet: so no answer is overtaken. What is behind it is not read as a request, since the
 * admin interface closes the connection with its answer. It is counted as a request of the
 * listener, and noted once it is answered (asked.h); no place is kept for it.
 */
#include "forward/asked.h"
#include "forward/http_request.h"

bool session_is_for_admin(const struct session *s, const char *at)
{
	const struct h1_head *head = s->worker->head;
	struct span rest = {at + head->path_at, head->path_len}, path = {0};

	span_cut(&rest, '?', &path);
	return span_equals(path, SPAN("/rep")) || span_equals(path, SPAN("/add")) ||
	       span_equals(path, SPAN("/rm"));
}

size_t session_hand_over(struct session *s, const char *at, size_t len)
{
	struct worker *w = s->worker;
	uint32_t pool = port_door(s->port)->listener->legacy_pool - 1;
	struct loop_watch *watch = &s->client.watch;

	if (!session_release(s)) {
		session_end(s);
		return 0;
	}
	if (session_is_blocked(s))
		return 0;
	struct asked *a = asked_create(s, pool, (struct span){at, len});
	live_count(&s->port->live->requests);
	loop_watch_forget(w->loop, watch);	/* before the other thread has it */
	if (a != NULL)
		a->fd = watch->fd;
	if (a == NULL || !w->hooks.admin_asked(w->hooks.arg, a)) {
		if (a != NULL) {
			a->fd = -1;
			asked_drop(a);
		}
		session_refuse(s, 503, "the admin interface is busy");
		return 0;
	}
	watch->fd = -1;
	session_end(s);
	return 0;
}
