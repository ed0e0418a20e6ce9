/* ctl/balancer.c - the balancer as a whole: status, stop, reload, upgrade. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/must.h"
#include "base/text.h"
#include "ctl/call.h"
#include "ctl/lines.h"
#include "ctl/member.h"
#include "ctl/table.h"
#include "ctl/wait.h"

enum { STOP_LOOK_MS = 250 };

static const struct column listener_columns[] = {
	{"LISTENER", false}, {"KIND", false}, {"POOLS", false}, {"NOW", true},
	{"ACCEPTED", true}, {"REQUESTS", true},
};
static const struct column pool_columns[] = {
	{"POOL", false}, {"BALANCE", false}, {"SERVERS", true}, {"UP", true},
	{"NOW", true}, {"WAITING", true}, {"TOTAL", true}, {"RETRIES", true},
	{"MOVED", true}, {"CLOSED", true}, {"BYTES UP", true}, {"BYTES DOWN", true},
};

/* Texts of an array, with commas. */
static void join(const json_t *texts, char *out, size_t size)
{
	size_t used = 0, i;
	const json_t *one;

	*out = '\0';
	json_array_foreach(texts, i, one) {
		if (used + 1 >= size)
			break;
		used += (size_t)snprintf(out + used, size - used, "%s%s",
					 i > 0 ? "," : "", json_string_value(one));
	}
}

static void print_listeners(const struct call *call, const json_t *listeners)
{
	static const char *const figures[] = {"connections", "accepted", "requests"};
	struct table *t = table_create(listener_columns, COUNT_OF(listener_columns));
	char pools[512];
	const json_t *one;
	size_t i;

	json_array_foreach(listeners, i, one) {
		join(json_object_get(one, "pools"), pools, sizeof pools);
		table_put(t, STYLE_PLAIN, "%s", member_text(one, "address"));
		table_put(t, STYLE_PLAIN, "%s", member_text(one, "kind"));
		table_put(t, STYLE_PLAIN, "%s", pools);
		for (size_t f = 0; f < COUNT_OF(figures); f++)
			table_put(t, STYLE_PLAIN, "%" PRIu64,
				  member_number(one, figures[f]));
	}
	table_print(t, &call->paper, "listener");
	table_destroy(t);
}

/* 1234567 in a pipe, 1.2M for people. */
static void put_bytes(struct table *t, const struct paper *paper, uint64_t bytes)
{
	if (paper->terminal)
		table_put(t, STYLE_PLAIN, "%s", paper_bytes(bytes).text);
	else
		table_put(t, STYLE_PLAIN, "%" PRIu64, bytes);
}

static void print_pools(const struct call *call, const json_t *pools)
{
	static const char *const figures[] = {
		"in_flight", "waiting", "requests", "retries",
	};
	struct table *t = table_create(pool_columns, COUNT_OF(pool_columns));
	const json_t *one;
	size_t i;

	json_array_foreach(pools, i, one) {
		const json_t *servers = json_object_get(one, "servers");
		const json_t *moved = json_object_get(one, "moved");
		size_t count = json_array_size(servers);
		uint64_t up = member_count(servers, "state", "up");
		enum style style = up > 0 ? STYLE_PLAIN : STYLE_BAD;
		table_put(t, STYLE_PLAIN, "%s", member_text(one, "name"));
		table_put(t, STYLE_PLAIN, "%s", member_text(one, "balance"));
		table_put(t, STYLE_PLAIN, "%zu", count);
		table_put(t, style, "%" PRIu64, up);
		for (size_t f = 0; f < COUNT_OF(figures); f++)
			table_put(t, STYLE_PLAIN, "%" PRIu64,
				  member_number(one, figures[f]));
		table_put(t, STYLE_PLAIN, "%" PRIu64, member_number(moved, "replayed") +
			  member_number(moved, "idle"));
		table_put(t, STYLE_PLAIN, "%" PRIu64, member_number(moved, "closed"));
		put_bytes(t, &call->paper, member_number(one, "bytes_up"));
		put_bytes(t, &call->paper, member_number(one, "bytes_down"));
	}
	table_print(t, &call->paper, "pool");
	table_destroy(t);
}

/* Only where there is something to say. */
static void print_losses(const json_t *status)
{
	uint64_t requests = member_number(status, "access_log_dropped");
	uint64_t lines = member_number(status, "log_left_out");

	if (requests > 0)
		printf("access log     lacks %" PRIu64 " request%s, it was too slow\n", requests,
		       plural(requests));
	if (lines > 0)
		printf("log            lacks %" PRIu64 " line%s\n", lines, plural(lines));
}

