/* forward/http_begin.c - a head that was read becomes a request: what is refused at once,
 * its route, and the head as the server will get it.
 */
#include "base/must.h"
#include "forward/head.h"
#include "forward/http_request.h"
#include "forward/route.h"

static struct span host_asked(const struct h1_head *head, const char *at)
{
	if (head->authority_len > 0)
		return (struct span){at + head->authority_at, head->authority_len};
	return (struct span){at + head->host_at, head->host_len};
}

/* Writes the head, and the body bytes at hand behind it, to be sent and sent again.
 * False: out of memory. */
static bool write_head(struct request *r, const char *at, size_t body_len)
{
	struct session *s = r->session;
	struct worker *w = s->worker;
	const struct h1_head *head = w->head;
	const struct model_pool *pool = r->lane->pool;
	struct span asked = host_asked(head, at);
	struct head_request how = {
		.host = asked, .host_asked = asked, .peer = {s->peer, s->peer_len},
		.forwarded = r->door->listener->forwarded, .upgrade = r->upgrade_asked,
	};
	char lines[REQUEST_LINES_MAX];
	size_t gap = 0;

	if (UNLIKELY(r->id > 0 || r->door->listener->trace))
		how.lines = request_own_lines(r, head, at, lines, &how.dropped);
	if (pool->host_mode == HOST_FIXED)
		how.host = span_of(pool->host);
	else if (pool->host_mode == HOST_SERVER || asked.len == 0)
		gap = ADDRESS_TEXT_MAX;
	r->server_as_host = gap > 0;
	size_t room = head->length + 2 * asked.len + how.host.len + how.lines.len +
		      HEAD_GROWTH_MAX;
	if (gap + room + body_len > BUF_LARGE)
		return false;
	r->head = buf_get(&w->bufs, gap + room + body_len);
	if (r->head == NULL)
		return false;
	r->head->start = r->head->end = (uint32_t)gap;
	r->head_len = (uint32_t)head_write_request(r->head->bytes + gap, room, head, at, &how);
	must(r->head_len > 0);
	const char *line_end = memchr(buf_at(r->head), '\n', r->head_len);
	r->line_len = (uint16_t)(line_end + 1 - buf_at(r->head));
	r->rest_at = (uint32_t)(gap + r->line_len + how.host.len + 8);
	r->head->end += r->head_len;
	buf_append(r->head, at + head->length, body_len);
	return true;
}

/* Refuses at once what no server needs to see; 0: nothing to refuse. */
static uint16_t refused_at_once(struct request *r, const struct h1_head *head)
{
	if (head->method == H1_CONNECT) {
		r->fault_text = "CONNECT is not served here";
		r->client_keep_alive = false;	/* what follows is no request */
		return 501;
	}
	if (head->has_content_length && head->content_length > r->door->listener->body_max) {
		r->fault_text = "the request's body is longer than body-size allows";
		return 413;
	}
	return 0;
}

static void init(struct request *r, struct session *s, const struct h1_head *head)
{
	*r = (struct request){
		.session = s, .edition = edition_use(s->port->edition),
		.door = port_door(s->port), .named = PICK_NONE,
		.method = head->method, .minor = head->minor,
		.client_keep_alive = head->keep_alive, .client_closes = !head->keep_alive,
		.since_us = s->head_since_us,
		.body = {.kind = head->body, .left = head->content_length,
			 .done = head->body == H1_BODY_NONE ||
				 (head->body == H1_BODY_LENGTH && head->content_length == 0)},
	};
	list_init(&r->waiter.link);
	s->request = r;
}

/* To be answered by ourselves, as soon as it starts. */
static void refuse(struct request *r, uint16_t status)
{
	r->life.state = REQUEST_DONE;
	r->life.status = status;
}

/* Asks for a round of probes after every so many requests; once, until the control
 * thread has taken note. */
static void count_towards_check(struct request *r)
{
	const struct model_pool *pool = r->lane->pool;
	struct worker *w = r->session->worker;

	if (pool->check.after_requests == 0)
		return;
	uint64_t n = atomic_fetch_add(&pool->live->requests, 1) + 1;
	if (n % pool->check.after_requests == 0 &&
	    !atomic_exchange(&pool->live->check_asked, true))
		w->hooks.check_due(w->hooks.arg, r->edition->model, pool->live);
}

size_t request_make(struct session *s, const char *at, size_t len)
{
	struct worker *w = s->worker;
	const struct h1_head *head = w->head;
	struct request *r = slab_get(&w->requests_slab);

	if (r == NULL) {
		session_end(s);
		return 0;
	}
	init(r, s, head);
	const struct model_listener *l = r->door->listener;
	if (l->requests_max > 0 && s->requests >= l->requests_max)
		r->client_keep_alive = false;
	live_count(&s->port->live->requests);

	uint16_t status = refused_at_once(r, head);
	size_t took = 0, all = head->length;
	if (status == 0 && !r->body.done &&
	    !request_take_body(r, at + head->length, len - head->length, &took)) {
		status = r->fault_status;
		r->body.done = false;		/* nothing behind it can be trusted */
	}
	all += took;
	int pool = route_find(l, host_asked(head, at),
			      (struct span){at + head->path_at, head->path_len});
	if (status == 0 && pool < 0)
		status = 404;
	if (status != 0) {
		refuse(r, status);
		return all;
	}

	r->lane = &r->edition->lanes[pool];
	if (r->lane->by_request)
		request_note_wishes(r, head, at);
	request_life_init(&r->life, (uint8_t)r->lane->pool->retries_max,
			  h1_method_is_idempotent(head->method));
	r->upgrade_asked = head->connection_upgrade && head->minor >= 1 && r->body.done &&
			   head_upgrade_may_pass(head, at);
	if (!write_head(r, at, took)) {
		r->fault_text = "the request's head is too long to be passed on";
		refuse(r, 431);
	}
	return all;
}

void request_start(struct request *r)
{
	struct session *s = r->session;
	const struct model_listener *l = r->door->listener;

	if (r->life.state == REQUEST_DONE) {
		request_answer(r);
		return;
	}
	budget_earn(&r->lane->budget);
	count_towards_check(r);
	if (l->parallel_max > 0 &&
	    !gate_enter(&s->port->live->parallel, l->parallel_max, s->worker->number)) {
		r->waits_at_door = true;
		request_on(r, EVENT_BUSY);
		return;
	}
	r->at_door = l->parallel_max > 0;
	request_on(r, request_beginning(r));
}
