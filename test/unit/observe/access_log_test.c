/* Goal: every record becomes one whole line in the right place, or is counted; and
 * nobody ever waits for a file. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/memory.h"
#include "forward/record.h"
#include "loop/loop.h"
#include "observe/access_log.h"

enum { PATIENCE_MS = 10000 };

static char folder[] = "/tmp/access_log_test.XXXXXX";
static char path[64], other[64], said[64];
static struct access_log *tested;

/* Notes request number n of a loop; `padding` bytes make its line longer. */
static bool note(uint32_t loop, unsigned n, size_t padding)
{
	static char spaces[RECORD_TEXT_MAX];
	char target[32];
	struct record r = {.status = 200, .minor = 1, .wall_us = 1};
	struct span texts[RECORD_TEXTS] = {[RECORD_PEER] = SPAN("::1"),
					   [RECORD_METHOD] = SPAN("GET")};

	memset(spaces, ' ', sizeof spaces);
	snprintf(target, sizeof target, "/%u/%u", loop, n);
	texts[RECORD_TARGET] = span_of(target);
	texts[RECORD_USER_AGENT] = (struct span){spaces, padding};
	return record_put(access_log_ring(tested, loop), &r, texts);
}

static void wait_a_little(void)
{
	usleep(5000);
}

/* All of a file, NUL behind it; owned by the caller. */
static char *content_of(const char *name)
{
	FILE *f = fopen(name, "re");
	char *text = memory_new(1, 1);
	size_t len = 0, got;

	if (f == NULL)
		return text;
	do {
		text = memory_grow(text, len + 65537, 1);
		got = fread(text + len, 1, 65536, f);
		len += got;
	} while (got > 0);
	text[len] = '\0';
	fclose(f);
	return text;
}

static unsigned count_in(const char *text, const char *what)
{
	unsigned n = 0;

	for (const char *at = text; (at = strstr(at, what)) != NULL; at++)
		n++;
	return n;
}

static unsigned count_in_file(const char *name, const char *what)
{
	char *text = content_of(name);
	unsigned n = count_in(text, what);

	free(text);
	return n;
}

/* Waits until `what` is in the file that many times. */
static void expect(const char *name, const char *what, unsigned times)
{
	uint64_t end_us = loop_clock_us() + PATIENCE_MS * 1000ull;

	while (count_in_file(name, what) < times && loop_clock_us() < end_us)
		wait_a_little();
	assert_int_equal(count_in_file(name, what), times);
}

static void open_log(enum access_format format, const char *at, uint32_t loops)
{
	struct err err;

	tested = access_log_open(&(struct access_wish){.format = format, .path = at}, loops,
				 &err);
	assert_non_null(tested);
}

static int use(enum access_format format, const char *at, struct err *err)
{
	return access_log_use(tested, &(struct access_wish){.format = format, .path = at},
			      err);
}

static int set_up(void **unused)
{
	struct err err;

	(void)unused;
	strcpy(folder + strlen(folder) - 6, "XXXXXX");
	if (mkdtemp(folder) == NULL)
		return -1;
	snprintf(path, sizeof path, "%s/access", folder);
	snprintf(other, sizeof other, "%s/other", folder);
	snprintf(said, sizeof said, "%s/said", folder);
	return log_open(said, &err);
}

static int tear_down(void **unused)
{
	(void)unused;
	log_open(NULL, NULL);
	unlink(path);
	unlink(other);
	unlink(said);
	return rmdir(folder);
}

static void all_loops_are_written_in_order(void **unused)
{
	enum { LOOPS = 3, LINES = 1000 };
	unsigned seen[LOOPS] = {0}, loop, n;

	(void)unused;
	open_log(ACCESS_COMBINED, path, LOOPS);
	for (n = 0; n < LINES; n++)
		for (loop = 0; loop < LOOPS; loop++)
			assert_true(note(loop, n, 0));
	assert_int_equal(access_log_dropped(tested), 0);
	access_log_close(tested);

	char *text = content_of(path);
	assert_int_equal(count_in(text, "\n"), LOOPS * LINES);
	for (char *rest, *line = strtok_r(text, "\n", &rest); line != NULL;
	     line = strtok_r(NULL, "\n", &rest)) {
		const char *target = strstr(line, "\"GET /");
		assert_non_null(target);
		assert_int_equal(sscanf(target, "\"GET /%u/%u", &loop, &n), 2);
		assert_int_equal(n, seen[loop]++);
	}
	free(text);
}

static void lines_appear_without_being_asked_for(void **unused)
{
	(void)unused;
	open_log(ACCESS_JSON, path, 1);
	note(0, 7, 0);
	expect(path, "\"target\":\"/0/7\"", 1);
	access_log_close(tested);
}

