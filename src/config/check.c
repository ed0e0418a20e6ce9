#include "config/check.h"

#include <string.h>

#include "base/expected.h"
#include "base/must.h"
#include "base/text.h"
#include "base/value.h"
#include "config/check_own.h"
#include "config/suits.h"
#include "model/srv.h"
#include "pick/policy.h"

/* Datagrams and connections have ports of their own. */
static bool same_port(const struct model_listener *a, const struct model_listener *b)
{
	return (a->kind == LISTEN_UDP) == (b->kind == LISTEN_UDP) &&
	       address_equals(&a->address, &b->address);
}

static bool is_for_workers(const struct model_listener *l, const struct address *address)
{
	return l->workers.len > 0 && address_equals(&l->workers, address);
}

/* This address, at this place, is that of control number i already. */
static void refuse_control(const struct build *b, const struct block *block,
			   struct place at, const struct address *address, uint32_t i)
{
	report_error(b->report, at,
		     "%s is the address of the control interface already, in line %u",
		     address->text, block->made[MAKES_CONTROL][i].line);
}

void check_new_listener(const struct build *b, const struct block *block)
{
	uint32_t last = b->model->listener_count - 1;
	const struct model_listener *all = b->model->listeners;
	const struct model_control *controls = b->model->controls;
	struct place at = block->made[MAKES_LISTENER][last];

	if (all[last].address.len == 0)
		return;		/* it was no address */
	for (uint32_t i = 0; i < last; i++) {
		bool http = all[i].kind == LISTEN_HTTP && all[last].kind == LISTEN_HTTP;
		uint32_t line = block->made[MAKES_LISTENER][i].line;
		if (same_port(&all[i], &all[last]))
			report_error(b->report, at,
				     "%s has a listener already, in line %u%s",
				     all[last].address.text, line,
				     http ? "; add the routes there" : "");
		if (all[last].kind != LISTEN_UDP &&
		    is_for_workers(&all[i], &all[last].address))
			report_error(b->report, at,
				     "%s is for the workers of the listener in line %u "
				     "already", all[last].address.text, line);
	}
	for (uint32_t i = 0; i < b->model->control_count; i++)
		if (all[last].kind != LISTEN_UDP &&
		    address_equals(&controls[i].address, &all[last].address))
			refuse_control(b, block, at, &all[last].address, i);
}

/* Those that are new are compared with these by themselves. */
static void check_workers(const struct build *b, const struct block *file,
			  const struct block *block)
{
	const struct model_listener *l = block->target, *all = b->model->listeners;
	const struct model_control *controls = b->model->controls;
	const struct given *workers =
		l->kind == LISTEN_KV ? block_given(block, "workers") : NULL;

	if (workers == NULL || l->workers.len == 0)
		return;		/* none, or it was no address */
	struct place at = workers->statement->words[1].at;
	for (const struct model_listener *other = all; other <= l; other++) {
		uint32_t line = file->made[MAKES_LISTENER][other - all].line;
		if (other->kind != LISTEN_UDP && other->address.len > 0 &&
		    address_equals(&other->address, &l->workers))
			report_error(b->report, at,
				     "%s has a listener already, in line %u; workers need "
				     "an address of their own", l->workers.text, line);
		if (other < l && is_for_workers(other, &l->workers))
			report_error(b->report, at,
				     "%s is for the workers of the listener in line %u "
				     "already; one listener of a pool is enough",
				     l->workers.text, line);
	}
	for (uint32_t i = 0; i < b->model->control_count; i++)
		if (address_equals(&controls[i].address, &l->workers))
			refuse_control(b, file, at, &l->workers, i);
}

/* Controls are read before all listeners. */
void check_new_control(const struct build *b, const struct block *block)
{
	uint32_t last = b->model->control_count - 1;
	const struct model_control *all = b->model->controls;

	for (uint32_t i = 0; i < last; i++)
		if (all[last].address.len > 0 &&
		    address_equals(&all[i].address, &all[last].address))
			refuse_control(b, block, block->made[MAKES_CONTROL][last],
				       &all[last].address, i);
}

