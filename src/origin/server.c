#include "origin/server.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/address.h"
#include "base/hash.h"
#include "base/memory.h"
#include "base/must.h"
#include "origin/connection.h"

enum { SECOND_MS = 1000 };

struct counts origin_server_counts(const struct server *s, unsigned port)
{
	struct counts sum = {0, 0};

	for (unsigned i = 0; i < s->options->threads; i++) {
		const struct counts *c = &s->threads[i]->listeners[port].counts;
		sum.requests += __atomic_load_n(&c->requests, __ATOMIC_RELAXED);
		sum.errors += __atomic_load_n(&c->errors, __ATOMIC_RELAXED);
	}
	return sum;
}

uint64_t origin_thread_roll(struct thread *t)
{
	return hash_mix(t->rolls++);
}

struct span origin_listener_common(struct listener *l)
{
	const struct loop *loop = l->thread->loop;
	char date[40];
	struct tm tm;

	if (loop_now_ms(loop) >= l->common_until_ms) {
		uint64_t wall_ms = loop_wall_us(loop) / 1000;
		time_t seconds = (time_t)(wall_ms / SECOND_MS);
		gmtime_r(&seconds, &tm);
		strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S GMT", &tm);
		int len = snprintf(l->common, sizeof l->common,
				   "Date: %s\r\nX-Origin: %u\r\n", date,
				   l->thread->server->ports[l->port]);
		must(len > 0 && (size_t)len < sizeof l->common);
		l->common_len = (size_t)len;
		l->common_until_ms = loop_now_ms(loop) + SECOND_MS - wall_ms % SECOND_MS;
	}
	return (struct span){l->common, l->common_len};
}

/* Out of descriptors, or of connections: what comes in waits in the accept queue. */
static void stop_accepting(struct thread *t)
{
	for (unsigned i = 0; i < t->server->options->port_count; i++)
		loop_watch_forget(t->loop, &t->listeners[i].watch);
	loop_timer_start(t->loop, &t->rest, SERVER_REST_MS);
}

static void on_rested(struct loop_timer *timer)
{
	struct thread *t = CONTAINER_OF(timer, struct thread, rest);

	for (unsigned i = 0; i < t->server->options->port_count; i++)
		if (loop_watch_register_level(t->loop, &t->listeners[i].watch) != 0)
			loop_timer_start(t->loop, &t->rest, SERVER_REST_MS);
}

static bool is_shortage(int reason)
{
	return reason == EMFILE || reason == ENFILE ||
	       reason == ENOBUFS || reason == ENOMEM;
}

static void on_acceptable(struct loop_watch *w, unsigned events)
{
	struct listener *l = CONTAINER_OF(w, struct listener, watch);
	struct thread *t = l->thread;

	(void)events;
	for (int i = 0; i < SERVER_ACCEPTS_MAX; i++) {
		if (t->connection_count >= SERVER_CONNECTIONS_MAX) {
			stop_accepting(t);
			return;
		}
		int fd = accept4(w->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd >= 0) {
			origin_connection_open(l, fd);
			continue;
		}
		if (errno == EAGAIN)
			return;
		if (is_shortage(errno)) {
			stop_accepting(t);
			return;
		}
		/* Anything else is about this one connection, which is gone. */
	}
}

/* A socket bound to the address; `shared`: together with others of this program. */
static int open_bound(const struct address *at, bool shared, struct err *err)
{
	int on = 1;
	int fd = socket(at->any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return err_sys(err, "no socket for %s", at->text);

	/* Accepted sockets inherit TCP_NODELAY. */
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
	    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) != 0 ||
	    (shared && setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) != 0)) {
		err_sys(err, "cannot set up the socket for %s", at->text);
		goto close_fd;
	}
	if (bind(fd, &at->any, at->len) != 0) {
		err_sys(err, "cannot bind %s", at->text);
		goto close_fd;
	}
	return fd;

close_fd:
	close(fd);
	return -1;
}

/* The address of --bind with this port, 0 included. */
static int read_address(struct address *at, const char *host, uint16_t port,
			struct err *err)
{
	char text[ADDRESS_TEXT_MAX];

	snprintf(text, sizeof text, strchr(host, ':') != NULL ? "[%s]:1" : "%s:1", host);
	if (address_parse(at, text, host, err) != 0)
		return -1;
	if (at->len == 0)
		return err_set(err, "--bind takes a numeric address, not '%s'", host);
	if (at->any.sa_family == AF_INET6)
		at->in6.sin6_port = htons(port);
	else
		at->in4.sin_port = htons(port);
	address_format(at);
	return 0;
}

