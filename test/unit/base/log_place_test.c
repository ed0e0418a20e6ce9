/* Goal: a name leads to one place or to an error that says why, and a line is there, lost and
 * counted, or on standard error: nothing else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log_place.h"
#include "base/must.h"

static char folder[] = "/tmp/log_place_test.XXXXXX";
static char path[64], name[256];
static struct log_place place;
static bool gone;
static struct err err;
static int errors;			/* what stands for standard error, if it does */

static const struct log_line line = {
	.level = LOG_LEVEL_WARN, .when = {1795191000, 123456789}, .text = {"said a=b", 8},
	.program = "test", .pid = 7,
};
#define WRITTEN "2026-11-20T16:10:00.123Z warn said a=b\n"

static int set_up(void **unused)
{
	(void)unused;
	strcpy(folder + strlen(folder) - 6, "XXXXXX");
	if (mkdtemp(folder) == NULL)
		return -1;
	snprintf(path, sizeof path, "%s/it", folder);
	errors = -1;
	return 0;
}

static int tear_down(void **unused)
{
	(void)unused;
	unlink(path);
	return rmdir(folder);
}

static int count_descriptors(void)
{
	int n = 0;

	for (int fd = 0; fd < 256; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

static int open_it(const char *what)
{
	gone = true;
	strcpy(err.text, "");
	return log_place_open(&place, what, &gone, &err);
}

/* An error with this in its text, nobody to fall back from, and nothing is left open. */
static void refused(const char *what, const char *says)
{
	int before = count_descriptors();

	assert_int_equal(open_it(what), -1);
	assert_false(gone);
	if (strstr(err.text, says) == NULL)
		fail_msg("%s: %s", what, err.text);
	assert_int_equal(count_descriptors(), before);
}

static int listen_there(void)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	strcpy(at.sun_path, path);
	assert_int_equal(bind(fd, (const void *)&at, sizeof at), 0);
	return fd;
}

static enum log_put put(void)
{
	return log_place_put(&place, &line, LOG_FORM_LOGFMT);
}

/* What is there to read; "": nothing. */
static const char *read_all(int fd)
{
	static char bytes[65536];
	ssize_t n = read(fd, bytes, sizeof bytes - 1);

	bytes[n > 0 ? n : 0] = '\0';
	return bytes;
}

/* Standard error is a pipe until stop_catching, whose text it gives. */
static int real_errors;

static void catch_errors(void)
{
	int ends[2];

	real_errors = dup(STDERR_FILENO);
	assert_int_equal(pipe2(ends, O_NONBLOCK | O_CLOEXEC), 0);
	dup2(ends[1], STDERR_FILENO);
	close(ends[1]);
	errors = ends[0];
}

static const char *stop_catching(void)
{
	dup2(real_errors, STDERR_FILENO);
	close(real_errors);
	const char *text = read_all(errors);
	close(errors);
	return text;
}

static void a_file_is_appended_to(void **unused)
{
	struct stat st;

	(void)unused;
	for (int i = 0; i < 2; i++) {
		assert_int_equal(open_it(path), 0);
		assert_int_equal(place.kind, LOG_TO_DESCRIPTOR);
		assert_int_equal(put(), LOG_PUT_DONE);
		assert_int_equal(place.queued, 0);	/* nothing is to be waited for */
		log_place_close(&place);
	}
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_string_equal(read_all(fd), WRITTEN WRITTEN);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_mode & 0137, 0);		/* nobody else reads it */
	close(fd);
}

static void standard_error_has_two_names_and_stays_open(void **unused)
{
	static const char *const names[] = {NULL, "stderr"};

	(void)unused;
	for (size_t i = 0; i < COUNT_OF(names); i++) {
		catch_errors();
		assert_int_equal(open_it(names[i]), 0);
		enum log_put result = put();
		log_place_close(&place);
		assert_true(fcntl(STDERR_FILENO, F_GETFD) >= 0);
		assert_string_equal(stop_catching(), WRITTEN);
		assert_int_equal(result, LOG_PUT_DONE);
	}
}

/* "journald" alone, or with a colon, is a socket; what only begins so is a file. */
static void what_begins_like_a_socket_is_a_file(void **unused)
{
	char there[4096];

	(void)unused;
	assert_non_null(getcwd(there, sizeof there));
	assert_int_equal(chdir(folder), 0);
	assert_int_equal(open_it("journald2"), 0);
	assert_int_equal(place.kind, LOG_TO_DESCRIPTOR);
	log_place_close(&place);
	assert_int_equal(unlink("journald2"), 0);
	assert_int_equal(chdir(there), 0);
}

