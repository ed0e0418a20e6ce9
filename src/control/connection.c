#include "control/connection.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/must.h"

enum { STEPS_MAX = 64 };		/* system calls for one connection in a turn */

enum step { STEP_ON, STEP_BLOCKED, STEP_END };

void connection_end(struct connection *c)
{
	loop_timer_stop(c->loop, &c->limit);
	loop_watch_close(c->loop, &c->watch);
	exchange_fini(&c->exchange);
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

static enum step receive_some(struct connection *c)
{
	size_t size;
	char *room = exchange_room(&c->exchange, &size);

	if (size == 0)
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

static enum step step(struct connection *c)
{
	struct span output = exchange_output(&c->exchange);

	if (c->exchange.state == EXCHANGE_OVER)
		return STEP_END;
	if (output.len > 0)
		return send_some(c, output);
	if (c->exchange.state == EXCHANGE_LINGER && !c->shut) {
		c->shut = true;
		shutdown(c->watch.fd, SHUT_WR);
	}
	return c->readable ? receive_some(c) : STEP_BLOCKED;
}

static void run(struct connection *c)
{
	enum step result = STEP_ON;

	c->on_active(c);
	for (int left = STEPS_MAX; left > 0 && result == STEP_ON; left--)
		result = step(c);
	if (result == STEP_END) {
		connection_end(c);
		return;
	}
	if (c->phase != c->exchange.phase) {
		c->phase = c->exchange.phase;
		loop_timer_start(c->loop, &c->limit, exchange_limit_ms(&c->exchange));
	}
	if (result == STEP_ON)
		loop_again(c->loop, &c->watch);
}

static void on_ready(struct loop_watch *watch, unsigned events)
{
	struct connection *c = CONTAINER_OF(watch, struct connection, watch);

	if ((events & (LOOP_READABLE | LOOP_ENDED | LOOP_BROKEN)) != 0)
		c->readable = true;
	run(c);
}

static void on_limit(struct loop_timer *t)
{
	connection_end(CONTAINER_OF(t, struct connection, limit));
}

void connection_start(struct connection *c, int fd)
{
	loop_watch_init(&c->watch, fd, on_ready);
	loop_timer_init(&c->limit, on_limit);
	if (loop_watch_register(c->loop, &c->watch) != 0) {
		connection_end(c);
		return;
	}
	c->phase = c->exchange.phase;
	loop_timer_start(c->loop, &c->limit, exchange_limit_ms(&c->exchange));
}

void connection_close(struct connection *c)
{
	exchange_close(&c->exchange);
	if (c->exchange.state == EXCHANGE_OVER)
		connection_end(c);
}
