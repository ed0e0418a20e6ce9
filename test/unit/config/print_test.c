/* Goal: what is printed of a model is what was meant, no more, and reads as the same. */
#include "unit/config/read.h"

#include "config/print.h"
#include "fuzz/model_equal.h"

/* Reads a text, warnings or not; the model is the caller's. */
static struct model *read_model(const char *text)
{
	struct model *m = config_read(text, strlen(text), "test.conf", &report);

	if (m == NULL)
		report_print(&report, stderr);
	assert_non_null(m);
	return m;
}

/* What is printed of a text is exactly this, reads as an equal model, and prints as the
 * same again. */
static void prints(const char *text, const char *expected)
{
	struct model *m = read_model(text);
	char *once = config_print(m);
	struct model *again = read_model(once);
	char *twice = config_print(again);

	assert_string_equal(once, expected);
	assert_string_equal(twice, expected);
	assert_true(models_equal(m, again));
	free(once);
	free(twice);
	model_put(again);
	model_put(m);
}

static void what_holds_anyway_is_not_said(void **unused)
{
	(void)unused;
	prints("threads auto; log info; drain 30s; access-log off\n"
	       "listen http :80 { to a; connections unlimited; body-size unlimited\n"
	       "	timeout head 10s keep-alive 60s; headers x-forwarded via }\n"
	       "pool a { server 1 weight 1; balance round-robin; check off; retry 3\n"
	       "	key address; redistribute idle quiet 300ms; host preserve }\n",
	       "listen http 0.0.0.0:80 {\n"
	       "	to a\n"
	       "}\n"
	       "pool a {\n"
	       "	server 127.0.0.1:1\n"
	       "}\n");
}

static void what_is_said_besides_is_all_that_is_said(void **unused)
{
	(void)unused;
	prints("listen http :80 { to a; timeout head 11s keep-alive 60s; headers none\n"
	       "	parallel unlimited queue 5 }\n"
	       "pool a { server 1 weight 0 drain; check tcp every 3s timeout 500ms\n"
	       "	passive off; queue 0 wait 0s }\n"
	       "log debug to \"/var/log/a b\"\n",
	       "log debug to \"/var/log/a b\"\n"
	       "listen http 0.0.0.0:80 {\n"
	       "	to a\n"
	       "	timeout head 11s\n"
	       "	parallel unlimited queue 5\n"
	       "	headers none\n"
	       "}\n"
	       "pool a {\n"
	       "	server 127.0.0.1:1 weight 0 drain\n"
	       "	check tcp timeout 500ms\n"
	       "	passive off\n"
	       "	queue 0 wait 0s\n"
	       "}\n");
}

static void listeners_and_routes_keep_their_order(void **unused)
{
	(void)unused;
	prints("listen udp :3 { to b }\n"
	       "listen http :2 { to a; route path / to b; route host H to a }\n"
	       "listen tcp :1 { to a }\n"
	       "listen http :4 { route path /x to b }\n"
	       "pool b { server 1 }\n"
	       "pool a { server 1 }\n",
	       "listen udp 0.0.0.0:3 {\n"
	       "	to b\n"
	       "}\n"
	       "listen http 0.0.0.0:2 {\n"
	       "	route path / to b\n"
	       "	route host h to a\n"
	       "	to a\n"
	       "}\n"
	       "listen tcp 0.0.0.0:1 {\n"
	       "	to a\n"
	       "}\n"
	       "listen http 0.0.0.0:4 {\n"
	       "	route path /x to b\n"
	       "}\n"
	       "pool b {\n"
	       "	server 127.0.0.1:1\n"
	       "}\n"
	       "pool a {\n"
	       "	server 127.0.0.1:1\n"
	       "}\n");
}

static void what_one_word_decides_for_another_is_printed_too(void **unused)
{
	(void)unused;
	/* The head's size for the target, the policy for what a probe expects. */
	prints("listen http :1 { to a; head-size 4k }\n"
	       "pool a { server 1; balance least-load; check http / }\n",
	       "listen http 0.0.0.0:1 {\n"
	       "	to a\n"
	       "	head-size 4k\n"
	       "	target-size 4k\n"
	       "}\n"
	       "pool a {\n"
	       "	balance least-load\n"
	       "	server 127.0.0.1:1\n"
	       "	check http / expect load\n"
	       "}\n");
}

