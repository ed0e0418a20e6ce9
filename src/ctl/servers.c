/* ctl/servers.c - the servers of a pool: add, remove, drain, enable, weight. */
#include <inttypes.h>
#include <string.h>

#include "base/text.h"
#include "ctl/call.h"
#include "ctl/member.h"
#include "ctl/named.h"
#include "ctl/place.h"
#include "ctl/wait.h"

enum { LEAVING_EVERY_MS = 200 };

/* The server of a pool that a command is about. */
struct target {
	char           pool[CALL_POOL_MAX + 1];
	struct address server;
	char           path[CLIENT_PATH_MAX];	/* of the server, or of all of them */
};

static enum outcome make_path(struct target *t, const char *server, struct err *err)
{
	const char *parts[] = {"v1", "pools", t->pool, "servers", server, NULL};

	if (client_path(t->path, parts))
		return OUTCOME_DONE;
	return outcome_set(err, OUTCOME_WRONG,
			   "the names of pool and server are too long");
}

/* Reads the address, finds the pool, writes the path. Of a command that takes another
 * word behind the address, *rest is that one, else NULL. */
static enum outcome find_target(struct call *call, struct target *t, const char **rest,
				struct err *err)
{
	struct words words = {call->words, call->word_count, 0};
	struct command_usage usage = command_usage(call->command);

	if (place_read(&words, usage.text, &t->server, err) != 0)
		return OUTCOME_WRONG;
	if (rest != NULL && words.next == words.count)
		return outcome_set(err, OUTCOME_WRONG, "the weight is missing; write: "
				   "balancerctl %s", usage.text);
	if (rest != NULL)
		*rest = words.at[words.next++];
	if (words.next < words.count)
		return outcome_set(err, OUTCOME_WRONG,
				   "%s is too much; write: balancerctl %s",
				   quote(words.at[words.next]).text, usage.text);
	enum outcome outcome = call_pool(call, t->pool, err);
	return outcome == OUTCOME_DONE ? make_path(t, t->server.text, err) : outcome;
}

/* How long a change lasts, for the end of a sentence. */
static const char *until(const json_t *server)
{
	return member_is_true(server, "temporary") ? ", until the balancer ends" : "";
}

enum outcome ctl_add(struct call *call, struct err *err)
{
	const struct options *o = &call->options;
	struct target t;
	struct answer a;
	char weight[40] = "";
	bool named;
	enum outcome outcome = named_are_meant(call, &named, err);

	if (named)
		return named_add(call, err);
	if (outcome == OUTCOME_DONE)
		outcome = find_target(call, &t, NULL, err);
	if (outcome == OUTCOME_DONE)
		outcome = make_path(&t, NULL, err);
	if (outcome != OUTCOME_DONE)
		return outcome;
	json_t *body = json_pack("{s:s}", "address", t.server.text);
	if (option_given(o, OPTION_WEIGHT)) {
		json_object_set_new(body, "weight", json_integer((json_int_t)o->weight));
		snprintf(weight, sizeof weight, " with weight %" PRIu64, o->weight);
	}
	if (option_given(o, OPTION_DRAIN))
		json_object_set_new(body, "drain", json_true());
	if (option_given(o, OPTION_TEMPORARY))
		json_object_set_new(body, "temporary", json_true());
	outcome = call_ask(call, &(struct question){"POST", t.path, body, 0}, &a, err);
	if (outcome != OUTCOME_DONE)
		return outcome;
	if (!call_printed_json(call, &a))
		paper_say(&call->paper, "added %s to pool %s%s%s%s",
			  member_text(a.json, "address"), t.pool, weight,
			  option_given(o, OPTION_DRAIN) ?
				  ", draining: it gets no work until it is enabled" : "",
			  until(a.json));
	client_answer_fini(&a);
	return OUTCOME_DONE;
}

/* The connections that a server which was taken out still has; 0: it has left. They are
 * as they were where nobody answers. */
static enum outcome count_leaving(struct call *call, const json_t *server,
				  uint64_t *count, struct err *err)
{
	struct answer a;
	enum outcome outcome = call_get(call, "/v1/leaving", &a, err);
	const json_t *one;
	size_t i;

	if (outcome != OUTCOME_DONE)
		return outcome;
	*count = 0;
	json_array_foreach(json_object_get(a.json, "servers"), i, one) {
		bool same = strcmp(member_text(one, "address"),
				   member_text(server, "address")) == 0 &&
			    strcmp(member_text(one, "pool"),
				   member_text(server, "pool")) == 0;
		if (same)
			*count += member_number(one, "in_flight");
	}
	client_answer_fini(&a);
	return OUTCOME_DONE;
}

/* Waits until a removed server has no connection any more. */
static enum outcome wait_for_last(struct call *call, const json_t *server,
				  struct err *err)
{
	enum outcome outcome = OUTCOME_DONE;
	uint64_t left = member_number(server, "in_flight");

