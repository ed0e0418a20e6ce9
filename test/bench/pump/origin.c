/* origin.c - answers each request, whatever it asks for, with the same text.
 *
 * Requests have no body; Connection fields are not looked at, the proxy ends what
 * it does not want to keep. Without HTTP a request is so many bytes, and where each has a
 * connection, the origin ends that behind the answer.
 */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/must.h"
#include "pump.h"

enum { BACKLOG = 4096 };

static bool on_bytes(struct pump *pump, struct connection *c, size_t size)
{
	static const char end[] = {'\r', '\n', '\r', '\n'};
	const char *at = pump->scratch, *stop = at + size, *found;
	size_t requests = 0;

	while ((found = memmem(at, (size_t)(stop - at), end, sizeof end)) != NULL) {
		at = found + sizeof end;
		requests++;
	}
	if (!connection_hold(c, at, (size_t)(stop - at)))
		return false;
	connection_say(c, requests);
	return true;
}

static bool on_plain_bytes(struct pump *pump, struct connection *c, size_t size)
{
	size_t ask = pump->plan.ask, requests = size / ask;

	if (!connection_hold(c, pump->scratch + requests * ask, size - requests * ask))
		return false;
	if (requests == 0)
		return true;
	connection_say(c, requests);
	if (pump->plan.close)
		shutdown(c->fd, SHUT_WR);
	return true;
}

static void on_end(struct pump *pump, struct connection *c, bool broken)
{
	(void)pump, (void)broken;
	list_remove(&c->link);
	close(c->fd);
	free(c);
}

static const struct role role = {on_bytes, on_end};
static const struct role plain_role = {on_plain_bytes, on_end};

void origin_open(struct pump *pump)
{
	struct epoll_event event = {.events = EPOLLIN};
	struct sockaddr_in at = {
		.sin_family = AF_INET,
		.sin_port = htons((uint16_t)pump->plan.origin_port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	int on = 1;

	list_init(&pump->served);
	pump->listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	/* What is accepted inherits TCP_NODELAY. */
	if (pump->listener < 0 ||
	    setsockopt(pump->listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
	    setsockopt(pump->listener, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) != 0 ||
	    bind(pump->listener, (struct sockaddr *)&at, sizeof at) != 0 ||
	    listen(pump->listener, BACKLOG) != 0 ||
	    epoll_ctl(pump->epoll, EPOLL_CTL_ADD, pump->listener, &event) != 0)
		die("cannot listen on port %u: %s", pump->plan.origin_port,
		    strerror(errno));
}

void origin_on_ready(struct pump *pump)
{
	int fd;

	while ((fd = accept4(pump->listener, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
		struct connection *c = malloc(sizeof *c);
		if (c == NULL)
			die("no memory for a connection");
		c->role = pump->plan.plain ? &plain_role : &role;
		c->text = &pump->answer;
		list_push_last(&pump->served, &c->link);
		connection_start(pump, c, fd);
	}
	if (errno != EAGAIN && errno != ECONNABORTED)
		die("cannot accept: %s", strerror(errno));
}

void origin_close(struct pump *pump)
{
	LIST_EACH(&pump->served, link, next)
		on_end(pump, CONTAINER_OF(link, struct connection, link), false);
	close(pump->listener);
}
