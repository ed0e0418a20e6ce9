/* Goal: every dial ends once, in one of the ways that dial.h names, and leaves
 * nothing behind; on loopback and on UNIX sockets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/must.h"
#include "loop/dial.h"

enum { DEADLINE_MS = 10000, LIMIT_MS = 150, CALLERS_MAX = 8 };

static struct loop *l;

/* One connection to be, and what became of it. */
struct call {
	struct dial       dial;
	struct loop_watch watch;
	int               times;
	enum dial_result  result;
	bool              was_pending;	/* when on_done was called */
};

static void on_done(struct dial *d, enum dial_result result)
{
	struct call *c = CONTAINER_OF(d, struct call, dial);

	c->times++;
	c->result = result;
	c->was_pending = d->pending;
}

static void on_ready(struct loop_watch *w, unsigned events)
{
	dial_on_ready(&CONTAINER_OF(w, struct call, watch)->dial, events);
}

static int open_loop(void **unused)
{
	struct err err;

	(void)unused;
	l = loop_create(&err);
	return l != NULL ? 0 : -1;
}

/* That no timer is left is a must() of loop_destroy. */
static int close_loop(void **unused)
{
	(void)unused;
	loop_destroy(l);
	return 0;
}

static void start(struct call *c, const struct address *to)
{
	enum dial_result result;

	*c = (struct call){.times = 0};
	dial_init(&c->dial, l, on_done);
	loop_watch_init(&c->watch, -1, on_ready);
	if (dial_start(&c->dial, &c->watch, to, LIMIT_MS, on_ready, &result))
		on_done(&c->dial, result);
}

static enum dial_result finish(struct call *c)
{
	uint64_t end_us = loop_clock_us() + DEADLINE_MS * 1000ull;

	while (c->times == 0 && loop_clock_us() < end_us)
		loop_turn(l, 10);
	loop_turn(l, 0);
	assert_int_equal(c->times, 1);
	assert_false(c->was_pending || c->dial.pending);
	assert_int_equal(c->watch.fd >= 0, c->result == DIAL_OPEN);
	return c->result;
}

static enum dial_result dial(struct call *c, const struct address *to)
{
	start(c, to);
	return finish(c);
}

/* A listening socket on loopback with this backlog; *at is set to where it is. */
static int listen_at(struct address *at, int backlog)
{
	struct err err;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(address_parse(at, "127.0.0.1:1", "127.0.0.1", &err), 0);
	at->in4.sin_port = 0;
	assert_int_equal(bind(fd, &at->any, at->len), 0);
	assert_int_equal(listen(fd, backlog), 0);
	assert_int_equal(getsockname(fd, &at->any, &at->len), 0);
	return fd;
}

static void a_listener_is_reached(void **unused)
{
	struct address at;
	struct call c;
	int listener = listen_at(&at, 8), on = 0;
	socklen_t len = sizeof on;

	(void)unused;
	assert_int_equal(dial(&c, &at), DIAL_OPEN);
	assert_true(c.watch.registered);
	assert_int_equal(getsockopt(c.watch.fd, IPPROTO_TCP, TCP_NODELAY, &on, &len), 0);
	assert_int_equal(on, 1);
	dial_cancel(&c.dial);			/* none is pending: it stays open */
	assert_true(c.watch.fd >= 0);
	loop_watch_close(l, &c.watch);
	close(listener);
}

static void nobody_there_is_refused(void **unused)
{
	struct address at;
	struct call c;

	(void)unused;
	close(listen_at(&at, 8));
	assert_int_equal(dial(&c, &at), DIAL_REFUSED);
	assert_string_equal(dial_result_text(c.result), "connection refused");
}

static void a_dial_may_be_started_again(void **unused)
{
	struct address closed, open;
	struct call c;
	enum dial_result result;

	(void)unused;
	close(listen_at(&closed, 8));
	int listener = listen_at(&open, 8);
	assert_int_equal(dial(&c, &closed), DIAL_REFUSED);
	c.times = 0;
	if (dial_start(&c.dial, &c.watch, &open, LIMIT_MS, on_ready, &result))
		on_done(&c.dial, result);
	assert_int_equal(finish(&c), DIAL_OPEN);
	loop_watch_close(l, &c.watch);
	close(listener);
}

/* With no room in its queue a listener does not answer: callers wait. */
static int fill(struct address *at, struct call callers[CALLERS_MAX])
{
	int listener = listen_at(at, 0);

	for (int i = 0; i < CALLERS_MAX; i++) {
		start(&callers[i], at);
		loop_turn(l, 0);
		loop_turn(l, 0);
	}
	return listener;
}

