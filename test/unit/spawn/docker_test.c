/* Goal: whatever an engine does, each operation ends once, with what is true, and leaves
 * nothing behind; and the end of a server is told once. By the driver as it is, and an
 * engine that says what the test wants. Nothing waits for a guess of time, only for what
 * must come. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/memory.h"
#include "loop/loop.h"
#include "spawn/driver.h"
#include "unit/spawn/fake_docker.h"

enum { DEADLINE_MS = 20000, TASKS_MAX = 64 };

#define OURS "\"org.balancerd.balancer\":\"b\",\"org.balancerd.pool\":\"web\""
#define LABELS "{" OURS ",\"org.balancerd.server\":\"S1\"}"
#define NET "{\"Networks\":{\"net\":{\"IPAddress\":\"10.0.0.2\"}}}"
#define CONTAINER(id, labels, state) "{\"Id\":\"" id "\",\"State\":" state \
	",\"Config\":{\"Labels\":" labels "},\"NetworkSettings\":" NET "}"
#define RUNS  "{\"Running\":true}"
#define ENDED "{\"Running\":false,\"ExitCode\":3}"
#define LISTED "{\"Id\":\"aa\",\"State\":\"running\",\"Labels\":" LABELS \
	",\"NetworkSettings\":" NET "}"
#define DIED(id) "{\"Type\":\"container\",\"Action\":\"die\",\"Actor\":{\"ID\":\"" id \
	"\",\"Attributes\":{" OURS ",\"exitCode\":\"137\"}}}\n"

struct task {
	struct spawn_task spawn;
	int told;
	enum spawn_result result;
	struct err err;
	uint32_t found_count;
	struct spawn_server found;
	bool close;			/* the engine, out of on_done */
};

static struct loop *l;
static struct fake_docker *fake;
static struct model_own own;
static struct spawn_engine *engine;
static struct task tasks[TASKS_MAX];
static int gone;
static char gone_id[SPAWN_ID_MAX + 1], gone_why[256];
static bool close_when_gone;

#define WAIT_FOR(condition)                                                     \
	do {                                                                    \
		uint64_t end_us = loop_clock_us() + DEADLINE_MS * 1000ull;      \
		while (!(condition) && loop_clock_us() < end_us)                \
			loop_turn(l, 10);                                       \
		assert_true(condition);                                         \
	} while (0)

static void close_engine(void)
{
	spawn_docker.close(engine);
	engine = NULL;
}

static void on_done(struct spawn_task *t, enum spawn_result result, const struct err *err)
{
	struct task *task = CONTAINER_OF(t, struct task, spawn);

	assert_null(t->inside);
	task->told++;
	task->result = result;
	task->err = *err;
	task->found_count = t->found_count;
	if (t->found_count > 0)
		task->found = t->found[0];
	if (task->close)
		close_engine();
}

static void on_gone(void *arg, const char *id, const char *why)
{
	(void)arg;
	gone++;
	snprintf(gone_id, sizeof gone_id, "%s", id);
	snprintf(gone_why, sizeof gone_why, "%s", why);
	if (close_when_gone)
		close_engine();
}

static struct spawn_task *task_of(int i)
{
	tasks[i] = (struct task){.spawn.on_done = on_done, .close = tasks[i].close};
	return &tasks[i].spawn;
}

static const struct spawn_server server_aa = {.name = "S1", .id = "aa"};

/* The engine is open; rules that a test gave before come first. */
static void open_engine(void)
{
	struct spawn_place place = {.loop = l, .balancer = "b", .pool = "web",
				    .own = &own, .on_gone = on_gone};
	struct err err;

	fake_says(fake, "GET /version", 200, "{\"ApiVersion\":\"1.41\"}", 0);
	fake_does(fake, "GET /events", FAKE_STREAM, NULL, 0);
	fake_says(fake, "GET /networks", 200, "[{\"Name\":\"net\",\"Id\":\"n1\"}]", 0);
	fake_says(fake, "POST /containers/create", 201, "{\"Id\":\"aa\"}", 0);
	fake_says(fake, "POST /containers/aa/start", 204, NULL, 0);
	fake_says(fake, "GET /containers/aa/json", 200, CONTAINER("aa", LABELS, RUNS), 0);
	fake_says(fake, "GET /containers/aa/logs", 200, "bad luck\n", 0);
	fake_says(fake, "GET /containers/json", 200, "[" LISTED "]", 0);
	fake_says(fake, "DELETE /containers/", 204, NULL, 0);
	fake_says(fake, "POST /containers/aa/stop", 204, NULL, 0);
	if (fake->listener.fd < 0)
		fake_listen(fake);
	engine = spawn_docker.open(&place, &err);
	assert_non_null(engine);
}

