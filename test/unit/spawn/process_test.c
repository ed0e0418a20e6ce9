/* Goal: a program of this machine becomes a server with what it was promised, and what
 * cannot become one is said with its reason and leaves nothing. */
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "base/must.h"
#include "unit/spawn/process_seen.h"

static void it_has_its_port_its_name_and_its_folder(void **unused)
{
	char greeting[] = "GREETING=hello", said[200];
	char *environment[] = {greeting};

	(void)unused;
	here.own.environment = environment;
	here.own.environment_count = 1;
	fixture_script("echo \"$SERVER_ID $PORT $GREETING $(pwd)\"; exec sleep 1000");
	struct spawn_server s = start("S1");
	snprintf(said, sizeof said,
		 "server says pool=web server=S1 line=\"S1 %u hello %s\"",
		 address_port(&s.address), here.folder);
	WAIT_UNTIL(log_has(said));
	assert_string_equal(s.name, "S1");
	assert_true(s.running);
	assert_true(s.recipe == model_own_recipe(&here.own));
	assert_memory_equal(s.address.text, "127.0.0.1:", 10);
	assert_true(lives(pid_of(&s)));
	assert_int_equal(getpgid(pid_of(&s)), pid_of(&s));
	assert_int_equal(getsid(pid_of(&s)), pid_of(&s));
	stop(&s, PATIENCE_MS);
	assert_false(lives(pid_of(&s)));
	assert_nothing_is_left();
}

static void nothing_of_ours_is_passed_on(void **unused)
{
	int leak = fcntl(STDIN_FILENO, F_DUPFD, 50);	/* on purpose not close-on-exec */
	sigset_t blocked, before;

	(void)unused;
	setenv("BALANCERD_SECRET", "s", 1);
	setenv("NOTIFY_SOCKET", "s", 1);
	setenv("PORT", "1", 1);
	sigfillset(&blocked);
	signal(SIGPIPE, SIG_IGN);
	/* One that the C library keeps for itself: by the system call alone. */
	const uint64_t ignored[4] = {1}, by_default[4] = {0};
	syscall(SYS_rt_sigaction, SIGRTMIN - 1, ignored, NULL, _NSIG / 8);
	pthread_sigmask(SIG_BLOCK, &blocked, &before);
	fixture_script("env | grep -cE '^(BALANCERD_|NOTIFY_S)' | sed 's/^/secrets /';"
		       "env | grep -c '^PORT=' | sed 's/^/ports /';"
		       "for f in /proc/$$/fd/*; do echo \"fd ${f##*/}\"; done;"
		       "grep -E 'Sig(Blk|Ign)' /proc/$$/status | tr '\\t' ' ';"
		       "readlink /proc/$$/fd/0; ulimit -c | sed 's/^/core /'; echo end;"
		       "exec sleep 1000");
	struct spawn_server s = start("S1");
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	syscall(SYS_rt_sigaction, SIGRTMIN - 1, by_default, NULL, _NSIG / 8);
	close(leak);
	unsetenv("BALANCERD_SECRET");
	unsetenv("NOTIFY_SOCKET");
	unsetenv("PORT");
	WAIT_UNTIL(log_has("line=\"end\""));
	assert_true(log_has("line=\"secrets 0\""));
	assert_true(log_has("line=\"ports 1\""));
	assert_true(log_has("line=\"/dev/null\""));
	assert_true(log_has("line=\"core 0\""));
	assert_true(log_has("line=\"SigBlk: 0000000000000000\""));
	if (!log_has("line=\"SigIgn: 0000000000000000\""))
		fail_msg("signals are ignored:\n%s", log_text());
	assert_true(log_has("line=\"fd 2\""));
	for (int fd = 4; fd < 64; fd++) {	/* 3 is the shell's, which lists them */
		char line[32];
		snprintf(line, sizeof line, "line=\"fd %d\"", fd);
		assert_false(log_has(line));
	}
	stop(&s, 0);
}

static void put_file(const char *name, const char *text, mode_t mode)
{
	char path[128];

	snprintf(path, sizeof path, "%s/%s", here.folder, name);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	assert_int_equal(fchmod(fd, mode), 0);
	close(fd);
}