/* Fails when anybody listens there: SO_REUSEPORT would share the port with another
 * origin without a word. Sets the real port when the kernel is to choose one. */
static int claim_port(struct address *at, struct err *err)
{
	int fd = open_bound(at, false, err);
	if (fd < 0)
		return -1;
	getsockname(fd, &at->any, &at->len);
	address_format(at);
	close(fd);
	return 0;
}

static int open_listener(struct thread *t, unsigned port, const struct address *at,
			 struct err *err)
{
	struct listener *l = &t->listeners[port];

	l->thread = t;
	l->port = port;
	int fd = open_bound(at, true, err);
	if (fd < 0)
		return -1;
	loop_watch_init(&l->watch, fd, on_acceptable);
	if (listen(fd, SOMAXCONN) != 0)
		return err_sys(err, "cannot listen on %s", at->text);
	if (loop_watch_register_level(t->loop, &l->watch) != 0)
		return err_sys(err, "cannot watch %s", at->text);
	return 0;
}

/* Opens a port in all threads. What is open already is ended by undo. */
static int open_port(struct server *s, unsigned port, struct err *err)
{
	const struct options *o = s->options;
	struct address at;

	if (read_address(&at, o->address, o->ports[port], err) != 0)
		return -1;
	if (claim_port(&at, err) != 0)
		return -1;
	s->ports[port] = address_port(&at);
	for (unsigned i = 0; i < o->threads; i++)
		if (open_listener(s->threads[i], port, &at, err) != 0)
			return -1;
	return 0;
}

static int create_thread(struct server *s, unsigned at, struct err *err)
{
	struct loop *loop = loop_create(err);
	if (loop == NULL)
		return -1;
	struct thread *t = memory_new(1, sizeof *t);

	t->server = s;
	t->loop = loop;
	t->rolls = (uint64_t)at << 32;
	buf_pool_init(&t->buffers);
	slab_init(&t->slab, origin_connection_size());
	list_init(&t->connections);
	loop_timer_init(&t->rest, on_rested);
	for (unsigned i = 0; i < OPTIONS_PORTS_MAX; i++)
		loop_watch_init(&t->listeners[i].watch, -1, on_acceptable);
	s->threads[at] = t;
	return 0;
}

static void destroy_thread(struct thread *t)
{
	if (t == NULL)
		return;
	origin_connections_end(t);
	loop_timer_stop(t->loop, &t->rest);
	for (unsigned i = 0; i < OPTIONS_PORTS_MAX; i++)
		loop_watch_close(t->loop, &t->listeners[i].watch);
	slab_fini(&t->slab);
	buf_pool_fini(&t->buffers);
	loop_destroy(t->loop);
	free(t);
}

static void *run_thread(void *argument)
{
	struct thread *t = argument;

	loop_run(t->loop);
	return NULL;
}

static void stop_threads(struct server *s, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		loop_stop(s->threads[i]->loop);
	for (unsigned i = 0; i < count; i++)
		pthread_join(s->threads[i]->id, NULL);
}

static int start_threads(struct server *s, struct err *err)
{
	for (unsigned i = 0; i < s->options->threads; i++) {
		struct thread *t = s->threads[i];
		errno = pthread_create(&t->id, NULL, run_thread, t);
		if (errno != 0) {
			err_sys(err, "cannot start a thread");
			stop_threads(s, i);
			return -1;
		}
	}
	return 0;
}

static void destroy_threads(struct server *s)
{
	for (unsigned i = 0; i < OPTIONS_THREADS_MAX; i++) {
		destroy_thread(s->threads[i]);
		s->threads[i] = NULL;
	}
}

static int open_all(struct server *s, struct err *err)
{
	for (unsigned i = 0; i < s->options->threads; i++)
		if (create_thread(s, i, err) != 0)
			return -1;
	for (unsigned i = 0; i < s->options->port_count; i++)
		if (open_port(s, i, err) != 0)
			return -1;
	return start_threads(s, err);
}

int origin_server_start(struct server *s, const struct options *o, struct err *err)
{
	*s = (struct server){.options = o};
	s->directory = open(o->directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (s->directory < 0)
		return err_sys(err, "cannot open directory %s", o->directory);
	if (pattern_open(&s->pattern, err) != 0)
		goto close_directory;
	if (open_all(s, err) != 0)
		goto destroy_threads;
	return 0;

destroy_threads:
	destroy_threads(s);
	pattern_close(&s->pattern);
close_directory:
	close(s->directory);
	return -1;
}

void origin_server_stop(struct server *s)
{
	stop_threads(s, s->options->threads);
	destroy_threads(s);
	pattern_close(&s->pattern);
	close(s->directory);
}