static void a_new_file_is_begun_where_the_old_one_was(void **unused)
{
	struct err err;

	(void)unused;
	open_log(ACCESS_COMBINED, path, 2);
	note(0, 1, 0);
	expect(path, "GET /0/1 ", 1);
	assert_int_equal(rename(path, other), 0);
	note(0, 2, 0);
	assert_int_equal(access_log_reopen(tested, &err), 0);
	for (unsigned n = 3; n < 100; n++)
		note(n % 2, n, 0);
	access_log_close(tested);
	assert_int_equal(count_in_file(other, "/0/1 "), 1);
	assert_int_equal(count_in_file(path, "/0/2 ") + count_in_file(other, "/0/2 "), 1);
	assert_int_equal(count_in_file(path, "\n") + count_in_file(other, "\n"), 99);
	for (unsigned n = 3; n < 100; n++) {
		char target[32];
		snprintf(target, sizeof target, "GET /%u/%u ", n % 2, n);
		assert_int_equal(count_in_file(path, target), 1);
	}
}

static void another_format_is_that_of_all_later_lines(void **unused)
{
	struct err err;

	(void)unused;
	open_log(ACCESS_COMBINED, path, 1);
	note(0, 1, 0);
	assert_int_equal(use(ACCESS_JSON, other, &err), 0);
	note(0, 2, 0);
	assert_int_equal(use(ACCESS_COMBINED, other, &err), 0);
	note(0, 3, 0);
	access_log_close(tested);
	assert_int_equal(count_in_file(other, "\"GET /0/3 HTTP/1.1\""), 1);
	assert_int_equal(count_in_file(path, "/0/3"), 0);
	assert_int_equal(count_in_file(path, "/0/2"), 0);
	assert_int_equal(count_in_file(other, "\n") + count_in_file(path, "\n"), 3);
}

static void a_bad_path_changes_nothing(void **unused)
{
	struct err err;

	(void)unused;
	assert_null(access_log_open(&(struct access_wish){.format = ACCESS_JSON,
							   .path = "/nowhere/at/all"},
				    1, &err));
	assert_non_null(strstr(err.text, "/nowhere/at/all"));
	open_log(ACCESS_COMBINED, path, 1);
	assert_int_equal(use(ACCESS_JSON, "/nowhere/at/all", &err), -1);
	assert_non_null(strstr(err.text, "/nowhere/at/all"));
	note(0, 1, 0);
	access_log_close(tested);
	assert_int_equal(count_in_file(path, "\"GET /0/1 HTTP/1.1\""), 1);
}

static void off_wants_nothing_until_it_is_changed(void **unused)
{
	struct err err;

	(void)unused;
	assert_false(record_is_wanted(NULL));
	open_log(ACCESS_OFF, NULL, 1);
	assert_false(record_is_wanted(access_log_ring(tested, 0)));
	assert_int_equal(access_log_reopen(tested, &err), 0);
	assert_int_equal(use(ACCESS_COMBINED, path, &err), 0);
	assert_true(record_is_wanted(access_log_ring(tested, 0)));
	note(0, 1, 0);
	expect(path, "GET /0/1 ", 1);
	assert_int_equal(use(ACCESS_OFF, NULL, &err), 0);
	assert_false(record_is_wanted(access_log_ring(tested, 0)));
	access_log_close(tested);
	assert_int_equal(count_in_file(path, "\n"), 1);
}

static void a_full_disk_costs_lines_but_no_time(void **unused)
{
	enum { LINES = 4000 };
	struct err err;
	unsigned refused = 0;

	(void)unused;
	open_log(ACCESS_COMBINED, "/dev/full", 1);
	for (unsigned n = 0; n < LINES; n++)
		refused += !note(0, n, 1000);
	assert_true(refused > 0);
	expect(said, "access log is losing lines reason=\"No space left on device\"", 1);
	assert_int_equal(access_log_dropped(tested), refused);

	assert_int_equal(use(ACCESS_COMBINED, path, &err), 0);
	expect(path, "\n", LINES - refused);
	expect(said, "access log is complete again", 1);
	assert_int_equal(count_in_file(said, "\n"), 2);
	note(0, LINES, 0);
	access_log_close(tested);
	assert_int_equal(count_in_file(path, "\n"), LINES - refused + 1);
}

/* Reads what there is, and returns how many lines that were. */
static unsigned read_lines(int fd)
{
	char piece[4096];
	unsigned lines = 0;
	ssize_t n;

	while ((n = read(fd, piece, sizeof piece)) > 0)
		for (ssize_t i = 0; i < n; i++)
			lines += piece[i] == '\n';
	return lines;
}

static int open_fifo(void)
{
	assert_int_equal(mkfifo(path, 0600), 0);
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	assert_true(fd >= 0);
	return fd;
}

static void a_slow_reader_gets_it_all_in_the_end(void **unused)
{
	enum { LINES = 2000 };
	uint64_t end_us = loop_clock_us() + PATIENCE_MS * 1000ull;
	unsigned lines = 0;

	(void)unused;
	int fd = open_fifo();
	open_log(ACCESS_COMBINED, path, 1);
	for (unsigned n = 0; n < LINES; n++)
		assert_true(note(0, n, 200));
	for (int i = 0; i < 20; i++)	/* the pipe fills, the buffer too */
		wait_a_little();
	while (lines < LINES && loop_clock_us() < end_us) {
		lines += read_lines(fd);
		wait_a_little();
	}
	assert_int_equal(lines, LINES);
	assert_int_equal(access_log_dropped(tested), 0);
	access_log_close(tested);
	assert_int_equal(count_in_file(said, "\n"), 0);
	close(fd);
}

