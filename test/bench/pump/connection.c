/* connection.c - says a text and hears bytes, for both sides.
 *
 * Edge-triggered, each descriptor registered once: more is heard only if the last
 * recv was full or the other side has ended, as a later byte is a new edge.
 */
#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/sendfile.h>
#include <sys/socket.h>

#include "pump.h"

enum heard { HEARD_ALL, HEARD_MORE, HEARD_END, HEARD_BROKEN };

void connection_start(struct pump *pump, struct connection *c, int fd)
{
	struct epoll_event event = {
		.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET,
		.data.ptr = c,
	};

	c->fd = fd;
	c->offset = c->owed = c->skip = c->held = 0;
	if (epoll_ctl(pump->epoll, EPOLL_CTL_ADD, fd, &event) != 0)
		die("cannot watch a connection: %s", strerror(errno));
}

static void flush(struct connection *c)
{
	const struct text *text = c->text;

	/* Until the kernel refuses: only then does it tell when it has room again. */
	while (c->owed > 0) {
		size_t ready = text->copies * text->size - c->offset;
		size_t size = c->owed < ready ? c->owed : ready;
		off_t at = (off_t)c->offset;
		ssize_t said = text->fd >= 0
			? sendfile(c->fd, text->fd, &at, size)
			: send(c->fd, text->bytes + c->offset, size, 0);
		if (said < 0)
			return;
		c->offset = (c->offset + (size_t)said) % text->size;
		c->owed -= (size_t)said;
	}
}

void connection_say(struct connection *c, size_t times)
{
	c->owed += times * c->text->parts * c->text->size;
	flush(c);
}

bool connection_hold(struct connection *c, const char *bytes, size_t size)
{
	if (size > HEAD_MAX)
		return false;
	memcpy(c->head, bytes, size);
	c->held = size;
	return true;
}

/* Bytes to skip are dropped by the kernel, without a copy. */
static enum heard hear(struct pump *pump, struct connection *c)
{
	bool skips = c->skip > 0;
	size_t held = c->held;
	size_t room = SCRATCH_SIZE - held;

	if (skips && c->skip < room)
		room = c->skip;
	ssize_t got = recv(c->fd, pump->scratch + held, room, skips ? MSG_TRUNC : 0);
	if (got < 0)
		return errno == EAGAIN ? HEARD_ALL : HEARD_BROKEN;
	if (got == 0)
		return HEARD_END;

	memcpy(pump->scratch, c->head, held);
	c->held = 0;
	if (skips)
		c->skip -= (size_t)got;
	if (!c->role->on_bytes(pump, c, skips ? 0 : held + (size_t)got))
		return HEARD_BROKEN;
	return (size_t)got == room ? HEARD_MORE : HEARD_ALL;
}

void connection_on_ready(struct pump *pump, struct connection *c, uint32_t events)
{
	bool ended = (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0;
	enum heard heard;

	if ((events & EPOLLOUT) != 0)
		flush(c);
	if ((events & EPOLLIN) == 0 && !ended)
		return;
	do {
		heard = hear(pump, c);
	} while (heard == HEARD_MORE || (heard == HEARD_ALL && ended));
	if (heard != HEARD_ALL)
		c->role->on_end(pump, c, heard == HEARD_BROKEN);
}
