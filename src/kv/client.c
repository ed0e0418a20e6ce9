#include "kv/client.h"

#include <unistd.h>

#include "base/must.h"
#include "kv/dispatch.h"

static void note_unsent(struct kv_client *c)
{
	if (c->ended || !list_empty(&c->unsent))
		return;
	list_push_last(&c->hub->unsent_clients, &c->unsent);
	kv_hub_at_end(c->hub);
}

/* ---- the line ---- */

bool kv_client_may_ask(const struct kv_client *c)
{
	return !c->ended && !c->closing && c->in_line < c->line_max &&
	       bytes_waiting(&c->out) < KV_OUT_MAX && !kv_dispatch_is_full(c->pool);
}

static void join_line(struct kv_client *c, struct kv_request *r)
{
	r->client = c;
	r->pool = c->pool;
	c->pool->users++;
	r->home = (uint8_t)c->hub->number;
	if (c->last != NULL) {
		c->last->behind = r;
	} else {
		c->first = r;
		c->hub->asking++;
	}
	c->last = r;
	c->in_line++;
	r->counts_write = kv_verb_writes(r->verb);
	c->writes += r->counts_write;
}

static struct kv_request *leave_line(struct kv_client *c)
{
	struct kv_request *r = c->first;

	c->first = r->behind;
	if (c->first == NULL) {
		c->last = NULL;
		c->hub->asking--;
	}
	c->in_line--;
	c->writes -= r->counts_write;
	return r;
}

static void forget(struct kv_hub *hub, struct kv_request *r)
{
	struct kv_pool *pool = r->pool;

	kv_request_destroy(&hub->requests, r);
	kv_pool_release(pool);
}

/* Says all that is answered at the front of the line. */
static void say_answered(struct kv_client *c)
{
	while (!c->ended && c->first != NULL && c->first->state == KV_ANSWERED) {
		struct kv_request *r = leave_line(c);
		r->say(c, r, (struct span){r->answer, r->answer_len});
		forget(c->hub, r);
	}
	note_unsent(c);
}

void kv_client_answered(struct kv_client *c, struct kv_request *r, struct span answer)
{
	live_count(&c->port->live->requests);
	if (c->first == r) {
		leave_line(c);
		r->say(c, r, answer);
		forget(c->hub, r);
		say_answered(c);
		return;
	}
	if (answer.at != r->answer)
		kv_request_answer(r, r->result, answer);
}

void kv_client_ask(struct kv_client *c, struct kv_request *r)
{
	join_line(c, r);
	kv_dispatch(c->hub, r);
}

static void say_literal(struct kv_client *c, const struct kv_request *r,
			struct span answer)
{
	(void)r;
	kv_client_say(c, answer.at, answer.len);
}

void kv_client_ask_literal(struct kv_client *c, const void *at, size_t len)
{
	if (c->first == NULL) {
		kv_client_say(c, at, len);
		return;
	}
	struct kv_request *r = kv_request_create(&c->hub->requests, (struct span){0},
						 (struct span){0});
	if (r == NULL) {
		live_count(&c->hub->live->memory_refused);
		kv_client_end(c);
		return;
	}
	r->say = say_literal;
	r->state = KV_ANSWERED;
	kv_request_answer(r, KV_FINE, (struct span){at, len});
	join_line(c, r);
}

/* ---- what is said ---- */

char *kv_client_room(struct kv_client *c, size_t len)
{
	if (c->ended)
		return NULL;
	char *room = bytes_reserve(&c->out, len);
	if (room == NULL) {
		live_count(&c->hub->live->memory_refused);
		kv_client_end(c);
	}
	return room;
}

void kv_client_said(struct kv_client *c, size_t len)
{
	bytes_added(&c->out, len);
	note_unsent(c);
}

void kv_client_say(struct kv_client *c, const void *at, size_t len)
{
	char *room = kv_client_room(c, len);

	if (room == NULL)
		return;
	memcpy(room, at, len);
	kv_client_said(c, len);
}

/* ---- what it says ---- */

