/* A server for the tests of probes: a thread that answers each connection as it is
 * told to at that moment, and counts. */
#ifndef TEST_UNIT_HEALTH_FAKE_SERVER_H
#define TEST_UNIT_HEALTH_FAKE_SERVER_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/address.h"
#include "loop/loop.h"

enum { FAKE_TIMES_MAX = 64, FAKE_HELD_MAX = 64, FAKE_REQUEST_MAX = 1024 };

struct fake_server {
	int       listener, end;
	uint16_t  port;
	char      text[32];		/* "127.0.0.1:PORT" */
	pthread_t thread;

	_Atomic(const char *) answer;	/* NULL: keeps silent and the connection open */
	atomic_int  connections;	/* accepted so far */
	atomic_llong times_us[FAKE_TIMES_MAX];	/* when each was */
	int         held[FAKE_HELD_MAX], held_count;	/* the thread's */

	pthread_mutex_t lock;
	char request[FAKE_REQUEST_MAX];	/* the last one */
};

/* Waits until fd has something to take; false: the test ends the server. */
static inline bool fake_wait(struct fake_server *s, int fd)
{
	struct pollfd ready[2] = {{.fd = fd, .events = POLLIN},
				  {.fd = s->end, .events = POLLIN}};

	return poll(ready, 2, -1) > 0 && !(ready[1].revents & POLLIN);
}

static inline bool fake_read_request(struct fake_server *s, int fd)
{
	char bytes[FAKE_REQUEST_MAX];
	size_t len = 0;

	do {
		if (!fake_wait(s, fd))
			return false;
		ssize_t n = recv(fd, bytes + len, sizeof bytes - 1 - len, 0);
		if (n <= 0)
			return false;
		len += (size_t)n;
		bytes[len] = '\0';
	} while (strstr(bytes, "\r\n\r\n") == NULL);
	pthread_mutex_lock(&s->lock);
	memcpy(s->request, bytes, len + 1);
	pthread_mutex_unlock(&s->lock);
	return true;
}

static inline void *fake_run(void *arg)
{
	struct fake_server *s = arg;

	while (fake_wait(s, s->listener)) {
		int fd = accept(s->listener, NULL, NULL);
		if (fd < 0)
			continue;
		const char *answer = atomic_load(&s->answer);
		int number = atomic_load(&s->connections);
		if (number < FAKE_TIMES_MAX)
			atomic_store(&s->times_us[number], (long long)loop_clock_us());
		atomic_store(&s->connections, number + 1);
		if (answer == NULL && s->held_count < FAKE_HELD_MAX) {
			s->held[s->held_count++] = fd;
			continue;
		}
		if (answer != NULL && fake_read_request(s, fd))
			send(fd, answer, strlen(answer), MSG_NOSIGNAL);
		close(fd);
	}
	return NULL;
}

/* Listens on `port` of 127.0.0.1; 0: on any that is free. */
static inline void fake_open(struct fake_server *s, uint16_t port, const char *answer)
{
	int on = 1;
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(port),
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof at;

	*s = (struct fake_server){
		.listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0),
		.end = eventfd(0, EFD_CLOEXEC),
	};
	setsockopt(s->listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	assert_int_equal(bind(s->listener, (void *)&at, sizeof at), 0);
	assert_int_equal(listen(s->listener, 128), 0);
	getsockname(s->listener, (void *)&at, &len);
	s->port = ntohs(at.sin_port);
	snprintf(s->text, sizeof s->text, "127.0.0.1:%u", (unsigned)s->port);
	atomic_init(&s->answer, answer);
	pthread_mutex_init(&s->lock, NULL);
	assert_int_equal(pthread_create(&s->thread, NULL, fake_run, s), 0);
}

static inline void fake_close(struct fake_server *s)
{
	uint64_t one = 1;

	assert_int_equal(write(s->end, &one, sizeof one), sizeof one);
	pthread_join(s->thread, NULL);
	for (int i = 0; i < s->held_count; i++)
		close(s->held[i]);
	close(s->listener);
	close(s->end);
	pthread_mutex_destroy(&s->lock);
}

#endif
