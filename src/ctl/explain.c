/* ctl/explain.c - who would take a request or a connection, and why. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "ctl/call.h"
#include "ctl/member.h"
#include "ctl/table.h"

/* The question. Two words are a method and a URL; one is a URL if it has a slash, else
 * where a client connects to. */
static json_t *body_of(const struct call *call)
{
	const struct options *o = &call->options;
	const char *last = call->words[call->word_count - 1];
	bool is_request = call->word_count == 2 || strchr(last, '/') != NULL;
	json_t *body = json_object(), *headers = json_array();

	for (uint32_t i = 0; i < o->header_count; i++)
		json_array_append_new(headers, json_string(o->headers[i]));
	json_object_set_new(body, "headers", headers);
	if (call->word_count == 2)
		json_object_set_new(body, "method", json_string(call->words[0]));
	json_object_set_new(body, is_request ? "url" : "listener", json_string(last));
	if (option_given(o, OPTION_LISTENER))
		json_object_set_new(body, "listener", json_string(o->listener));
	if (option_given(o, OPTION_CLIENT))
		json_object_set_new(body, "client", json_string(o->client));
	return body;
}

/* A word and what it is: aligned on a terminal, a tab between elsewhere. */
__attribute__((format(printf, 3, 4)))
static void say(const struct paper *paper, const char *word, const char *format, ...)
{
	va_list args;

	printf(paper->terminal ? "%-10s" : "%s\t", word);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
}

static void say_route(const struct paper *paper, const json_t *answer)
{
	const json_t *route = json_object_get(answer, "route");
	const char *host = member_text(route, "host"), *path = member_text(route, "path");

	if (json_is_object(route))
		say(paper, "route", "%" PRIu64 "%s%s%s%s", member_number(route, "number"),
		    *host != '\0' ? ", host " : "", host, *path != '\0' ? ", path " : "",
		    path);
}

static void say_key(const struct paper *paper, const json_t *answer)
{
	const json_t *key = json_object_get(answer, "key");

	if (json_is_object(key))
		say(paper, "key", "%s: %s (%s)", member_text(key, "of"),
		    member_text(key, "value"), member_text(key, "hash"));
}

static void print_servers(const struct paper *paper, const json_t *answer)
{
	static const struct column columns[] = {
		{"RANK", true}, {"SERVER", false}, {"WEIGHT", true}, {"IN FLIGHT", true},
		{"WHY NOT", false},
	};
	const json_t *one;
	size_t i;

	struct table *t = table_create(columns, sizeof columns / sizeof *columns);
	json_array_foreach(json_object_get(answer, "servers"), i, one) {
		const json_t *rank = json_object_get(one, "rank");
		bool may = member_is_true(one, "may");
		if (json_is_integer(rank))
			table_put(t, STYLE_PLAIN, "%" PRIu64, member_number(one, "rank"));
		else
			table_put(t, STYLE_DIM, "%s", "");
		table_put(t, may ? STYLE_PLAIN : STYLE_BAD, "%s", member_text(one, "address"));
		table_put(t, STYLE_PLAIN, "%" PRIu64, member_number(one, "weight"));
		table_put(t, STYLE_PLAIN, "%" PRIu64, member_number(one, "in_flight"));
		table_put(t, STYLE_PLAIN, "%s", member_text(one, "why_not"));
	}
	table_print(t, paper, "server");
	table_destroy(t);
}

static void print(const struct paper *paper, const json_t *answer)
{
	const char *server = member_text(answer, "server");

	say(paper, "listener", "%s", member_text(answer, "listener"));
	say_route(paper, answer);
	if (*member_text(answer, "pool") != '\0')
		say(paper, "pool", "%s, balance %s", member_text(answer, "pool"),
		    member_text(answer, "policy"));
	say_key(paper, answer);
	say(paper, "takes it", "%s", *server != '\0' ? server : "-");
	say(paper, "because", "%s", member_text(answer, "why"));
	print_servers(paper, answer);
}

enum outcome ctl_explain(struct call *call, struct err *err)
{
	struct question q = {.method = "POST", .path = "/v1/explain", .body = body_of(call)};
	struct answer a;
	enum outcome outcome = call_ask(call, &q, &a, err);

	if (outcome != OUTCOME_DONE)
		return outcome;
	if (!call_printed_json(call, &a))
		print(&call->paper, a.json);
	client_answer_fini(&a);
	return OUTCOME_DONE;
}
