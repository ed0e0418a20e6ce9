/* An engine for tests of the docker driver: HTTP over a UNIX socket, on the test's own
 * loop. It answers by rules, the first that fits and is not used up; keeps what it was
 * asked; and knows nothing of containers. */
#ifndef TEST_UNIT_SPAWN_FAKE_DOCKER_H
#define TEST_UNIT_SPAWN_FAKE_DOCKER_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/must.h"
#include "loop/loop.h"

enum { FAKE_RULES_MAX = 64, FAKE_ASKED_MAX = 256, FAKE_CONNECTIONS_MAX = 64,
       FAKE_BYTES_MAX = 8192, FAKE_LINE_MAX = 512 };

enum fake_way {
	FAKE_WHOLE,	/* the answer, then the end */
	FAKE_RAW,	/* `body` is all that is sent, head and all */
	FAKE_SILENT,	/* nothing is said, the connection is kept */
	FAKE_CUT,	/* it ends without a word */
	FAKE_STREAM,	/* the head, and what fake_say says */
};

struct fake_rule {
	const char *ask;	/* how "METHOD /path" begins, the version left out */
	int status;
	const char *body;
	enum fake_way way;
	int times;		/* 0: always */
	int used;
};

struct fake_connection {
	struct loop_watch watch;
	struct fake_docker *fake;
	char   bytes[FAKE_BYTES_MAX];
	size_t len;
	bool   kept, stream;
};

struct fake_docker {
	struct loop *loop;
	char path[64];
	struct loop_watch listener;
	struct fake_rule rules[FAKE_RULES_MAX];
	int rule_count;
	char asked[FAKE_ASKED_MAX][FAKE_LINE_MAX];	/* "METHOD /path", in order */
	int asked_count;
	struct fake_connection connections[FAKE_CONNECTIONS_MAX];
};

static inline void fake_end(struct fake_connection *c)
{
	loop_watch_close(c->fake->loop, &c->watch);
	c->kept = c->stream = false;
}

static inline void fake_send(struct fake_connection *c, const char *text)
{
	send(c->watch.fd, text, strlen(text), MSG_NOSIGNAL);
}

static inline void fake_answer(struct fake_connection *c, struct fake_rule *r)
{
	char head[256];
	const char *body = r->body != NULL ? r->body : "";

	r->used++;
	c->kept = r->way == FAKE_SILENT || r->way == FAKE_STREAM;
	c->stream = r->way == FAKE_STREAM;
	if (r->way == FAKE_STREAM) {
		fake_send(c, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n");
	} else if (r->way == FAKE_WHOLE) {
		snprintf(head, sizeof head,
			 "HTTP/1.1 %d X\r\nContent-Length: %zu\r\n\r\n",
			 r->status, strlen(body));
		fake_send(c, head);
	}
	if (r->way == FAKE_WHOLE || r->way == FAKE_RAW)
		fake_send(c, body);
	if (!c->kept)
		fake_end(c);
}

/* "POST /v1.41/containers/..." without the version. */
static inline void fake_note(struct fake_docker *f, char *to, const char *request)
{
	size_t method = strcspn(request, " ") + 1;
	const char *path = request + method;

	if (strncmp(path, "/v1.", 4) == 0)
		path += 1 + strcspn(path + 1, "/");
	snprintf(to, FAKE_LINE_MAX, "%.*s%.*s", (int)method, request,
		 (int)strcspn(path, " "), path);
	assert_true(++f->asked_count < FAKE_ASKED_MAX);
}

static inline void fake_take(struct fake_connection *c)
{
	struct fake_docker *f = c->fake;
	char *asked = f->asked[f->asked_count];

	fake_note(f, asked, c->bytes);
	for (int i = 0; i < f->rule_count; i++) {
		struct fake_rule *r = &f->rules[i];
		if (strncmp(asked, r->ask, strlen(r->ask)) == 0 &&
		    (r->times == 0 || r->used < r->times)) {
			fake_answer(c, r);
			return;
		}
	}
	fail_msg("nobody expected: %s", asked);
}

static inline void fake_on_bytes(struct loop_watch *w, unsigned events)
{
	struct fake_connection *c = CONTAINER_OF(w, struct fake_connection, watch);
	ssize_t n = recv(w->fd, c->bytes + c->len, FAKE_BYTES_MAX - 1 - c->len,
			 MSG_DONTWAIT);

	(void)events;
	if (n <= 0) {
		fake_end(c);
		return;
	}
	c->len += (size_t)n;
	c->bytes[c->len] = '\0';
	const char *end = strstr(c->bytes, "\r\n\r\n");
	const char *body_len = strstr(c->bytes, "Content-Length: ");
	size_t body = body_len != NULL ? strtoul(body_len + 16, NULL, 10) : 0;
	if (!c->kept && end != NULL && c->len >= (size_t)(end + 4 - c->bytes) + body)
		fake_take(c);
}

static inline void fake_on_connection(struct loop_watch *w, unsigned events)
{
	struct fake_docker *f = CONTAINER_OF(w, struct fake_docker, listener);
	struct fake_connection *c = f->connections;

	(void)events;
	while (c->watch.fd >= 0)
		assert_true(++c < f->connections + FAKE_CONNECTIONS_MAX);
	c->fake = f;
	c->len = 0;
	loop_watch_init(&c->watch, accept4(w->fd, NULL, NULL, SOCK_CLOEXEC),
			fake_on_bytes);
	assert_int_equal(loop_watch_register_level(f->loop, &c->watch), 0);
}

/* Listens; before, nobody does. */
static inline void fake_listen(struct fake_docker *f)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	snprintf(at.sun_path, sizeof at.sun_path, "%s", f->path);
	assert_int_equal(bind(fd, (void *)&at, sizeof at), 0);
	assert_int_equal(listen(fd, 128), 0);
	loop_watch_init(&f->listener, fd, fake_on_connection);
	assert_int_equal(loop_watch_register_level(f->loop, &f->listener), 0);
}

