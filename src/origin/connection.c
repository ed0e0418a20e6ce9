#include "origin/connection.h"

#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/must.h"
#include "origin/answer.h"
#include "origin/delivery.h"
#include "origin/intake.h"
#include "origin/routes.h"
#include "origin/wire.h"

enum state {
	STATE_BUG,		/* 0 on purpose: a connection that is not one */
	STATE_HEAD, STATE_BODY, STATE_BEGIN, STATE_SOURCE, STATE_ECHO, STATE_TUNNEL,
	STATE_DYING, STATE_CLOSING, STATE_LINGER, STATE_SILENT,
	STATES
};

enum { RESET_POLL_MS = 2 };

struct connection {
	struct wire       wire;
	struct link       link;		/* in the thread's connections */
	struct loop_timer idle;		/* ends it */
	struct loop_timer pause;	/* while armed, nothing is done */
	struct thread    *thread;	/* borrowed */
	struct listener  *listener;	/* borrowed: where it came in */
	enum state        state;
	uint64_t          moved;	/* what wire.moved was when idle was started */
	uint32_t          answers;

	/* the exchange at hand */
	struct answer     answer;
	struct intake     intake;
	struct delivery   delivery;
	uint64_t          discarded;	/* bytes of the request's body */
	uint32_t          seen;		/* of a head that is not complete yet */
	uint8_t           minor;	/* the request's version is HTTP/1.minor */
	bool              delayed;	/* has waited as long as it was told to */
	bool              lingers;	/* closing, the client may still be sending */
};

static const struct h1_limits limits = {
	.head_max = CONNECTION_HEAD_MAX,
	.target_max = CONNECTION_TARGET_MAX,
	.fields_max = CONNECTION_FIELDS_MAX,
};

size_t origin_connection_size(void)
{
	return sizeof(struct connection);
}

static struct buf_pool *pool_of(struct connection *c)
{
	return &c->thread->buffers;
}

static enum want enter(struct connection *c, enum state state)
{
	c->state = state;
	return GO_ON;
}

static enum want pause_for(struct connection *c, uint64_t ms)
{
	loop_timer_start(c->thread->loop, &c->pause, ms);
	return WANT_TIME;
}

static enum want make_room(struct connection *c, size_t bytes)
{
	return wire_make_room(&c->wire, pool_of(c), bytes);
}

/* Only this thread writes it; a plain increment that others may read. */
static void count(uint64_t *counter)
{
	__atomic_store_n(counter, *counter + 1, __ATOMIC_RELAXED);
}

static void replace_answer(struct connection *c, uint16_t status)
{
	struct faults faults = c->answer.faults;

	answer_fini(&c->answer, pool_of(c));
	answer_init(&c->answer);
	c->answer.faults = faults;
	answer_status(&c->answer, pool_of(c), status);
}

/* Answers now and closes, whatever the client still has to say. */
static enum want refuse(struct connection *c)
{
	c->answer.closes = c->lingers = true;
	return enter(c, STATE_BEGIN);
}

static enum want refuse_malformed(struct connection *c, enum h1_fault fault)
{
	answer_fini(&c->answer, pool_of(c));
	answer_init(&c->answer);
	answer_text(&c->answer, pool_of(c), (uint16_t)h1_fault_status(fault), "%s\n",
		    h1_fault_text(fault));
	return refuse(c);
}

static void begin_exchange(struct connection *c)
{
	c->discarded = c->seen = 0;
	c->minor = 1;
	c->delayed = false;
	c->lingers = false;
	answer_init(&c->answer);
	count(&c->listener->counts.requests);
}

static void choose_answer(struct connection *c, const struct h1_head *head)
{
	struct server *server = c->thread->server;
	struct request request = {
		.head = head, .bytes = buf_at(c->wire.in), .server = server,
		.port = c->listener->port, .pool = pool_of(c),
		.roll = origin_thread_roll(c->thread),
	};

	c->answer.faults = server->options->faults;
	c->answer.closes = !head->keep_alive;
	c->minor = head->minor;
	origin_routes_answer(&request, &c->answer);
	c->answer.head_only = head->method == H1_HEAD;
}