static void start_s1(void)
{
	spawn_docker.start(engine, "S1", task_of(0));
	assert_int_equal(tasks[0].told, 0);
	WAIT_FOR(tasks[0].told > 0);
	assert_int_equal(tasks[0].told, 1);
}

static int set_up(void **unused)
{
	struct err err;

	(void)unused;
	l = loop_create(&err);
	assert_non_null(l);
	fake = fake_create(l);
	own = (struct model_own){.driver = OWN_DOCKER, .socket = fake->path,
				 .port = 5000, .max = 1};
	own.image = memory_text("sample");
	own.network = memory_text("net");
	memset(tasks, 0, sizeof tasks);
	gone = 0;
	close_when_gone = false;
	return 0;
}

static int tear_down(void **unused)
{
	(void)unused;
	if (engine != NULL)
		close_engine();
	fake_destroy(fake);
	free(own.image);
	free(own.network);
	loop_destroy(l);
	return 0;
}

/* ---- starts ---- */

static void a_server_is_created_started_and_looked_at(void **unused)
{
	(void)unused;
	open_engine();
	start_s1();
	assert_int_equal(tasks[0].result, SPAWN_DONE);
	assert_string_equal(tasks[0].spawn.server.name, "S1");
	assert_string_equal(tasks[0].spawn.server.id, "aa");
	assert_string_equal(tasks[0].spawn.server.address.text, "10.0.0.2:5000");
	assert_true(tasks[0].spawn.server.recipe == model_own_recipe(&own));
	assert_int_equal(fake_asked(fake, "POST /containers/create?name=S1"), 1);
	assert_int_equal(fake_asked(fake, "DELETE"), 0);
}

static void what_does_not_start_is_removed_before_it_is_told(void **unused)
{
	(void)unused;
	fake_says(fake, "POST /containers/aa/start", 500,
		  "{\"message\":\"no such program\"}", 0);
	open_engine();
	start_s1();
	assert_int_equal(tasks[0].result, SPAWN_FAILED);
	assert_non_null(strstr(tasks[0].err.text, "no such program"));
	assert_int_equal(fake_asked(fake, "DELETE /containers/aa?force=true&v=true"), 1);
}

static void one_that_ends_at_once_says_its_last_line(void **unused)
{
	(void)unused;
	fake_says(fake, "GET /containers/aa/json", 200,
		  CONTAINER("aa", LABELS, ENDED), 0);
	open_engine();
	start_s1();
	assert_int_equal(tasks[0].result, SPAWN_FAILED);
	assert_non_null(strstr(tasks[0].err.text, "status 3"));
	assert_non_null(strstr(tasks[0].err.text, "bad luck"));
	assert_int_equal(fake_asked(fake, "DELETE /containers/aa"), 1);
}

static void one_without_an_address_is_taken_back(void **unused)
{
	(void)unused;
	fake_says(fake, "GET /containers/aa/json", 200,
		  "{\"Id\":\"aa\",\"State\":" RUNS "}", 0);
	open_engine();
	start_s1();
	assert_int_equal(tasks[0].result, SPAWN_FAILED);
	assert_non_null(strstr(tasks[0].err.text, "no address in the network \"net\""));
	assert_int_equal(fake_asked(fake, "DELETE /containers/aa"), 1);
}

static void a_missing_image_is_said_with_its_remedy(void **unused)
{
	(void)unused;
	fake_says(fake, "POST /containers/create", 404,
		  "{\"message\":\"No such image: sample:latest\"}", 0);
	open_engine();
	start_s1();
	assert_int_equal(tasks[0].result, SPAWN_FAILED);
	assert_non_null(strstr(tasks[0].err.text, "docker pull sample"));
	assert_int_equal(fake_asked(fake, "DELETE"), 0);
}

