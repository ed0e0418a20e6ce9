#include "ctl/top_rows.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/must.h"
#include "ctl/member.h"

void top_poll_fini(struct top_poll *poll)
{
	json_decref(poll->status);
	json_decref(poll->listeners);
	json_decref(poll->pools);
	*poll = (struct top_poll){0};
}

/* ---- rates ---- */

/* Both polls, of the same process; before is NULL where nothing can be compared. */
struct pair {
	const json_t *now, *before;
	double        seconds;
};

static double rate(double now, double before, double seconds)
{
	return seconds > 0 && now >= before ? (now - before) / seconds : TOP_UNKNOWN;
}

static uint64_t count_5xx(const json_t *object)
{
	return member_number(json_object_get(object, "responses"), "5xx");
}

static uint64_t count_server_errors(const json_t *server)
{
	return member_number(server, "failures") + count_5xx(server);
}

/* What clients of HTTP have seen go wrong. */
static uint64_t count_seen(const json_t *object)
{
	return count_5xx(object) +
	       member_number(json_object_get(object, "responses"), "none");
}

static uint64_t count_failures(const json_t *pool)
{
	const json_t *server;
	uint64_t count = 0;
	size_t i;

	json_array_foreach(json_object_get(pool, "servers"), i, server)
		count += member_number(server, "failures");
	return count;
}

/* The twin of an object in an older list: mostly it stands where it stood. */
static const json_t *find_twin(const json_t *list, size_t place, const char *key,
			       const char *text)
{
	const json_t *one = json_array_get(list, place);
	size_t i;

	if (one != NULL && strcmp(member_text(one, key), text) == 0)
		return one;
	json_array_foreach(list, i, one)
		if (strcmp(member_text(one, key), text) == 0)
			return one;
	return NULL;
}

static double rate_of(const struct pair *p, uint64_t (*count)(const json_t *))
{
	if (p->before == NULL)
		return TOP_UNKNOWN;
	return rate((double)count(p->now), (double)count(p->before), p->seconds);
}

static uint64_t count_requests(const json_t *object)
{
	return member_number(object, "requests");
}

static uint64_t count_accepted(const json_t *object)
{
	return member_number(object, "accepted");
}

static uint64_t count_bytes(const json_t *object)
{
	return member_number(object, "bytes_up") + member_number(object, "bytes_down");
}

/* Of the last minute; a balancer of before does not tell it. */
static double quantile(const json_t *object, const char *name)
{
	const json_t *times = json_object_get(object, "recent");

	return member_number(times, "count") > 0
		? json_number_value(json_object_get(times, name)) : TOP_UNKNOWN;
}

/* ---- rows ---- */

static uint32_t severity_of(const char *state)
{
	static const char *const states[] = {
		"up", "off", "leaving", "draining", "starting", "stopping", "replacing",
		"down",
	};

	for (uint32_t i = 0; i < COUNT_OF(states); i++)
		if (strcmp(states[i], state) == 0)
			return i;
	return 1;	/* a state of a later version: nothing is known against it */
}

static struct top_row *add_row(struct top_rows *r, const char *pool)
{
	if (r->count == r->room) {
		r->room = r->room == 0 ? 64 : 2 * r->room;
		r->rows = memory_grow(r->rows, r->room, sizeof *r->rows);
	}
	struct top_row *row = &r->rows[r->count];
	*row = (struct top_row){.pool = pool, .place = r->count++};
	for (int c = 0; c < TOP_COLUMNS; c++) {
		row->text[c] = "";
		row->value[c] = TOP_UNKNOWN;
	}
	return row;
}

/* What pools and servers have alike. */
static void set_figures(struct top_rows *r, struct top_row *row, const struct pair *p)
{
	row->value[TOP_NOW] = (double)member_number(p->now, "in_flight");
	row->value[TOP_REQUESTS] = rate_of(p, count_requests);
	row->value[TOP_P50] = quantile(p->now, "p50_ms");
	row->value[TOP_P99] = quantile(p->now, "p99_ms");
	if (json_object_get(p->now, "bytes_up") != NULL) {
		row->value[TOP_BYTES] = rate_of(p, count_bytes);
		r->has_bytes = true;
	}
}

static void add_server(struct top_rows *r, const char *pool, const struct pair *p)
{
	struct top_row *row = add_row(r, pool);
	const char *state = member_text(p->now, "state");

	set_figures(r, row, p);
	row->text[TOP_SERVER] = member_text(p->now, "address");
	row->text[TOP_NAME] = member_text(p->now, "name");
	row->text[TOP_REASON] = member_text(p->now, "reason");
	row->is_owned = strcmp(member_text(p->now, "from"), "owned") == 0;
	row->severity = severity_of(state);
	row->value[TOP_WEIGHT] = (double)member_number(p->now, "weight");
	row->value[TOP_ERRORS] = rate_of(p, count_server_errors);
	snprintf(row->state, sizeof row->state, "%s", state);
	r->has_names |= *row->text[TOP_NAME] != '\0';
}