/* Statements in their printed form, by the block that they stand in. */
static const char *const in_file[] = {
	"threads 2", "metrics off", "connections 7", "drain 0s", "log error", "log info to l",
	"access-log json to a", "access-log off to a",
	"access-log combined sample 1/100",
	"access-log format \"{peer} \\\"{header A}\\\"\" to a sample 1/2",
	"log info to journald:/s form json same unlimited", "log info same 5",
	"control unix:/run/a.sock",
	"control 127.0.0.1:9 token t", "control [::1]:9 token t read-token r",
	"state /var/lib/x", "resolve every 1s", "resolve from 10.0.0.2:53",
	"resolve every 24h from 127.0.0.1:8600 [::1]:53 10.0.0.2:53", NULL,
};
static const char *const in_http[] = {
	"connections 3", "parallel 4 queue 5 wait 6s", "requests 7", "head-size 32k",
	"head-fields 8", "target-size 4k", "body-size 0",
	"headers via x-forwarded forwarded", "headers forwarded",
	"timeout head 1s body 2s keep-alive 3s linger 4s tunnel 24h", "access-log off",
	"trace on", "trace on sample 1/10", "trace off sample none", "errors plain-500",
	"proxy-protocol from ::/0 10.0.0.1", NULL,
};
static const char *const in_tcp[] = {
	"connections 3", "timeout idle 500ms lifetime 576h", "keep-alive-probe off",
	"keep-alive-probe 9h", "proxy-protocol from 0.0.0.0/0 fd00::/8", NULL,
};
static const char *const in_udp[] = {"connections 3", "timeout idle 1h", NULL};
static const char *const in_kv[] = {
	"connections 3", "timeout idle 1s", "workers 0.0.0.0:3", "workers [::1]:1",
	"protocol resp", NULL,
};
static const char *const in_kv_pool[] = {
	"balance ring points 1", "acks one", "acks none", "secret /etc/secret",
	"key-size 1", "key-size 32k", "value-size 0", "value-size 65247", "queue 0 wait 0s",
	"timeout connect 1ms response 2ms", "retry off", NULL,
};
static const char *const in_pool[] = {
	"balance ring points 1 bounded 1%", "balance maglev table 2 bounded 1000%",
	"balance slots slots 65536 virtual 1000 hash mixed", "balance slots virtual 1",
	"balance random", "key address-port", "key path", "key header X-A",
	"key cookie a", "key query \"a{\"", "sticky cookie s", "sticky cookie s for 9600h",
	"check http /?a expect 204 every 1ms timeout 1ms rise 4 fall 5 after 6 requests "
	"host [::1]:80",
	"check tcp rise 1", "passive 1 for 1ms", "retry off budget 0% reserve 0",
	"parallel 2", "queue 0", "timeout connect 1ms response 2ms body 3ms idle 4ms",
	"keep 0", "host server", "host a.b:80", "redistribute off",
	"redistribute idle buffer 0 quiet 0s", "redistribute replay buffer 64k",
	"proxy-protocol v1", "proxy-protocol v2", "server srv _http._tcp.a.test",
	"server srv web.service.consul parallel 7", "server srv.test:80 weight 2", NULL,
};

/* In the blocks of pools that own their servers, and of what they say of these. */
static const char *const in_owning_pool[] = {
	"retry 3", "queue 5 wait 5s", "request-id off", "check tcp", "check tcp fall 3",
	"check http /x timeout 1s", "check http /heartbeat rise 2",
	"batch window 1ms count 2", "batch window 10s",
	"balance slots", "balance ring", NULL,
};
static const char *const in_owning_slots[] = {"key path", "key address", NULL};
static const char *const in_own[] = {
	"command /a", "command a --b \"\" \"c d\"", "env A b", "env A \"\"",
	"env A \"b c=d\\n\"", "min 0", "max 1000", "names a-", "start-time 1ms",
	"stop-time 0s", "drain-time 24h", "starts-per-minute 10000", "at-end leave",
	"memory 6m", "files 16", "scale up-above 1 down-below 0",
	"scale up-above 1000000 down-below 999999 up-after 0s down-after 24h", NULL,
};
static const char *const images[] = {"image b", "image r.io:1/b:2@sha256:0", NULL};
static const char *const in_docker[] = {
	"network n", "socket \"/a b\"", "port 1", "cpu 102400%", "processes 1",
	NULL,
};
static const char *const in_process[] = {"directory \"/a b\"", "port 65535", NULL};

/* What name servers have told is not the file's. */
static void servers_of_records_are_not_printed(void **unused)
{
	(void)unused;
	struct model *m = read_model("listen http :80 { to a }\n"
				     "pool a { server 1; server srv a.test }\n");
	char *before = config_print(m);
	struct model_server *s = model_server_add(&m->pools[0]);
	struct err err;

	assert_int_equal(address_parse(&s->address, "b.test:80", "", &err), 0);
	s->srv_weights[0] = 1;
	char *after = config_print(m);
	assert_string_equal(before, after);
	assert_non_null(strstr(after, "server srv a.test\n"));
	free(before);
	free(after);
	model_put(m);
}

