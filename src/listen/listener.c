#include "listen/listener.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <unistd.h>

static int say_in_use(const struct address *at, struct err *err)
{
	if (errno == EADDRINUSE)
		return err_set(err, "cannot listen on %s: it is in use by another program; "
			       "stop that, or choose another port", at->text);
	if (errno == EACCES)
		return err_set(err, "cannot listen on %s: no permission; ports below 1024 "
			       "need root or CAP_NET_BIND_SERVICE", at->text);
	return err_sys(err, "cannot listen on %s", at->text);
}

static void prepare_stream(int fd)
{
	int on = 1;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	/* Inherited by each connection: no call per connection. */
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

static bool is_any(const struct address *at)
{
	if (at->any.sa_family == AF_INET)
		return at->in4.sin_addr.s_addr == htonl(INADDR_ANY);
	return at->any.sa_family == AF_INET6 && IN6_IS_ADDR_UNSPECIFIED(&at->in6.sin6_addr);
}

/* Not SO_REUSEADDR: with datagrams it would share the port with strangers. An answer has
 * to come from the address that was asked, so a socket bound to all of them tells. */
static void prepare_datagrams(int fd, const struct address *at)
{
	int on = 1, bytes = LISTENER_DATAGRAM_BYTES;

	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
	setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes);
	if (!is_any(at))
		return;
	if (at->any.sa_family == AF_INET)
		setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &on, sizeof on);
	else
		setsockopt(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof on);
}

/* One bound socket; `shared`: others of ours are bound to the same port. */
static int bound_socket(const struct address *at, int type, bool shared, struct err *err)
{
	int on = 1, off = 0;
	int fd = socket(at->any.sa_family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return err_sys(err, "no socket for %s", at->text);
	if (type == SOCK_STREAM)
		prepare_stream(fd);
	else
		prepare_datagrams(fd, at);
	if (at->any.sa_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
	if (shared && setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) != 0) {
		err_sys(err, "cannot share port of %s", at->text);
		goto close_fd;
	}
	if (bind(fd, &at->any, at->len) != 0) {
		say_in_use(at, err);
		goto close_fd;
	}
	return fd;

close_fd:
	close(fd);
	return -1;
}

/* Whether the port is free of others: a socket that does not share it tells, when it
 * is bound. It must not listen: whoever connected then would be reset. */
static int must_be_free(const struct address *at, int type, struct err *err)
{
	int fd = bound_socket(at, type, false, err);

	if (fd < 0)
		return -1;
	close(fd);
	return 0;
}

static int open_all(int *fds, uint32_t count, const struct address *at, int type,
		    struct err *err)
{
	uint32_t opened = 0;

	while (opened < count) {
		fds[opened] = bound_socket(at, type, true, err);
		if (fds[opened] < 0)
			goto close_all;
		opened++;
		if (type == SOCK_STREAM && listen(fds[opened - 1], SOMAXCONN) != 0) {
			say_in_use(at, err);
			goto close_all;
		}
	}
	return 0;

close_all:
	while (opened > 0)
		close(fds[--opened]);
	return -1;
}

int listener_open(int *fds, uint32_t count, const struct address *at, struct err *err)
{
	return must_be_free(at, SOCK_STREAM, err) == 0 ?
		       open_all(fds, count, at, SOCK_STREAM, err) : -1;
}

int listener_open_beside(int *fds, uint32_t count, const struct address *at, struct err *err)
{
	return open_all(fds, count, at, SOCK_STREAM, err);
}

int listener_open_datagrams(int *fds, uint32_t count, const struct address *at,
			    struct err *err)
{
	return must_be_free(at, SOCK_DGRAM, err) == 0 ?
		       open_all(fds, count, at, SOCK_DGRAM, err) : -1;
}

int listener_open_datagrams_beside(int *fds, uint32_t count, const struct address *at,
				   struct err *err)
{
	return open_all(fds, count, at, SOCK_DGRAM, err);
}

void listener_defer(const int *fds, uint32_t count, bool on)
{
	int seconds = on ? LISTENER_DEFER_S : 0;

	for (uint32_t i = 0; i < count; i++)
		setsockopt(fds[i], IPPROTO_TCP, TCP_DEFER_ACCEPT, &seconds, sizeof seconds);
}
