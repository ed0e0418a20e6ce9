/* Goal: the real thing over sockets: places are bounded, nobody holds up anybody, doors
 * over TCP come and go with the model. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "loop/loop.h"
#include "unit/control/fake.h"

static char folder[] = "/tmp/balancerd-control-XXXXXX";
static char path[80], token_path[80];
static struct fake fake;
static struct loop *l;
static struct control *control;
static struct err err;
static bool taken;

static int make_folder(void **unused)
{
	(void)unused;
	if (mkdtemp(folder) == NULL)
		return -1;
	snprintf(path, sizeof path, "%s/c.sock", folder);
	snprintf(token_path, sizeof token_path, "%s/token", folder);
	return 0;
}

static int remove_folder(void **unused)
{
	(void)unused;
	unlink(token_path);
	return rmdir(folder);
}

static int begin(void **unused)
{
	(void)unused;
	fake_init(&fake);
	l = loop_create(&err);
	if (l == NULL)
		return -1;
	control = control_create(l, &fake.live, &fake.hooks, &fake.facts);
	return control_open_unix(control, path, &taken, &err);
}

static int end(void **unused)
{
	(void)unused;
	control_destroy(control);
	loop_destroy(l);
	fake_fini(&fake);
	return access(path, F_OK) == 0 ? -1 : 0;
}

static void turn(int times)
{
	while (times-- > 0)
		loop_turn(l, 0);
}

/* ---- clients ---- */

static int connect_to(const struct address *at)
{
	int fd = socket(at->any.sa_family, SOCK_STREAM | SOCK_NONBLOCK, 0);

	assert_true(fd >= 0);
	connect(fd, &at->any, at->len);
	turn(3);
	return fd;
}

static int connect_unix(void)
{
	struct address at;
	char text[100];

	snprintf(text, sizeof text, "unix:%s", path);
	assert_int_equal(address_parse(&at, text, "", &err), 0);
	return connect_to(&at);
}

static void say(int fd, const char *text)
{
	ssize_t len = (ssize_t)strlen(text);

	assert_int_equal(send(fd, text, (size_t)len, MSG_NOSIGNAL), len);
	turn(4);
}

static char heard[1 << 16];

/* What has come; -1: nothing, 0: the end. */
static ssize_t hear(int fd)
{
	turn(2);
	ssize_t n = recv(fd, heard, sizeof heard - 1, 0);
	heard[n > 0 ? n : 0] = '\0';
	return n;
}

static int status_of(int fd)
{
	int status = 0;

	if (hear(fd) > 0)
		sscanf(heard, "HTTP/1.1 %d", &status);
	return status;
}

static const char get[] = "GET /v1/leaving HTTP/1.1\r\nHost: b\r\n\r\n";

static int ask(int fd)
{
	say(fd, get);
	return status_of(fd);
}

/* ---- over the UNIX socket ---- */

static void a_connection_asks_again_and_again(void **unused)
{
	int fd = connect_unix();

	(void)unused;
	for (int i = 0; i < 5; i++)
		assert_int_equal(ask(fd), 200);
	close(fd);
}

static void the_socket_has_one_owner(void **unused)
{
	struct control *second = control_create(l, &fake.live, &fake.hooks, &fake.facts);

	(void)unused;
	assert_int_equal(control_open_unix(second, path, &taken, &err), -1);
	assert_true(taken);
	control_destroy(second);
	int fd = connect_unix();
	assert_int_equal(ask(fd), 200);
	close(fd);
}

