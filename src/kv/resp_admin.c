/* kv/resp_admin.c - commands of Redis that need no worker: what clients ask before they
 * begin, and what people ask. */
#include <stdio.h>
#include <string.h>

#include "base/version.h"
#include "kv/resp_command.h"

static bool is_word(const struct resp_ask *ask, uint32_t i, const char *word)
{
	return i < ask->count && span_equals_nocase(ask->arguments[i], span_of(word));
}

static void answer_array(struct kv_client *c, uint32_t count)
{
	char head[RESP_NUMBER_BYTES];

	resp_answer(c, head, resp_write_array(head, count));
}

static void run_ping(const struct resp_ask *ask)
{
	if (ask->count == 2)
		resp_answer_bulk(ask->client, ask->arguments[1]);
	else
		resp_answer_simple(ask->client, SPAN("PONG"));
}

static void run_echo(const struct resp_ask *ask)
{
	resp_answer_bulk(ask->client, ask->arguments[1]);
}

static void run_quit(const struct resp_ask *ask)
{
	resp_answer_simple(ask->client, SPAN("OK"));
	kv_client_close(ask->client);
}

static void run_select(const struct resp_ask *ask)
{
	if (is_word(ask, 1, "0"))
		resp_answer_simple(ask->client, SPAN("OK"));
	else
		resp_answer_error(ask->client,
				  "ERR DB index is out of range; there is only 0");
}

static void run_auth(const struct resp_ask *ask)
{
	resp_answer_error(ask->client, "ERR Client sent AUTH, but no password is set");
}

static void run_hello(const struct resp_ask *ask)
{
	struct kv_client *c = ask->client;

	if (ask->count > 1 && !is_word(ask, 1, "2")) {
		resp_answer_error(c, "NOPROTO unsupported protocol version");
		return;
	}
	if (ask->count > 2) {
		resp_answer_error(c, "ERR HELLO takes no options here");
		return;
	}
	answer_array(c, 12);
	resp_answer_bulk(c, SPAN("server"));
	resp_answer_bulk(c, SPAN("balancerd"));
	resp_answer_bulk(c, SPAN("version"));
	resp_answer_bulk(c, SPAN(VERSION));
	resp_answer_bulk(c, SPAN("proto"));
	resp_answer_integer(c, 2);
	resp_answer_bulk(c, SPAN("mode"));
	resp_answer_bulk(c, SPAN("standalone"));
	resp_answer_bulk(c, SPAN("role"));
	resp_answer_bulk(c, SPAN("master"));
	resp_answer_bulk(c, SPAN("modules"));
	answer_array(c, 0);
}

/* What libraries say of themselves is taken note of by nobody. */
static void run_client(const struct resp_ask *ask)
{
	if (is_word(ask, 1, "setname") || is_word(ask, 1, "setinfo"))
		resp_answer_simple(ask->client, SPAN("OK"));
	else if (is_word(ask, 1, "getname"))
		resp_answer_bulk(ask->client, (struct span){0});
	else if (is_word(ask, 1, "id"))
		resp_answer_integer(ask->client, (int64_t)ask->client->number);
	else
		resp_answer_error(ask->client, "ERR unknown subcommand of CLIENT; there "
				  "are SETNAME, SETINFO, GETNAME and ID");
}

/* Two settings that benchmarks ask for, as they are in every pool. */
static void run_config(const struct resp_ask *ask)
{
	static const char *const known[][2] = {{"save", ""}, {"appendonly", "no"}};

	if (!is_word(ask, 1, "get")) {
		resp_answer_error(ask->client, "ERR only CONFIG GET is there; the pool "
				  "is set up in the balancer's file");
		return;
	}
	for (size_t i = 0; i < COUNT_OF(known); i++) {
		if (ask->count != 3 || !is_word(ask, 2, known[i][0]))
			continue;
		answer_array(ask->client, 2);
		resp_answer_bulk(ask->client, span_of(known[i][0]));
		resp_answer_bulk(ask->client, span_of(known[i][1]));
		return;
	}
	answer_array(ask->client, 0);
}

/* ---- COMMAND ---- */

static uint32_t count_entries(void)
{
	uint32_t count = 0;

	while (resp_entry_at(count) != NULL)
		count++;
	return count;
}

/* Name, how many arguments (negative: at least), flags, first and last key, step. */
static void answer_entry(struct kv_client *c, const struct resp_entry *e)
{
	bool fixed = e->arguments_max == e->arguments_min;

	answer_array(c, 6);
	resp_answer_bulk(c, span_of(e->name));
	resp_answer_integer(c, fixed ? (int64_t)e->arguments_min :
				       -(int64_t)e->arguments_min);
	answer_array(c, 0);
	resp_answer_integer(c, e->first_key);
	resp_answer_integer(c, e->many_keys ? -1 : e->first_key);
	resp_answer_integer(c, e->key_step);
}

static void run_command(const struct resp_ask *ask)
{
	struct kv_client *c = ask->client;

	if (is_word(ask, 1, "count")) {
		resp_answer_integer(c, count_entries());
	} else if (ask->count > 1) {		/* DOCS and others */
		answer_array(c, 0);
	} else {
		answer_array(c, count_entries());
		for (uint32_t i = 0; i < count_entries(); i++)
			answer_entry(c, resp_entry_at(i));
	}
}

/* ---- INFO ---- */

static void run_info(const struct resp_ask *ask)
{
	const struct kv_client *c = ask->client;
	const struct kv_shared *s = c->pool->shared;
	struct live_listener *l = c->port->live;
	char text[1024];

	int len = snprintf(text, sizeof text,
			   "# Server\r\nserver:balancerd\r\nbalancerd_version:%s\r\n"
			   "pool:%s\r\nworkers:%u\r\nworkers_ready:%u\r\n\r\n"
			   "# Clients\r\nconnected_clients:%u\r\n\r\n"
			   "# Stats\r\ntotal_connections_received:%llu\r\n"
			   "total_commands_processed:%llu\r\nrejected_commands:%llu\r\n"
			   "waiting:%u\r\nretries:%llu\r\n",
			   VERSION, s->name, atomic_load(&s->workers),
			   atomic_load(&s->ready), atomic_load(&l->connections.inside),
			   atomic_load(&l->accepted), atomic_load(&l->requests),
			   atomic_load(&l->bad_requests),
			   atomic_load(&c->pool->live->waiting),
			   atomic_load(&c->pool->live->retries));
	resp_answer_bulk(ask->client, (struct span){text, (size_t)len});
}

static const struct resp_entry entries[] = {
	{"ping", 1, 2, run_ping, 0, 0, false},
	{"echo", 2, 2, run_echo, 0, 0, false},
	{"quit", 1, 0, run_quit, 0, 0, false},
	{"select", 2, 2, run_select, 0, 0, false},
	{"auth", 2, 3, run_auth, 0, 0, false},
	{"hello", 1, 0, run_hello, 0, 0, false},
	{"client", 2, 0, run_client, 0, 0, false},
	{"config", 2, 0, run_config, 0, 0, false},
	{"command", 1, 0, run_command, 0, 0, false},
	{"info", 1, 0, run_info, 0, 0, false},
};

const struct resp_table resp_admin = {entries, COUNT_OF(entries)};
