#include "control/connection.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/must.h"

enum {
	STEPS_MAX = 64,			/* system calls for one connection in a turn */
	ALIVE_IDLE_S = 30, ALIVE_EVERY_S = 10, ALIVE_TRIES = 3,
};

enum step { STEP_ON, STEP_BLOCKED, STEP_END };

static void drop_begun(struct begun *b)
{
	free(b->bytes);
	*b = (struct begun){0};
}

static void tell_answered(struct connection *c)
{
	struct asked_answer answer;

	if (c->on_answered == NULL)
		return;
	exchange_answered(&c->exchange, &answer);
	c->on_answered(c, &answer);
	c->on_answered = NULL;
}

void connection_end(struct connection *c)
{
	tell_answered(c);
	loop_timer_stop(c->loop, &c->limit);
	loop_watch_close(c->loop, &c->watch);
	exchange_fini(&c->exchange);
	drop_begun(&c->begun);
	c->on_ended(c);
}

static enum step send_some(struct connection *c, struct span output)
{
	ssize_t n = send(c->watch.fd, output.at, output.len, MSG_NOSIGNAL);

	if (n > 0) {
		exchange_sent(&c->exchange, (size_t)n);
		return STEP_ON;
	}
	if (n < 0 && errno == EINTR)
		return STEP_ON;
	return n < 0 && errno == EAGAIN ? STEP_BLOCKED : STEP_END;
}

/* Reads on in what a listener had read. */
static void take_begun(struct connection *c, char *room, size_t size)
{
	struct begun *b = &c->begun;
	size_t len = b->len - b->used < size ? b->len - b->used : size;

	memcpy(room, b->bytes + b->used, len);
	b->used += len;
	if (b->used == b->len)
		drop_begun(b);
	exchange_received(&c->exchange, len);
}

static enum step receive_some(struct connection *c)
{
	size_t size;
	char *room = exchange_room(&c->exchange, &size);

	if (size == 0)
		return STEP_BLOCKED;
	if (c->begun.bytes != NULL) {
		take_begun(c, room, size);
		return STEP_ON;
	}
	if (!c->readable)
		return STEP_BLOCKED;
	ssize_t n = recv(c->watch.fd, room, size, 0);
	if (n > 0) {
		exchange_received(&c->exchange, (size_t)n);
		return STEP_ON;
	}
	if (n < 0 && errno == EINTR)
		return STEP_ON;
	if (n < 0 && errno != EAGAIN)
		return STEP_END;
	c->readable = false;
	if (n == 0)
		exchange_ended(&c->exchange);
	return STEP_ON;
}

/* Whether it reads an answer that goes on, and may be gone for all that can be known. */
static bool may_have_left(const struct connection *c)
{
	return c->ended && c->exchange.state == EXCHANGE_STREAM && c->exchange.stream.is_tcp;
}

static enum step step(struct connection *c)
{
	if (may_have_left(c))
		exchange_close(&c->exchange);
	struct span output = exchange_output(&c->exchange);

	if (c->exchange.state == EXCHANGE_OVER)
		return STEP_END;
	if (output.len > 0)
		return send_some(c, output);
	if (c->exchange.state == EXCHANGE_LINGER && !c->shut) {
		c->shut = true;
		shutdown(c->watch.fd, SHUT_WR);
	}
	return receive_some(c);
}

static void run(struct connection *c)
{
	enum step result = STEP_ON;

	c->on_active(c);
	exchange_resume(&c->exchange);
	for (int left = STEPS_MAX; left > 0 && result == STEP_ON; left--)
		result = step(c);
	if (result == STEP_END) {
		connection_end(c);
		return;
	}
	if (c->exchange.state == EXCHANGE_LINGER)
		tell_answered(c);
	if (c->phase != c->exchange.phase) {
		c->phase = c->exchange.phase;
		loop_timer_start(c->loop, &c->limit, exchange_limit_ms(&c->exchange));
	}
	if (result == STEP_ON)
		loop_again(c->loop, &c->watch);
}

/* Whether nobody is there any more: one who only says no more would take an answer. */
static bool is_gone(const struct connection *c)
{
	return send(c->watch.fd, "", 0, MSG_NOSIGNAL) < 0 && errno != EAGAIN &&
	       errno != EINTR;
}

static void on_ready(struct loop_watch *watch, unsigned events)
{
	struct connection *c = CONTAINER_OF(watch, struct connection, watch);

	if ((events & (LOOP_READABLE | LOOP_ENDED | LOOP_BROKEN)) != 0)
		c->readable = true;
	if ((events & (LOOP_ENDED | LOOP_BROKEN)) != 0)
		c->ended = true;
	bool waits = c->exchange.state == EXCHANGE_WAITING ||
		     c->exchange.state == EXCHANGE_STREAM;
	if (events != LOOP_RESUMED && waits && is_gone(c))
		connection_end(c);
	else
		run(c);
}

static void on_limit(struct loop_timer *t)
{
	struct connection *c = CONTAINER_OF(t, struct connection, limit);

	if (exchange_time_over(&c->exchange))
		run(c);
	else
		connection_end(c);
}

/* In the next turn: who brought the answer is in the middle of something. */
static void on_answered(struct exchange *x)
{
	struct connection *c = CONTAINER_OF(x, struct connection, exchange);

	loop_again(c->loop, &c->watch);
}

/* The reader of a log says nothing, and may be told nothing for hours. */
static void keep_alive(int fd)
{
	const int on = 1, idle = ALIVE_IDLE_S, every = ALIVE_EVERY_S, tries = ALIVE_TRIES;

	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof idle);
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &every, sizeof every);
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &tries, sizeof tries);
}

void connection_start(struct connection *c, int fd)
{
	if (c->door != NULL && c->door->is_tcp)
		keep_alive(fd);
	loop_watch_init(&c->watch, fd, on_ready);
	loop_timer_init(&c->limit, on_limit);
	c->exchange.on_answered = on_answered;
	if (loop_watch_register(c->loop, &c->watch) != 0) {
		connection_end(c);
		return;
	}
	c->phase = c->exchange.phase;
	loop_timer_start(c->loop, &c->limit, exchange_limit_ms(&c->exchange));
	if (c->begun.bytes != NULL)
		loop_again(c->loop, &c->watch);
}

void connection_close(struct connection *c)
{
	bool streams = c->exchange.state == EXCHANGE_STREAM;

	exchange_close(&c->exchange);
	if (c->exchange.state == EXCHANGE_OVER)
		connection_end(c);
	else if (streams)
		run(c);		/* its end, as far as it goes out at once */
}