void check_new_pool(const struct build *b, const struct block *block)
{
	uint32_t last = b->model->pool_count - 1;
	const struct model_pool *all = b->model->pools;

	for (uint32_t i = 0; i < last && *all[last].name != '\0'; i++)
		if (strcmp(all[i].name, all[last].name) == 0)
			report_error(b->report, block->made[MAKES_POOL][last],
				     "there is a pool %s already, in line %u",
				     quote(all[last].name).text,
				     block->made[MAKES_POOL][i].line);
}

void check_new_server(const struct build *b, const struct block *block)
{
	const struct model_pool *p = block->target;
	const struct address *new = &p->servers[p->server_count - 1].address;

	if (*new->text == '\0')
		return;		/* it was no address */
	for (uint32_t i = 0; i + 1 < p->server_count; i++)
		if (address_equals(&p->servers[i].address, new))
			report_error(b->report,
				     block->made[MAKES_SERVER][p->server_count - 1],
				     "this pool has the server %s already, in line %u; "
				     "to give it more requests, use weight",
				     new->text, block->made[MAKES_SERVER][i].line);
}

void check_new_srv(const struct build *b, const struct block *block)
{
	const struct model_pool *p = block->target;
	const char *new = p->srvs[p->srv_count - 1].name;

	for (uint32_t i = 0; new != NULL && i + 1 < p->srv_count; i++)
		if (p->srvs[i].name != NULL && strcasecmp(p->srvs[i].name, new) == 0)
			report_error(b->report, block->made[MAKES_SRV][p->srv_count - 1],
				     "this pool has the servers of %s already, in line %u",
				     new, block->made[MAKES_SRV][i].line);
}

/* Whether everything that fits `later` fits `earlier` too. */
static bool covers(const struct model_route *earlier, const struct model_route *later)
{
	bool host = earlier->host == NULL || text_equals(earlier->host, later->host);
	bool path = earlier->path == NULL ||
		    (later->path != NULL &&
		     strncmp(earlier->path, later->path, strlen(earlier->path)) == 0);

	return host && path;
}

void check_new_route(const struct build *b, const struct block *block,
		     const struct given *given)
{
	const struct model_listener *l = block->target;
	const struct model_route *new = &l->routes[l->route_count - 1];

	if (strcmp(given->directive->word, "to") == 0)
		return;
	if (given_argument(given, "host") == NULL &&
	    given_argument(given, "path") == NULL) {
		report_error(b->report, given->statement->words[0].at,
			     "a route needs a host or a path; for what no route takes, "
			     "write: to POOL");
		return;
	}
	for (const struct model_route *earlier = l->routes; earlier < new; earlier++) {
		/* The default stands last, wherever it was written. */
		bool is_default = earlier->host == NULL && earlier->path == NULL;
		if (!is_default && covers(earlier, new)) {
			report_warning(b->report, given->statement->words[0].at,
				       "this route is never reached: the one in line %u "
				       "takes all that would fit",
				       block->made[MAKES_ROUTE][earlier - l->routes]
					       .line);
			return;
		}
	}
}

/* Which options of `balance` a policy knows. */
static const struct {
	const char *policy, *option;
} policy_options[] = {
	{"ring", "points"}, {"ring", "bounded"},
	{"maglev", "table"}, {"maglev", "bounded"}, {"rendezvous", "bounded"},
	{"slots", "slots"}, {"slots", "virtual"}, {"slots", "hash"}, {"slots", "bounded"},
};

static struct expected options_of(const char *policy)
{
	struct expected e;

	expected_init(&e, "");
	for (size_t i = 0; i < COUNT_OF(policy_options); i++)
		if (strcmp(policy_options[i].policy, policy) == 0)
			expected_add(&e, policy_options[i].option);
	return e;
}

static struct expected policies_with(const char *option)
{
	struct expected e;

	expected_init(&e, "");
	for (size_t i = 0; i < COUNT_OF(policy_options); i++)
		if (strcmp(policy_options[i].option, option) == 0)
			expected_add(&e, policy_options[i].policy);
	return e;
}

static bool knows_option(const struct policy *policy, const char *option)
{
	for (size_t i = 0; i < COUNT_OF(policy_options); i++)
		if (strcmp(policy_options[i].policy, policy->name) == 0 &&
		    strcmp(policy_options[i].option, option) == 0)
			return true;
	return false;
}