/* Takes what can be taken of what waits. False: it needs more, or may ask no more. */
static void take_waiting(struct kv_client *c)
{
	while (bytes_waiting(&c->in) > 0 && kv_client_may_ask(c)) {
		size_t taken = c->speech->take(c, bytes_first(&c->in),
					       bytes_waiting(&c->in));
		if (c->ended)
			return;
		bytes_consume(&c->in, taken);
		c->stalled = taken == 0;
		if (taken == 0)
			return;
	}
}

/* Reads once, into scratch, and takes it from there; only what is left over is copied. */
static enum stream_result read_once(struct kv_client *c)
{
	char *scratch = c->hub->scratch;
	size_t got = 0, taken = 0;
	enum stream_result result = stream_read(&c->stream, scratch, KV_SCRATCH_BYTES,
						&got);

	if (result != STREAM_OK)
		return result;
	if (bytes_waiting(&c->in) == 0)
		taken = c->speech->take(c, scratch, got);
	if (!c->ended && !bytes_append(&c->in, scratch + taken, got - taken)) {
		live_count(&c->hub->live->memory_refused);
		kv_client_end(c);
	}
	c->stalled = taken < got && kv_client_may_ask(c);
	if (!c->ended && taken == 0)
		take_waiting(c);
	return STREAM_OK;
}

static void on_no_more(struct kv_client *c, enum stream_result result)
{
	if (result == STREAM_BROKEN) {
		kv_client_end(c);
		return;
	}
	c->at_end = true;
	note_unsent(c);		/* which sees whether that was all */
}

/* It is held up by the pool's queue: no answer of its own may be due that
 * would make it go on. */
static void note_full(struct kv_client *c)
{
	c->pool->holds_up |= c->paused && kv_dispatch_is_full(c->pool);
}

/* Goes on as far as it may. One read for each turn, so that others have theirs. */
static void work(struct kv_client *c)
{
	take_waiting(c);
	if (c->ended || c->closing)
		return;
	c->paused = !kv_client_may_ask(c) ||
		    (bytes_waiting(&c->in) > KV_IN_MAX && !c->stalled);
	note_full(c);
	if (c->paused || c->at_end || !c->stream.readable)
		return;
	enum stream_result result = read_once(c);
	if (c->ended)
		return;
	c->paused = bytes_waiting(&c->in) > 0 && !c->stalled;
	note_full(c);
	if (result == STREAM_END || result == STREAM_BROKEN)
		on_no_more(c, result);
	else if (result == STREAM_OK && (c->stream.readable || c->stream.ended))
		loop_again(c->hub->loop, &c->stream.watch);
}

/* All is answered and sent. What the client has still on its way is read and left, or
 * closing would be a reset, which takes our last words with it. */
static void finish(struct kv_client *c)
{
	size_t put = 0;

	if (c->at_end && !c->closing) {
		kv_client_end(c);
		return;
	}
	if (c->speech->say_goodbye != NULL && (c->hub->draining || c->port->removed)) {
		c->speech->say_goodbye(c);
		stream_write(&c->stream, bytes_first(&c->out), bytes_waiting(&c->out),
			     &put);
		bytes_consume(&c->out, bytes_waiting(&c->out));
	}
	shutdown(c->stream.watch.fd, SHUT_WR);
	c->lingering = true;
	loop_timer_start(c->hub->loop, &c->silence, KV_LINGER_MS);
	loop_again(c->hub->loop, &c->stream.watch);
}

static void rearm_silence(struct kv_client *c)
{
	if (!c->closing && c->port->listener->idle_ms > 0)
		loop_timer_start(c->hub->loop, &c->silence, c->port->listener->idle_ms);
}

static void on_silence(struct loop_timer *t)
{
	struct kv_client *c = CONTAINER_OF(t, struct kv_client, silence);

	if (c->in_line > 0) {		/* it waits for us */
		loop_timer_start(c->hub->loop, t, KV_CLOSE_MS);
		return;
	}
	if (c->closing) {		/* it does not take its last answers */
		kv_client_end(c);
		return;
	}
	live_count(&c->port->live->timeouts);
	kv_client_close(c);
}

