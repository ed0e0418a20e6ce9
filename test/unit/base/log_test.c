/* Goal: lines arrive where they are sent, and a place that takes none costs lines, counted,
 * but no time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/log.h"

static char folder[] = "/tmp/log_test.XXXXXX";
static char path[64], socket_path[64], place[96];
static int reader;

static int set_up(void **unused)
{
	(void)unused;
	strcpy(folder + strlen(folder) - 6, "XXXXXX");
	if (mkdtemp(folder) == NULL)
		return -1;
	snprintf(path, sizeof path, "%s/log", folder);
	snprintf(socket_path, sizeof socket_path, "%s/socket", folder);
	reader = -1;
	log_set_limit(LOG_SAME_MAX);
	return 0;
}

static int tear_down(void **unused)
{
	struct err err;

	(void)unused;
	log_open(NULL, &err);
	log_set_form(LOG_FORM_LOGFMT);
	if (reader >= 0)
		close(reader);
	unlink(path);
	unlink(socket_path);
	return rmdir(folder);
}

static void listen_there(void)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};

	strcpy(at.sun_path, socket_path);
	reader = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(reader, (const void *)&at, sizeof at), 0);
}

static void open_place(const char *kind)
{
	struct err err;

	snprintf(place, sizeof place, "%s:%s", kind, socket_path);
	assert_int_equal(log_open(place, &err), 0);
}

/* The next datagram; "" when there is none. */
static const char *received(void)
{
	static char bytes[16384];
	ssize_t n = recv(reader, bytes, sizeof bytes - 1, 0);

	bytes[n > 0 ? n : 0] = '\0';
	return bytes;
}

static const char *written(void)
{
	static char bytes[1 << 20];
	FILE *f = fopen(path, "re");

	assert_non_null(f);
	bytes[fread(bytes, 1, sizeof bytes - 1, f)] = '\0';
	fclose(f);
	return bytes;
}

static unsigned count_in(const char *text, const char *what)
{
	unsigned n = 0;

	for (const char *at = text; (at = strstr(at, what)) != NULL; at++)
		n++;
	return n;
}

static void open_file(void)
{
	struct err err;

	assert_int_equal(log_open(path, &err), 0);
}

static void journald_gets_a_datagram_for_each_line(void **unused)
{
	(void)unused;
	listen_there();
	open_place("journald");
	log_warn("server is down pool=%s", "web");
	const char *record = received();
	assert_non_null(strstr(record, "PRIORITY=4\n"));
	assert_non_null(strstr(record, "MESSAGE=server is down pool=web\n"));
	assert_non_null(strstr(record, "\nPOOL=web\n"));
	assert_string_equal(received(), "");
}

static void a_newline_in_a_text_makes_no_field(void **unused)
{
	(void)unused;
	listen_there();
	open_place("journald");
	log_warn("said \"%s\"", "a\nPRIORITY=0");
	const char *record = received();
	assert_int_equal(count_in(record, "\nPRIORITY="), 0);
	assert_int_equal(count_in(record, "PRIORITY=4\n"), 1);
}

/* U+009B is a terminal's ESC [, U+0085 a newline. */
static void what_controls_does_not_get_into_a_line(void **unused)
{
	(void)unused;
	open_file();
	log_warn("it says \"%s\"", "\xc2\x9b" "2J\xc2\x85\x1b\x9b\xc3\xa4\xe2\x80\x99");
	assert_non_null(strstr(written(), "it says \"??2J????\xc3\xa4\xe2\x80\x99\"\n"));
}

static void syslog_gets_json_as_its_message(void **unused)
{
	(void)unused;
	listen_there();
	open_place("syslog");
	log_set_form(LOG_FORM_JSON);
	log_info("server is up pool=web");
	const char *record = received();
	assert_int_equal(strncmp(record, "<30>", 4), 0);
	assert_non_null(strstr(record, "]: {\"time\":"));
	assert_non_null(strstr(record, "\"pool\":\"web\"}"));
}

