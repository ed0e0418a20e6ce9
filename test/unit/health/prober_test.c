/* Goal: verdicts follow from what servers really answer: on a loop, with servers in
 * threads. Nothing waits for a guess of time, only for what must come. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/memory.h"
#include "base/must.h"
#include "health/prober.h"
#include "model/live_registry.h"
#include "unit/health/fake_server.h"
#include "unit/model/sample.h"

enum { DEADLINE_MS = 10000, NEVER_MS = 3600 * 1000, SOON_MS = 20, PROBE_MS = 5000 };

#define GOOD   "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
#define BAD    "HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n"
#define LOAD_A "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n3\n12\n"
#define LOAD_B "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n5\n7\r\n0\r\n\r\n"

static const struct model_check no_check = {.rise = 1, .fall = 1};
static struct loop *l;
static struct live live;
static struct prober *prober;

/* What the prober has told last, and how often. */
static struct {
	int count;
	struct live_server *server;
	bool good, up;
	char reason[LIVE_REASON_MAX];
} told;
static char log_path[] = "/tmp/prober_test.XXXXXX";

static void on_judged(void *arg, struct live_server *s, bool good, const char *reason)
{
	assert_ptr_equal(arg, &told);
	told.count++;
	told.server = s;
	told.good = good;
	told.up = s->up;
	snprintf(told.reason, sizeof told.reason, "%s", reason);
}

static struct {
	int  count;
	bool up;
} published;

static void on_published(void *arg, const struct live_server *s, bool up,
			 const char *reason)
{
	assert_ptr_equal(arg, &told);
	assert_int_equal(s->up, up);
	assert_string_equal(s->reason, reason);
	published.count++;
	published.up = up;
}

static int open_all(void **unused)
{
	const struct prober_hooks hooks = {
		.judged = on_judged, .published = on_published, .arg = &told,
	};
	struct err err;

	(void)unused;
	l = loop_create(&err);
	live_init(&live);
	memset(&told, 0, sizeof told);
	memset(&published, 0, sizeof published);
	prober = prober_create(l, &hooks);
	assert_int_equal(truncate(log_path, 0), 0);
	return l != NULL ? 0 : -1;
}

static int close_all(void **unused)
{
	(void)unused;
	prober_destroy(prober);
	live_fini(&live);
	loop_destroy(l);
	return 0;
}

/* Runs turns until the condition holds. */
#define WAIT_FOR(condition)                                                     \
	do {                                                                    \
		uint64_t end_us = loop_clock_us() + DEADLINE_MS * 1000ull;      \
		while (!(condition) && loop_clock_us() < end_us)                \
			loop_turn(l, 10);                                       \
		assert_true(condition);                                         \
	} while (0)

static int lines_with(const char *text)
{
	char line[LOG_LINE_MAX + 1];
	int count = 0;
	FILE *f = fopen(log_path, "r");

	assert_non_null(f);
	while (fgets(line, sizeof line, f) != NULL)
		count += strstr(line, text) != NULL;
	fclose(f);
	return count;
}

/* A model of one pool "web" with this check, not attached yet. */
static struct model *model_with(struct model_check check, const char *const *servers)
{
	struct model *m = sample_model("web", servers);

	if (check.kind == CHECK_HTTP)
		check.path = memory_text("/healthcheck");
	m->pools[0].check = check;
	return m;
}

static struct model_check check_every(uint32_t every_ms, uint16_t rise, uint16_t fall)
{
	return (struct model_check){
		.kind = CHECK_HTTP, .expect = EXPECT_STATUS, .status_min = 200,
		.status_max = 399, .every_ms = every_ms, .timeout_ms = PROBE_MS,
		.rise = rise, .fall = fall,
	};
}

/* Gives the model to the prober, which alone holds it then. */
static void use(struct model *m)
{
	struct err err;

	assert_int_equal(model_attach(m, &live, &err), 0);
	live_take_over(m);
	prober_use(prober, m);
	model_put(m);
	live_collect(&live);
}

static struct live_server *server_at(const char *text)
{
	struct live_server *s = live.servers;

	while (s != NULL && strcmp(s->text, text) != 0)
		s = s->next;
	assert_non_null(s);
	return s;
}

/* A port on which nobody listens. */
static uint16_t closed_port(void)
{
	struct fake_server s;

	fake_open(&s, 0, NULL);
	fake_close(&s);
	return s.port;
}