/* What else stands behind `balance` suits the policy. */
static void check_policy_options(const struct build *b, const struct block *block)
{
	const struct model_pool *p = block->target;
	const struct given *balance = block_given(block, "balance");

	for (uint32_t i = 0;
	     balance != NULL && i < directive_argument_count(balance->directive); i++) {
		const char *option = balance->directive->arguments[i].keyword;
		if (balance->arguments[i] == NULL || knows_option(p->policy, option))
			continue;
		struct expected others = options_of(p->policy->name);
		report_error(b->report, balance->arguments[i]->at,
			     "\"%s\" is an option of %s; %s has %s", option,
			     policies_with(option).list, p->policy->name,
			     others.count > 0 ? others.list : "none");
	}
}

static bool has_limit(const struct model_pool *p)
{
	for (uint32_t i = 0; i < p->server_count; i++)
		if (p->servers[i].parallel_max > 0)
			return true;
	for (uint32_t i = 0; i < p->srv_count; i++)
		if (p->srvs[i].parallel_max > 0)
			return true;
	return p->server_parallel_max > 0;
}

/* Things that are allowed and surely not meant. */
static void check_pool_sense(const struct build *b, const struct block *block)
{
	const struct model_pool *p = block->target;
	const struct given *check = block_given(block, "check");
	const struct given *queue = block_given(block, "queue");
	/* One that is replaced as soon as it is silent once is not probed again. */
	bool once = p->own != NULL && p->check.fall == 1;

	if (check != NULL && p->check.kind != CHECK_OFF && !once &&
	    p->check.timeout_ms > p->check.every_ms)
		report_warning(b->report, given_place(check, "timeout"),
			       "a silent server is probed every %s only, not every %s: "
			       "the time limit is longer",
			       value_text(VALUE_TIME, p->check.timeout_ms).text,
			       value_text(VALUE_TIME, p->check.every_ms).text);
	if (queue != NULL && p->queue_max > 0 && p->server_count + p->srv_count > 0 &&
	    !has_limit(p))
		report_warning(b->report, given_place(queue, ""),
			       "this queue is never used: no server has a limit; add for "
			       "example: parallel 100");
	if (p->queue_max == 0 && given_argument(queue, "wait") != NULL)
		report_warning(b->report, given_place(queue, "wait"),
			       "\"wait\" does nothing: the queue has no places");
}

static void check_batch_sense(const struct build *b, const struct block *block)
{
	const struct model_pool *p = block->target;
	const struct given *batch = block_given(block, "batch");

	if (p->batch_ms == 0 && given_argument(batch, "window") != NULL &&
	    given_argument(batch, "count") != NULL)
		report_warning(b->report, given_place(batch, "count"),
			       "\"count\" does nothing: no request waits for others");
}

static void check_key_sense(const struct build *b, const struct block *block)
{
	const struct model_pool *p = block->target;
	const struct given *key = block_given(block, "key");
	struct expected others;

	if (key == NULL || p->policy->wants_key)
		return;
	expected_init(&others, "");
	for (uint32_t i = 0; policies[i] != NULL; i++)
		if (policies[i]->wants_key)
			expected_add(&others, policies[i]->name);
	report_warning(b->report, given_place(key, ""),
		       "\"key\" does nothing: \"balance %s\" goes by no key; these "
		       "do: %s",
		       p->policy->name, others.list);
}

static void check_redistribute_sense(const struct build *b, const struct block *block)
{
	const struct model_pool *p = block->target;
	const struct given *given = block_given(block, "redistribute");
	bool moved = p->redistribute != REDISTRIBUTE_OFF;
	bool moved_late = p->redistribute == REDISTRIBUTE_IDLE;

	if (!moved && given_argument(given, "buffer") != NULL)
		report_warning(b->report, given_place(given, "buffer"),
			       "\"buffer\" does nothing: nobody is moved");
	if (!moved_late && given_argument(given, "quiet") != NULL)
		report_warning(b->report, given_place(given, "quiet"),
			       "\"quiet\" does nothing: nobody who got an answer is "
			       "moved");
}

/* Whether the policy can make its table of these servers. It is made when the model comes
 * into force: a look at a file must not cost what that takes. */