static void the_name_of_another_is_left_alone(void **unused)
{
	(void)unused;
	fake_says(fake, "POST /containers/create", 409, "{\"message\":\"in use\"}", 0);
	fake_says(fake, "GET /containers/S1/json", 200, CONTAINER("ff", "{}", ENDED), 0);
	open_engine();
	start_s1();
	assert_int_equal(tasks[0].result, SPAWN_NAME_TAKEN);
	assert_int_equal(fake_asked(fake, "DELETE"), 0);
}

static void a_dead_one_of_ours_makes_room(void **unused)
{
	(void)unused;
	fake_says(fake, "POST /containers/create", 409, "{\"message\":\"in use\"}", 1);
	fake_says(fake, "GET /containers/S1/json", 200,
		  CONTAINER("dd", LABELS, ENDED), 0);
	open_engine();
	start_s1();
	assert_int_equal(tasks[0].result, SPAWN_DONE);
	assert_int_equal(fake_asked(fake, "DELETE /containers/dd"), 1);
	assert_int_equal(fake_asked(fake, "POST /containers/create"), 2);
}

static void it_makes_room_once_and_not_for_ever(void **unused)
{
	(void)unused;
	fake_says(fake, "POST /containers/create", 409, "{\"message\":\"in use\"}", 0);
	fake_says(fake, "GET /containers/S1/json", 200,
		  CONTAINER("dd", LABELS, ENDED), 0);
	open_engine();
	start_s1();
	assert_int_equal(tasks[0].result, SPAWN_NAME_TAKEN);
	assert_int_equal(fake_asked(fake, "POST /containers/create"), 2);
}

/* The engine may have done what it could not say any more. */
static void what_a_lost_answer_made_is_removed(void **unused)
{
	static const struct fake_rule lost[] = {
		{"POST /containers/create", 0, NULL, FAKE_CUT, 0, 0},
		{"POST /containers/create", 0,
		 "HTTP/1.1 201 X\r\nContent-Length: 99\r\n\r\n{", FAKE_RAW, 0, 0},
		{"POST /containers/create", 201, "{\"Warnings\":[]}", FAKE_WHOLE, 0, 0},
		{"POST /containers/create", 0, "SSH-2.0-nobody\r\n", FAKE_RAW, 0, 0},
	};

	(void)unused;
	for (size_t i = 0; i < COUNT_OF(lost); i++) {
		if (i > 0)
			set_up(NULL);
		fake_rule(fake, &lost[i]);
		fake_says(fake, "GET /containers/S1/json", 200,
			  CONTAINER("cc", LABELS, ENDED), 0);
		open_engine();
		start_s1();
		assert_int_equal(tasks[0].result, SPAWN_FAILED);
		assert_string_not_equal(tasks[0].err.text, "");
		assert_int_equal(fake_asked(fake, "DELETE /containers/cc"), 1);
		if (i + 1 < COUNT_OF(lost))
			tear_down(NULL);
	}
}

static void a_missing_network_is_made_once_for_many(void **unused)
{
	(void)unused;
	fake_says(fake, "GET /networks", 200, "[]", 1);
	fake_says(fake, "POST /networks/create", 201, "{\"Id\":\"n1\"}", 0);
	open_engine();
	for (int i = 0; i < 8; i++)
		spawn_docker.start(engine, "S1", task_of(i));
	for (int i = 0; i < 8; i++)
		WAIT_FOR(tasks[i].told == 1);
	assert_int_equal(tasks[7].result, SPAWN_DONE);
	assert_int_equal(fake_asked(fake, "POST /networks/create"), 1);
}

static void of_two_networks_the_younger_is_taken_back(void **unused)
{
	(void)unused;
	fake_says(fake, "GET /networks", 200, "[]", 1);
	fake_says(fake, "GET /networks", 200,
		  "[{\"Name\":\"net\",\"Id\":\"n2\",\"Created\":\"2\"},"
		  "{\"Name\":\"net\",\"Id\":\"n1\",\"Created\":\"1\"}]", 1);
	fake_says(fake, "POST /networks/create", 201, "{\"Id\":\"n2\"}", 0);
	fake_says(fake, "DELETE /networks/n2", 204, NULL, 0);
	open_engine();
	start_s1();
	assert_int_equal(tasks[0].result, SPAWN_DONE);
	assert_int_equal(fake_asked(fake, "DELETE /networks/n2"), 1);
}

