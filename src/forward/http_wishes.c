/* forward/http_wishes.c - what of a request decides about its server: its key, the server
 * that its cookie names, its number.
 */
#include "forward/http_request.h"
#include "forward/key.h"
#include "forward/request_id.h"
#include "forward/sticky.h"

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
