#include "ctl/named.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/must.h"
#include "base/text.h"
#include "ctl/member.h"

enum { COUNT_MAX = 1000 };		/* the balancer knows the bound better */

static bool is_number(const char *word)
{
	return word[strspn(word, "0123456789")] == '\0';
}

/* An address has a colon, or a port as a word of its own. */
static bool are_names(const struct call *call)
{
	for (uint32_t i = 0; i < call->word_count; i++)
		if (is_number(call->words[i]) || strchr(call->words[i], ':') != NULL)
			return false;
	return call->word_count > 0;
}

static enum outcome make_path(char path[CLIENT_PATH_MAX], const char *pool,
			      const char *last, struct err *err)
{
	const char *parts[] = {"v1", "pools", pool, last, NULL};

	if (client_path(path, parts))
		return OUTCOME_DONE;
	return outcome_set(err, OUTCOME_WRONG, "the name of the pool is too long");
}

enum outcome named_are_meant(struct call *call, bool *meant, struct err *err)
{
	char pool[CALL_POOL_MAX + 1], path[CLIENT_PATH_MAX];
	struct answer a;

	*meant = false;
	if (!are_names(call))
		return OUTCOME_DONE;
	enum outcome outcome = call_pool(call, pool, err);
	if (outcome == OUTCOME_DONE)
		outcome = make_path(path, pool, NULL, err);
	if (outcome == OUTCOME_DONE)
		outcome = call_get(call, path, &a, err);
	if (outcome != OUTCOME_DONE)
		return outcome == OUTCOME_NO_BALANCER ? OUTCOME_DONE : outcome;
	*meant = json_is_object(json_object_get(a.json, "owned"));
	client_answer_fini(&a);
	return OUTCOME_DONE;
}

/* "S1, S2": those that serve, as many as fit. */
static void list_names(const json_t *servers, char *text, size_t size)
{
	const json_t *one;
	size_t i;

	*text = '\0';
	json_array_foreach(servers, i, one)
		if (member_is_true(one, "serves"))
			text_append(text, size, "%s%s", *text != '\0' ? ", " : "",
				    member_text(one, "name"));
}

static void say_what_there_is(const struct call *call, const json_t *figures)
{
	uint64_t serving = member_number(figures, "serving");
	char names[400];

	list_names(json_object_get(figures, "servers"), names, sizeof names);
	paper_say(&call->paper, "%" PRIu64 " server%s in pool %s%s%s", serving,
		  plural(serving), member_text(figures, "pool"),
		  *names != '\0' ? ": " : "", names);
}

/* Asks for more or fewer; the body is given. More take as long as they take to start. */
static enum outcome change(struct call *call, const char *method, const char *pool,
			   json_t *body, struct err *err)
{
	char path[CLIENT_PATH_MAX];
	struct question q = {.method = method, .path = path, .body = body,
			     .answer_ms = CLIENT_LATER_MS};
	struct answer a;
	enum outcome outcome = make_path(path, pool, "owned", err);

	if (outcome != OUTCOME_DONE) {
		json_decref(body);
		return outcome;
	}
	if (call->paper.live && strcmp(method, "DELETE") != 0)
		paper_wait(&call->paper, "waiting for the servers of pool %s", pool);
	outcome = call_ask(call, &q, &a, err);
	paper_waited(&call->paper);
	if (outcome != OUTCOME_DONE)
		return outcome;
	if (!call_printed_json(call, &a))
		say_what_there_is(call, a.json);
	client_answer_fini(&a);
	return OUTCOME_DONE;
}

static enum outcome change_named(struct call *call, const char *method, struct err *err)
{
	static const enum option_id others[] = {
		OPTION_WEIGHT, OPTION_DRAIN, OPTION_TEMPORARY, OPTION_LIMIT,
	};
	char pool[CALL_POOL_MAX + 1];
	enum outcome outcome = call_pool(call, pool, err);

	if (outcome != OUTCOME_DONE)
		return outcome;
	for (size_t i = 0; i < COUNT_OF(others); i++)
		if (option_given(&call->options, others[i]))
			return outcome_set(err, OUTCOME_WRONG,
					   "pool %s makes its servers itself; there is "
					   "no --%s for them", pool,
					   option_table[others[i]].name);
	json_t *names = json_array();
	for (uint32_t i = 0; i < call->word_count; i++)
		if (json_array_append_new(names, json_string(call->words[i])) != 0) {
			json_decref(names);
			return outcome_set(err, OUTCOME_WRONG, "%s is no name",
					   quote(call->words[i]).text);
		}
	return change(call, method, pool, json_pack("{s:o}", "names", names), err);
}

enum outcome named_add(struct call *call, struct err *err)
{
	return change_named(call, "POST", err);
}

enum outcome named_remove(struct call *call, struct err *err)
{
	return change_named(call, "DELETE", err);
}

enum outcome ctl_scale(struct call *call, struct err *err)
{
	const char *word = call->words[call->word_count - 1], *method = "PUT";
	struct value_range range = {VALUE_NUMBER, 0, COUNT_MAX};
	char pool[CALL_POOL_MAX + 1];
	uint64_t count;

	if (*word == '+' || *word == '-') {
		method = *word++ == '+' ? "POST" : "DELETE";
		range.min = 1;
	}
	if (value_read(&range, word, &count, err) != 0)
		return OUTCOME_WRONG;
	if (call->word_count == 2)
		call->options.pool = call->words[0];
	enum outcome outcome = call_pool(call, pool, err);
	if (outcome != OUTCOME_DONE)
		return outcome;
	return change(call, method, pool,
		      json_pack("{s:I}", "count", (json_int_t)count), err);
}
