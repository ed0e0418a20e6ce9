/* Goal: a port that is chosen is free, and chosen once until it is given back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <netinet/in.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "spawn/process_ports.h"

/* Somebody listens there, at one address of this machine; 0: at any port. */
static int listen_at(uint16_t *port)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(*port),
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof at;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof at), 0);
	assert_int_equal(listen(fd, 1), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &len), 0);
	*port = ntohs(at.sin_port);
	return fd;
}

static void any_port_is_chosen_once(void **unused)
{
	static bool chosen[UINT16_MAX + 1];
	struct err err;

	(void)unused;
	for (int i = 0; i < 1000; i++) {
		uint16_t port = process_port_choose(0, &err);
		assert_int_not_equal(port, 0);
		assert_false(chosen[port]);
		chosen[port] = true;
	}
	for (uint32_t port = 0; port <= UINT16_MAX; port++)
		if (chosen[port])
			process_port_give((uint16_t)port);
}

static void one_that_somebody_has_is_passed_over(void **unused)
{
	struct err err;
	uint16_t used = 0;
	int fd = listen_at(&used);
	uint16_t port = process_port_choose(used, &err);

	(void)unused;
	assert_true(port > used);
	uint16_t next = process_port_choose(used, &err);
	assert_true(next > port);
	process_port_give(next);
	process_port_give(port);
	close(fd);

	/* The same is chosen again, but for those that came in between. */
	assert_true(process_port_choose(used, &err) >= used);
}

static void one_that_was_found_again_is_not_chosen(void **unused)
{
	struct err err;
	uint16_t port = process_port_choose(0, &err);

	(void)unused;
	process_port_give(port);
	process_port_take(port);
	assert_true(process_port_choose(port, &err) > port);
	process_port_give(port);
}

static void the_last_port_is_the_last(void **unused)
{
	struct err err;

	(void)unused;
	process_port_take(UINT16_MAX);
	process_port_take(UINT16_MAX - 1);
	assert_int_equal(process_port_choose(UINT16_MAX - 1, &err), 0);
	assert_non_null(strstr(err.text, "none of the ports 65534 to 65535 is free"));
	process_port_give(UINT16_MAX);
	process_port_give(UINT16_MAX - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_port_is_chosen_once),
		cmocka_unit_test(one_that_somebody_has_is_passed_over),
		cmocka_unit_test(one_that_was_found_again_is_not_chosen),
		cmocka_unit_test(the_last_port_is_the_last),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