static void a_network_that_cannot_be_is_said(void **unused)
{
	(void)unused;
	fake_says(fake, "GET /networks", 200, "[]", 0);
	fake_says(fake, "POST /networks/create", 403,
		  "{\"message\":\"no more subnets\"}", 0);
	open_engine();
	start_s1();
	assert_int_equal(tasks[0].result, SPAWN_FAILED);
	assert_non_null(strstr(tasks[0].err.text, "no more subnets"));
	assert_int_equal(fake_asked(fake, "POST /containers/create"), 0);
}

/* ---- lists, stops, calls ---- */

static void a_list_says_what_there_is_or_why_not(void **unused)
{
	static const struct fake_rule bad[] = {
		{"GET /containers/json", 500, "{\"message\":\"none\"}", FAKE_WHOLE, 1, 0},
		{"GET /containers/json", 200, "{}", FAKE_WHOLE, 1, 0},
		{"GET /containers/json", 200, "no JSON", FAKE_WHOLE, 1, 0},
		{"GET /containers/json", 0, NULL, FAKE_CUT, 1, 0},
		{"GET /containers/json", 0,
		 "HTTP/1.1 200 X\r\nContent-Length: 9\r\n\r\n[", FAKE_RAW, 1, 0},
	};

	(void)unused;
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		fake_rule(fake, &bad[i]);
	open_engine();
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		spawn_docker.list(engine, task_of(0));
		WAIT_FOR(tasks[0].told > 0);
		assert_int_equal(tasks[0].result, SPAWN_FAILED);
		assert_string_not_equal(tasks[0].err.text, "");
	}
	spawn_docker.list(engine, task_of(0));
	WAIT_FOR(tasks[0].told > 0);
	assert_int_equal(tasks[0].result, SPAWN_DONE);
	assert_int_equal(tasks[0].found_count, 1);
	assert_true(tasks[0].found.running);
	assert_string_equal(tasks[0].found.name, "S1");
}

static void stop(uint32_t grace_ms, enum spawn_result expected)
{
	spawn_docker.stop(engine, &server_aa, grace_ms, task_of(1));
	assert_int_equal(tasks[1].told, 0);
	WAIT_FOR(tasks[1].told > 0);
	assert_int_equal(tasks[1].result, expected);
}

static void a_stop_asks_first_and_removes_then(void **unused)
{
	(void)unused;
	open_engine();
	stop(1500, SPAWN_DONE);
	assert_int_equal(fake_asked(fake, "POST /containers/aa/stop?t=2"), 1);
	assert_int_equal(fake_asked(fake, "DELETE /containers/aa?force=true&v=true"), 1);
	stop(0, SPAWN_DONE);
	assert_int_equal(fake_asked(fake, "POST /containers/aa/stop"), 1);
	assert_int_equal(fake_asked(fake, "DELETE /containers/aa"), 2);
}

static void one_that_is_gone_is_stopped(void **unused)
{
	(void)unused;
	fake_says(fake, "POST /containers/aa/stop", 304, NULL, 1);
	fake_says(fake, "POST /containers/aa/stop", 404,
		  "{\"message\":\"No such container\"}", 0);
	fake_says(fake, "DELETE /containers/aa", 404, NULL, 0);
	open_engine();
	stop(1000, SPAWN_DONE);
	stop(1000, SPAWN_DONE);
	assert_int_equal(fake_asked(fake, "DELETE"), 1);
	stop(0, SPAWN_DONE);
}

static void a_removal_under_way_is_waited_for(void **unused)
{
	(void)unused;
	fake_says(fake, "DELETE /containers/aa", 409, "{\"message\":\"in progress\"}", 2);
	fake_says(fake, "DELETE /containers/aa", 404, NULL, 1);
	fake_says(fake, "DELETE /containers/aa", 500, "{\"message\":\"busy device\"}", 0);
	open_engine();
	stop(0, SPAWN_DONE);
	assert_int_equal(fake_asked(fake, "DELETE"), 3);
	stop(0, SPAWN_FAILED);
	assert_non_null(strstr(tasks[1].err.text, "busy device"));
}

