#include "spawn/process_ports.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <unistd.h>

static uint64_t taken[(UINT16_MAX + 1) / 64];

static bool is_taken(uint16_t port)
{
	return (taken[port / 64] >> (port % 64) & 1) != 0;
}

void process_port_take(uint16_t port)
{
	taken[port / 64] |= UINT64_C(1) << (port % 64);
}

void process_port_give(uint16_t port)
{
	taken[port / 64] &= ~(UINT64_C(1) << (port % 64));
}

/* Whether a server can listen there, for whatever address it does. Strict: without
 * SO_REUSEADDR, since not all servers set it. Returns the port, or 0 and errno. */
static uint16_t try_port(uint16_t port)
{
	struct sockaddr_in at = {
		.sin_family = AF_INET, .sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_ANY),
	};
	socklen_t len = sizeof at;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return 0;
	bool bound = bind(fd, (struct sockaddr *)&at, sizeof at) == 0 &&
		     getsockname(fd, (struct sockaddr *)&at, &len) == 0;
	int error = errno;
	close(fd);
	errno = error;
	return bound ? ntohs(at.sin_port) : 0;
}

static uint16_t choose_any(struct err *err)
{
	for (int i = 0; i < PROCESS_PORT_TRIES_MAX; i++) {
		uint16_t port = try_port(0);
		if (port == 0) {
			err_sys(err, "no port is free for a server");
			return 0;
		}
		if (!is_taken(port))
			return port;
	}
	err_set(err, "no port is free for a server");
	return 0;
}

static uint16_t choose_from(uint16_t first, struct err *err)
{
	uint32_t last = (uint32_t)first + PROCESS_PORT_TRIES_MAX - 1;

	if (last > UINT16_MAX)
		last = UINT16_MAX;
	for (uint32_t port = first; port <= last; port++) {
		if (is_taken((uint16_t)port))
			continue;
		if (try_port((uint16_t)port) != 0)
			return (uint16_t)port;
		if (errno != EADDRINUSE) {
			err_sys(err, errno == EACCES ?
				"port %u cannot be used for a server; please begin with "
				"one that needs no privilege, such as \"port 5000\"" :
				"port %u cannot be used for a server", port);
			return 0;
		}
	}
	err_set(err, "none of the ports %u to %u is free for a server; please begin with "
		"another \"port\", or leave it out", first, last);
	return 0;
}

uint16_t process_port_choose(uint16_t first, struct err *err)
{
	uint16_t port = first > 0 ? choose_from(first, err) : choose_any(err);

	if (port > 0)
		process_port_take(port);
	return port;
}
