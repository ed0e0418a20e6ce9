/* Goal: whoever of us comes next finds the servers that run, all of them and no others,
 * however the one before has ended. */
#include "unit/spawn/process_seen.h"

static void a_second_engine_goes_on_with_them(void **unused)
{
	(void)unused;
	fixture_script("while [ ! -e go ]; do sleep 0.01; done; echo after; exit 5");
	struct spawn_server s = start("S1");
	fixture_close();
	fixture_open();
	struct spawn_server found = the_only_one();
	assert_true(found.running);
	assert_string_equal(found.id, s.id);
	assert_string_equal(found.name, "S1");
	assert_string_equal(found.address.text, s.address.text);
	assert_true(address_equals(&found.address, &s.address));
	assert_true(found.recipe == s.recipe);

	let_go();
	WAIT_UNTIL(here.gone > 0);
	assert_string_equal(here.gone_id, s.id);
	assert_string_equal(here.gone_why, "exited with status 5");
	assert_true(log_has("line=\"after\""));
	stop(&s, 0);
	assert_nothing_is_left();
}

/* It is a zombie then, which nobody but us can take away. */
static void one_that_ended_between_two_engines_is_no_zombie(void **unused)
{
	(void)unused;
	struct spawn_server s = start("S1");
	fixture_close();
	kill(pid_of(&s), SIGKILL);
	siginfo_t info;
	assert_int_equal(waitid(P_PID, (id_t)pid_of(&s), &info, WEXITED | WNOWAIT), 0);
	fixture_open();
	assert_false(the_only_one().running);
	stop(&s, 0);
	assert_nothing_is_left();
}

/* In a process of its own, which is then killed: starts servers until then, and says
 * a byte for each. */
static pid_t run_balancer(int *heard)
{
	int said[2];

	assert_int_equal(pipe2(said, O_CLOEXEC), 0);
	pid_t pid = fork();
	if (pid == 0) {
		struct asked a;
		char name[16];
		fixture_close();
		fixture_open();
		for (int i = 0; i < 60; i++) {
			snprintf(name, sizeof name, "S%d", i);
			if (start_in(here.engine, name, &a) != SPAWN_DONE ||
			    write(said[1], ".", 1) != 1)
				_exit(1);
		}
		pause();
		_exit(0);
	}
	close(said[1]);
	*heard = said[0];
	return pid;
}

static void kill_balancer(pid_t pid, int heard)
{
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	close(heard);
}

/* A child that was just being born has the lock until it is noted. */
static void list_when_free(struct asked *a)
{
	WAIT_UNTIL((list_in(here.engine, a), a->result == SPAWN_DONE));
}

/* How many living processes have this in their environment. */
static uint32_t count_with(const char *variable)
{
	DIR *all = opendir("/proc");
	char path[300];
	uint32_t count = 0;

	assert_non_null(all);
	for (struct dirent *d; (d = readdir(all)) != NULL;) {
		static char text[64 * 1024];
		if (d->d_name[0] < '0' || d->d_name[0] > '9')
			continue;
		snprintf(path, sizeof path, "/proc/%s/environ", d->d_name);
		int fd = open(path, O_RDONLY | O_CLOEXEC);
		ssize_t len = fd >= 0 ? read(fd, text, sizeof text) : 0;
		if (fd >= 0)
			close(fd);
		if (len > 0 &&
		    memmem(text, (size_t)len, variable, strlen(variable)) != NULL)
			count += lives((pid_t)atoi(d->d_name));
	}
	closedir(all);
	return count;
}

static uint32_t running_of(const struct asked *a)
{
	uint32_t running = 0;

	for (uint32_t i = 0; i < a->found_count; i++)
		running += a->found[i].running;
	return running;
}

/* Killed after so many starts, in the midst of the next: what runs is found. */
static void a_killed_balancer_leaves_no_orphan(void **unused)
{
	char variable[96], byte;
	char *environment[] = {variable};
	struct asked a;
	int heard;

	(void)unused;
	snprintf(variable, sizeof variable, "TOKEN=%s", here.folder);
	here.own.environment = environment;
	here.own.environment_count = 1;
	fixture_close();
	for (int round = 0; round < 8; round++) {
		fixture_open();
		pid_t pid = run_balancer(&heard);
		fixture_close();
		for (int i = 0; i <= round; i++)
			assert_int_equal(read(heard, &byte, 1), 1);
		kill_balancer(pid, heard);
		fixture_open();
		list_when_free(&a);
		/* One that was just being born may turn out to be none. */
		WAIT_UNTIL((list_in(here.engine, &a),
			    count_with(variable) == running_of(&a)));
		assert_true(running_of(&a) > (uint32_t)round);
		for (uint32_t i = 0; i < a.found_count; i++)
			stop(&a.found[i], 0);
		WAIT_UNTIL(count_with(variable) == 0);
		assert_nothing_is_left();
		fixture_close();
	}
}

static void what_they_say_is_heard_after_a_crash(void **unused)
{
	struct asked a;
	char byte;
	int heard;

	(void)unused;
	fixture_script("while [ ! -e go ]; do sleep 0.01; done; echo go on $SERVER_ID;"
		       "exec sleep 1000");
	pid_t pid = run_balancer(&heard);
	fixture_close();
	assert_int_equal(read(heard, &byte, 1), 1);
	kill_balancer(pid, heard);
	fixture_open();
	list_when_free(&a);
	struct spawn_server s = a.found[0];
	let_go();
	WAIT_UNTIL(log_has("line=\"go on S0\""));

	/* It is no child of ours: how it has ended is not known. */
	while (strcmp(s.name, "S0") != 0)
		s = a.found[--a.found_count];
	here.gone = 0;
	kill(pid_of(&s), SIGKILL);
	WAIT_UNTIL(here.gone > 0);
	assert_string_equal(here.gone_id, s.id);
	assert_string_equal(here.gone_why, "has ended");
}