static void silence_ends_at_the_time_limit(void **unused)
{
	struct call callers[CALLERS_MAX];
	struct address at;
	uint64_t start_us = loop_clock_us();
	int listener = fill(&at, callers), late = 0;

	(void)unused;
	for (int i = 0; i < CALLERS_MAX; i++) {
		if (finish(&callers[i]) == DIAL_TIMED_OUT)
			late++;
		else
			assert_int_equal(callers[i].result, DIAL_OPEN);
		loop_watch_close(l, &callers[i].watch);
	}
	assert_true(late > 0);
	assert_true(loop_clock_us() - start_us >= (LIMIT_MS - 1) * 1000);
	close(listener);
}

static void cancelled_is_never_told(void **unused)
{
	struct call callers[CALLERS_MAX];
	struct address at;
	int listener = fill(&at, callers), cancelled = 0;

	(void)unused;
	for (int i = 0; i < CALLERS_MAX; i++) {
		if (callers[i].dial.pending) {
			cancelled++;
			dial_cancel(&callers[i].dial);
			dial_cancel(&callers[i].dial);
			assert_int_equal(callers[i].watch.fd, -1);
		}
	}
	assert_true(cancelled > 0);
	uint64_t end_us = loop_clock_us() + 2 * LIMIT_MS * 1000;
	while (loop_clock_us() < end_us)
		loop_turn(l, 10);
	for (int i = 0; i < CALLERS_MAX; i++) {
		cancelled -= callers[i].times == 0;
		loop_watch_close(l, &callers[i].watch);
	}
	assert_int_equal(cancelled, 0);
	close(listener);
}

static void unix_sockets_are_dialed_too(void **unused)
{
	char path[] = "/tmp/dial_test.XXXXXX", text[64];
	struct call c;
	struct address at;
	struct err err;

	(void)unused;
	assert_non_null(mkdtemp(path));
	snprintf(text, sizeof text, "unix:%s/socket", path);
	assert_int_equal(address_parse(&at, text, "", &err), 0);
	assert_int_equal(dial(&c, &at), DIAL_REFUSED);		/* no such path */

	int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(listener, &at.any, at.len), 0);
	assert_int_equal(dial(&c, &at), DIAL_REFUSED);		/* nobody listens */

	assert_int_equal(listen(listener, 1), 0);
	assert_int_equal(dial(&c, &at), DIAL_OPEN);
	loop_watch_close(l, &c.watch);
	close(listener);
	unlink(at.un.sun_path);
	rmdir(path);
}

/* In a folder of its own, with the shortest queue. */
static int listen_unix(struct address *at)
{
	char path[] = "/tmp/dial_test.XXXXXX", text[64];
	struct err err;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_non_null(mkdtemp(path));
	snprintf(text, sizeof text, "unix:%s/socket", path);
	assert_int_equal(address_parse(at, text, "", &err), 0);
	assert_int_equal(bind(fd, &at->any, at->len), 0);
	assert_int_equal(listen(fd, 0), 0);
	return fd;
}

static void a_full_unix_socket_is_waited_for(void **unused)
{
	struct call inside, waits, late;
	struct address at;
	int listener = listen_unix(&at);

	(void)unused;
	assert_int_equal(dial(&inside, &at), DIAL_OPEN);	/* its queue is full */
	start(&waits, &at);
	loop_turn(l, 10);
	assert_true(waits.dial.pending);
	close(accept(listener, NULL, NULL));
	assert_int_equal(finish(&waits), DIAL_OPEN);
	assert_int_equal(dial(&late, &at), DIAL_TIMED_OUT);
	start(&late, &at);
	dial_cancel(&late.dial);
	assert_int_equal(late.times, 0);
	loop_watch_close(l, &inside.watch);
	loop_watch_close(l, &waits.watch);
	close(listener);
	unlink(at.un.sun_path);
	*strrchr(at.un.sun_path, '/') = '\0';
	rmdir(at.un.sun_path);
}

static void our_own_limit_is_said_to_be_ours(void **unused)
{
	struct address at;
	struct call c;
	struct rlimit before, none;
	int listener = listen_at(&at, 8);

	(void)unused;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	none = (struct rlimit){.rlim_cur = 0, .rlim_max = before.rlim_max};
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	start(&c, &at);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	assert_int_equal(finish(&c), DIAL_NO_DESCRIPTORS);
	close(listener);
}

static void every_result_has_a_text(void **unused)
{
	(void)unused;
	for (int i = 0; i < DIAL_RESULTS; i++)
		assert_non_null(dial_result_text((enum dial_result)i));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_loop, close_loop)
	const struct CMUnitTest tests[] = {
		TEST(a_listener_is_reached),
		TEST(nobody_there_is_refused),
		TEST(a_dial_may_be_started_again),
		TEST(silence_ends_at_the_time_limit),
		TEST(cancelled_is_never_told),
		TEST(unix_sockets_are_dialed_too),
		TEST(a_full_unix_socket_is_waited_for),
		TEST(our_own_limit_is_said_to_be_ours),
		TEST(every_result_has_a_text),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