/* Each statement, put between these, is printed as it stands and reads the same. */
static void are_printed(const char *const *statements, const char *before,
			const char *behind)
{
	for (; *statements != NULL; statements++) {
		char text[512], line[256];
		snprintf(line, sizeof line, "%s\n", *statements);
		snprintf(text, sizeof text, "%s%s%s", before, line, behind);
		struct model *m = read_model(text);
		char *printed = config_print(m);
		struct model *again = read_model(printed);
		if (strstr(printed, line) == NULL)
			assert_string_equal(printed, line);
		assert_true(models_equal(m, again));
		model_put(again);
		model_put(m);
		free(printed);
	}
}

static void every_word_is_printed_as_it_reads(void **unused)
{
	(void)unused;
	are_printed(in_file, "", "listen tcp :1 { to a }\npool a { server 1 }\n");
	are_printed(in_http, "listen http :1 { to a\n", "}\npool a { server 1 }\n");
	are_printed(in_tcp, "listen tcp :1 { to a\n", "}\npool a { server 1 }\n");
	are_printed(in_udp, "listen udp :1 { to a\n", "}\npool a { server 1 }\n");
	are_printed(in_kv, "listen kv :1 { to a\n",
		    "}\npool a {\n}\nlisten kv :4 { to a; workers :5 }\n");
	are_printed(in_kv_pool, "listen kv :1 { to a; workers :2 }\npool a {\n", "}\n");
	are_printed(in_pool, "pool a { server 1\n",
		    "}\npool b { server 1 }\nlisten http :1 { to b }\n");
}

static void what_is_owned_is_printed_as_it_reads(void **unused)
{
	(void)unused;
	static const char ending[] = "}\n}\nlisten http :1 { to a }\n";

	are_printed(in_owning_pool, "pool a { own docker { image a }\n",
		    "}\nlisten http :1 { to a }\n");
	are_printed(in_owning_slots, "pool a { own docker { image a }; balance slots\n",
		    "}\nlisten http :1 { to a }\n");
	are_printed(in_own, "pool a { own docker { image a\n", ending);
	are_printed(in_docker, "pool a { own docker { image a\n", ending);
	are_printed(images, "pool a { own docker {\n", ending);
	are_printed(in_own + 2, "pool a { own process { command a\n", ending);
	are_printed(in_process, "pool a { own process { command a\n", ending);
}

static void what_holds_in_an_owning_pool_is_not_said(void **unused)
{
	(void)unused;
	prints("listen http :80 { to a; admin legacy }\n"
	       "pool a { queue 1024 wait 30s; retry 4; request-id on; key request-id\n"
	       "	own docker { image a; min 1; max 10; names S; port 5000\n"
	       "		network balancerd; socket /var/run/docker.sock; at-end stop\n"
	       "		memory unlimited; cpu unlimited; stop-time 10s\n"
	       "		env B 1; env A 2 }\n"
	       "	balance slots\n"
	       "	check http /heartbeat every 3s timeout 5s rise 1 fall 1 }\n"
	       "pool b { own process { command b; port any } }\n",
	       "listen http 0.0.0.0:80 {\n"
	       "	to a\n"
	       "	admin legacy a\n"
	       "}\n"
	       "pool a {\n"
	       "	balance slots\n"
	       "	own docker {\n"
	       "		image a\n"
	       "		env B 1\n"
	       "		env A 2\n"
	       "	}\n"
	       "}\n"
	       "pool b {\n"
	       "	own process {\n"
	       "		command b\n"
	       "	}\n"
	       "}\n");
}

static void quick_forms_are_configurations_too(void **unused)
{
	(void)unused;
	static char words[][12] = {"80", "81", "app:1", "-N", "8", "[::1]:80"};
	char *http[] = {words[0], words[1], words[2], words[3], words[4]};
	char *tcp[] = {words[5]};
	struct err err;
	struct model *m = config_quick_http(5, http, &err);
	char *text = config_print(m);

	prints(text, "listen http 0.0.0.0:80 {\n"
		     "	to default\n"
		     "	connections 8\n"
		     "	errors plain-500\n"
		     "}\n"
		     "pool default {\n"
		     "	balance least-load\n"
		     "	server 127.0.0.1:81\n"
		     "	server app:1\n"
		     "	check http /healthcheck expect load rise 1 fall 1 after 5 "
		     "requests\n"
		     "}\n");
	free(text);
	model_put(m);
	m = config_quick_tcp(1, tcp, &err);
	text = config_print(m);
	prints(text, "listen tcp [::1]:80 {\n"
		     "	to default\n"
		     "}\n"
		     "pool default {\n"
		     "	balance ring\n"
		     "	check tcp every 1s rise 1 fall 2\n"
		     "}\n");
	free(text);
	model_put(m);
}