static void a_silent_server_delays_nobody(void **unused)
{
	struct fake_server quick[3], silent;
	struct model_check check = check_every(NEVER_MS, 1, 1);

	(void)unused;
	check.timeout_ms = 300;
	fake_open(&silent, 0, NULL);
	for (int i = 0; i < 3; i++)
		fake_open(&quick[i], 0, GOOD);
	use(model_with(check, SERVERS(silent.text, quick[0].text, quick[1].text,
				      quick[2].text)));
	struct live_server *s = server_at(silent.text);
	uint64_t start_us = loop_clock_us();
	for (int i = 0; i < 3; i++)
		WAIT_FOR(server_at(quick[i].text)->reason[0] != '\0');
	if (loop_clock_us() - start_us < 300 * 1000)
		assert_true(s->up);
	WAIT_FOR(!s->up);
	assert_true(loop_clock_us() - start_us >= 299 * 1000);
	assert_string_equal(s->reason, "no answer within 300 ms");
	for (int i = 0; i < 3; i++) {
		assert_true(server_at(quick[i].text)->up);
		assert_string_equal(server_at(quick[i].text)->reason, "200");
		assert_int_equal(quick[i].connections, 1);
		fake_close(&quick[i]);
	}
	assert_int_equal(lines_with("server is"), 1);
	fake_close(&silent);
}

static bool was_asked(struct fake_server *s, const char *text)
{
	pthread_mutex_lock(&s->lock);
	bool found = strstr(s->request, text) != NULL;
	pthread_mutex_unlock(&s->lock);
	return found;
}

static void the_request_says_who_asks_and_for_what(void **unused)
{
	struct fake_server server;
	char host[64];

	(void)unused;
	fake_open(&server, 0, GOOD);
	use(model_with(check_every(NEVER_MS, 1, 1), SERVERS(server.text)));
	WAIT_FOR(server_at(server.text)->reason[0] != '\0');
	snprintf(host, sizeof host, "\r\nHost: %s\r\n", server.text);
	assert_true(was_asked(&server, "GET /healthcheck HTTP/1.1\r\n"));
	assert_true(was_asked(&server, host));
	assert_true(was_asked(&server, "\r\nUser-Agent: balancerd-check\r\n"));
	assert_true(was_asked(&server, "\r\nConnection: close\r\n\r\n"));
	fake_close(&server);
}

static void a_killed_server_goes_down_and_comes_back(void **unused)
{
	struct fake_server server;

	(void)unused;
	fake_open(&server, 0, GOOD);
	use(model_with(check_every(SOON_MS, 2, 3), SERVERS(server.text)));
	struct live_server *s = server_at(server.text);
	WAIT_FOR(server.connections >= 2);
	assert_true(s->up);
	assert_int_equal(lines_with("server is"), 0);

	fake_close(&server);
	WAIT_FOR(!s->up);
	assert_string_equal(s->reason, "connection refused");
	assert_int_equal(lines_with("warn server is down pool=web server=127.0.0.1"), 1);
	assert_int_equal(lines_with("reason=\"connection refused\" checks_failed=3"), 1);

	fake_open(&server, server.port, GOOD);
	WAIT_FOR(s->up);
	assert_string_equal(s->reason, "200 after 2 good checks");
	assert_int_equal(lines_with("info server is up pool=web server=127.0.0.1"), 1);
	assert_int_equal(lines_with("server is"), 2);
	fake_close(&server);
}

static void the_first_result_decides_alone(void **unused)
{
	struct fake_server server;

	(void)unused;
	fake_open(&server, 0, BAD);
	use(model_with(check_every(NEVER_MS, 5, 5), SERVERS(server.text)));
	struct live_server *s = server_at(server.text);
	WAIT_FOR(!s->up);
	assert_string_equal(s->reason, "status 503");
	assert_int_equal(lines_with("checks_failed=1"), 1);
	fake_close(&server);
}