static void assert_fails(const char *word, const char *says)
{
	char *command[] = {(char *)word};
	struct asked a;

	here.own.command = command;
	here.own.command_count = 1;
	assert_int_equal(start_in(here.engine, "S1", &a), SPAWN_FAILED);
	if (strstr(a.err.text, says) == NULL)
		print_error("%s\nis to say: %s\n", a.err.text, says);
	assert_non_null(strstr(a.err.text, says));
	assert_nothing_is_left();
}

static void what_cannot_be_run_is_said(void **unused)
{
	char nowhere[128];

	(void)unused;
	put_file("plain", "#!/bin/sh\n", 0600);
	put_file("orphan", "#!/no/such/shell\n", 0700);
	put_file("noise", "\1\2\3\n", 0700);
	assert_fails("./server", "./server: no such file; its path is looked up from /");
	assert_fails("/no/server", "/no/server: no such file");
	assert_fails("./plain", "./plain: permission denied; it has to be a file");
	assert_fails("./plain/server", "a part of its path is no folder");
	assert_fails("./orphan", "what runs it is missing");
	assert_fails("./noise", "this is no program; a script begins with");
	assert_fails("no-such-program", "no-such-program: not found in PATH");
	snprintf(nowhere, sizeof nowhere, "%s/nowhere", here.folder);
	here.own.directory = nowhere;
	assert_fails("/bin/sh", "cannot enter the directory");
	assert_fails("sh", "cannot enter the directory");
	here.own.directory = here.folder;
	here.own.command_count = 0;
}

static void a_program_is_found_in_path(void **unused)
{
	char sleep[] = "sleep", time[] = "1000";
	char *command[] = {sleep, time};

	(void)unused;
	here.own.command = command;
	here.own.command_count = 2;
	struct spawn_server s = start("S1");
	stop(&s, PATIENCE_MS);
}

static void limits_are_those_asked_for(void **unused)
{
	struct rlimit most;
	struct asked a;

	(void)unused;
	here.own.files_max = 64;
	here.own.memory_max = 512 * 1024 * 1024;
	fixture_script("echo files $(ulimit -n) memory $(ulimit -v); exec sleep 1000");
	struct spawn_server s = start("S1");
	WAIT_UNTIL(log_has("line=\"files 64 memory 524288\""));
	stop(&s, 0);

	/* More than we may have ourselves; as root, nobody may have more than this. */
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &most), 0);
	here.own.memory_max = 0;
	here.own.files_max = UINT32_MAX;
	assert_int_equal(start_in(here.engine, "S1", &a), SPAWN_FAILED);
	assert_non_null(strstr(a.err.text, "cannot have 4294967295 descriptors"));
	assert_nothing_is_left();
}

static int listen_at(uint16_t *port)
{
	struct sockaddr_in at = {.sin_family = AF_INET,
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof at;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof at), 0);
	assert_int_equal(listen(fd, 1), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &len), 0);
	*port = ntohs(at.sin_port);
	return fd;
}

/* Neither has begun to listen, and never does. */
static void no_two_have_one_port(void **unused)
{
	struct spawn_server s[3];
	struct asked a;
	struct err err;
	int fd = listen_at(&here.own.port);

	(void)unused;
	struct spawn_engine *other = fixture_engine("api", &err);
	assert_non_null(other);
	s[0] = start("S1");
	s[1] = start("S2");
	assert_int_equal(start_in(other, "S1", &a), SPAWN_DONE);
	s[2] = a.task.server;
	for (int i = 0; i < 3; i++) {
		assert_true(address_port(&s[i].address) > here.own.port);
		for (int j = 0; j < i; j++)
			assert_int_not_equal(address_port(&s[i].address),
					     address_port(&s[j].address));
	}
	close(fd);
	stop(&s[0], 0);
	stop(&s[1], 0);
	fixture_close();
	here.engine = other;
	stop(&s[2], 0);
}