	while (outcome == OUTCOME_DONE && left > 0) {
		paper_wait(&call->paper, "waiting for %" PRIu64 " connection%s of %s",
			   left, plural(left), member_text(server, "address"));
		int ms = wait_left(call->deadline, LEAVING_EVERY_MS);
		if (ms == 0)
			break;
		wait_for(-1, -1, ms);
		outcome = count_leaving(call, server, &left, err);
	}
	paper_waited(&call->paper);
	if (left > 0 && (outcome == OUTCOME_DONE || outcome == OUTCOME_LATE))
		return outcome_set(err, OUTCOME_LATE,
				   "%s is removed and gets no new work, but still has %"
				   PRIu64 " connection%s", member_text(server, "address"),
				   left, plural(left));
	return outcome;
}

enum outcome ctl_remove(struct call *call, struct err *err)
{
	const struct options *o = &call->options;
	struct target t;
	struct answer a;
	char path[CLIENT_PATH_MAX + 64], limit[40] = "";
	bool named;
	enum outcome outcome = named_are_meant(call, &named, err);

	if (named)
		return named_remove(call, err);
	if (outcome == OUTCOME_DONE)
		outcome = find_target(call, &t, NULL, err);
	if (outcome != OUTCOME_DONE)
		return outcome;
	if (option_given(o, OPTION_LIMIT))
		snprintf(limit, sizeof limit, "?limit_ms=%" PRIu64, o->limit_ms);
	snprintf(path, sizeof path, "%s%s%s", t.path, limit,
		 !option_given(o, OPTION_TEMPORARY) ? "" :
		 *limit != '\0' ? "&temporary=1" : "?temporary=1");
	outcome = call_ask(call, &(struct question){"DELETE", path, NULL, 0}, &a, err);
	if (outcome != OUTCOME_DONE)
		return outcome;
	uint64_t left = member_number(a.json, "in_flight");
	if (left > 0 && !option_given(o, OPTION_NO_WAIT)) {
		outcome = wait_for_last(call, a.json, err);
		left = 0;
	}
	if (outcome == OUTCOME_DONE && !call_printed_json(call, &a)) {
		if (left > 0)
			paper_say(&call->paper, "removed %s from pool %s; it still has %"
				  PRIu64 " connection%s", member_text(a.json, "address"),
				  t.pool, left, plural(left));
		else
			paper_say(&call->paper, "removed %s from pool %s%s",
				  member_text(a.json, "address"), t.pool, until(a.json));
	}
	client_answer_fini(&a);
	return outcome;
}

/* Sends one change of a server: body is given. */
static enum outcome set_server(struct call *call, const struct target *t, json_t *body,
			       struct answer *a, struct err *err)
{
	if (option_given(&call->options, OPTION_TEMPORARY))
		json_object_set_new(body, "temporary", json_true());
	return call_ask(call, &(struct question){"PATCH", t->path, body, 0}, a, err);
}

enum outcome ctl_drain(struct call *call, struct err *err)
{
	struct target t;
	struct answer a;
	enum outcome outcome = find_target(call, &t, NULL, err);

	if (outcome == OUTCOME_DONE)
		outcome = set_server(call, &t, json_pack("{s:b}", "drain", 1), &a, err);
	if (outcome != OUTCOME_DONE)
		return outcome;
	if (!call_printed_json(call, &a)) {
		uint64_t left = member_number(a.json, "in_flight");
		paper_say(&call->paper, "draining %s in pool %s, which has %" PRIu64
			  " connection%s%s", member_text(a.json, "address"), t.pool, left,
			  plural(left), until(a.json));
	}
	client_answer_fini(&a);
	return OUTCOME_DONE;
}

enum outcome ctl_enable(struct call *call, struct err *err)
{
	struct target t;
	struct answer a;
	enum outcome outcome = find_target(call, &t, NULL, err);

	if (outcome == OUTCOME_DONE)
		outcome = set_server(call, &t, json_pack("{s:b}", "drain", 0), &a, err);
	if (outcome != OUTCOME_DONE)
		return outcome;
	if (!call_printed_json(call, &a)) {
		const char *state = member_text(a.json, "state"), *but = "";
		if (strcmp(state, "down") == 0)
			but = ", but it is down";
		else if (strcmp(state, "off") == 0)
			but = ", but its weight is 0, so it gets no work";
		paper_say(&call->paper, "enabled %s in pool %s%s%s",
			  member_text(a.json, "address"), t.pool, but, until(a.json));
	}
	client_answer_fini(&a);
	return OUTCOME_DONE;
}

enum outcome ctl_weight(struct call *call, struct err *err)
{
	static const struct value_range range = {VALUE_NUMBER, 0, OPTION_WEIGHT_MAX};
	struct target t;
	struct answer a;
	const char *word = "";
	uint64_t weight;
	enum outcome outcome = find_target(call, &t, &word, err);

	if (outcome != OUTCOME_DONE)
		return outcome;
	if (value_read(&range, word, &weight, err) != 0)
		return OUTCOME_WRONG;
	outcome = set_server(call, &t, json_pack("{s:I}", "weight", (json_int_t)weight),
			     &a, err);
	if (outcome != OUTCOME_DONE)
		return outcome;
	if (!call_printed_json(call, &a))
		paper_say(&call->paper, "%s in pool %s has weight %" PRIu64 " now%s%s",
			  member_text(a.json, "address"), t.pool,
			  member_number(a.json, "weight"),
			  weight == 0 ? " and gets no work" : "", until(a.json));
	client_answer_fini(&a);
	return OUTCOME_DONE;
}