static void workers_are_not_in_the_file(void **unused)
{
	(void)unused;
	static const char text[] = "listen kv 0.0.0.0:1 {\n"
				   "	to a\n"
				   "	workers 0.0.0.0:2\n"
				   "}\n"
				   "pool a {\n"
				   "}\n";
	struct model *m = read_model(text);

	/* As one that has joined. */
	assert_int_equal(fill_listen(&model_server_add(&m->pools[0])->address, "3",
				     "127.0.0.1", &(struct err){""}), 0);
	char *printed = config_print(m);
	assert_string_equal(printed, text);
	free(printed);
	model_put(m);
}

static void servers_that_were_made_are_not_in_the_file(void **unused)
{
	(void)unused;
	struct model *m = read_model("pool a { own process { command a } }\n"
				     "listen http :1 { to a }\n");

	assert_int_equal(fill_listen(&model_server_add(&m->pools[0])->address, "3",
				     "127.0.0.1", &(struct err){""}), 0);
	char *printed = config_print(m);
	assert_null(strstr(printed, "server"));
	free(printed);
	model_put(m);
}

static void models_differ_in_one_word(void **unused)
{
	(void)unused;
	static const char *const texts[] = {
		"listen http :1 { to a }\npool a { server 1 }\npool b { server 1 }\n",
		"listen http :2 { to a }\npool a { server 1 }\npool b { server 1 }\n",
		"listen tcp :1 { to a }\npool a { server 1 }\npool b { server 1 }\n",
		"listen http :1 { to b }\npool a { server 1 }\npool b { server 1 }\n",
		"listen http :1 { to a }\npool a { server 2 }\npool b { server 1 }\n",
		"listen http :1 { to a }\npool a { server 1 drain }\n"
		"pool b { server 1 }\n",
		"listen http :1 { to a }\npool a { server 1 }\npool b {\n}\n",
		"listen http :1 { to a }\npool b { server 1 }\npool a { server 1 }\n",
		"listen http :1 { to a }\npool a { server 1 }\n",
		"listen http :1 { to a }\npool a { server 1; check tcp }\n"
		"pool b { server 1 }\n",
		"listen http :1 { to a; headers via }\npool a { server 1 }\n"
		"pool b { server 1 }\n",
		"listen http :1 { route path / to a }\npool a { server 1 }\n"
		"pool b { server 1 }\n",
		"listen http :1 { to a }\npool a { own docker { image a } }\n"
		"pool b { server 1 }\n",
		"listen http :1 { to a }\npool a { own docker { image b } }\n"
		"pool b { server 1 }\n",
		"listen http :1 { to a }\npool a { own process { command a } }\n"
		"pool b { server 1 }\n",
		"listen http :1 { to a }\npool a { own process { command a b } }\n"
		"pool b { server 1 }\n",
		"listen http :1 { to a }\npool a { own process { command a; env A b } }\n"
		"pool b { server 1 }\n",
		"listen http :1 { to a; admin legacy }\n"
		"pool a { own docker { image a } }\npool b { server 1 }\n",
	};

	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		for (size_t k = 0; k < sizeof texts / sizeof *texts; k++) {
			struct model *a = read_model(texts[i]), *b = read_model(texts[k]);
			assert_int_equal(models_equal(a, b), i == k);
			model_put(a);
			model_put(b);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_holds_anyway_is_not_said),
		cmocka_unit_test(what_is_said_besides_is_all_that_is_said),
		cmocka_unit_test(listeners_and_routes_keep_their_order),
		cmocka_unit_test(what_one_word_decides_for_another_is_printed_too),
		cmocka_unit_test(every_word_is_printed_as_it_reads),
		cmocka_unit_test(servers_of_records_are_not_printed),
		cmocka_unit_test(what_is_owned_is_printed_as_it_reads),
		cmocka_unit_test(what_holds_in_an_owning_pool_is_not_said),
		cmocka_unit_test(servers_that_were_made_are_not_in_the_file),
		cmocka_unit_test(quick_forms_are_configurations_too),
		cmocka_unit_test(workers_are_not_in_the_file),
		cmocka_unit_test(models_differ_in_one_word),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