static void a_name_runs_once_and_is_no_path(void **unused)
{
	struct spawn_server s = start("S1");
	struct asked a;

	(void)unused;
	assert_int_equal(start_in(here.engine, "S1", &a), SPAWN_FAILED);
	assert_non_null(strstr(a.err.text, "server S1 runs already"));
	assert_int_equal(start_in(here.engine, "../S2", &a), SPAWN_FAILED);
	assert_non_null(strstr(a.err.text, "cannot be named by this"));
	assert_true(lives(pid_of(&s)));
	stop(&s, 0);
	assert_nothing_is_left();
}

/* Files may not grow any more, as on a disk that is full. */
static void a_full_disk_is_said_and_leaves_nothing(void **unused)
{
	struct rlimit before, none;
	struct asked a;

	(void)unused;
	count_of_all();		/* the lock is there */
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	none = (struct rlimit){.rlim_cur = 10, .rlim_max = before.rlim_max};
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &none), 0);
	enum spawn_result full = start_in(here.engine, "S1", &a);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	assert_int_equal(full, SPAWN_FAILED);
	assert_non_null(strstr(a.err.text, "cannot write"));
	assert_nothing_is_left();

	struct spawn_server s = start("S1");
	stop(&s, 0);
}

static void descriptors_come_back(void **unused)
{
	struct spawn_server s[4];
	char nowhere[] = "./nowhere";
	char *command[] = {nowhere};
	struct asked a;

	(void)unused;
	count_of_all();
	uint32_t before = entries_of("/proc/self/fd");
	for (int round = 0; round < 5; round++) {
		fixture_script("exec sleep 1000");
		for (int i = 0; i < 4; i++) {
			char name[] = "S0";
			name[1] = (char)('0' + i);
			s[i] = start(name);
		}
		for (int i = 0; i < 4; i++)
			stop(&s[i], i % 2 == 0 ? 0 : PATIENCE_MS);
		here.own.command = command;
		here.own.command_count = 1;
		assert_int_equal(start_in(here.engine, "S1", &a), SPAWN_FAILED);
	}
	assert_int_equal(entries_of("/proc/self/fd"), before);
	assert_nothing_is_left();
}

static void without_a_state_folder_there_is_no_engine(void **unused)
{
	struct spawn_place place = {
		.loop = here.loop, .balancer = "test", .pool = "web", .own = &here.own,
		.on_gone = fixture_on_gone,
	};
	struct err err;

	(void)unused;
	assert_null(spawn_process.open(&place, &err));
	assert_non_null(strstr(err.text, "--state"));
	place.state = "/proc/nowhere";
	assert_null(spawn_process.open(&place, &err));
	assert_non_null(strstr(err.text, "--state"));
}

static void tasks_that_are_dropped_are_not_told(void **unused)
{
	struct asked started, listed, stopped;

	(void)unused;
	struct spawn_server s = start("S1");
	fixture_script("trap '' TERM; while :; do sleep 1; done");
	fixture_begin(&started);
	fixture_begin(&listed);
	fixture_begin(&stopped);
	spawn_process.start(here.engine, "S2", &started.task);
	spawn_process.list(here.engine, &listed.task);
	spawn_process.stop(here.engine, &s, PATIENCE_MS, &stopped.task);
	fixture_close();
	for (int i = 0; i < 3; i++)
		loop_turn(here.loop, 0);
	assert_false(started.done || listed.done || stopped.done);
	assert_null(started.task.inside);

	fixture_open();
	list_in(here.engine, &listed);
	for (uint32_t i = 0; i < listed.found_count; i++)
		stop(&listed.found[i], 0);
	assert_nothing_is_left();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
		TEST(it_has_its_port_its_name_and_its_folder),
		TEST(nothing_of_ours_is_passed_on),
		TEST(what_cannot_be_run_is_said),
		TEST(a_program_is_found_in_path),
		TEST(limits_are_those_asked_for),
		TEST(no_two_have_one_port),
		TEST(a_name_runs_once_and_is_no_path),
		TEST(a_full_disk_is_said_and_leaves_nothing),
		TEST(descriptors_come_back),
		TEST(without_a_state_folder_there_is_no_engine),
		TEST(tasks_that_are_dropped_are_not_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