static inline struct fake_docker *fake_create(struct loop *l)
{
	struct fake_docker *f = memory_new(1, sizeof *f);

	f->loop = l;
	loop_watch_init(&f->listener, -1, fake_on_connection);
	for (int i = 0; i < FAKE_CONNECTIONS_MAX; i++)
		f->connections[i].watch.fd = -1;
	snprintf(f->path, sizeof f->path, "/tmp/fake_docker.%d", (int)getpid());
	unlink(f->path);
	return f;
}

static inline void fake_destroy(struct fake_docker *f)
{
	for (int i = 0; i < FAKE_CONNECTIONS_MAX; i++)
		if (f->connections[i].watch.fd >= 0)
			fake_end(&f->connections[i]);
	loop_watch_close(f->loop, &f->listener);
	unlink(f->path);
	free(f);
}

/* Rules are looked at in the order they were given. */
static inline void fake_rule(struct fake_docker *f, const struct fake_rule *r)
{
	assert_true(f->rule_count < FAKE_RULES_MAX);
	f->rules[f->rule_count++] = *r;
}

/* One that answers; times 0: always. */
static inline void fake_says(struct fake_docker *f, const char *ask, int status,
			     const char *body, int times)
{
	fake_rule(f, &(struct fake_rule){ask, status, body, FAKE_WHOLE, times, 0});
}

/* One that does something else. */
static inline void fake_does(struct fake_docker *f, const char *ask, enum fake_way way,
			     const char *body, int times)
{
	fake_rule(f, &(struct fake_rule){ask, 0, body, way, times, 0});
}

/* How often it was asked what begins so. */
static inline int fake_asked(const struct fake_docker *f, const char *ask)
{
	int count = 0;

	for (int i = 0; i < f->asked_count; i++)
		count += strncmp(f->asked[i], ask, strlen(ask)) == 0;
	return count;
}

/* Connections that are kept: silent ones, or streams. */
static inline int fake_kept(const struct fake_docker *f, bool stream)
{
	int count = 0;

	for (int i = 0; i < FAKE_CONNECTIONS_MAX; i++)
		count += f->connections[i].kept && f->connections[i].stream == stream;
	return count;
}

/* To all streams; NULL: they end. */
static inline void fake_say(struct fake_docker *f, const char *text)
{
	for (int i = 0; i < FAKE_CONNECTIONS_MAX; i++) {
		struct fake_connection *c = &f->connections[i];
		if (c->stream && text != NULL)
			fake_send(c, text);
		else if (c->stream)
			fake_end(c);
	}
}

#endif