/* 64 are served, the next are told to go, and who comes when a place is free gets it. */
static void places_are_bounded(void **unused)
{
	enum { BUSY = CONTROL_CONNECTIONS_MAX + CONTROL_BUSY_MAX, ALL = BUSY + 4 };
	int fds[ALL];

	(void)unused;
	for (int i = 0; i < ALL; i++)
		fds[i] = connect_unix();
	for (int i = 0; i < ALL; i++) {
		if (i < CONTROL_CONNECTIONS_MAX)
			assert_int_equal(ask(fds[i]), 200);
		else if (i < BUSY)
			assert_int_equal(ask(fds[i]), 503);
		else
			say(fds[i], get);
	}
	/* The last are let in when those that were told have gone. */
	for (int i = CONTROL_CONNECTIONS_MAX; i < BUSY; i++)
		close(fds[i]);
	turn(10);
	for (int i = BUSY; i < ALL; i++) {
		assert_int_equal(status_of(fds[i]), 503);
		assert_int_equal(hear(fds[i]), 0);
		close(fds[i]);
	}
	close(fds[0]);
	turn(10);
	int fd = connect_unix();
	assert_int_equal(ask(fd), 200);
	close(fd);
	for (int i = 1; i < CONTROL_CONNECTIONS_MAX; i++)
		close(fds[i]);
	turn(10);
}

static void who_says_half_of_it_holds_up_nobody(void **unused)
{
	int slow = connect_unix(), fd = connect_unix();

	(void)unused;
	say(slow, "GET /v1/leaving HTTP/1.1\r\nHo");
	assert_int_equal(ask(fd), 200);
	assert_int_equal(hear(slow), -1);
	say(slow, "st: b\r\n\r\n");
	assert_int_equal(status_of(slow), 200);
	close(slow);
	close(fd);
}

/* Whoever asks for much and reads nothing is not asked to take it at once. */
static void a_slow_reader_gets_all_of_it(void **unused)
{
	int fd = connect_unix(), small = 4096;
	size_t asked = 0, length = 0;

	(void)unused;
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
	while (send(fd, get, sizeof get - 1, MSG_NOSIGNAL) == sizeof get - 1) {
		asked++;
		turn(1);
	}
	turn(5);
	ssize_t n = recv(fd, heard, 1, MSG_PEEK);
	assert_int_equal(n, 1);
	for (int idle = 0; idle < 100; ) {
		n = recv(fd, heard, sizeof heard - 1, 0);
		turn(2);
		if (n <= 0) {
			idle++;
			continue;
		}
		length += (size_t)n;
	}
	assert_true(asked > 10);
	assert_int_equal(length % asked, 0);	/* all are of one length */
	close(fd);
}

static void the_last_request_ends_the_connection(void **unused)
{
	int fd = connect_unix();

	(void)unused;
	say(fd, "GET /v1/leaving HTTP/1.1\r\nHost: b\r\nConnection: close\r\n\r\n");
	assert_int_equal(status_of(fd), 200);
	assert_int_equal(hear(fd), 0);
	close(fd);
	turn(3);
}

/* ---- over TCP ---- */

static struct model *asks_for(const char *first, const char *second)
{
	const char *const all[] = {first, second};
	struct model *m = model_create();

	m->controls = memory_new(2, sizeof *m->controls);
	for (int i = 0; i < 2 && all[i] != NULL; i++) {
		struct model_control *c = &m->controls[m->control_count++];
		assert_int_equal(address_parse(&c->address, all[i], "", &err), 0);
		c->token_path = memory_text(token_path);
	}
	return m;
}

/* What control_use says to it. */
static int use_doors(const char *first, const char *second)
{
	struct model *m = asks_for(first, second);
	int result = control_use(control, m, &err);

	model_put(m);
	return result;
}

static void write_token(const char *token, mode_t mode)
{
	FILE *out = fopen(token_path, "w");

	assert_non_null(out);
	fputs(token, out);
	fclose(out);
	chmod(token_path, mode);
}

static int ask_as(int fd, const char *token)
{
	char request[200];

	snprintf(request, sizeof request, "GET /v1/leaving HTTP/1.1\r\nHost: b\r\n"
		 "Authorization: Bearer %s\r\n\r\n", token);
	say(fd, request);
	return status_of(fd);
}