/* The head has been used. Whether its body is to be read is decided here. */
static enum want accept_request(struct connection *c, const struct h1_head *head)
{
	const struct answer *a = &c->answer;
	bool waits = head->expects_continue && head->minor > 0 && !c->intake.over;

	if (a->silent)
		return enter(c, STATE_SILENT);
	if (a->sink == ANSWER_DISCARD) {
		if (waits || c->intake.left > CONNECTION_DISCARD_MAX)
			return refuse(c);
	} else if (waits && buf_waiting(c->wire.in) == 0) {
		answer_write_interim(100, c->wire.out);
	}
	return enter(c, STATE_BODY);
}

static enum want step_head(struct connection *c)
{
	struct h1_head *head = &c->thread->head;
	size_t waiting = buf_waiting(c->wire.in);

	if (waiting == 0)
		return c->wire.ended ? enter(c, STATE_CLOSING) : WANT_INPUT;
	enum want want = make_room(c, ANSWER_HEAD_MAX);
	if (want != GO_ON)
		return want;

	enum h1_result result = h1_parse_request(head, buf_at(c->wire.in), waiting,
						 c->seen, &limits);
	if (result == H1_MORE && waiting < CONNECTION_HEAD_MAX) {
		c->seen = (uint32_t)waiting;
		return c->wire.ended ? enter(c, STATE_CLOSING) : WANT_INPUT;
	}
	begin_exchange(c);
	if (result == H1_MORE)
		return refuse_malformed(c, H1_FAULT_HEAD_LONG);
	if (result == H1_BAD)
		return refuse_malformed(c, head->fault);
	choose_answer(c, head);
	intake_init(&c->intake, head);
	buf_consume(c->wire.in, head->length);
	return accept_request(c, head);
}

/* False: no more of the body is wanted; the answer says why. */
static bool take_in(struct connection *c, struct span bytes)
{
	const struct answer *a = &c->answer;

	if (a->sink == ANSWER_DISCARD) {
		c->discarded += bytes.len;
		return c->discarded <= CONNECTION_DISCARD_MAX;
	}
	if (upload_write(a->upload, bytes))
		return true;
	replace_answer(c, 507);
	return false;
}

static void finish_upload(struct answer *a)
{
	if (a->upload == NULL)
		return;
	a->status = upload_finish(a->upload);
	a->upload = NULL;
}

static enum want step_body(struct connection *c)
{
	struct span bytes;

	if (c->answer.sink == ANSWER_ECHO) {
		/* Its head goes out with the first bytes, not before. */
		if (c->intake.over || buf_waiting(c->wire.in) > 0)
			return enter(c, STATE_BEGIN);
		return c->wire.ended ? WANT_END : WANT_INPUT;
	}
	enum h1_result result = intake_take(&c->intake, c->wire.in, SIZE_MAX, &bytes);
	if (result == H1_BAD)
		return refuse_malformed(c, c->intake.chunked.fault);
	if (!take_in(c, bytes))
		return refuse(c);
	if (result == H1_DONE) {
		finish_upload(&c->answer);
		return enter(c, STATE_BEGIN);
	}
	if (bytes.len > 0)
		return GO_ON;
	return c->wire.ended ? WANT_END : WANT_INPUT;
}

static enum state after_head(const struct answer *a)
{
	if (a->tunnel)
		return STATE_TUNNEL;
	return a->sink == ANSWER_ECHO ? STATE_ECHO : STATE_SOURCE;
}

static enum want step_begin(struct connection *c)
{
	struct answer *a = &c->answer;