static void a_good_answer_replaces_the_load(void **unused)
{
	struct fake_server server;
	struct model_check check = check_every(NEVER_MS, 1, 1);

	(void)unused;
	check.expect = EXPECT_LOAD;
	fake_open(&server, 0, LOAD_A);
	struct model *m = model_with(check, SERVERS(server.text));
	use(m);
	struct live_server *s = server_at(server.text);
	atomic_store(&s->load_total, 1000);
	WAIT_FOR(s->load_total == 12);
	assert_int_equal(s->load_errors, 3);

	atomic_store(&server.answer, LOAD_B);
	prober_check_pool(prober, m->pools[0].live);
	WAIT_FOR(s->load_total == 7);
	assert_int_equal(s->load_errors, 5);

	atomic_store(&server.answer, GOOD);
	prober_check_pool(prober, m->pools[0].live);
	WAIT_FOR(!s->up);
	assert_int_equal(s->load_total, 7);
	assert_string_equal(s->reason, "the body is not two numbers");
	fake_close(&server);
}

static void probes_under_way_are_not_doubled(void **unused)
{
	struct fake_server server;

	(void)unused;
	fake_open(&server, 0, NULL);
	struct model *m = model_with(check_every(SOON_MS, 1, 1), SERVERS(server.text));
	use(m);
	WAIT_FOR(server.connections == 1);
	uint64_t end_us = loop_clock_us() + 10 * SOON_MS * 1000;
	while (loop_clock_us() < end_us) {
		prober_check_pool(prober, m->pools[0].live);
		loop_turn(l, SOON_MS);
	}
	assert_int_equal(server.connections, 1);
	fake_close(&server);
}

static void after_the_first_round_probes_are_spread(void **unused)
{
	enum { COUNT = 5, EVERY_MS = 400 };
	struct fake_server servers[COUNT];
	const char *texts[COUNT + 1] = {0};
	long long last_us = 0;

	(void)unused;
	for (int i = 0; i < COUNT; i++) {
		fake_open(&servers[i], 0, GOOD);
		texts[i] = servers[i].text;
	}
	use(model_with(check_every(EVERY_MS, 1, 1), texts));
	for (int i = 0; i < COUNT; i++)
		WAIT_FOR(servers[i].connections >= 3);
	for (int i = 0; i < COUNT; i++) {
		long long *at = (long long *)servers[i].times_us;
		/* Each a fifth of the period after the one before, give or take what a
		 * busy machine adds. */
		assert_true(at[1] - last_us >= EVERY_MS * 1000 / COUNT / 4);
		last_us = at[1];
		/* And never longer than `every` apart, likewise. */
		assert_true(at[2] - at[1] <= (EVERY_MS + EVERY_MS / 2) * 1000);
		fake_close(&servers[i]);
	}
}

static void connecting_is_a_check_too(void **unused)
{
	struct fake_server server;
	struct model_check check = check_every(SOON_MS, 1, 1);

	(void)unused;
	check.kind = CHECK_TCP;
	fake_open(&server, 0, NULL);
	use(model_with(check, SERVERS(server.text)));
	struct live_server *s = server_at(server.text);
	WAIT_FOR(strcmp(s->reason, "connected") == 0);
	fake_close(&server);
	WAIT_FOR(!s->up);
	fake_open(&server, server.port, NULL);
	WAIT_FOR(s->up);
	assert_string_equal(s->reason, "connected after 1 good check");
	fake_close(&server);
}

/* As the data path does it: failures, and a message when one of them marked it. */
static bool fail_once(struct live_server *s, uint32_t fails_max)
{
	if (!live_server_failed(s, FAILURE_RESET, fails_max))
		return false;
	prober_on_passive_mark(prober, s, FAILURE_RESET);
	return true;
}

static void a_mark_is_said_once_and_taken_back_by_probes(void **unused)
{
	struct fake_server server;

	(void)unused;
	fake_open(&server, 0, GOOD);
	use(model_with(check_every(SOON_MS, 3, 3), SERVERS(server.text)));
	struct live_server *s = server_at(server.text);
	WAIT_FOR(s->reason[0] != '\0');
	assert_false(fail_once(s, 2));
	assert_true(fail_once(s, 2));
	assert_false(s->up);
	assert_string_equal(s->reason, "closed before a response");
	prober_on_passive_mark(prober, s, FAILURE_RESET);
	assert_int_equal(lines_with("\"closed before a response\" requests_failed="), 1);
	WAIT_FOR(s->up);
	assert_string_equal(s->reason, "200 after 3 good checks");
	assert_int_equal(s->failures_in_row, 0);
	assert_int_equal(lines_with("server is"), 2);
	fake_close(&server);
}