/* Those that are made and are none of the pool's servers: they take nothing. */
static void add_made(struct top_rows *r, const json_t *pool)
{
	const json_t *servers = json_object_get(pool, "servers"), *one;
	size_t i;

	json_array_foreach(json_object_get(json_object_get(pool, "owned"), "servers"), i,
			   one) {
		const char *address = member_text(one, "address");
		if (*address != '\0' &&
		    find_twin(servers, i, "address", address) != NULL)
			continue;
		struct top_row *row = add_row(r, member_text(pool, "name"));
		row->text[TOP_SERVER] = address;
		row->text[TOP_NAME] = member_text(one, "name");
		row->text[TOP_REASON] = member_text(one, "why");
		row->severity = severity_of(member_text(one, "state"));
		row->is_owned = true;
		snprintf(row->state, sizeof row->state, "%s", member_text(one, "state"));
		r->has_names = true;
	}
}

/* Whether requests of HTTP come to it: an HTTP listener leads there. */
static bool is_http(const struct top_poll *poll, const char *pool)
{
	const json_t *listener, *name;
	size_t i, j;

	json_array_foreach(json_object_get(poll->listeners, "listeners"), i, listener) {
		if (strcmp(member_text(listener, "kind"), "http") != 0)
			continue;
		json_array_foreach(json_object_get(listener, "pools"), j, name)
			if (json_is_string(name) &&
			    strcmp(json_string_value(name), pool) == 0)
				return true;
	}
	return false;
}

static uint32_t add_pool(struct top_rows *r, const struct pair *p, bool http)
{
	const json_t *servers = json_object_get(p->now, "servers");
	const char *name = member_text(p->now, "name");
	const char *trouble = member_text(json_object_get(p->now, "owned"), "trouble");
	struct top_row *row = add_row(r, name);
	uint64_t up = member_count(servers, "state", "up");
	size_t count = json_array_size(servers);

	set_figures(r, row, p);
	row->is_pool = true;
	row->text[TOP_SERVER] = name;
	row->text[TOP_REASON] = *trouble != '\0' ? trouble :
				count == 0 ? "no servers" :
				up == 0 ? "no server is up" :
				member_text(p->now, "balance");
	row->severity = up == 0 || *trouble != '\0' ? 7 : up < count ? 3 : 0;
	row->value[TOP_ERRORS] = rate_of(p, http ? count_seen : count_failures);
	snprintf(row->state, sizeof row->state, "%llu/%zu up", (unsigned long long)up,
		 count);
	r->sum.up += up;
	r->sum.servers += count;
	if (!http && row->value[TOP_ERRORS] > 0 && r->sum.errors >= 0)
		r->sum.errors += row->value[TOP_ERRORS];
	return r->count - 1;
}

/* ---- order ---- */

/* How two rows stand by a column: below 0, the left one is first. */
static int compare_by(const struct top_row *a, const struct top_row *b,
		      enum top_column by)
{
	switch (by) {
	case TOP_SERVER: case TOP_NAME: case TOP_REASON:
		/* Who has none comes last. */
		if ((*a->text[by] == '\0') != (*b->text[by] == '\0'))
			return *a->text[by] == '\0' ? 1 : -1;
		return strverscmp(a->text[by], b->text[by]);
	case TOP_STATE:
		return (a->severity < b->severity) - (a->severity > b->severity);
	case TOP_WEIGHT: case TOP_NOW: case TOP_REQUESTS: case TOP_ERRORS: case TOP_P50:
	case TOP_P99: case TOP_BYTES: case TOP_COLUMNS:
		break;
	}
	return (a->value[by] < b->value[by]) - (a->value[by] > b->value[by]);
}

static int compare_rows(const void *left, const void *right, void *arg)
{
	const struct top_row *a = left, *b = right;
	const struct top_order *order = arg;
	int result = compare_by(a, b, order->by);

	if (order->reversed)
		result = -result;
	if (result == 0 && order->by != TOP_SERVER)
		result = compare_by(a, b, TOP_SERVER);
	return result != 0 ? result : (a->place > b->place) - (a->place < b->place);
}

static bool fits(const struct top_row *row, const char *filter)
{
	return strcasestr(row->text[TOP_SERVER], filter) != NULL ||
	       strcasestr(row->text[TOP_NAME], filter) != NULL ||
	       strcasestr(row->text[TOP_REASON], filter) != NULL ||
	       strcasestr(row->state, filter) != NULL;
}

/* Keeps of the servers behind a pool those that fit, and the pool if any does or it does
 * itself, and then all of them. */