static void put_record(const char *text)
{
	char path[160];

	path_in(path, "S1.json");
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

static void read_record(char out[4096])
{
	char path[160];

	path_in(path, "S1.json");
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	ssize_t len = read(fd, out, 4095);
	assert_true(len > 0);
	out[len] = '\0';
	close(fd);
}

/* The record of a server that runs, with something changed: it is another one now. */
static void assert_not_touched(const char *member, const char *value)
{
	char text[4096], changed[4200];

	struct spawn_server s = start("S1");
	read_record(text);
	fixture_close();
	char *at = strstr(text, member) + strlen(member);
	snprintf(changed, sizeof changed, "%.*s%s%s", (int)(at - text), text, value,
		 at + strcspn(at, ",}"));
	put_record(changed);
	fixture_open();
	struct spawn_server found = the_only_one();
	assert_false(found.running);
	stop(&found, 0);
	assert_int_equal(count_of_all(), 0);
	assert_true(lives(pid_of(&s)));
	kill(pid_of(&s), SIGKILL);
	assert_int_equal(waitpid(pid_of(&s), NULL, 0), pid_of(&s));
}

static void what_a_dead_boot_left_is_not_taken_for_ours(void **unused)
{
	(void)unused;
	assert_not_touched("\"boot\":", "\"00000000-0000-0000-0000-000000000000\"");
}

static void a_number_used_again_is_not_taken_for_ours(void **unused)
{
	(void)unused;
	assert_not_touched("\"started\":", "1");
}

static void a_record_that_says_nothing_is_replaced(void **unused)
{
	(void)unused;
	count_of_all();
	fixture_close();
	put_record("{\"version\":1,\"server\":\"S1\"");
	fixture_open();
	struct spawn_server found = the_only_one();
	assert_string_equal(found.name, "S1");
	assert_false(found.running);
	assert_true(log_has("the record of a server cannot be used pool=web server=S1"));
	struct spawn_server s = start("S1");
	assert_true(the_only_one().running);
	stop(&s, 0);
	assert_nothing_is_left();
}

static void what_belongs_to_no_server_goes(void **unused)
{
	char path[160];

	(void)unused;
	fixture_close();
	path_in(path, "S7.new");
	close(open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
	path_in(path, "S8.out");
	assert_int_equal(mkfifo(path, 0600), 0);
	fixture_open();
	assert_nothing_is_left();
}

static void two_balancers_do_not_share_servers(void **unused)
{
	struct asked a;
	struct err err;

	(void)unused;
	struct spawn_server s = start("S1");
	struct spawn_engine *second = fixture_engine("web", &err);
	assert_non_null(second);
	list_in(second, &a);
	assert_int_equal(a.result, SPAWN_FAILED);
	assert_non_null(strstr(a.err.text, "another balancer has the servers of"));
	assert_int_equal(start_in(second, "S2", &a), SPAWN_FAILED);
	fixture_close();
	here.engine = second;
	assert_string_equal(the_only_one().id, s.id);
	stop(&s, 0);
}

static void pools_side_by_side_know_their_own(void **unused)
{
	static const char *const names[] = {"../web", "web/..", "..", "w%65b", "WEB"};
	struct spawn_engine *engines[5];
	struct asked a;
	struct err err;
	char path[160];

	(void)unused;
	struct spawn_server s = start("S1");
	for (size_t i = 0; i < 5; i++) {
		engines[i] = fixture_engine(names[i], &err);
		assert_non_null(engines[i]);
		list_in(engines[i], &a);
		assert_int_equal(a.result, SPAWN_DONE);
		assert_int_equal(a.found_count, 0);
	}
	snprintf(path, sizeof path, "%s/owned/test", here.folder);
	assert_int_equal(entries_of(path), 6);
	for (size_t i = 0; i < 5; i++)
		spawn_process.close(engines[i]);
	stop(&s, 0);
}

static void a_folder_that_others_may_write_to_is_refused(void **unused)
{
	struct stat st;
	struct err err;
	char path[160];

	(void)unused;
	path_in(path, "");
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	fixture_close();
	assert_int_equal(chmod(path, 0770), 0);
	assert_null(fixture_engine("web", &err));
	assert_non_null(strstr(err.text, "others may write to the folder"));
	assert_int_equal(chmod(path, 0700), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
		TEST(a_second_engine_goes_on_with_them),
		TEST(one_that_ended_between_two_engines_is_no_zombie),
		TEST(a_killed_balancer_leaves_no_orphan),
		TEST(what_they_say_is_heard_after_a_crash),
		TEST(what_a_dead_boot_left_is_not_taken_for_ours),
		TEST(a_number_used_again_is_not_taken_for_ours),
		TEST(a_record_that_says_nothing_is_replaced),
		TEST(what_belongs_to_no_server_goes),
		TEST(two_balancers_do_not_share_servers),
		TEST(pools_side_by_side_know_their_own),
		TEST(a_folder_that_others_may_write_to_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
