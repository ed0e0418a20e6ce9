/* forward/http_wishes.c - what of a request decides about its server: its key, the server
 * that its cookie names, its number; and what we tell its server by fields of our own.
 */
#include "base/must.h"
#include "forward/head.h"
#include "forward/http_request.h"
#include "forward/key.h"
#include "forward/request_id.h"
#include "forward/sticky.h"
#include "forward/trace.h"

_Static_assert(REQUEST_ID_LINE_MAX + TRACE_LINE_MAX <= REQUEST_LINES_MAX,
	       "there is room for both");

/* One count for all loops, so that none gives a number that another has just given. */
static uint32_t next_id(const struct worker *w)
{
	return request_id_of(atomic_fetch_add_explicit(&w->live->request_ids, 1,
						       memory_order_relaxed));
}

void request_note_wishes(struct request *r, const struct h1_head *head, const char *at)
{
	const struct session *s = r->session;
	const struct lane *lane = r->lane;
	const struct model_pool *pool = lane->pool;

	if (pool->request_ids)
		r->id = next_id(s->worker);
	if (r->id > 0 && pool->key == KEY_REQUEST_ID)
		r->key = request_id_key(r->id);
	else if (pool->policy->wants_key)
		r->key = key_of_request(pool, head, at, s->peer_key, s->peer_port);
	if (lane->sticky != NULL)
		r->named = sticky_find(lane->sticky, head, at);
}

/* A client's own number is passed on, and none of ours. */
void request_add_lines(struct request *r, const struct h1_head *head, const char *at,
		       char room[REQUEST_LINES_MAX], struct head_request *how)
{
	const struct model_listener *l = r->door->listener;
	struct worker *w = r->session->worker;
	size_t len = 0;

	if (r->id > 0 && (head->seen & 1u << H1_NAME_X_REQUEST_ID) == 0)
		len = request_id_write(r->id, room);
	if (l->trace) {
		const struct trace_dice dice = {
			{worker_random(w), worker_random(w), worker_random(w)},
			l->trace_part > 0 && worker_random(w) % l->trace_part == 0,
		};
		len += trace_write(head, at, &dice, room + len, &how->dropped);
	}
	how->lines = (struct span){room, len};
}