static void a_reader_that_sleeps_does_not_keep_the_end_waiting(void **unused)
{
	(void)unused;
	int fd = open_fifo();
	open_log(ACCESS_COMBINED, path, 1);
	while (note(0, 1, 200))
		continue;
	uint64_t begin_us = loop_clock_us();
	access_log_close(tested);
	assert_true(loop_clock_us() - begin_us < 5 * ACCESS_CLOSE_MS_MAX * 1000ull);
	assert_int_equal(count_in_file(said, "access log ends incomplete"), 1);
	close(fd);
}

static void a_half_written_line_stays_in_its_file(void **unused)
{
	struct err err;
	unsigned noted = 0, first;

	(void)unused;
	int fd = open_fifo();
	open_log(ACCESS_COMBINED, path, 1);
	for (; noted < 1000; noted++)
		assert_true(note(0, noted, 333));
	for (int i = 0; i < 20; i++)
		wait_a_little();
	assert_int_equal(use(ACCESS_COMBINED, other, &err), 0);
	expect(other, "/0/999 ", 1);
	char *text = content_of(other);
	assert_int_equal(strncmp(text, "::1 - - [", 9), 0);
	assert_int_equal(sscanf(strstr(text, "/0/"), "/0/%u", &first), 1);
	assert_int_equal(count_in(text, "\n"), noted - first);
	/* One line at most was cut, and it was counted. */
	unsigned whole = read_lines(fd);
	assert_int_equal(whole + access_log_dropped(tested), first);
	assert_true(access_log_dropped(tested) <= 1);
	free(text);
	access_log_close(tested);
	close(fd);
}

static void a_half_written_line_goes_on_in_the_same_file(void **unused)
{
	struct err err;
	uint64_t end_us = loop_clock_us() + PATIENCE_MS * 1000ull;
	unsigned whole = 0;

	(void)unused;
	int fd = open_fifo();
	open_log(ACCESS_COMBINED, path, 1);
	for (unsigned n = 0; n < 1000; n++)
		assert_true(note(0, n, 333));
	for (int i = 0; i < 20; i++)
		wait_a_little();
	assert_int_equal(access_log_reopen(tested, &err), 0);
	for (int i = 0; i < 20; i++)
		wait_a_little();
	while (whole < 1000 && loop_clock_us() < end_us) {
		whole += read_lines(fd);
		wait_a_little();
	}
	assert_int_equal(whole, 1000);
	assert_int_equal(access_log_dropped(tested), 0);
	access_log_close(tested);
	close(fd);
}

static void a_reader_that_left_is_survived(void **unused)
{
	struct err err;

	(void)unused;
	int fd = open_fifo();
	open_log(ACCESS_COMBINED, path, 1);
	close(fd);
	note(0, 1, 0);
	expect(said, "access log is losing lines reason=\"Broken pipe\"", 1);
	assert_int_equal(access_log_reopen(tested, &err), -1);	/* nobody reads it */
	assert_int_equal(use(ACCESS_COMBINED, other, &err), 0);
	expect(other, "GET /0/1 ", 1);
	access_log_close(tested);
}

/* What the test program itself prints goes there too, meanwhile: nothing. */
static void standard_output_is_left_as_it_was(void **unused)
{
	int ends[2], kept = dup(STDOUT_FILENO);
	char line[256] = "";
	uint64_t end_us = loop_clock_us() + PATIENCE_MS * 1000ull;

	(void)unused;
	fflush(stdout);
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	dup2(ends[1], STDOUT_FILENO);
	open_log(ACCESS_COMBINED, NULL, 1);
	note(0, 5, 0);
	fcntl(ends[0], F_SETFL, O_NONBLOCK);
	while (read(ends[0], line, sizeof line - 1) <= 0 && loop_clock_us() < end_us)
		wait_a_little();
	access_log_close(tested);
	int flags = fcntl(STDOUT_FILENO, F_GETFL);
	dup2(kept, STDOUT_FILENO);
	close(kept);
	close(ends[0]);
	close(ends[1]);
	assert_non_null(strstr(line, "GET /0/5 "));
	assert_int_equal(flags & O_NONBLOCK, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(all_loops_are_written_in_order),
		TEST(lines_appear_without_being_asked_for),
		TEST(a_new_file_is_begun_where_the_old_one_was),
		TEST(another_format_is_that_of_all_later_lines),
		TEST(a_bad_path_changes_nothing),
		TEST(off_wants_nothing_until_it_is_changed),
		TEST(a_full_disk_costs_lines_but_no_time),
		TEST(a_slow_reader_gets_it_all_in_the_end),
		TEST(a_reader_that_sleeps_does_not_keep_the_end_waiting),
		TEST(a_half_written_line_stays_in_its_file),
		TEST(a_half_written_line_goes_on_in_the_same_file),
		TEST(a_reader_that_left_is_survived),
		TEST(standard_output_is_left_as_it_was),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
