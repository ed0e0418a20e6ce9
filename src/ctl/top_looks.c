#include "ctl/top_looks.h"

#include "base/text.h"
#include "ctl/wait.h"

static enum outcome ask_for(struct top_looks *looks, const char *path, json_t **json,
			    struct err *err)
{
	struct question q = {.method = "GET", .path = path, .answer_ms = LOOKS_ANSWER_MS};
	struct answer a;
	enum outcome outcome = call_ask(looks->call, &q, &a, err);

	if (outcome != OUTCOME_DONE)
		return outcome;
	*json = json_incref(a.json);
	client_answer_fini(&a);
	return OUTCOME_DONE;
}

/* All pools, or with --pool the one, as if it were all. */
static enum outcome ask_for_pools(struct top_looks *looks, json_t **json, struct err *err)
{
	const char *pool = looks->call->options.pool;
	const char *parts[] = {"v1", "pools", pool, NULL};
	char path[CLIENT_PATH_MAX];

	if (!client_path(path, parts))
		return outcome_set(err, OUTCOME_UNKNOWN, "there is no pool %s",
				   quote(pool).text);
	enum outcome outcome = ask_for(looks, path, json, err);
	if (outcome == OUTCOME_DONE && pool != NULL)
		*json = json_pack("{s:[o]}", "pools", *json);
	return outcome;
}

enum outcome top_looks_take(struct top_looks *looks, struct err *err)
{
	struct top_poll poll = {0};
	enum outcome outcome = ask_for(looks, "/v1/status", &poll.status, err);

	if (outcome == OUTCOME_DONE)
		outcome = ask_for(looks, "/v1/listeners", &poll.listeners, err);
	if (outcome == OUTCOME_DONE)
		outcome = ask_for_pools(looks, &poll.pools, err);
	if (outcome != OUTCOME_DONE) {
		top_poll_fini(&poll);
		return outcome;
	}
	poll.at_ms = wait_now();
	/* After a change it is looked at once more, too early to say how fast it is. */
	if (looks->now.status != NULL &&
	    poll.at_ms - looks->now.at_ms >= LOOKS_APART_MS_MIN) {
		top_poll_fini(&looks->before);
		looks->before = looks->now;
	} else {
		top_poll_fini(&looks->now);
	}
	looks->now = poll;
	return OUTCOME_DONE;
}

void top_looks_fini(struct top_looks *looks)
{
	top_poll_fini(&looks->before);
	top_poll_fini(&looks->now);
}

void top_looks_make_rows(const struct top_looks *looks, const struct top_order *order,
			 struct top_rows *rows)
{
	const struct top_poll *before =
		looks->before.status != NULL ? &looks->before : NULL;

	top_rows_make(rows, &looks->now, before, order);
}
