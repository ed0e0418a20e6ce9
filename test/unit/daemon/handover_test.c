/* Goal: packets and descriptors arrive whole or not at all, and none is left open. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon/handover.h"

static int ends[2];
static struct handover_packet packet;

static unsigned open_descriptors(void)
{
	unsigned count = 0;
	DIR *dir = opendir("/proc/self/fd");

	assert_non_null(dir);
	while (readdir(dir) != NULL)
		count++;
	closedir(dir);
	return count;
}

static int open_channel(void **unused)
{
	(void)unused;
	return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends);
}

static int close_channel(void **unused)
{
	(void)unused;
	close(ends[0]);
	return close(ends[1]);
}

static void drop_descriptors(void)
{
	while (packet.fd_count > 0)
		close(packet.fds[--packet.fd_count]);
}

static void words_arrive_apart(void **unused)
{
	(void)unused;
	assert_int_equal(handover_send(ends[0], "ready control=1", NULL, 0), 0);
	assert_int_equal(handover_send(ends[0], "serving", NULL, 0), 0);
	assert_int_equal(handover_receive(ends[1], &packet), 1);
	assert_string_equal(packet.text, "ready control=1");
	assert_string_equal(handover_after(&packet, "ready"), "control=1");
	assert_null(handover_after(&packet, "read"));
	assert_null(handover_after(&packet, "refused"));
	assert_int_equal(handover_receive(ends[1], &packet), 1);
	assert_string_equal(handover_after(&packet, "serving"), "");
	assert_int_equal(handover_receive(ends[1], &packet), -1);
	assert_int_equal(errno, EAGAIN);
}

static void as_many_descriptors_as_a_packet_has_room_for(void **unused)
{
	int fds[HANDOVER_FDS_MAX];
	unsigned before = open_descriptors();

	(void)unused;
	for (int i = 0; i < HANDOVER_FDS_MAX; i++)
		fds[i] = ends[0];
	assert_int_equal(handover_send(ends[0], "sockets", fds, HANDOVER_FDS_MAX), 0);
	assert_int_equal(handover_receive(ends[1], &packet), 1);
	assert_int_equal(packet.fd_count, HANDOVER_FDS_MAX);
	assert_int_equal(open_descriptors(), before + HANDOVER_FDS_MAX);
	for (uint32_t i = 0; i < packet.fd_count; i++)
		assert_true(fcntl(packet.fds[i], F_GETFD) & FD_CLOEXEC);
	drop_descriptors();
	assert_int_equal(handover_send(ends[0], "sockets", fds, HANDOVER_FDS_MAX + 1), -1);
	assert_int_equal(errno, EMSGSIZE);
	assert_int_equal(open_descriptors(), before);
}

/* As another program might send them. */
static void send_odd(size_t text_len, unsigned fd_count)
{
	static char text[2 * HANDOVER_TEXT_MAX];
	char room[CMSG_SPACE(2 * HANDOVER_FDS_MAX * sizeof(int))] = {0};
	struct iovec part = {text, text_len};
	struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};

	memset(text, 'x', sizeof text);
	if (fd_count > 0) {
		message.msg_control = room;
		message.msg_controllen = CMSG_SPACE(fd_count * sizeof(int));
		struct cmsghdr *c = CMSG_FIRSTHDR(&message);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(fd_count * sizeof(int));
		for (unsigned i = 0; i < fd_count; i++)
			memcpy(CMSG_DATA(c) + i * sizeof(int), &ends[0], sizeof(int));
	}
	assert_int_equal(sendmsg(ends[0], &message, 0), text_len);
}

static void what_is_too_much_is_refused_and_closed(void **unused)
{
	unsigned before = open_descriptors();

	(void)unused;
	send_odd(HANDOVER_TEXT_MAX + 1, 1);
	assert_int_equal(handover_receive(ends[1], &packet), -1);
	assert_int_equal(errno, EBADMSG);
	send_odd(7, HANDOVER_FDS_MAX + 9);
	assert_int_equal(handover_receive(ends[1], &packet), -1);
	assert_int_equal(errno, EBADMSG);
	assert_int_equal(packet.fd_count, 0);
	assert_int_equal(open_descriptors(), before);
	send_odd(HANDOVER_TEXT_MAX, 2);
	assert_int_equal(handover_receive(ends[1], &packet), 1);
	assert_int_equal(strlen(packet.text), HANDOVER_TEXT_MAX);
	assert_int_equal(packet.fd_count, 2);
	drop_descriptors();
}

static void a_longer_reason_is_cut(void **unused)
{
	char text[2 * HANDOVER_TEXT_MAX];

	(void)unused;
	memset(text, 'x', sizeof text - 1);
	text[sizeof text - 1] = '\0';
	assert_int_equal(handover_send(ends[0], text, NULL, 0), 0);
	assert_int_equal(handover_receive(ends[1], &packet), 1);
	assert_int_equal(strlen(packet.text), HANDOVER_TEXT_MAX);
}

static void the_end_is_told(void **unused)
{
	(void)unused;
	assert_int_equal(shutdown(ends[0], SHUT_WR), 0);
	assert_int_equal(handover_receive(ends[1], &packet), 0);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, open_channel, close_channel)
	const struct CMUnitTest tests[] = {
		CASE(words_arrive_apart),
		CASE(as_many_descriptors_as_a_packet_has_room_for),
		CASE(what_is_too_much_is_refused_and_closed),
		CASE(a_longer_reason_is_cut),
		CASE(the_end_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