/* For people: sentences and short lines. */
static void print_facts(const struct call *call, const json_t *status)
{
	const struct paper *p = &call->paper;
	bool running = strcmp(member_text(status, "state"), "running") == 0;
	const char *file = member_text(status, "file");
	const char *state_file = member_text(status, "state_file");
	uint64_t threads = member_number(status, "threads");

	const char *plain = paper_style(p, STYLE_PLAIN);
	const char *bold = paper_style(p, STYLE_BOLD);
	const char *mood = paper_style(p, running ? STYLE_GOOD : STYLE_WARN);
	printf("%s%s%s is %s%s%s", bold, member_text(status, "name"), plain, mood,
	       member_text(status, "state"), plain);
	printf(" (up %s, version %s, pid %" PRIu64 ", %" PRIu64 " thread%s)\n",
	       paper_time(member_number(status, "uptime_s")).text,
	       member_text(status, "version"), member_number(status, "pid"), threads,
	       plural(threads));
	printf("configuration  %s\n", *file != '\0' ? file : "from the command line");
	if (member_is_true(status, "lasting"))
		printf("changes        kept over a restart, in %s\n", state_file);
	else
		printf("changes        %snot kept over a restart%s\n",
		       paper_style(p, STYLE_WARN), plain);
	printf("servers        %" PRIu64 " of %" PRIu64 " up\n",
	       member_number(status, "servers_up"), member_number(status, "servers"));
	printf("connections    %" PRIu64 "\n", member_number(status, "connections"));
	print_losses(status);
	putchar('\n');
}

/* For programs: a word and a value on each line, in this order. */
static void print_members(const json_t *status)
{
	static const char *const texts[] = {"name", "version", "state", "file",
					    "state_file"};
	static const char *const numbers[] = {
		"pid", "uptime_s", "threads", "connections", "pools", "servers",
		"servers_up", "access_log_dropped", "log_left_out",
	};

	for (size_t i = 0; i < COUNT_OF(texts); i++) {
		const char *text = member_text(status, texts[i]);
		printf("%s\t%s\n", texts[i], *text != '\0' ? text : "-");
	}
	printf("lasting\t%s\n", member_is_true(status, "lasting") ? "yes" : "no");
	for (size_t i = 0; i < COUNT_OF(numbers); i++)
		printf("%s\t%" PRIu64 "\n", numbers[i],
		       member_number(status, numbers[i]));
}

enum outcome ctl_status(struct call *call, struct err *err)
{
	struct answer status, pools;
	enum outcome outcome = call_get(call, "/v1/status", &status, err);

	if (outcome != OUTCOME_DONE)
		return outcome;
	if (call_printed_json(call, &status)) {
		client_answer_fini(&status);
		return OUTCOME_DONE;
	}
	outcome = call_get(call, "/v1/pools", &pools, err);
	if (outcome == OUTCOME_DONE) {
		if (call->paper.terminal)
			print_facts(call, status.json);
		else
			print_members(status.json);
		print_listeners(call, json_object_get(status.json, "listeners"));
		if (call->paper.terminal)
			putchar('\n');
		print_pools(call, json_object_get(pools.json, "pools"));
		client_answer_fini(&pools);
	}
	client_answer_fini(&status);
	return outcome;
}

/* Whether the balancer still answers; *connections is how many it has. */
static bool still_there(struct call *call, uint64_t *connections)
{
	struct answer status;
	struct err ignored;

	if (call_get(call, "/v1/status", &status, &ignored) != OUTCOME_DONE)
		return false;
	*connections = member_number(status.json, "connections");
	client_answer_fini(&status);
	return true;
}

/* Waits for the end of the process behind pidfd, or where that is -1, until nobody
 * answers. */
static enum outcome wait_for_end(struct call *call, int pidfd, struct err *err)
{
	uint64_t left = 0;

	for (;;) {
		int ms = wait_left(call->deadline, STOP_LOOK_MS);
		if (wait_for(pidfd, -1, ms).first)
			return OUTCOME_DONE;
		bool answers = still_there(call, &left);
		if (!answers && pidfd < 0)
			return OUTCOME_DONE;
		if (ms == 0)
			return outcome_set(err, OUTCOME_LATE, "the balancer is still "
					   "draining, %" PRIu64 " connection%s left; "
					   "balancerctl stop --now cuts them", left,
					   plural(left));
		if (answers && left > 0)
			paper_wait(&call->paper, "waiting for %" PRIu64 " connection%s",
				   left, plural(left));
	}
}

