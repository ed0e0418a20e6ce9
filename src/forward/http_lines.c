/* forward/http_lines.c - what we tell a request's server by fields of our own: its number,
 * its trace.
 */
#include "forward/http_request.h"
#include "forward/request_id.h"
#include "forward/trace.h"

_Static_assert(REQUEST_ID_LINE_MAX + TRACE_LINE_MAX <= REQUEST_LINES_MAX,
	       "there is room for both");

/* A client's own number is passed on, and none of ours. */
struct span request_own_lines(const struct request *r, const struct h1_head *head,
			      const char *at, char room[REQUEST_LINES_MAX], uint32_t *dropped)
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
		len += trace_write(head, at, &dice, room + len, dropped);
	}
	return (struct span){room, len};
}