/* Ports that nobody else uses: of sockets that were bound a moment ago. */
static void free_port(char text[32])
{
	struct sockaddr_in at = {.sin_family = AF_INET};
	socklen_t len = sizeof at;
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(bind(fd, (struct sockaddr *)&at, len), 0);
	getsockname(fd, (struct sockaddr *)&at, &len);
	snprintf(text, 32, "127.0.0.1:%u", ntohs(at.sin_port));
	close(fd);
}

static int connect_text(const char *text)
{
	struct address at;

	assert_int_equal(address_parse(&at, text, "", &err), 0);
	return connect_to(&at);
}

static void doors_come_and_go_with_the_model(void **unused)
{
	char one[32], two[32];

	(void)unused;
	free_port(one);
	free_port(two);
	write_token("secret", 0600);
	assert_int_equal(use_doors(one, NULL), 0);
	int fd = connect_text(one), none = connect_text(one);
	assert_int_equal(ask_as(none, "wrong"), 401);
	assert_int_equal(ask_as(fd, "secret"), 200);

	/* Another token holds for connections that are there. */
	write_token("other", 0600);
	assert_int_equal(use_doors(one, two), 0);
	assert_int_equal(ask_as(fd, "other"), 200);
	int gone = connect_text(two);
	assert_int_equal(ask_as(gone, "other"), 200);

	/* What is no longer asked for ends, what stays goes on. */
	assert_int_equal(use_doors(one, NULL), 0);
	assert_int_equal(hear(gone), 0);
	assert_int_equal(ask_as(fd, "other"), 200);
	close(fd);
	close(none);
	close(gone);
	fd = connect_text(two);
	assert_int_equal(hear(fd), -1);
	close(fd);
}

static void what_fails_changes_nothing(void **unused)
{
	char one[32], two[32];

	(void)unused;
	free_port(one);
	free_port(two);
	write_token("secret", 0600);
	assert_int_equal(use_doors(one, NULL), 0);
	write_token("other", 0644);
	assert_int_equal(use_doors(one, two), -1);
	assert_non_null(strstr(err.text, "chmod 600"));
	write_token("other", 0600);
	int holder = socket(AF_INET, SOCK_STREAM, 0);
	struct address at;
	address_parse(&at, two, "", &err);
	assert_int_equal(bind(holder, &at.any, at.len), 0);
	assert_int_equal(listen(holder, 1), 0);
	assert_int_equal(use_doors(one, two), -1);
	assert_non_null(strstr(err.text, "in use"));
	close(holder);
	int fd = connect_text(one);
	assert_int_equal(ask_as(fd, "secret"), 200);
	close(fd);
}

/* Strangers can take their share of the places, and no more. */
static void tcp_leaves_places_for_the_socket(void **unused)
{
	char one[32];
	enum { ALL = CONTROL_TCP_MAX + CONTROL_BUSY_MAX + 4 };
	int fds[ALL];

	(void)unused;
	free_port(one);
	write_token("secret", 0600);
	struct model *m = asks_for(one, NULL);
	assert_int_equal(control_use(control, m, &err), 0);
	model_put(m);
	for (int i = 0; i < ALL; i++)
		fds[i] = connect_text(one);
	turn(10);
	assert_int_equal(ask_as(fds[CONTROL_TCP_MAX], "secret"), 503);
	assert_int_equal(ask_as(fds[CONTROL_TCP_MAX - 1], "secret"), 200);
	int fd = connect_unix();
	assert_int_equal(ask(fd), 200);
	close(fd);
	for (int i = 0; i < ALL; i++)
		close(fds[i]);
}

/* ---- in the middle of it ---- */

static enum control_result reload_without_doors(void *arg, struct err *why)
{
	struct model *m = asks_for(NULL, NULL);

	(void)arg;
	int result = control_use(control, m, why);
	model_put(m);
	return result == 0 ? CONTROL_DONE : CONTROL_REFUSED;
}

