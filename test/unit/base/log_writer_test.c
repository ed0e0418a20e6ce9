/* Goal: whoever leaves a line is not made to wait, lines arrive in order and whole, and what
 * is lost is known. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/log_writer.h"

static int ends[2];

static int set_up(void **unused)
{
	struct err err;

	(void)unused;
	if (pipe2(ends, O_CLOEXEC) != 0 || log_writer_begin(&err) != 0)
		return -1;
	fcntl(ends[0], F_SETFL, O_NONBLOCK);
	return 0;
}

/* A reader that goes away lets a write that hangs end. */
static int tear_down(void **unused)
{
	(void)unused;
	close(ends[0]);
	log_writer_end();
	return log_writer_runs() ? -1 : 0;
}

static uint64_t leave(unsigned n)
{
	char line[128];
	int len = snprintf(line, sizeof line, "%u %090d\n", n, 0);

	return log_writer_put(ends[1], line, (size_t)len);
}

/* Reads what there is of lines number *next and so on; false: the end has come. */
static bool read_lines(unsigned *next)
{
	static char bytes[1 << 20];
	static size_t held;
	ssize_t n;

	while ((n = read(ends[0], bytes + held, sizeof bytes - held - 1)) > 0)
		held += (size_t)n;
	bytes[held] = '\0';
	char *at = bytes, *end;
	for (; (end = strchr(at, '\n')) != NULL; at = end + 1)
		assert_int_equal(strtoul(at, NULL, 10), (*next)++);
	held -= (size_t)(at - bytes);
	memmove(bytes, at, held);
	assert_true(n == 0 || errno == EAGAIN);
	return n < 0;
}

static void a_line_is_written_when_it_was_waited_for(void **unused)
{
	unsigned next = 0;

	(void)unused;
	for (unsigned n = 0; n < 100; n++) {
		uint64_t number = leave(n);
		assert_true(number > 0);
		log_writer_wait(number);
		assert_true(read_lines(&next));
		assert_int_equal(next, n + 1);
	}
}

/* Nobody reads until the queue is full, which has to happen. */
static void a_pipe_that_nobody_empties_costs_lines_only(void **unused)
{
	unsigned count = 0, next = 0;
	uint64_t last = 0, number;
	bool well;

	(void)unused;
	while ((number = leave(count)) > 0) {
		last = number;
		count++;
	}
	assert_true(count > LOG_QUEUE_BYTES / 256);
	log_writer_wait(last);		/* in vain, and not long */
	assert_true(log_writer_may_close());
	log_writer_close(ends[1]);	/* behind them all: the reader sees the end then */
	while (read_lines(&next))
		poll(&(struct pollfd){.fd = ends[0], .events = POLLIN}, 1, -1);
	assert_int_equal(next, count);
	assert_int_equal(log_writer_lost(&well), 0);
	assert_true(well);
}

static void what_a_descriptor_refuses_is_counted(void **unused)
{
	static int full = -1;
	bool well;
	uint64_t before = log_writer_lost(&well), number;

	(void)unused;
	full = open("/dev/full", O_WRONLY | O_CLOEXEC);
	assert_true(full >= 0);
	assert_true(well);
	log_writer_put(full, "a\n", 2);
	number = log_writer_put(full, "b\n", 2);
	log_writer_wait(number);
	assert_int_equal(log_writer_lost(&well) - before, 2);
	assert_false(well);
	log_writer_wait(leave(0));
	assert_int_equal(log_writer_lost(&well) - before, 2);
	assert_true(well);
	close(full);
}

/* As on a disk that has room for half a line, and later for more. */
static void a_line_that_was_cut_ends_before_the_next(void **unused)
{
	char path[] = "/tmp/log_writer_test_XXXXXX", bytes[64] = "";
	int fd = mkostemp(path, O_CLOEXEC | O_APPEND);
	struct rlimit before, small;
	bool well;

	(void)unused;
	assert_true(fd >= 0);
	unlink(path);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	small = (struct rlimit){.rlim_cur = 10, .rlim_max = before.rlim_max};
	uint64_t lost = log_writer_lost(&well);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	log_writer_put(fd, "first\n", 6);
	log_writer_put(fd, "second\n", 7);
	log_writer_wait(log_writer_put(fd, "third\n", 6));
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	assert_int_equal(log_writer_lost(&well) - lost, 2);
	log_writer_wait(log_writer_put(fd, "fourth\n", 7));
	assert_int_equal(pread(fd, bytes, sizeof bytes - 1, 0), 18);
	assert_string_equal(bytes, "first\nseco\nfourth\n");
	close(fd);
}

static void what_is_left_is_written_at_the_end(void **unused)
{
	unsigned next = 0;

	(void)unused;
	for (unsigned n = 0; n < 300; n++)
		leave(n);
	log_writer_end();
	assert_false(log_writer_runs());
	assert_true(read_lines(&next));
	assert_int_equal(next, 300);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_line_is_written_when_it_was_waited_for, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(a_pipe_that_nobody_empties_costs_lines_only,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_a_descriptor_refuses_is_counted, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(a_line_that_was_cut_ends_before_the_next, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(what_is_left_is_written_at_the_end, set_up,
						tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
