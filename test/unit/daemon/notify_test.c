/* Goal: the manager hears each step, in whichever kind of socket it listens; and one
 * that is not there is no reason to fail. */
#include "daemon/notify.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "loop/loop.h"

static char name[64];

/* A manager that listens at name, where "@" stands for an abstract one. */
static int listen_at_name(void)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);

	memcpy(at.sun_path, name, strlen(name));
	if (*name == '@')
		at.sun_path[0] = '\0';
	size_t len = offsetof(struct sockaddr_un, sun_path) + strlen(name);
	assert_int_equal(bind(fd, (struct sockaddr *)&at, (socklen_t)len), 0);
	setenv("NOTIFY_SOCKET", name, 1);
	return fd;
}

static const char *heard(int fd)
{
	static char message[1024];
	ssize_t n = recv(fd, message, sizeof message - 1, 0);

	message[n > 0 ? n : 0] = '\0';
	return message;
}

static void hears_everything(int fd)
{
	char expected[128];
	unsigned long long us;
	uint64_t before = loop_clock_us();

	notify_ready("serving");
	snprintf(expected, sizeof expected, "READY=1\nMAINPID=%d\nSTATUS=serving\n",
		 (int)getpid());
	assert_string_equal(heard(fd), expected);
	notify_reloading();
	assert_int_equal(sscanf(heard(fd), "RELOADING=1\nMONOTONIC_USEC=%llu\n", &us), 1);
	assert_in_range(us, before, loop_clock_us());
	notify_stopping();
	assert_string_equal(heard(fd), "STOPPING=1\nSTATUS=draining\n");
	assert_string_equal(heard(fd), "");
}

static void a_path_is_told(void **state)
{
	(void)state;
	snprintf(name, sizeof name, "/tmp/notify_test.%d", (int)getpid());
	int fd = listen_at_name();
	hears_everything(fd);
	close(fd);
	unlink(name);
}

static void an_abstract_name_is_told(void **state)
{
	(void)state;
	snprintf(name, sizeof name, "@notify_test.%d", (int)getpid());
	int fd = listen_at_name();
	hears_everything(fd);
	close(fd);
}

static void nobody_is_no_reason_to_fail(void **state)
{
	char longest[256];

	(void)state;
	unsetenv("NOTIFY_SOCKET");
	notify_stopping();
	setenv("NOTIFY_SOCKET", "/tmp/nobody/is/here", 1);
	notify_stopping();
	setenv("NOTIFY_SOCKET", "relative", 1);
	notify_stopping();
	memset(longest, '/', sizeof longest - 1);
	longest[sizeof longest - 1] = '\0';
	setenv("NOTIFY_SOCKET", longest, 1);
	notify_stopping();
}

/* A manager that does not read: its queue is full at some time. */
static void a_deaf_one_holds_up_nobody(void **state)
{
	(void)state;
	snprintf(name, sizeof name, "@notify_test.%d", (int)getpid());
	int fd = listen_at_name();
	int talker = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	struct sockaddr_un at;
	socklen_t len = sizeof at;
	assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &len), 0);
	while (sendto(talker, "", 0, 0, (struct sockaddr *)&at, len) == 0)
		continue;
	uint64_t before = loop_clock_us();
	notify_stopping();
	assert_true(loop_clock_us() - before < (NOTIFY_WAIT_MS + 1000) * 1000);
	close(talker);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_path_is_told),
		cmocka_unit_test(an_abstract_name_is_told),
		cmocka_unit_test(nobody_is_no_reason_to_fail),
		cmocka_unit_test(a_deaf_one_holds_up_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