/* A reload that closes the door it came through is answered. */
static void the_door_stays_for_the_answer(void **unused)
{
	char one[32];

	(void)unused;
	control_destroy(control);
	fake.hooks.reload = reload_without_doors;
	control = control_create(l, &fake.live, &fake.hooks, &fake.facts);
	assert_int_equal(control_open_unix(control, path, &taken, &err), 0);
	free_port(one);
	write_token("secret", 0600);
	struct model *m = asks_for(one, NULL);
	assert_int_equal(control_use(control, m, &err), 0);
	model_put(m);
	int fd = connect_text(one), idle = connect_text(one);
	say(fd, "POST /v1/reload HTTP/1.1\r\nHost: b\r\n"
		"Authorization: Bearer secret\r\n\r\n");
	assert_int_equal(status_of(fd), 200);
	assert_non_null(strstr(heard, "Connection: close"));
	assert_int_equal(hear(fd), 0);
	assert_int_equal(hear(idle), 0);
	close(fd);
	close(idle);
	turn(3);
}

/* ---- answers that come later ---- */

static const char scale[] = "PUT /v1/pools/made/owned HTTP/1.1\r\nHost: b\r\n"
	"Content-Length: 12\r\n\r\n{\"count\": 5}";

static int connect_and_wait(void)
{
	if (fake.owners.asked == 0)
		fake_make(&fake);
	fake.owners.later = true;
	int fd = connect_unix();
	say(fd, scale);
	assert_int_equal(hear(fd), -1);
	assert_non_null(fake.owners.under_way);
	return fd;
}

static void an_answer_wakes_its_connection(void **unused)
{
	int fd = connect_and_wait(), other = connect_unix();

	(void)unused;
	assert_int_equal(ask(other), 200);
	shutdown(fd, SHUT_WR);		/* who says no more is still there */
	turn(3);
	assert_int_equal(fake.owners.forgotten, 0);
	fake_order_done(&fake.owners);
	assert_int_equal(status_of(fd), 200);
	assert_int_equal(hear(fd), 0);
	close(fd);
	close(other);
}

static void a_client_that_is_gone_is_forgotten(void **unused)
{
	(void)unused;
	close(connect_and_wait());
	turn(3);
	assert_int_equal(fake.owners.forgotten, 1);
}

static void the_end_forgets_who_waits(void **unused)
{
	int fd = connect_and_wait();

	(void)unused;
	control_destroy(control);
	assert_int_equal(fake.owners.forgotten, 1);
	close(fd);
	control = control_create(l, &fake.live, &fake.hooks, &fake.facts);
	assert_int_equal(control_open_unix(control, path, &taken, &err), 0);
}

static void a_door_that_closes_waits_for_the_answer(void **unused)
{
	char one[32], request[300];

	(void)unused;
	fake_make(&fake);
	fake.owners.later = true;
	free_port(one);
	write_token("secret", 0600);
	assert_int_equal(use_doors(one, NULL), 0);
	int fd = connect_text(one);
	snprintf(request, sizeof request, "PUT /v1/pools/made/owned HTTP/1.1\r\n"
		 "Host: b\r\nAuthorization: Bearer secret\r\nContent-Length: 12\r\n\r\n"
		 "{\"count\": 5}");
	say(fd, request);
	assert_int_equal(use_doors(NULL, NULL), 0);
	assert_int_equal(hear(fd), -1);
	fake_order_done(&fake.owners);
	assert_int_equal(status_of(fd), 200);
	assert_int_equal(hear(fd), 0);
	close(fd);
	turn(3);
}

/* ---- handed over by a listener ---- */

