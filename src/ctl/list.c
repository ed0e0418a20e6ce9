/* ctl/list.c - the servers of all pools, or of one: list.
 *
 * Of a pool that makes its servers itself, those too that are none of its servers yet, or
 * no longer; all of these have names, which are a last column.
 */
#include <inttypes.h>
#include <string.h>

#include "base/must.h"
#include "base/text.h"
#include "ctl/call.h"
#include "ctl/member.h"
#include "ctl/table.h"

static enum style state_style(const char *state)
{
	static const struct {
		const char *state;
		enum style  style;
	} styles[] = {
		{"up", STYLE_GOOD}, {"down", STYLE_BAD}, {"draining", STYLE_WARN},
		{"leaving", STYLE_WARN}, {"off", STYLE_DIM}, {"starting", STYLE_WARN},
		{"stopping", STYLE_WARN}, {"replacing", STYLE_WARN},
	};

	for (size_t i = 0; i < sizeof styles / sizeof *styles; i++)
		if (strcmp(styles[i].state, state) == 0)
			return styles[i].style;
	return STYLE_PLAIN;
}

static const struct column columns[] = {
	{"SERVER", false}, {"POOL", false}, {"STATE", false}, {"WEIGHT", true},
	{"NOW", true}, {"TOTAL", true}, {"FAILED", true}, {"FROM", false},
	{"REASON", false}, {"NAME", false},
};

/* The table as far as it is filled. */
struct list {
	struct table *table;
	bool     has_names;
	uint64_t count;
};

static void put_name(const struct list *l, const json_t *server)
{
	if (l->has_names)
		table_put(l->table, STYLE_PLAIN, "%s", member_text(server, "name"));
}

static void put_server(struct list *l, const json_t *server)
{
	struct table *table = l->table;
	const char *state = member_text(server, "state");
	const char *from = member_text(server, "from");
	/* No worker, and none that is made, is there for good: that is no news. */
	bool temporary = member_is_true(server, "temporary") &&
			 strcmp(from, "worker") != 0 && strcmp(from, "owned") != 0;

	table_put(table, STYLE_PLAIN, "%s", member_text(server, "address"));
	table_put(table, STYLE_PLAIN, "%s", member_text(server, "pool"));
	table_put(table, state_style(state), "%s", state);
	table_put(table, STYLE_PLAIN, "%" PRIu64, member_number(server, "weight"));
	table_put(table, STYLE_PLAIN, "%" PRIu64, member_number(server, "in_flight"));
	table_put(table, STYLE_PLAIN, "%" PRIu64, member_number(server, "requests"));
	table_put(table, STYLE_PLAIN, "%" PRIu64, member_number(server, "failures"));
	table_put(table, STYLE_PLAIN, "%s", temporary ? "temporary" : from);
	table_put(table, STYLE_PLAIN, "%s", member_text(server, "reason"));
	put_name(l, server);
	l->count++;
}

/* One that is made and is none of the pool's servers: it takes nothing. */
static void put_made(struct list *l, const json_t *pool, const json_t *one)
{
	const char *state = member_text(one, "state");

	table_put(l->table, STYLE_PLAIN, "%s", member_text(one, "address"));
	table_put(l->table, STYLE_PLAIN, "%s", member_text(pool, "name"));
	table_put(l->table, state_style(state), "%s", state);
	for (int i = 0; i < 4; i++)
		table_put(l->table, STYLE_PLAIN, "-");
	table_put(l->table, STYLE_PLAIN, "owned");
	table_put(l->table, STYLE_PLAIN, "%s", member_text(one, "why"));
	put_name(l, one);
	l->count++;
}

static void put_pool(struct list *l, const json_t *pool)
{
	const json_t *servers = json_object_get(pool, "servers"), *one;
	const json_t *owned = json_object_get(pool, "owned");
	size_t i;

	json_array_foreach(servers, i, one)
		put_server(l, one);
	json_array_foreach(json_object_get(owned, "servers"), i, one) {
		const char *address = member_text(one, "address");
		if (*address == '\0' || member_count(servers, "address", address) == 0)
			put_made(l, pool, one);
	}
}

static void say_trouble(const struct call *call, const json_t *pools)
{
	const json_t *pool;
	size_t i;

	json_array_foreach(pools, i, pool) {
		const char *trouble =
			member_text(json_object_get(pool, "owned"), "trouble");
		if (*trouble != '\0')
			paper_say(&call->paper, "pool %s cannot start servers: %s",
				  member_text(pool, "name"), trouble);
	}
}

static void print_pools(struct call *call, const json_t *pools)
{
	uint32_t column_count = sizeof columns / sizeof *columns;
	struct list l = {0};
	const json_t *pool;
	size_t i;
	bool of_workers = json_array_size(pools) > 0;

	json_array_foreach(pools, i, pool) {
		of_workers &= strcmp(member_text(pool, "of"), "workers") == 0;
		l.has_names |= json_is_object(json_object_get(pool, "owned"));
	}
	l.table = table_create(columns, l.has_names ? column_count : column_count - 1);
	json_array_foreach(pools, i, pool)
		put_pool(&l, pool);
	if (l.count > 0)
		table_print(l.table, &call->paper, NULL);
	else if (call->paper.terminal && !l.has_names)
		paper_say(&call->paper, "%s", of_workers
			  ? "no workers; they join by themselves, see kv-worker(1)"
			  : "no servers; add one with: balancerctl add ADDRESS PORT");
	if (call->paper.terminal)
		say_trouble(call, pools);
	table_destroy(l.table);
}

enum outcome ctl_list(struct call *call, struct err *err)
{
	const char *parts[] = {"v1", "pools", call->options.pool, NULL};
	char path[CLIENT_PATH_MAX];
	struct answer a;

	if (!client_path(path, parts))
		return outcome_set(err, OUTCOME_UNKNOWN, "there is no pool %s",
				   quote(call->options.pool).text);
	enum outcome outcome = call_get(call, path, &a, err);
	if (outcome != OUTCOME_DONE)
		return outcome;
	if (!call_printed_json(call, &a)) {
		json_t *pools = json_incref(json_object_get(a.json, "pools"));
		if (pools == NULL)
			pools = json_pack("[O]", a.json);
		print_pools(call, pools);
		json_decref(pools);
	}
	client_answer_fini(&a);
	return OUTCOME_DONE;
}