static void a_mark_counts_even_before_it_is_told(void **unused)
{
	struct fake_server server;

	(void)unused;
	fake_open(&server, 0, GOOD);
	use(model_with(check_every(SOON_MS, 2, 3), SERVERS(server.text)));
	struct live_server *s = server_at(server.text);
	WAIT_FOR(s->reason[0] != '\0');
	assert_true(live_server_failed(s, FAILURE_RESET, 1));
	WAIT_FOR(s->up);
	assert_int_equal(lines_with("server is down"), 1);
	assert_int_equal(lines_with("server is up"), 1);
	fake_close(&server);
}

static void without_a_check_a_mark_ends_half_open(void **unused)
{
	char text[32];

	(void)unused;
	snprintf(text, sizeof text, "127.0.0.1:%u", (unsigned)closed_port());
	struct model *m = model_with(no_check, SERVERS(text));
	m->pools[0].passive_fails = 3;
	m->pools[0].passive_ms = SOON_MS;
	use(m);
	struct live_server *s = server_at(text);
	for (int i = 0; i < 3; i++)
		assert_int_equal(fail_once(s, 3), i == 2);
	assert_false(s->up);
	WAIT_FOR(s->up);
	assert_int_equal(lines_with("server is up"), 1);
	assert_true(fail_once(s, 3));	/* one more is enough */
	assert_false(s->up);
	WAIT_FOR(s->up);
	live_server_succeeded(s);	/* a good response, and it takes three again */
	assert_false(fail_once(s, 3));
	assert_int_equal(lines_with("server is down"), 2);
}

static void a_name_without_address_is_down(void **unused)
{
	struct fake_server server;
	struct address at;
	struct err err;

	(void)unused;
	fake_open(&server, 0, GOOD);
	use(model_with(check_every(NEVER_MS, 3, 3), SERVERS("app.invalid:80")));
	struct live_server *s = server_at("app.invalid:80");
	assert_false(s->up);
	for (int i = 0; i < 3; i++)
		loop_turn(l, 5);
	assert_string_equal(s->reason, "name not resolved yet");
	assert_int_equal(lines_with("server is down"), 1);

	assert_int_equal(address_parse(&at, server.text, "127.0.0.1", &err), 0);
	live_server_set_address(s, &at);
	prober_check_server(prober, s);
	WAIT_FOR(s->up);
	assert_string_equal(s->reason, "200 after 1 good check");
	assert_true(was_asked(&server, "Host: app.invalid:80\r\n"));
	fake_close(&server);
}

static void a_name_without_a_check_is_up_when_resolved(void **unused)
{
	struct address at;
	struct err err;

	(void)unused;
	use(model_with(no_check, SERVERS("app.invalid:80")));
	struct live_server *s = server_at("app.invalid:80");
	assert_false(s->up);
	prober_check_server(prober, s);
	assert_false(s->up);
	assert_int_equal(address_parse(&at, "127.0.0.1:9", "127.0.0.1", &err), 0);
	live_server_set_address(s, &at);
	prober_check_server(prober, s);
	assert_true(s->up);
	assert_int_equal(lines_with("server is up"), 1);
}

static void a_reload_keeps_verdicts_and_forgets_the_gone(void **unused)
{
	struct fake_server stays, goes, comes;

	(void)unused;
	fake_open(&stays, 0, BAD);
	fake_open(&goes, 0, NULL);
	fake_open(&comes, 0, GOOD);
	use(model_with(check_every(NEVER_MS, 2, 3), SERVERS(stays.text, goes.text)));
	struct live_server *s = server_at(stays.text);
	WAIT_FOR(!s->up && goes.connections == 1);

	use(model_with(check_every(NEVER_MS, 2, 3), SERVERS(comes.text, stays.text)));
	WAIT_FOR(server_at(comes.text)->reason[0] != '\0');
	for (struct live_server *any = live.servers; any != NULL; any = any->next)
		assert_string_not_equal(any->text, goes.text);
	assert_ptr_equal(server_at(stays.text), s);
	assert_false(s->up);
	assert_int_equal(stays.connections, 1);		/* the check is the same */
	assert_int_equal(lines_with("server is"), 1);

	use(model_with(check_every(NEVER_MS - 1, 1, 3), SERVERS(comes.text, stays.text)));
	atomic_store(&stays.answer, GOOD);
	WAIT_FOR(s->up);				/* another check: asked at once */
	fake_close(&stays);
	fake_close(&goes);
	fake_close(&comes);
}