/* The client's end of a connection that was handed over with these bytes. */
static int hand_over(const char *bytes)
{
	int fds[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
	control_take(control, fds[1], span_of(bytes), "made", NULL);
	turn(4);
	return fds[0];
}

static void a_connection_is_taken_wherever_it_was_cut(void **unused)
{
	static const char add[] = "POST /add HTTP/1.1\r\nHost: b\r\nContent-Length: 8\r\n"
		"\r\n{\"n\": 1}";
	char begun[sizeof add];

	(void)unused;
	fake_make(&fake);
	for (size_t len = 0; len < sizeof add; len++) {
		snprintf(begun, sizeof begun, "%.*s", (int)len, add);
		int fd = hand_over(begun);
		if (add[len] != '\0')
			say(fd, add + len);
		assert_int_equal(status_of(fd), 200);
		assert_non_null(strstr(heard, "{\"message\":{\"N\":1,\"replicas\":"
				       "[\"S1\"]},\"status\":\"successful\"}"));
		assert_int_equal(hear(fd), 0);
		close(fd);
		turn(2);
	}
	assert_int_equal(fake.owners.asked, sizeof add);
}

/* What a listener has read may be more than is taken at once, or at all. */
static void what_was_read_may_be_long(void **unused)
{
	enum { LONG = 100000 };
	char *long_one = memory_new(LONG + 200, 1);

	(void)unused;
	fake_make(&fake);
	int len = snprintf(long_one, 200, "POST /add HTTP/1.1\r\nHost: b\r\n"
			   "Expect: 100-continue\r\nContent-Length: %d\r\n\r\n", LONG);
	memset(long_one + len, ' ', LONG);
	memcpy(long_one + len + LONG - 8, "{\"n\": 1}", 8);
	int fd = hand_over(long_one);
	assert_int_equal(status_of(fd), 200);
	close(fd);
	len = snprintf(long_one, 200, "GET /rep HTTP/1.1\r\nHost: b\r\nX: ");
	memset(long_one + len, 'a', LONG);
	long_one[len + LONG] = '\0';
	fd = hand_over(long_one);
	assert_int_equal(status_of(fd), 431);
	assert_non_null(strstr(heard, "\"status\":\"failure\"}"));
	close(fd);
	free(long_one);
	turn(3);
}

static void those_handed_over_are_bounded(void **unused)
{
	enum { SERVED = CONTROL_HANDED_MAX, ALL = SERVED + CONTROL_BUSY_MAX + 2 };
	static const char rep[] = "GET /rep HTTP/1.1\r\nHost: b\r\n\r\n";
	int fds[ALL];

	(void)unused;
	fake_make(&fake);
	for (int i = 0; i < ALL; i++)
		fds[i] = hand_over("");
	for (int i = 0; i < SERVED + CONTROL_BUSY_MAX; i++) {
		say(fds[i], rep);
		assert_int_equal(status_of(fds[i]), i < SERVED ? 200 : 503);
		assert_non_null(strstr(heard, "\"status\":"));
	}
	assert_int_equal(hear(fds[ALL - 1]), 0);
	int fd = connect_unix();
	assert_int_equal(ask(fd), 200);
	close(fd);
	for (int i = 0; i < ALL; i++)
		close(fds[i]);
	turn(10);
	fd = hand_over(rep);
	assert_int_equal(status_of(fd), 200);
	close(fd);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		CASE(a_connection_asks_again_and_again),
		CASE(the_socket_has_one_owner),
		CASE(places_are_bounded),
		CASE(who_says_half_of_it_holds_up_nobody),
		CASE(a_slow_reader_gets_all_of_it),
		CASE(the_last_request_ends_the_connection),
		CASE(doors_come_and_go_with_the_model),
		CASE(what_fails_changes_nothing),
		CASE(tcp_leaves_places_for_the_socket),
		CASE(the_door_stays_for_the_answer),
		CASE(an_answer_wakes_its_connection),
		CASE(a_client_that_is_gone_is_forgotten),
		CASE(the_end_forgets_who_waits),
		CASE(a_door_that_closes_waits_for_the_answer),
		CASE(a_connection_is_taken_wherever_it_was_cut),
		CASE(what_was_read_may_be_long),
		CASE(those_handed_over_are_bounded),
	};
	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