/* The process that the balancer says it is, if the kernel says so, too: one in another
 * PID namespace, or on another machine, has a number that means somebody else here. */
static int open_process(struct call *call, uint64_t pid)
{
	pid_t peer = client_peer(call->client);

	if (peer <= 0 || (uint64_t)peer != pid)
		return -1;
	return (int)syscall(SYS_pidfd_open, peer, 0);
}

enum outcome ctl_stop(struct call *call, struct err *err)
{
	const struct options *o = &call->options;
	struct answer status, a;
	json_t *body = NULL;

	if (option_given(o, OPTION_NOW) && option_given(o, OPTION_LIMIT))
		return outcome_set(err, OUTCOME_WRONG,
				   "--now and --limit say two different "
				   "things; give one of them");
	if (option_given(o, OPTION_NOW) || option_given(o, OPTION_LIMIT))
		body = json_pack("{s:I}", "limit_ms", (json_int_t)o->limit_ms);

	enum outcome outcome = call_get(call, "/v1/status", &status, err);
	if (outcome != OUTCOME_DONE) {
		json_decref(body);
		return outcome;
	}
	int pidfd = open_process(call, member_number(status.json, "pid"));
	outcome = call_ask(call, &(struct question){"POST", "/v1/stop", body, 0}, &a,
			   err);
	if (outcome == OUTCOME_DONE) {
		outcome = wait_for_end(call, pidfd, err);
		paper_waited(&call->paper);
		if (outcome == OUTCOME_DONE && !call_printed_json(call, &a))
			paper_say(&call->paper, "stopped balancer %s (pid %" PRIu64 ")",
				  member_text(status.json, "name"),
				  member_number(status.json, "pid"));
		client_answer_fini(&a);
	}
	if (pidfd >= 0)
		close(pidfd);
	client_answer_fini(&status);
	return outcome;
}

/* The balancer may be in another folder than we are. */
static json_t *binary_of(const struct call *call, struct err *err)
{
	char *path = realpath(call->words[0], NULL);
	json_t *text = path != NULL ? json_string(path) : NULL;

	if (path == NULL)
		err_sys(err, "cannot find %.200s", call->words[0]);
	else if (text == NULL)
		err_set(err, "the path of the program has bytes that are no UTF-8");
	free(path);
	return text;
}

enum outcome ctl_upgrade(struct call *call, struct err *err)
{
	const struct options *o = &call->options;
	json_t *body = json_object();
	struct answer a;

	if (call->word_count > 0) {
		json_t *binary = binary_of(call, err);
		if (binary == NULL) {
			json_decref(body);
			return OUTCOME_WRONG;
		}
		json_object_set_new(body, "binary", binary);
	}
	if (option_given(o, OPTION_LIMIT))
		json_object_set_new(body, "limit_ms", json_integer((json_int_t)o->limit_ms));
	enum outcome outcome =
		call_ask(call, &(struct question){"POST", "/v1/upgrade", body, 0}, &a, err);
	if (outcome != OUTCOME_DONE)
		return outcome;
	if (!call_printed_json(call, &a))
		paper_say(&call->paper, "process %" PRIu64 " serves; process %" PRIu64
			  " ends with its last connection", member_number(a.json, "pid"),
			  member_number(a.json, "was"));
	client_answer_fini(&a);
	return OUTCOME_DONE;
}

enum outcome ctl_reload(struct call *call, struct err *err)
{
	struct answer a;
	enum outcome outcome =
		call_ask(call, &(struct question){"POST", "/v1/reload", NULL, 0}, &a,
			 err);

	if (outcome != OUTCOME_DONE)
		return outcome;
	if (!call_printed_json(call, &a)) {
		const char *file = member_text(a.json, "file");
		const json_t *lines = json_object_get(a.json, "lines");
		paper_say(&call->paper, "reloaded %s%s",
			  *file != '\0' ? file : "the configuration",
			  json_is_array(lines) && json_array_size(lines) == 0
				  ? "; nothing has changed" : "");
		lines_print(&call->paper, lines);
	}
	client_answer_fini(&a);
	return OUTCOME_DONE;
}