static void no_more_than_sixteen_calls_are_under_way(void **unused)
{
	(void)unused;
	fake_does(fake, "GET /containers/json", FAKE_SILENT, NULL, 16);
	open_engine();
	for (int i = 0; i < 40; i++)
		spawn_docker.list(engine, task_of(i));
	WAIT_FOR(fake_kept(fake, false) == 16 && fake_kept(fake, true) == 1);
	for (int i = 0; i < 20; i++)
		loop_turn(l, 1);
	assert_int_equal(fake_asked(fake, "GET /containers/json"), 16);
	for (int i = 0; i < FAKE_CONNECTIONS_MAX; i++)
		if (fake->connections[i].kept && !fake->connections[i].stream)
			fake_end(&fake->connections[i]);
	for (int i = 0; i < 40; i++)
		WAIT_FOR(tasks[i].told == 1);
	assert_int_equal(tasks[0].result, SPAWN_FAILED);
	assert_int_equal(tasks[39].result, SPAWN_DONE);
}

static void an_engine_that_comes_later_is_found(void **unused)
{
	(void)unused;
	open_engine();			/* where the fake listens: end that */
	loop_watch_close(l, &fake->listener);
	unlink(fake->path);
	start_s1();
	assert_int_equal(tasks[0].result, SPAWN_FAILED);
	assert_non_null(strstr(tasks[0].err.text, "there is no such socket"));
	fake_listen(fake);
	start_s1();
	assert_int_equal(tasks[0].result, SPAWN_DONE);
	WAIT_FOR(fake_kept(fake, true) == 1);
}

static void an_engine_that_is_too_old_is_refused_each_time(void **unused)
{
	(void)unused;
	fake_says(fake, "GET /version", 200, "{\"ApiVersion\":\"1.20\"}", 0);
	open_engine();
	for (int i = 0; i < 3; i++) {
		start_s1();
		assert_int_equal(tasks[0].result, SPAWN_FAILED);
		assert_non_null(strstr(tasks[0].err.text, "1.24"));
	}
	assert_int_equal(fake_asked(fake, "POST"), 0);
}

static void a_closed_engine_tells_nothing_more(void **unused)
{
	(void)unused;
	fake_does(fake, "GET /containers/json", FAKE_SILENT, NULL, 0);
	fake_does(fake, "GET /networks", FAKE_SILENT, NULL, 0);
	open_engine();
	for (int i = 0; i < 20; i++)
		spawn_docker.list(engine, task_of(i));
	spawn_docker.start(engine, "S1", task_of(20));
	WAIT_FOR(fake_kept(fake, false) == 16);
	close_engine();
	WAIT_FOR(fake_kept(fake, false) == 0 && fake_kept(fake, true) == 0);
	for (int i = 0; i <= 20; i++) {
		assert_int_equal(tasks[i].told, 0);
		assert_null(tasks[i].spawn.inside);
	}
}

static void it_may_be_closed_by_who_is_told(void **unused)
{
	(void)unused;
	tasks[3].close = true;
	open_engine();
	for (int i = 0; i < 20; i++)
		spawn_docker.list(engine, task_of(i));
	WAIT_FOR(tasks[3].told == 1);
	assert_null(engine);
	tear_down(NULL);

	set_up(NULL);			/* the same when nobody answers */
	tasks[3].close = true;
	open_engine();
	loop_watch_close(l, &fake->listener);
	for (int i = 0; i < 20; i++)
		spawn_docker.list(engine, task_of(i));
	WAIT_FOR(tasks[3].told == 1);
	assert_null(engine);
	assert_int_equal(tasks[4].told, 0);
}

/* ---- ends ---- */

static void the_end_of_one_is_told_once_with_its_status(void **unused)
{
	(void)unused;
	open_engine();
	WAIT_FOR(fake_kept(fake, true) == 1);
	start_s1();
	fake_say(fake, DIED("bb") "nonsense\n" DIED("aa") DIED("aa"));
	WAIT_FOR(gone > 0);
	assert_string_equal(gone_id, "aa");
	assert_string_equal(gone_why, "exited with status 137 (killed)");
	spawn_docker.list(engine, task_of(2));
	WAIT_FOR(tasks[2].told == 1);
	assert_int_equal(gone, 1);
	assert_false(tasks[2].found.running);	/* the list was older */
}