/* It is read again once it is known to be full: without that no line would be lost. */
static void a_full_socket_loses_lines_and_counts_them(void **unused)
{
	uint64_t before = log_losses().full;
	unsigned sent = 0, got = 0;
	const char *record;

	(void)unused;
	listen_there();
	open_place("journald");
	for (; log_losses().full < before + 10 && sent < 100000; sent++)
		log_always(LOG_LEVEL_INFO, "line n=%u", sent);
	assert_int_equal(log_losses().full, before + 10);
	while (*(record = received()) != '\0')
		got += strstr(record, "\nN=") != NULL;
	assert_int_equal(got + 10, sent);
	log_always(LOG_LEVEL_INFO, "it goes on");
	assert_non_null(strstr(received(), "MESSAGE=it goes on\n"));
	assert_non_null(strstr(received(), "count=10\n"));
}

/* Runs `say` with standard error in the file. */
static void with_standard_error(void (*say)(void))
{
	int kept = dup(STDERR_FILENO);
	int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);

	dup2(fd, STDERR_FILENO);
	say();
	dup2(kept, STDERR_FILENO);
	close(kept);
	close(fd);
}

static void say_to_nobody(void)
{
	open_place("journald");
	log_info("still here");
}

static void without_its_socket_the_log_goes_to_standard_error(void **unused)
{
	(void)unused;
	with_standard_error(say_to_nobody);
	assert_non_null(strstr(written(), " warn nobody takes the log at "));
	assert_non_null(strstr(written(), " info still here\n"));
}

static void say_before_and_after(void)
{
	open_place("syslog");
	close(reader);
	unlink(socket_path);
	log_info("alone");
	log_info("alone");
	listen_there();
	log_info("together");
}

static void a_reader_that_is_started_anew_is_found(void **unused)
{
	(void)unused;
	listen_there();
	with_standard_error(say_before_and_after);
	assert_int_equal(count_in(written(), " info alone\n"), 2);
	assert_int_equal(count_in(written(), "nobody takes the log any more"), 1);
	assert_non_null(strstr(received(), "]: together"));
}

static void the_same_message_is_limited_and_the_rest_told(void **unused)
{
	uint64_t before = log_losses().repeated;

	(void)unused;
	open_file();
	log_set_limit(5);
	for (int i = 0; i < 20; i++)
		log_warn("server is tired pool=%s n=%d", "web", i);
	log_warn("something else");
	assert_int_equal(count_in(written(), "server is tired"), 5);
	assert_int_equal(count_in(written(), "something else"), 1);
	log_catch_up(true);
	assert_non_null(strstr(written(), "suppressed=15 message=\"server is tired\"\n"));
	assert_int_equal(log_losses().repeated - before, 15);
}

static void lines_that_each_say_something_else_are_limited_by_the_second_only(void **unused)
{
	unsigned n;

	(void)unused;
	open_file();
	log_set_limit(2);
	for (n = 0; n < 50; n++)
		log_each(LOG_LEVEL_INFO, "says n=%u", n);
	assert_int_equal(count_in(written(), "says"), 50);
	for (; log_losses().many == 0 && n < 10000; n++)
		log_each(LOG_LEVEL_INFO, "says n=%u", n);
	assert_true(log_losses().many > 0);
}

static void answers_and_errors_are_not_limited(void **unused)
{
	(void)unused;
	open_file();
	log_set_limit(2);
	for (int i = 0; i < 300; i++)
		log_always(LOG_LEVEL_INFO, "an answer n=%d", i);
	for (int i = 0; i < 20; i++)
		log_error("an error n=%d", i);
	assert_int_equal(count_in(written(), "an answer"), 300);
	assert_int_equal(count_in(written(), "an error"), 20);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(journald_gets_a_datagram_for_each_line),
		TEST(a_newline_in_a_text_makes_no_field),
		TEST(what_controls_does_not_get_into_a_line),
		TEST(syslog_gets_json_as_its_message),
		TEST(a_full_socket_loses_lines_and_counts_them),
		TEST(without_its_socket_the_log_goes_to_standard_error),
		TEST(a_reader_that_is_started_anew_is_found),
		TEST(the_same_message_is_limited_and_the_rest_told),
		TEST(lines_that_each_say_something_else_are_limited_by_the_second_only),
		TEST(answers_and_errors_are_not_limited),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