static void check_table(const struct build *b, const struct block *block)
{
	const struct model_pool *p = block->target;
	const struct given *balance = block_given(block, "balance");
	struct err err;

	if (p->policy->check == NULL || b->report->error_count > 0)
		return;
	if (p->policy->check(p, &err) != 0)
		report_error(b->report, balance != NULL ? given_place(balance, "") : block->at,
			     "%s", err.text);
}

/* Whether the longest key and the longest value fit into one message. */
static void check_entry(const struct build *b, const struct block *block)
{
	const struct model_pool *p = block->target;
	const struct given *value = block_given(block, "value-size");
	const struct given *given = value != NULL ? value : block_given(block, "key-size");

	if (given != NULL && p->key_max + p->value_max > MODEL_ENTRY_MAX)
		report_error(b->report, given_place(given, ""),
			     "a key of %s and a value of %s do not fit into one message, "
			     "which has room for %d bytes; lower key-size or value-size",
			     value_text(VALUE_SIZE, p->key_max).text,
			     value_text(VALUE_SIZE, p->value_max).text, MODEL_ENTRY_MAX);
}

void check_pool(const struct build *b, const struct block *block)
{
	check_policy_options(b, block);
	check_key_sense(b, block);
	check_batch_sense(b, block);
	check_redistribute_sense(b, block);
	check_pool_sense(b, block);
	check_entry(b, block);
	check_table(b, block);
	if (block_given(block, "own") != NULL)
		check_owning_pool(b, block);
}

/* The head holds the target. A target that nobody has set goes by the head; one that is
 * as long as the head may be is refused with the head. */
static void check_sizes(const struct build *b, const struct block *block)
{
	struct model_listener *l = block->target;
	const struct given *target = block_given(block, "target-size");

	if (l->target_max <= l->head_max)
		return;
	if (target == NULL)
		l->target_max = l->head_max;
	else
		report_error(b->report, given_place(target, ""),
			     "a target of %s does not fit into a head of %s; raise "
			     "head-size or lower target-size",
			     value_text(VALUE_SIZE, l->target_max).text,
			     value_text(VALUE_SIZE, l->head_max).text);
}

static void check_listener_sense(const struct build *b, const struct block *block)
{
	const struct model_listener *l = block->target;
	const struct given *parallel = block_given(block, "parallel");

	if (l->parallel_max == 0 && given_argument(parallel, "queue") != NULL)
		report_warning(b->report, given_place(parallel, "queue"),
			       "this queue is never used: \"parallel\" sets no limit");
	if (l->queue_max == 0 && given_argument(parallel, "wait") != NULL)
		report_warning(b->report, given_place(parallel, "wait"),
			       "\"wait\" does nothing: the queue has no places");
}

/* `to POOL` may stand anywhere in its block; in the model it is the last route. */
static void put_default_last(struct model_listener *l)
{
	for (uint32_t i = 0; i < l->route_count; i++) {
		struct model_route route = l->routes[i];
		if (route.host != NULL || route.path != NULL)
			continue;
		memmove(&l->routes[i], &l->routes[i + 1],
			(l->route_count - i - 1) * sizeof route);
		l->routes[l->route_count - 1] = route;
		return;
	}
}

void check_listener(const struct build *b, const struct block *file,
		    const struct block *block)
{
	static const char *const what[] = {
		[LISTEN_HTTP] = "requests", [LISTEN_TCP] = "connections",
		[LISTEN_UDP] = "datagrams", [LISTEN_KV] = "requests",
	};
	struct model_listener *l = block->target;

	if (l->route_count == 0)
		report_error(b->report, block->at,
			     "this listener sends %s nowhere; add to its block: to POOL",
			     what[l->kind]);
	check_workers(b, file, block);
	if (l->kind != LISTEN_HTTP)
		return;
	put_default_last(l);
	check_legacy(b, block);
	check_sizes(b, block);
	check_listener_sense(b, block);
}

void check_file(const struct build *b, const struct block *file)
{
	struct place beginning = {1, 1, 1};

	/* With an error elsewhere a listener may be there, only misspelt. */
	if (b->model->listener_count == 0 && b->report->error_count == 0)
		report_error(b->report, beginning,
			     "no listener, so there is nothing to do; add for example: "
			     "listen http :8080 { to web }");
	suits_check(b, file);
}