	if (a->faults.delay_ms > 0 && !c->delayed) {
		c->delayed = true;
		/* The loop counts whole milliseconds: one more, so as not to be early. */
		return pause_for(c, a->faults.delay_ms + UINT64_C(1));
	}
	enum want want = make_room(c, ANSWER_HEAD_MAX);
	if (want != GO_ON)
		return want;
	if (a->framing == ANSWER_UNTIL_CLOSE)
		a->closes = true;
	if (a->status >= 400)
		count(&c->listener->counts.errors);
	if (a->interim != 0)
		answer_write_interim(a->interim, c->wire.out);
	answer_write_head(a, origin_listener_common(c->listener), c->minor, c->wire.out);
	delivery_init(&c->delivery, &c->wire, pool_of(c), a);
	return enter(c, after_head(a));
}

static enum want finish_answer(struct connection *c)
{
	const struct answer *a = &c->answer;
	bool closes = a->closes;
	uint32_t most = a->faults.close_after;

	answer_fini(&c->answer, pool_of(c));
	c->answers++;
	if (!closes && (most == 0 || c->answers < most))
		return enter(c, STATE_HEAD);
	c->lingers |= c->wire.readable;	/* to close with bytes unread would reset it */
	return enter(c, STATE_CLOSING);
}

/* Goes on with the answer after a step of its body. */
static enum want after_step(struct connection *c, enum want want)
{
	if (want == WANT_TIME)
		return pause_for(c, c->delivery.pause_ms);
	if (want != GO_ON)
		return want;
	switch (c->delivery.state) {
	case DELIVERY_GOES_ON: break;
	case DELIVERY_DONE:    return finish_answer(c);
	case DELIVERY_DIES:    return enter(c, STATE_DYING);
	}
	return GO_ON;
}

static enum want step_source(struct connection *c)
{
	return after_step(c, delivery_send(&c->delivery));
}

static enum want step_echo(struct connection *c)
{
	return after_step(c, delivery_echo(&c->delivery, &c->intake));
}

static enum want step_tunnel(struct connection *c)
{
	struct wire *w = &c->wire;

	if (buf_waiting(w->out) > 0)
		return WANT_OUTPUT;
	if (buf_waiting(w->in) > 0) {
		buf_put(pool_of(c), w->out);
		w->out = w->in;
		w->in = NULL;
		return WANT_OUTPUT;
	}
	return w->ended ? WANT_END : WANT_INPUT;
}

static enum want step_dying(struct connection *c)
{
	static const struct linger at_once = {.l_onoff = 1, .l_linger = 0};
	int unsent = 0;