static void what_is_no_place_is_refused(void **unused)
{
	(void)unused;
	refused("", "cannot open the log");
	refused(folder, "Is a directory");
	refused("/nowhere/at/all", "No such file");
	refused("journald:", "1 to 107 bytes");
	snprintf(name, sizeof name, "syslog:/%0107d", 0);
	refused(name, "1 to 107 bytes");
	assert_int_equal(mkfifo(path, 0600), 0);
	refused(path, "nobody reads this pipe");
}

static void a_socket_that_nobody_has_is_told_from_what_is_wrong(void **unused)
{
	int before = count_descriptors();

	(void)unused;
	snprintf(name, sizeof name, "journald:/%0106d", 0);	/* the longest that fits */
	assert_int_equal(open_it(name), -1);
	assert_true(gone);
	snprintf(name, sizeof name, "syslog:%s", path);
	assert_int_equal(open_it(name), -1);
	assert_true(gone);
	close(listen_there());			/* it was left behind */
	assert_int_equal(open_it(name), -1);
	assert_true(gone);
	assert_int_equal(count_descriptors(), before);
}

static void a_reader_that_is_gone_is_found_again(void **unused)
{
	int reader = listen_there();

	(void)unused;
	snprintf(name, sizeof name, "syslog:%s", path);
	assert_int_equal(open_it(name), 0);
	assert_false(gone);
	assert_int_equal(put(), LOG_PUT_DONE);
	assert_non_null(strstr(read_all(reader), " test[7]: said a=b"));
	close(reader);
	unlink(path);
	catch_errors();
	enum log_put result = put();
	assert_string_equal(stop_catching(), WRITTEN);	/* it is not lost */
	assert_int_equal(result, LOG_PUT_GONE);
	reader = listen_there();
	assert_int_equal(put(), LOG_PUT_DONE);
	assert_non_null(strstr(read_all(reader), "said a=b"));
	close(reader);
	log_place_close(&place);
}

static void a_reader_that_sleeps_costs_lines_and_no_time(void **unused)
{
	int reader = listen_there();
	unsigned taken = 0;

	(void)unused;
	snprintf(name, sizeof name, "journald:%s", path);
	assert_int_equal(open_it(name), 0);
	while (put() == LOG_PUT_DONE)
		taken++;
	assert_int_equal(put(), LOG_PUT_FULL);
	for (; taken > 0; taken--)
		assert_non_null(strstr(read_all(reader), "\nA=b\n"));
	assert_string_equal(read_all(reader), "");
	assert_int_equal(put(), LOG_PUT_DONE);
	close(reader);
	log_place_close(&place);
}

static void a_full_disk_loses_the_line(void **unused)
{
	(void)unused;
	assert_int_equal(open_it("/dev/full"), 0);
	assert_int_equal(put(), LOG_PUT_FULL);
	log_place_close(&place);
}

/* The longest line there may be, as JSON, through a socket. */
static void the_longest_line_is_one_datagram(void **unused)
{
	static char text[LOG_LINE_MAX];
	struct log_line longest = line;
	int reader = listen_there();

	(void)unused;
	memset(text, 0xff, sizeof text);
	longest.text = (struct span){text, sizeof text};
	snprintf(name, sizeof name, "syslog:%s", path);
	assert_int_equal(open_it(name), 0);
	assert_int_equal(log_place_put(&place, &longest, LOG_FORM_JSON), LOG_PUT_DONE);
	const char *got = read_all(reader);
	assert_true(strlen(got) > 6 * LOG_LINE_MAX);
	assert_string_equal(got + strlen(got) - 2, "\"}");
	close(reader);
	log_place_close(&place);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_file_is_appended_to),
		TEST(standard_error_has_two_names_and_stays_open),
		TEST(what_begins_like_a_socket_is_a_file),
		TEST(what_is_no_place_is_refused),
		TEST(a_socket_that_nobody_has_is_told_from_what_is_wrong),
		TEST(a_reader_that_is_gone_is_found_again),
		TEST(a_reader_that_sleeps_costs_lines_and_no_time),
		TEST(a_full_disk_loses_the_line),
		TEST(the_longest_line_is_one_datagram),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