static void on_ready(struct loop_watch *watch, unsigned events)
{
	struct kv_client *c = CONTAINER_OF(watch, struct kv_client, stream.watch);

	stream_note(&c->stream, events);
	if (c->stream.broken) {
		live_count(&c->port->live->client_gone);
		kv_client_end(c);
		return;
	}
	if (c->lingering) {
		if (kv_hub_leave_unread(c->hub, &c->stream))
			kv_client_end(c);
		return;
	}
	if (events & LOOP_READABLE)
		rearm_silence(c);
	if ((events & LOOP_WRITABLE) && bytes_waiting(&c->out) > 0)
		note_unsent(c);
	work(c);
}

/* ---- its life ---- */

static uint32_t line_max(const struct model_pool *p)
{
	uint32_t fits = KV_LINE_BYTES / (p->value_max + 1);

	return fits > KV_LINE_MAX ? KV_LINE_MAX : fits < KV_LINE_MIN ? KV_LINE_MIN : fits;
}

void kv_client_begin(struct kv_port *port, int fd)
{
	struct kv_hub *hub = port->hub;
	struct kv_client *c = slab_get(&hub->clients_slab);

	port->clients++;
	if (c == NULL)
		goto close_fd;
	*c = (struct kv_client){.hub = hub, .port = port};
	c->number = ++hub->clients_begun * MODEL_LOOPS_MAX + hub->number;
	stream_init(&c->stream, fd, on_ready);
	if (loop_watch_register(hub->loop, &c->stream.watch) != 0)
		goto put_client;
	live_count(&port->live->accepted);
	c->pool = port->pool;
	c->pool->users++;
	c->line_max = line_max(c->pool->lane->pool);
	c->speech = port->listener->protocol == KV_PROTOCOL_RESP ? &kv_speech_resp
								 : &kv_speech_wire;
	list_init(&c->unsent);
	loop_timer_init(&c->silence, on_silence);
	rearm_silence(c);
	hub->client_count++;
	list_push_last(&hub->clients, &c->link);
	if (hub->draining)
		kv_client_close(c);
	return;

put_client:
	slab_put(&hub->clients_slab, c);
close_fd:
	live_count(&hub->live->memory_refused);
	close(fd);
	kv_port_leave(port);
}

void kv_client_end(struct kv_client *c)
{
	if (c->ended)
		return;
	c->ended = true;
	loop_timer_stop(c->hub->loop, &c->silence);
	loop_watch_close(c->hub->loop, &c->stream.watch);
	while (c->first != NULL)
		kv_dispatch_abandon(c->hub, leave_line(c));
	list_remove(&c->link);
	list_remove(&c->unsent);
	list_push_last(&c->hub->ended_clients, &c->unsent);
	kv_hub_at_end(c->hub);
}

void kv_client_free(struct kv_client *c)
{
	struct kv_hub *hub = c->hub;

	list_remove(&c->unsent);
	bytes_fini(&c->in);
	bytes_fini(&c->out);
	kv_pool_release(c->pool);
	kv_port_leave(c->port);
	hub->client_count--;
	slab_put(&hub->clients_slab, c);
}

void kv_client_close(struct kv_client *c)
{
	if (c->ended || c->closing)
		return;
	c->closing = true;
	loop_timer_start(c->hub->loop, &c->silence, KV_CLOSE_MS);
	note_unsent(c);
}

void kv_client_wake(struct kv_client *c)
{
	if (c->paused)
		note_unsent(c);
}

void kv_client_flush(struct kv_client *c)
{
	size_t put = 0;

	if (c->ended || c->lingering)
		return;
	if (bytes_waiting(&c->out) > 0 && c->stream.writable) {
		if (stream_write(&c->stream, bytes_first(&c->out), bytes_waiting(&c->out),
				 &put) != STREAM_OK) {
			live_count(&c->port->live->client_gone);
			kv_client_end(c);
			return;
		}
		bytes_consume(&c->out, put);
	}
	bool done = c->closing ||
		    (c->at_end && (bytes_waiting(&c->in) == 0 || c->stalled));
	if (done && c->in_line == 0 && bytes_waiting(&c->out) == 0)
		finish(c);
	else if (c->paused && kv_client_may_ask(c))
		loop_again(c->hub->loop, &c->stream.watch);
	else
		note_full(c);		/* perhaps by others, since it was paused */
}