static void an_event_may_come_in_pieces(void **unused)
{
	(void)unused;
	open_engine();
	WAIT_FOR(fake_kept(fake, true) == 1);
	start_s1();
	for (const char *c = DIED("aa"); *c != '\0'; c++) {
		assert_int_equal(gone, 0);
		fake_say(fake, (char[]){*c, '\0'});
		loop_turn(l, 0);
		loop_turn(l, 0);
	}
	WAIT_FOR(gone == 1);
}

static void the_end_of_one_that_is_stopped_is_not_told(void **unused)
{
	(void)unused;
	open_engine();
	WAIT_FOR(fake_kept(fake, true) == 1);
	start_s1();
	spawn_docker.stop(engine, &server_aa, 0, task_of(1));
	fake_say(fake, DIED("aa"));
	WAIT_FOR(tasks[1].told == 1);
	spawn_docker.list(engine, task_of(2));
	WAIT_FOR(tasks[2].told == 1);
	assert_int_equal(gone, 0);
}

/* To all that were told nothing yet. */
static void break_silence(const char *text)
{
	for (int i = 0; i < FAKE_CONNECTIONS_MAX; i++) {
		struct fake_connection *c = &fake->connections[i];
		if (c->kept && !c->stream) {
			fake_send(c, text);
			fake_end(c);
		}
	}
}

/* The last answer of a start and the event take two ways. */
static void one_that_ends_while_it_is_looked_at_has_not_started(void **unused)
{
	(void)unused;
	fake_does(fake, "GET /containers/aa/json", FAKE_SILENT, NULL, 1);
	open_engine();
	WAIT_FOR(fake_kept(fake, true) == 1);
	spawn_docker.start(engine, "S1", task_of(0));
	WAIT_FOR(fake_kept(fake, false) == 1);
	fake_say(fake, DIED("aa"));
	spawn_docker.list(engine, task_of(1));		/* so that it was heard */
	WAIT_FOR(tasks[1].told == 1 && !tasks[1].found.running);
	break_silence("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"
		      CONTAINER("aa", LABELS, RUNS));
	WAIT_FOR(tasks[0].told == 1);
	assert_int_equal(tasks[0].result, SPAWN_FAILED);
	assert_non_null(strstr(tasks[0].err.text, "137"));
	assert_int_equal(gone, 0);
	assert_int_equal(fake_asked(fake, "DELETE /containers/aa"), 1);
}

static void what_ends_while_nobody_hears_is_found_by_a_list(void **unused)
{
	(void)unused;
	fake_says(fake, "GET /containers/json", 200, "[]", 0);
	open_engine();
	WAIT_FOR(fake_kept(fake, true) == 1);
	start_s1();
	fake_say(fake, NULL);
	WAIT_FOR(gone == 1);
	assert_string_equal(gone_id, "aa");
	WAIT_FOR(fake_kept(fake, true) == 1);
	assert_int_equal(gone, 1);
}

static void one_that_is_younger_than_the_list_is_not_missed(void **unused)
{
	(void)unused;
	fake_says(fake, "POST /containers/create", 201, "{\"Id\":\"aa\"}", 1);
	fake_says(fake, "POST /containers/create", 201, "{\"Id\":\"bb\"}", 1);
	fake_says(fake, "POST /containers/bb/start", 204, NULL, 1);
	fake_says(fake, "GET /containers/bb/json", 200, CONTAINER("bb", LABELS, RUNS), 1);
	fake_does(fake, "GET /containers/json", FAKE_SILENT, NULL, 1);
	open_engine();
	WAIT_FOR(fake_kept(fake, true) == 1);
	start_s1();
	fake_say(fake, NULL);
	WAIT_FOR(fake_kept(fake, false) == 1 && fake_kept(fake, true) == 1);
	start_s1();
	assert_string_equal(tasks[0].spawn.server.id, "bb");
	break_silence("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n[]");
	WAIT_FOR(gone > 0);
	assert_string_equal(gone_id, "aa");
	fake_say(fake, DIED("bb"));
	WAIT_FOR(gone == 2);
	assert_string_equal(gone_id, "bb");
	assert_string_equal(gone_why, "exited with status 137 (killed)");
}