static void filter_pool(struct top_rows *r, uint32_t first, const char *filter)
{
	uint32_t kept = first + 1;

	if (*filter == '\0' || strcasestr(r->rows[first].pool, filter) != NULL)
		return;
	for (uint32_t i = first + 1; i < r->count; i++)
		if (fits(&r->rows[i], filter))
			r->rows[kept++] = r->rows[i];
	r->count = kept > first + 1 ? kept : first;
}

/* Puts the pools in order; the rows of each stay together, as they are. */
static void sort_pools(struct top_rows *r, const struct top_order *order)
{
	struct top_row *heads = memory_new(r->count + 1, sizeof *heads);
	struct top_row *sorted = memory_new(r->count + 1, sizeof *sorted);
	uint32_t count = 0, filled = 0;

	for (uint32_t i = 0; i < r->count; i++)
		if (r->rows[i].is_pool) {
			heads[count] = r->rows[i];
			heads[count++].place = i;
		}
	qsort_r(heads, count, sizeof *heads, compare_rows, (void *)(uintptr_t)order);
	for (uint32_t i = 0; i < count; i++) {
		uint32_t at = heads[i].place;
		do
			sorted[filled++] = r->rows[at++];
		while (at < r->count && !r->rows[at].is_pool);
	}
	must(filled == r->count);
	free(heads);
	free(r->rows);
	r->rows = sorted;
	r->room = r->count + 1;
}

/* ---- all of it ---- */

/* Of all listeners. Those that are not for HTTP count no errors; their pools do. */
static void sum_listeners(struct top_rows *r, const struct top_poll *now,
			  const struct top_poll *before, double seconds)
{
	const json_t *then = before != NULL
		? json_object_get(before->listeners, "listeners") : NULL;
	struct pair p = {.seconds = seconds};
	size_t i;

	r->sum = (struct top_sum){.requests = before != NULL ? 0 : TOP_UNKNOWN,
				  .errors = before != NULL ? 0 : TOP_UNKNOWN};
	json_array_foreach(json_object_get(now->listeners, "listeners"), i, p.now) {
		const char *kind = member_text(p.now, "kind");
		bool by_connection = strcmp(kind, "tcp") == 0 || strcmp(kind, "udp") == 0;
		p.before = find_twin(then, i, "address", member_text(p.now, "address"));
		double requests =
			rate_of(&p, by_connection ? count_accepted : count_requests);
		double errors = strcmp(kind, "http") == 0 ? rate_of(&p, count_seen) : 0;
		r->sum.requests += requests > 0 ? requests : 0;
		r->sum.errors += errors > 0 ? errors : 0;
	}
}

static bool same_process(const struct top_poll *a, const struct top_poll *b)
{
	return member_number(a->status, "pid") == member_number(b->status, "pid");
}

static void add_pool_and_servers(struct top_rows *r, const struct top_poll *now,
				 const struct pair *p, const struct top_order *order)
{
	const json_t *then = json_object_get(p->before, "servers");
	const char *name = member_text(p->now, "name");
	struct pair one = {.seconds = p->seconds};
	uint32_t first = add_pool(r, p, is_http(now, name));
	size_t i;

	json_array_foreach(json_object_get(p->now, "servers"), i, one.now) {
		one.before = find_twin(then, i, "address",
				       member_text(one.now, "address"));
		add_server(r, name, &one);
	}
	add_made(r, p->now);
	filter_pool(r, first, order->filter);
	if (r->count > first + 2)
		qsort_r(r->rows + first + 1, r->count - first - 1, sizeof *r->rows,
			compare_rows, (void *)(uintptr_t)order);
}

void top_rows_make(struct top_rows *r, const struct top_poll *now,
		   const struct top_poll *before, const struct top_order *order)
{
	if (before != NULL && !same_process(now, before))
		before = NULL;
	const json_t *then = before != NULL ? json_object_get(before->pools, "pools") :
					      NULL;
	struct pair p = {.seconds = before != NULL
				    ? (double)(now->at_ms - before->at_ms) / 1000 : 0};
	size_t i;

	r->count = 0;
	r->has_names = r->has_bytes = false;
	sum_listeners(r, now, before, p.seconds);
	json_array_foreach(json_object_get(now->pools, "pools"), i, p.now) {
		p.before = find_twin(then, i, "name", member_text(p.now, "name"));
		add_pool_and_servers(r, now, &p, order);
	}
	sort_pools(r, order);
}

void top_rows_fini(struct top_rows *r)
{
	free(r->rows);
	*r = (struct top_rows){0};
}

uint32_t top_rows_find(const struct top_rows *r, const char *pool, const char *address,
		       const char *name)
{
	for (uint32_t i = 0; i < r->count; i++) {
		const struct top_row *row = &r->rows[i];
		const char *own = row->is_pool ? "" : row->text[TOP_SERVER];
		if (strcmp(row->pool, pool) == 0 && strcmp(own, address) == 0 &&
		    strcmp(row->text[TOP_NAME], name) == 0)
			return i;
	}
	return r->count;
}
