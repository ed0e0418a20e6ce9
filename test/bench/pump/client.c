/* client.c - asks, checks the answers, and asks again at once.
 *
 * A client has one connection. It sends a burst of `depth` requests, awaits all
 * answers, and sends the next burst; or, if the plan says close, one request, and
 * after the answer it awaits the end of the connection and opens the next one: who
 * closes first keeps the port for a minute, and this way that is the proxy.
 */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/must.h"
#include "pump.h"

struct client {
	struct connection connection;
	uint64_t asked_at;
	unsigned awaited;		/* answers */
	bool     busy;			/* will ask, or has asked */
	bool     in_body;		/* of the answer at hand */
	size_t   left;			/* of an answer without HTTP, unless it is skipped */
};

static struct client *client_of(struct connection *c)
{
	return CONTAINER_OF(c, struct client, connection);
}

static void ask(struct pump *pump, struct client *c, uint64_t now)
{
	if (pump->ending) {
		c->busy = false;
		pump->busy--;
		return;
	}
	c->asked_at = now;
	c->awaited = pump->plan.depth;
	if (pump->plan.plain) {
		bool skips = pump->plan.body > SCRATCH_SIZE;
		c->connection.skip = skips ? pump->plan.body : 0;
		c->left = skips ? 0 : pump->plan.body;
	}
	connection_say(&c->connection, pump->plan.depth);
}

static void open_connection(struct pump *pump, struct client *c)
{
	struct sockaddr_in proxy = {
		.sin_family = AF_INET,
		.sin_port = htons((uint16_t)pump->plan.proxy_port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	uint64_t now = clock_now();
	int on = 1;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

	if (fd < 0 || (connect(fd, (struct sockaddr *)&proxy, sizeof proxy) != 0 &&
		       errno != EINPROGRESS))
		die("cannot connect to port %u: %s", pump->plan.proxy_port,
		    strerror(errno));
	if (!pump->plan.close)
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	connection_start(pump, &c->connection, fd);
	c->in_body = false;
	ask(pump, c, now);
}

/* Whether it is an answer of status 200 and of the length that the origin gave it. */
static bool head_is_right(const struct pump *pump, const char *at, const char *end)
{
	static const char status[] = "HTTP/1.1 200 ", length[] = "\r\nContent-Length:";
	enum { STATUS = sizeof status - 1, LENGTH = sizeof length - 1 };

	if (end - at < STATUS || memcmp(at, status, STATUS) != 0)
		return false;
	while (at != NULL && end - at > LENGTH) {
		if (strncasecmp(at, length, LENGTH) == 0)
			return strtoul(at + LENGTH, NULL, 10) == pump->plan.body;
		at = memchr(at + 1, '\r', (size_t)(end - at) - 1);
	}
	return false;
}

static void on_answer(struct pump *pump, struct client *c, uint64_t now)
{
	c->in_body = false;
	c->awaited--;
	if (!pump->counting)
		return;
	pump->requests++;
	pump->bytes += pump->plan.body;
	histogram_add(&pump->latencies, now - c->asked_at);
}

static bool on_bytes(struct pump *pump, struct connection *connection, size_t size)
{
	struct client *c = client_of(connection);
	const char *at = pump->scratch, *stop = at + size;
	uint64_t now = clock_now();

	while (at < stop && c->awaited > 0) {
		const char *end = memmem(at, (size_t)(stop - at), "\r\n\r\n", 4);
		if (end == NULL)
			return connection_hold(connection, at, (size_t)(stop - at));
		if (!head_is_right(pump, at, end))
			return false;
		at = end + 4;
		size_t here = (size_t)(stop - at), body = pump->plan.body;
		if (here < body) {
			connection->skip = body - here;
			c->in_body = true;
			return true;
		}
		at += body;
		on_answer(pump, c, now);
	}
	if (c->in_body && connection->skip == 0)
		on_answer(pump, c, now);
	if (at < stop)			/* more than was asked for */
		return false;
	if (c->awaited == 0 && !pump->plan.close)
		ask(pump, c, now);
	return true;
}

/* An answer without HTTP: what matters is that as much comes as was sent. */
static bool on_plain_bytes(struct pump *pump, struct connection *connection, size_t size)
{
	struct client *c = client_of(connection);

	if (c->awaited == 0 || size > c->left)
		return false;
	c->left -= size;
	if (c->left > 0 || connection->skip > 0)
		return true;
	uint64_t now = clock_now();
	on_answer(pump, c, now);
	if (!pump->plan.close)
		ask(pump, c, now);
	return true;
}

static void on_end(struct pump *pump, struct connection *connection, bool broken)
{
	struct client *c = client_of(connection);

	close(connection->fd);
	connection->fd = -1;
	if (c->awaited > 0)
		pump->failed += c->awaited;
	else if (broken)
		pump->failed++;
	c->awaited = 0;
	if (!pump->ending) {
		open_connection(pump, c);
	} else if (c->busy) {
		c->busy = false;
		pump->busy--;
	}
}

static const struct role role = {on_bytes, on_end};
static const struct role plain_role = {on_plain_bytes, on_end};

void clients_open(struct pump *pump)
{
	pump->clients = calloc(pump->plan.connections, sizeof *pump->clients);
	if (pump->clients == NULL)
		die("no memory for %u clients", pump->plan.connections);
	for (unsigned i = 0; i < pump->plan.connections; i++) {
		struct client *c = &pump->clients[i];
		c->connection.role = pump->plan.plain ? &plain_role : &role;
		c->connection.text = &pump->request;
		c->busy = true;
		pump->busy++;
		open_connection(pump, c);
	}
}

void clients_close(struct pump *pump)
{
	for (unsigned i = 0; i < pump->plan.connections; i++) {
		struct client *c = &pump->clients[i];
		pump->failed += c->awaited;
		if (c->connection.fd >= 0)
			close(c->connection.fd);
	}
	free(pump->clients);
}