	if (buf_waiting(c->wire.out) > 0)
		return WANT_OUTPUT;
	if (c->answer.faults.die_how == FAULTS_END_FIN) {
		c->lingers = true;	/* to close with bytes unread would reset it */
		return enter(c, STATE_CLOSING);
	}
	/* A reset takes back what the peer has not acknowledged. */
	if (ioctl(c->wire.watch.fd, SIOCOUTQ, &unsent) == 0 && unsent > 0)
		return pause_for(c, RESET_POLL_MS);
	setsockopt(c->wire.watch.fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
	return WANT_END;
}

static enum want step_closing(struct connection *c)
{
	if (buf_waiting(c->wire.out) > 0)
		return WANT_OUTPUT;
	if (!c->lingers || c->wire.ended)
		return WANT_END;
	shutdown(c->wire.watch.fd, SHUT_WR);
	loop_timer_start(c->thread->loop, &c->idle, CONNECTION_LINGER_MS);
	return enter(c, STATE_LINGER);
}

/* LINGER and SILENT: reads until the client has ended. */
static enum want step_deaf(struct connection *c)
{
	if (c->wire.in != NULL)
		buf_consume(c->wire.in, buf_waiting(c->wire.in));
	return c->wire.ended ? WANT_END : WANT_INPUT;
}

static enum want (*const steps[STATES])(struct connection *c) = {
	[STATE_HEAD]    = step_head,
	[STATE_BODY]    = step_body,
	[STATE_BEGIN]   = step_begin,
	[STATE_SOURCE]  = step_source,
	[STATE_ECHO]    = step_echo,
	[STATE_TUNNEL]  = step_tunnel,
	[STATE_DYING]   = step_dying,
	[STATE_CLOSING] = step_closing,
	[STATE_LINGER]  = step_deaf,
	[STATE_SILENT]  = step_deaf,
};

/* The only way out. */
static void end(struct connection *c)
{
	struct thread *t = c->thread;

	loop_timer_stop(t->loop, &c->idle);
	loop_timer_stop(t->loop, &c->pause);
	wire_close(&c->wire, t->loop, &t->buffers);
	answer_fini(&c->answer, &t->buffers);
	list_remove(&c->link);
	t->connection_count--;
	slab_put(&t->slab, c);
}

/* A connection in which something has moved is not idle, nor is one that pauses. */
static void rest(struct connection *c)
{
	struct loop *l = c->thread->loop;
	uint64_t pause_ms = c->pause.armed ? c->pause.due_ms - loop_now_ms(l) : 0;

	wire_rest(&c->wire, pool_of(c));
	if (c->state == STATE_LINGER || c->state == STATE_DYING)
		return;
	if (c->wire.moved == c->moved && pause_ms == 0)
		return;
	c->moved = c->wire.moved;
	loop_timer_start(l, &c->idle, CONNECTION_IDLE_MS + pause_ms);
}

/* Does with the socket what a step wants. */
static enum wire_result serve(struct connection *c, enum want want)
{
	size_t size = BUF_LARGE;
	enum wire_result result = wire_flush(&c->wire, pool_of(c), false);

	if (c->state == STATE_HEAD)
		size = CONNECTION_HEAD_MAX;
	if (result == WIRE_DONE && want == WANT_INPUT)
		result = wire_receive(&c->wire, pool_of(c), size);
	return result;
}

static void run(struct connection *c)
{
	if (c->pause.armed)
		return;
	for (int left = CONNECTION_STEPS_MAX; left > 0; left--) {
		enum want want = steps[c->state](c);
		if (want == GO_ON)
			continue;
		if (want == WANT_END) {
			end(c);
			return;
		}
		enum wire_result result = serve(c, want);
		if (result == WIRE_BROKEN) {
			end(c);
			return;
		}
		if (result == WIRE_BLOCKED || want == WANT_TIME) {
			rest(c);
			return;
		}
	}
	rest(c);
	loop_again(c->thread->loop, &c->wire.watch);
}

static void on_ready(struct loop_watch *watch, unsigned events)
{
	struct connection *c = CONTAINER_OF(watch, struct connection, wire.watch);

	wire_note(&c->wire, events);
	if (events & LOOP_BROKEN)
		end(c);
	else
		run(c);
}

static void on_pause_over(struct loop_timer *t)
{
	run(CONTAINER_OF(t, struct connection, pause));
}

static void on_idle(struct loop_timer *t)
{
	end(CONTAINER_OF(t, struct connection, idle));
}

void origin_connection_open(struct listener *from, int fd)
{
	struct thread *t = from->thread;
	struct connection *c = slab_get(&t->slab);

	if (c == NULL) {
		close(fd);
		return;
	}
	*c = (struct connection){.thread = t, .listener = from, .state = STATE_HEAD};
	wire_init(&c->wire, fd, on_ready);
	loop_timer_init(&c->idle, on_idle);
	loop_timer_init(&c->pause, on_pause_over);
	list_push_last(&t->connections, &c->link);
	t->connection_count++;
	if (loop_watch_register(t->loop, &c->wire.watch) != 0) {
		end(c);
		return;
	}
	loop_timer_start(t->loop, &c->idle, CONNECTION_IDLE_MS);
}

void origin_connections_end(struct thread *t)
{
	while (!list_empty(&t->connections))
		end(CONTAINER_OF(t->connections.next, struct connection, link));
}
