#include "ctl/call.h"
#include "ctl/member.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "ctl/wait.h"

void call_init(struct call *call)
{
	const struct options *o = &call->options;

	paper_init(&call->paper, option_given(o, OPTION_QUIET));
	places_from_environment(&call->places, false);
	call->places.socket = o->socket;
	call->places.name = o->name;
	call->places.state = o->state;
	call->deadline = option_given(o, OPTION_TIMEOUT) ? wait_until(o->timeout_ms) :
							   WAIT_FOREVER;
	call->client = NULL;
}

void call_fini(struct call *call)
{
	client_close(call->client);
	call->client = NULL;
}

static enum outcome open_client(struct call *call, struct err *err)
{
	const struct options *o = &call->options;
	char socket[PLACES_SOCKET_MAX];
	struct client_target target = {
		.deadline_ms = call->deadline,
	};
	enum outcome outcome;

	if (o->url != NULL && (o->socket != NULL || o->name != NULL))
		return outcome_set(err, OUTCOME_WRONG,
				   "--url and --%s name two balancers; "
				   "give one of them",
				   o->socket != NULL ? "socket" : "name");
	if ((o->url != NULL) != (o->token_file != NULL))
		return outcome_set(err, OUTCOME_WRONG, "--url and --token-file belong "
				   "together; give both");
	if (o->url != NULL) {
		target.url = o->url;
		target.token_file = o->token_file;
	} else {
		if (places_socket(&call->places, socket, NULL, err) != 0)
			return OUTCOME_WRONG;
		target.socket = socket;
	}
	call->client = client_open(&target, &outcome, err);
	return call->client != NULL ? OUTCOME_DONE : outcome;
}

enum outcome call_ask(struct call *call, const struct question *question,
		      struct answer *answer, struct err *err)
{
	if (call->client == NULL) {
		enum outcome outcome = open_client(call, err);
		if (outcome != OUTCOME_DONE) {
			json_decref(question->body);
			return outcome;
		}
	}
	return client_ask(call->client, question, answer, err);
}

enum outcome call_get(struct call *call, const char *path, struct answer *answer,
		      struct err *err)
{
	struct question q = {.method = "GET", .path = path};

	return call_ask(call, &q, answer, err);
}

enum outcome call_follow(struct call *call, const char *path,
			 struct client_reading *reading, struct err *err)
{
	if (call->client == NULL) {
		enum outcome outcome = open_client(call, err);
		if (outcome != OUTCOME_DONE)
			return outcome;
	}
	return client_read(call->client, path, reading, err);
}

/* "web, api and db", as much of it as fits. */
static void list_pools(const json_t *pools, char *text, size_t size)
{
	size_t count = json_array_size(pools), used = 0;

	*text = '\0';
	for (size_t i = 0; i < count && used + 1 < size; i++) {
		const char *between = i == 0 ? "" : i + 1 < count ? ", " : " and ";
		used += (size_t)snprintf(text + used, size - used, "%s%s", between,
					 member_text(json_array_get(pools, i), "name"));
	}
}

enum outcome call_pool(struct call *call, char name[CALL_POOL_MAX + 1], struct err *err)
{
	const char *given = call->options.pool;
	enum outcome outcome;
	struct answer a;
	char list[300];

	if (given != NULL) {
		if (strlen(given) > CALL_POOL_MAX)
			return outcome_set(err, OUTCOME_UNKNOWN, "there is no pool %s",
					   quote(given).text);
		snprintf(name, CALL_POOL_MAX + 1, "%s", given);
		return OUTCOME_DONE;
	}
	outcome = call_get(call, "/v1/pools", &a, err);
	if (outcome != OUTCOME_DONE)
		return outcome;
	const json_t *pools = json_object_get(a.json, "pools");
	size_t count = json_array_size(pools);
	if (count == 1) {
		snprintf(name, CALL_POOL_MAX + 1, "%s",
			 member_text(json_array_get(pools, 0), "name"));
	} else if (count == 0) {
		outcome = outcome_set(err, OUTCOME_UNKNOWN, "the balancer has no pool");
	} else {
		list_pools(pools, list, sizeof list);
		outcome = outcome_set(err, OUTCOME_WRONG,
				      "there are %zu pools, say which by --pool: %s",
				      count, list);
	}
	client_answer_fini(&a);
	return outcome;
}

bool call_printed_json(const struct call *call, const struct answer *answer)
{
	size_t len = strlen(answer->text);

	if (!option_given(&call->options, OPTION_JSON))
		return false;
	printf("%s%s", answer->text,
	       len > 0 && answer->text[len - 1] == '\n' ? "" : "\n");
	return true;
}
