#include "config/check_own.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/must.h"
#include "base/text.h"
#include "model/own.h"
#include "pick/policy.h"

void check_new_variable(const struct build *b, const struct block *block)
{
	const struct model_own *own = block->target;
	uint32_t last = own->environment_count - 1;
	const char *new = own->environment[last];
	size_t len = strcspn(new, "=");

	for (uint32_t i = 0; i < last && len > 0; i++) {
		if (strncmp(own->environment[i], new, len + 1) != 0)
			continue;
		report_error(b->report, block->made[MAKES_VARIABLE][last],
			     "the variable \"%.*s\" is set already, in line %u", (int)len,
			     new, block->made[MAKES_VARIABLE][i].line);
		return;
	}
}

/* ---- an own block ---- */

static void check_count(const struct build *b, const struct block *block)
{
	const struct model_own *own = block->target;
	const struct given *min = block_given(block, "min");
	const struct given *max = block_given(block, "max");

	if (own->min <= own->max)
		return;
	must(min != NULL);	/* it is at most 1 if nothing is said */
	if (max == NULL)
		report_error(b->report, given_place(min, ""),
			     "min is %u, and max %u if nothing is said; add for "
			     "example: max %u", own->min, own->max, own->min);
	else
		report_error(b->report, given_place(max, ""),
			     "max is %u, less than min, which is %u in line %u; raise "
			     "max or lower min", own->max, own->min,
			     given_place(min, "").line);
}

static void check_scale(const struct build *b, const struct block *block)
{
	const struct model_own *own = block->target;
	const struct given *scale = block_given(block, "scale");

	if (scale == NULL)
		return;
	if (own->scale_down >= own->scale_up)
		report_error(b->report, given_place(scale, "down-below"),
			     "down-below is %u and up-above %u: servers would be started "
			     "and ended in turns; lower down-below, to half of up-above "
			     "for example", own->scale_down, own->scale_up);
	if (own->min == own->max)
		report_warning(b->report, given_place(scale, ""),
			       "\"scale\" does nothing: min and max are both %u",
			       own->min);
}

void check_own(const struct build *b, const struct block *block)
{
	const struct model_own *own = block->target;

	if (own->driver == OWN_DOCKER && block_given(block, "image") == NULL)
		report_error(b->report, block->at,
			     "\"own docker\" does not say what containers are made of; "
			     "add to its block for example: image balancerd-sample");
	if (own->driver == OWN_PROCESS && block_given(block, "command") == NULL)
		report_error(b->report, block->at,
			     "\"own process\" does not say what is run; add to its block "
			     "for example: command /usr/local/bin/server --quiet");
	/* A number that was refused is not the one that was meant. */
	if (b->report->error_count > block->errors_before)
		return;
	check_count(b, block);
	check_scale(b, block);
}

/* ---- its pool ---- */

/* Whether the policy can make its table of as many servers as there may be. */
static void check_table(const struct build *b, const struct block *block)
{
	const struct model_pool *p = block->target;
	struct model_pool full = *p;
	const struct given *balance = block_given(block, "balance");
	struct err err;

	if (p->policy->check == NULL || b->report->error_count > 0)
		return;
	full.server_count = p->own->max;
	full.servers = memory_new(full.server_count, sizeof *full.servers);
	for (uint32_t i = 0; i < full.server_count; i++)
		model_server_defaults(&full.servers[i]);
	if (p->policy->check(&full, &err) != 0)
		report_error(b->report,
			     balance != NULL ? given_place(balance, "") : block->at,
			     "%s, or max, which is %u", err.text, p->own->max);
	free(full.servers);
}

void check_owning_pool(const struct build *b, const struct block *block)
{
	const struct model_pool *p = block->target;
	const struct given *own = block_given(block, "own");
	const struct given *check = block_given(block, "check");
	const struct given *queue = block_given(block, "queue");
	uint32_t line = own->statement->words[0].at.line;

	if (p->server_count > 0)
		report_error(b->report, block->made[MAKES_SERVER][0],
			     "this pool makes its servers by itself, see \"own\" in "
			     "line %u; remove one of both, or give this server a pool of "
			     "its own", line);
	if (p->srv_count > 0)
		report_error(b->report, block->made[MAKES_SRV][0],
			     "this pool makes its servers by itself, see \"own\" in "
			     "line %u; remove one of both, or give these servers a pool of "
			     "their own", line);
	if (p->check.kind == CHECK_OFF)
		report_error(b->report, given_place(check, ""),
			     "servers that a pool owns have to be checked (see \"own\" "
			     "in line %u), or none would ever be known to have started; "
			     "write: check http /heartbeat, or check tcp", line);
	if (p->own->min == 0 && (p->queue_max == 0 || p->queue_ms == 0))
		report_warning(b->report, given_place(queue, ""),
			       "no request can wait for the first server to start, while "
			       "min is 0; allow a queue, or write: min 1");
	check_table(b, block);
}

/* ---- across blocks ---- */

void check_legacy(const struct build *b, const struct block *block)
{
	struct model_listener *l = block->target;
	const struct given *admin = block_given(block, "admin");

	if (admin == NULL || admin->statement->word_count > 2)
		return;		/* it names one, or tried to */
	for (uint32_t i = 0; i < l->route_count && l->legacy_pool == 0; i++) {
		uint32_t pool = l->routes[i].pool;
		if (pool < b->model->pool_count && b->model->pools[pool].own != NULL)
			l->legacy_pool = pool + 1;
	}
	/* With an error elsewhere it may be there, only misspelt. */
	if (l->legacy_pool == 0 && b->report->error_count == 0)
		report_error(b->report, given_place(admin, ""),
			     "\"admin legacy\" is about the servers that a pool owns, "
			     "and no pool that this listener leads to does; add to one: "
			     "own docker { ... } or own process { ... }");
}

/* Whether a number behind one makes what a number behind the other may make too. */
static bool names_meet(const char *a, const char *b)
{
	size_t a_len = strlen(a), b_len = strlen(b);
	const char *longer = a_len > b_len ? a : b;
	size_t len = a_len < b_len ? a_len : b_len;

	return memcmp(a, b, len) == 0 &&
	       strspn(longer + len, "0123456789") == strlen(longer + len);
}

/* Names of containers are unique in an engine, whosever they are. */
static bool containers_meet(const struct model_pool *a, const struct model_pool *b)
{
	return a->own != NULL && b->own != NULL && a->own->driver == OWN_DOCKER &&
	       b->own->driver == OWN_DOCKER &&
	       strcmp(a->own->socket, b->own->socket) == 0 &&
	       names_meet(a->own->prefix, b->own->prefix);
}

void check_own_names(const struct build *b)
{
	const struct model_pool *pools = b->model->pools;

	for (uint32_t i = 1; i < b->model->pool_count; i++)
		for (uint32_t k = 0; k < i; k++) {
			if (!containers_meet(&pools[k], &pools[i]))
				continue;
			report_warning(b->report, b->pools[i].at,
				       "pools %s (line %u) and %s would take the same "
				       "names for their containers; add to \"own "
				       "docker\" of one for example: names %s-",
				       quote(pools[k].name).text, b->pools[k].at.line,
				       quote(pools[i].name).text, pools[i].name);
			break;
		}
}