static void each_probe_is_told_after_what_follows_from_it(void **unused)
{
	struct fake_server server;

	(void)unused;
	fake_open(&server, 0, BAD);
	use(model_with(check_every(SOON_MS, 1, 2), SERVERS(server.text)));
	struct live_server *s = server_at(server.text);
	WAIT_FOR(told.count >= 1);
	assert_ptr_equal(told.server, s);
	assert_false(told.good);
	assert_string_equal(told.reason, "status 503");
	WAIT_FOR(told.count >= 2 && !told.up);		/* though it goes on being bad: */
	int before = told.count;
	WAIT_FOR(told.count > before);
	assert_false(told.good);
	assert_true(published.count == 1 && !published.up);	/* once, however often */

	atomic_store(&server.answer, GOOD);
	WAIT_FOR(told.good);
	assert_true(told.up);
	assert_true(published.count == 2 && published.up);
	assert_string_equal(told.reason, "200");
	fake_close(&server);
}

/* Without a probe there is nothing to judge, but one that is up may be waited for. */
static void who_comes_up_without_a_check_is_told(void **unused)
{
	struct address at;
	struct err err;

	(void)unused;
	use(model_with(no_check, SERVERS("app.invalid:80")));
	struct live_server *s = server_at("app.invalid:80");
	assert_int_equal(address_parse(&at, "127.0.0.1:9", "127.0.0.1", &err), 0);
	live_server_set_address(s, &at);
	assert_int_equal(told.count, 0);
	prober_check_server(prober, s);
	assert_int_equal(told.count, 1);
	assert_ptr_equal(told.server, s);
	assert_true(told.good && told.up);
}

static void a_check_that_is_gone_holds_nobody_down(void **unused)
{
	struct fake_server server;

	(void)unused;
	fake_open(&server, 0, BAD);
	use(model_with(check_every(NEVER_MS, 1, 1), SERVERS(server.text)));
	struct live_server *s = server_at(server.text);
	WAIT_FOR(!s->up);
	struct model *m = model_with(no_check, SERVERS(server.text));
	m->pools[0].passive_ms = SOON_MS;
	use(m);
	WAIT_FOR(s->up);
	fake_close(&server);
}

/* More than may be probed at once: the others have their turn. */
static void no_server_is_left_out(void **unused)
{
	enum { COUNT = PROBES_MAX + 200 };
	static char texts[COUNT][32];
	static const char *servers[COUNT + 1];
	uint16_t port = closed_port();

	(void)unused;
	for (int i = 0; i < COUNT; i++) {
		snprintf(texts[i], sizeof texts[i], "127.0.%d.%d:%u", 1 + i / 250,
			 1 + i % 250, (unsigned)port);
		servers[i] = texts[i];
	}
	struct model_check check = check_every(200, 1, 1);
	use(model_with(check, servers));
	WAIT_FOR(told.count >= COUNT);
	for (int i = 0; i < COUNT; i++)
		assert_false(server_at(texts[i])->up);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_all, close_all)
	const struct CMUnitTest tests[] = {
		TEST(a_silent_server_delays_nobody),
		TEST(the_request_says_who_asks_and_for_what),
		TEST(a_killed_server_goes_down_and_comes_back),
		TEST(the_first_result_decides_alone),
		TEST(a_good_answer_replaces_the_load),
		TEST(probes_under_way_are_not_doubled),
		TEST(after_the_first_round_probes_are_spread),
		TEST(connecting_is_a_check_too),
		TEST(a_mark_is_said_once_and_taken_back_by_probes),
		TEST(a_mark_counts_even_before_it_is_told),
		TEST(without_a_check_a_mark_ends_half_open),
		TEST(a_name_without_address_is_down),
		TEST(a_name_without_a_check_is_up_when_resolved),
		TEST(a_reload_keeps_verdicts_and_forgets_the_gone),
		TEST(each_probe_is_told_after_what_follows_from_it),
		TEST(who_comes_up_without_a_check_is_told),
		TEST(a_check_that_is_gone_holds_nobody_down),
		TEST(no_server_is_left_out),
	};
	struct err err;
	int fd = mkstemp(log_path);

	if (fd < 0 || close(fd) != 0 || log_open(log_path, &err) != 0)
		return 1;
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	unlink(log_path);
	return failed;
}