static void one_that_still_runs_is_not_told_of(void **unused)
{
	(void)unused;
	open_engine();
	WAIT_FOR(fake_kept(fake, true) == 1);
	start_s1();
	int lists = fake_asked(fake, "GET /containers/json");
	fake_say(fake, NULL);
	WAIT_FOR(fake_kept(fake, true) == 1 &&
		 fake_asked(fake, "GET /containers/json") >= lists + 2);
	spawn_docker.list(engine, task_of(2));
	WAIT_FOR(tasks[2].told == 1);
	assert_int_equal(gone, 0);
	fake_say(fake, DIED("aa"));
	WAIT_FOR(gone == 1);
}

static void a_stream_that_is_refused_is_tried_again(void **unused)
{
	(void)unused;
	fake_says(fake, "GET /events", 500, "{\"message\":\"no journal\"}", 2);
	open_engine();
	WAIT_FOR(fake_kept(fake, true) == 1);
	assert_int_equal(fake_asked(fake, "GET /events"), 3);
}

static void a_line_without_an_end_ends_the_stream(void **unused)
{
	char *much = memory_new(200001, 1);

	(void)unused;
	memset(much, 'x', 200000);
	open_engine();
	WAIT_FOR(fake_kept(fake, true) == 1);
	fake_say(fake, much);
	WAIT_FOR(fake_asked(fake, "GET /events") == 2 && fake_kept(fake, true) == 1);
	free(much);
}

static void who_is_told_of_an_end_may_close_it(void **unused)
{
	(void)unused;
	close_when_gone = true;
	open_engine();
	WAIT_FOR(fake_kept(fake, true) == 1);
	start_s1();
	fake_say(fake, DIED("aa") DIED("aa"));
	WAIT_FOR(gone == 1);
	assert_null(engine);
	tear_down(NULL);

	set_up(NULL);			/* and when a list has told it */
	close_when_gone = true;
	fake_says(fake, "GET /containers/json", 200, "[]", 0);
	open_engine();
	WAIT_FOR(fake_kept(fake, true) == 1);
	start_s1();
	fake_say(fake, NULL);
	WAIT_FOR(gone == 1);
	assert_null(engine);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_server_is_created_started_and_looked_at),
		TEST(what_does_not_start_is_removed_before_it_is_told),
		TEST(one_that_ends_at_once_says_its_last_line),
		TEST(one_without_an_address_is_taken_back),
		TEST(a_missing_image_is_said_with_its_remedy),
		TEST(the_name_of_another_is_left_alone),
		TEST(a_dead_one_of_ours_makes_room),
		TEST(it_makes_room_once_and_not_for_ever),
		TEST(what_a_lost_answer_made_is_removed),
		TEST(a_missing_network_is_made_once_for_many),
		TEST(of_two_networks_the_younger_is_taken_back),
		TEST(a_network_that_cannot_be_is_said),
		TEST(a_list_says_what_there_is_or_why_not),
		TEST(a_stop_asks_first_and_removes_then),
		TEST(one_that_is_gone_is_stopped),
		TEST(a_removal_under_way_is_waited_for),
		TEST(no_more_than_sixteen_calls_are_under_way),
		TEST(an_engine_that_comes_later_is_found),
		TEST(an_engine_that_is_too_old_is_refused_each_time),
		TEST(a_closed_engine_tells_nothing_more),
		TEST(it_may_be_closed_by_who_is_told),
		TEST(the_end_of_one_is_told_once_with_its_status),
		TEST(an_event_may_come_in_pieces),
		TEST(the_end_of_one_that_is_stopped_is_not_told),
		TEST(one_that_ends_while_it_is_looked_at_has_not_started),
		TEST(what_ends_while_nobody_hears_is_found_by_a_list),
		TEST(one_that_is_younger_than_the_list_is_not_missed),
		TEST(one_that_still_runs_is_not_told_of),
		TEST(a_stream_that_is_refused_is_tried_again),
		TEST(a_line_without_an_end_ends_the_stream),
		TEST(who_is_told_of_an_end_may_close_it),
	};

	log_set_level(LOG_LEVEL_ERROR);	/* lost engines are what is tested */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
