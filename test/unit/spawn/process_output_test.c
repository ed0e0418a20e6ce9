/* Goal: what a server says stands in the log line by line, cut and counted where it is
 * too much, and never as anything but a value between quotes. */
#include "spawn/process_output.h"
#include "unit/spawn/process_seen.h"

static struct process_share share;

/* Two servers of a pool, and where they write. */
static struct process_output output[2];
static int end[2];

static int setup(void **state)
{
	static const char *const names[] = {"S1", "S2"};
	struct err err;
	int fds[2];

	fixture_setup(state);
	share = (struct process_share){.lines = 0};
	for (int i = 0; i < 2; i++) {
		assert_int_equal(pipe2(fds, O_CLOEXEC | O_NONBLOCK), 0);
		end[i] = fds[1];
		process_output_init(&output[i], here.loop, "web", names[i], &share);
		assert_int_equal(process_output_open(&output[i], fds[0], &err), 0);
	}
	return 0;
}

static int teardown(void **state)
{
	for (int i = 0; i < 2; i++) {
		process_output_close(&output[i]);
		close(end[i]);
	}
	return fixture_teardown(state);
}

static void server_says(int i, const char *text)
{
	assert_int_equal(write(end[i], text, strlen(text)), strlen(text));
}

static uint32_t count_in_log(const char *part)
{
	uint32_t count = 0;

	for (const char *at = log_text(); (at = strstr(at, part)) != NULL; at++)
		count++;
	return count;
}

static void a_line_is_said_when_it_has_ended(void **unused)
{
	(void)unused;
	server_says(0, "one\ntw");
	WAIT_UNTIL(log_has("pool=web server=S1 line=\"one\""));
	server_says(0, "o\r\n\n\nthree");
	WAIT_UNTIL(log_has("line=\"two\""));
	assert_false(log_has("three"));
	assert_false(log_has("line=\"\""));	/* an empty line says nothing */
	process_output_finish(&output[0]);
	assert_true(log_has("line=\"three\""));
}

static void it_stays_between_its_quotes(void **unused)
{
	(void)unused;
	server_says(0, "a\" level=error b=\"\\\t\x1b[31m\n");
	WAIT_UNTIL(log_has("line=\"a\\\" level=error b=\\\"\\\\ ?[31m\"\n"));
}

static void a_long_line_is_cut_between_characters(void **unused)
{
	char text[3 * PROCESS_LINE_MAX + 1], cut[PROCESS_LINE_MAX + 16];

	(void)unused;
	memset(text, 'x', sizeof text);
	memcpy(text + PROCESS_LINE_MAX - 1, "\xc3\xa9", 2);
	text[sizeof text - 1] = '\0';
	server_says(0, text);
	server_says(0, "rest\nnext\n");
	WAIT_UNTIL(log_has("line=\"next\""));
	snprintf(cut, sizeof cut, "\"%.*s...\"", PROCESS_LINE_MAX - 1, text);
	assert_true(log_has(cut));
	assert_false(log_has("rest"));
	assert_int_equal(count_in_log("server says"), 2);
}

/* However it is cut into reads. */
static void a_line_of_the_longest_length_is_whole(void **unused)
{
	char text[PROCESS_LINE_MAX + 2], whole[PROCESS_LINE_MAX + 16];

	(void)unused;
	memset(text, 'y', sizeof text);
	text[PROCESS_LINE_MAX] = '\0';
	server_says(0, text);
	loop_turn(here.loop, 0);
	server_says(0, "\nnext\n");
	WAIT_UNTIL(log_has("line=\"next\""));
	snprintf(whole, sizeof whole, "\"%s\"", text);
	assert_true(log_has(whole));
}

static void too_much_is_counted_and_said(void **unused)
{
	(void)unused;
	for (int i = 0; i < 500; i++)
		server_says(0, "noise\n");
	WAIT_UNTIL(log_has("lines_left_out="));
	uint32_t said = count_in_log("line=\"noise\"");
	uint32_t left_out = (uint32_t)number_said("lines_left_out=");
	/* All of it came within one turn, so within one second. */
	assert_int_equal(said, PROCESS_LINES_PER_SECOND_MAX);
	assert_int_equal(said + left_out, 500);
	assert_true(log_has("server says more than is written pool=web server=S1"));

	server_says(1, "quiet\n");
	WAIT_UNTIL(log_has("server=S2 line=\"quiet\""));
}

static void a_pool_has_its_share_as_well(void **unused)
{
	(void)unused;
	share.second_ms = loop_now_ms(here.loop);
	share.lines = PROCESS_POOL_LINES_MAX - 1;
	server_says(0, "first\nsecond\n");
	process_output_finish(&output[0]);
	assert_true(log_has("line=\"first\""));
	assert_false(log_has("line=\"second\""));
	assert_true(log_has("lines_left_out=1"));
}

static void who_says_much_is_read_in_turns(void **unused)
{
	static char much[60 * 1024];
	uint64_t before;

	(void)unused;
	memset(much, 'z', sizeof much);
	assert_true(fcntl(end[0], F_SETPIPE_SZ, 1024 * 1024) > 0);
	for (int i = 0; i < 10; i++)
		assert_int_equal(write(end[0], much, sizeof much), sizeof much);
	server_says(0, "\nend\n");
	server_says(1, "here\n");
	before = loop_stats(here.loop)->turns;
	WAIT_UNTIL(log_has("server=S2 line=\"here\""));
	assert_false(log_has("line=\"end\""));
	WAIT_UNTIL(log_has("line=\"end\""));
	assert_true(loop_stats(here.loop)->turns - before >= 9);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		TEST(a_line_is_said_when_it_has_ended),
		TEST(it_stays_between_its_quotes),
		TEST(a_long_line_is_cut_between_characters),
		TEST(a_line_of_the_longest_length_is_whole),
		TEST(too_much_is_counted_and_said),
		TEST(a_pool_has_its_share_as_well),
		TEST(who_says_much_is_read_in_turns),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
