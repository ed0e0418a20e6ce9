#include "config/suits.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/must.h"
#include "base/text.h"
#include "config/check_own.h"
#include "pick/policy.h"

enum { KINDS = LISTEN_KV + 1, NOBODY = 0 };

static const char *const kind_names[KINDS] = {
	[LISTEN_HTTP] = "http", [LISTEN_TCP] = "tcp", [LISTEN_UDP] = "udp",
	[LISTEN_KV] = "kv",
};

struct users {
	uint32_t lines[KINDS];	/* by kind: of the first listener that uses it, or NOBODY */
	bool     has_workers;	/* one of them says where workers connect */
};

static struct users *find_users(const struct build *b, const struct block *file)
{
	const struct model *m = b->model;
	struct users *users = memory_new(m->pool_count, sizeof *users);

	for (uint32_t i = 0; i < m->listener_count; i++) {
		const struct model_listener *l = &m->listeners[i];
		for (uint32_t k = 0; k < l->route_count; k++) {
			if (l->routes[k].pool >= m->pool_count)
				continue;	/* it was no pool */
			struct users *u = &users[l->routes[k].pool];
			if (u->lines[l->kind] == NOBODY)
				u->lines[l->kind] = file->made[MAKES_LISTENER][i].line;
			u->has_workers |= *l->workers.text != '\0';
		}
	}
	return users;
}

/* ---- words that not every kind can follow ---- */

enum {
	HTTP = 1 << LISTEN_HTTP, TCP = 1 << LISTEN_TCP, UDP = 1 << LISTEN_UDP,
	KV = 1 << LISTEN_KV, SERVED = HTTP | TCP | UDP,	/* by servers, not by workers */
};

/* A word of a pool that listeners of some kinds alone can follow. */
struct demand {
	const char *word;
	unsigned    kinds;
	const char *instead[KINDS];	/* for each other kind: the way out */
};

#define KV_REMEDY "remove it, or use the pool for \"listen kv\""
#define FOR_KV(word)                                                                     \
	{word, KV, {[LISTEN_HTTP] = KV_REMEDY, [LISTEN_TCP] = KV_REMEDY,                 \
		    [LISTEN_UDP] = KV_REMEDY}}
#define HTTP_REMEDY "remove it: only requests of HTTP have such numbers and batches"
#define KEY_REMEDY "remove it: such a pool goes by the key that is read or written"
#define LINK_REMEDY "remove it: a worker is up as long as it is connected"

static const struct demand demands[] = {
	{"key", HTTP,
	 {[LISTEN_TCP] = "write: key address", [LISTEN_UDP] = "write: key address",
	  [LISTEN_KV] = KEY_REMEDY}},
	{"sticky", HTTP,
	 {[LISTEN_TCP] = "write: balance ring", [LISTEN_UDP] = "write: balance ring",
	  [LISTEN_KV] = "remove it: each worker has every key"}},
	{"proxy-protocol", TCP,
	 {[LISTEN_HTTP] = "there X-Forwarded-For says who the client is (see headers)",
	  [LISTEN_UDP] = "give that one a pool of its own",
	  [LISTEN_KV] = "remove it: workers do not ask who the client is"}},
	{"server", SERVED, {[LISTEN_KV] = "remove it: workers join by themselves"}},
	{"check", SERVED, {[LISTEN_KV] = LINK_REMEDY}},
	{"passive", SERVED, {[LISTEN_KV] = LINK_REMEDY}},
	{"keep", SERVED, {[LISTEN_KV] = "remove it: workers stay connected"}},
	{"host", SERVED, {[LISTEN_KV] = "remove it: such requests have no Host field"}},
	{"redistribute", SERVED,
	 {[LISTEN_KV] = "remove it: what a lost worker has not answered goes to another "
			"in any case"}},
	{"own", HTTP | TCP,
	 {[LISTEN_UDP] = "give that one a pool with \"server\" lines",
	  [LISTEN_KV] = "remove it: workers join by themselves"}},
	{"request-id", HTTP, {[LISTEN_TCP] = HTTP_REMEDY, [LISTEN_UDP] = HTTP_REMEDY,
			      [LISTEN_KV] = HTTP_REMEDY}},
	{"batch", HTTP, {[LISTEN_TCP] = HTTP_REMEDY, [LISTEN_UDP] = HTTP_REMEDY,
			 [LISTEN_KV] = HTTP_REMEDY}},
	FOR_KV("acks"), FOR_KV("secret"), FOR_KV("key-size"), FOR_KV("value-size"),
};

/* A client's address is a key for whatever its connection carries. */
static const struct demand any_key = {
	"key", SERVED, {[LISTEN_KV] = KEY_REMEDY},
};

static bool is_for(const struct demand *demand, int kind)
{
	return (demand->kinds >> kind & 1) != 0;
}

/* "http only", "http, tcp and udp only" */
struct kinds_text {
	char text[32];
};

static struct kinds_text kinds_text(const struct demand *demand)
{
	struct kinds_text t = {""};
	unsigned left = demand->kinds;

	for (int kind = 0; kind < KINDS; kind++) {
		if (!is_for(demand, kind))
			continue;
		left &= ~(1u << kind);
		text_append(t.text, sizeof t.text, "%s%s", kind_names[kind],
			    left == 0 ? "" : (left & (left - 1)) == 0 ? " and " : ", ");
	}
	return t;
}

static void check_demand(const struct build *b, const struct demand *demand,
			 const struct given *given, const struct users *users)
{
	const struct directive *d = given->directive;

	for (int kind = 0; kind < KINDS; kind++) {
		if (is_for(demand, kind) || users->lines[kind] == NOBODY)
			continue;
		report_error(b->report, given->statement->words[0].at,
			     "\"%s%s%s\" is for %s only, and \"listen %s\" in line %u "
			     "uses this pool; %s",
			     d->word, d->second != NULL ? " " : "",
			     d->second != NULL ? d->second : "",
			     kinds_text(demand).text, kind_names[kind],
			     users->lines[kind], demand->instead[kind]);
		return;
	}
}

static void check_demands(const struct build *b, uint32_t i, const struct users *users)
{
	const struct model_pool *p = &b->model->pools[i];
	bool of_clients = p->key == KEY_ADDRESS || p->key == KEY_ADDRESS_PORT;

	for (size_t k = 0; k < COUNT_OF(demands); k++) {
		const struct given *given = block_given(&b->pools[i], demands[k].word);
		bool any = strcmp(demands[k].word, "key") == 0 && of_clients;
		if (given != NULL)
			check_demand(b, any ? &any_key : &demands[k], given, users);
	}
}

/* ---- pools of servers ---- */

/* A policy that goes by load needs probes that report it. */
static void check_load(const struct build *b, uint32_t i)
{
	const struct block *block = &b->pools[i];
	struct model_pool *p = &b->model->pools[i];
	const struct given *check = block_given(block, "check");
	const struct given *balance = block_given(block, "balance");

	if (!p->policy->wants_load)
		return;
	/* What owned servers are asked for where nothing is said has no load in it. */
	bool asks = p->check.kind == CHECK_HTTP && check != NULL;
	if (asks && given_argument(check, "expect") == NULL)
		p->check.expect = EXPECT_LOAD;
	if (asks && p->check.expect == EXPECT_LOAD)
		return;
	if (asks)
		report_error(b->report, given_place(check, "expect"),
			     "\"balance %s\" reads the load from the probes; write: "
			     "expect load",
			     p->policy->name);
	else if (balance != NULL)
		report_error(b->report, given_place(balance, ""),
			     "\"balance %s\" needs probes that report the load; %s: "
			     "check http /healthcheck",
			     p->policy->name,
			     check != NULL ? "replace the check by" : "add");
}

/* Slots are made for requests that each go their own way. */
static void check_owned(const struct build *b, uint32_t i, const struct users *users)
{
	const struct block *block = &b->pools[i];
	struct model_pool *p = &b->model->pools[i];
	bool tcp = users->lines[LISTEN_TCP] != NOBODY;

	if (p->own == NULL)
		return;
	if (p->policy == &policy_slots && !tcp && block_given(block, "key") == NULL)
		p->key = KEY_REQUEST_ID;
	if (tcp && block_given(block, "check") == NULL)
		report_warning(b->report, block->at,
			       "pool %s probes its servers over HTTP, GET /heartbeat, "
			       "and \"listen tcp\" in line %u uses it; if they do not "
			       "speak HTTP, add: check tcp", quote(p->name).text,
			       users->lines[LISTEN_TCP]);
}

static void check_served_pool(const struct build *b, uint32_t i,
			      const struct users *users, bool all_read)
{
	const struct block *block = &b->pools[i];
	const struct model_pool *p = &b->model->pools[i];
	const struct given *redistribute = block_given(block, "redistribute");

	check_load(b, i);
	check_owned(b, i, users);
	if (p->server_count + p->srv_count == 0 && p->own == NULL && all_read)
		report_warning(b->report, block->at,
			       "pool %s has no server; nothing that is sent to it is "
			       "served",
			       quote(p->name).text);
	if (redistribute != NULL && users->lines[LISTEN_TCP] == NOBODY && all_read)
		report_warning(b->report, redistribute->statement->words[0].at,
			       "\"redistribute\" does nothing: no \"listen tcp\" uses "
			       "this pool");
}

/* ---- pools of workers ---- */

/* What is good in itself, and about something that workers do not have. */
static void check_kv_sense(const struct build *b, const struct block *block)
{
	static const struct {
		const char *word, *keyword, *why;
	} idle[] = {
		{"timeout", "connect", "workers connect by themselves"},
		{"timeout", "body", "answers come as a whole"},
		{"timeout", "idle", "workers stay connected"},
		{"retry", "budget", "all that a lost worker has not answered is sent again"},
		{"retry", "reserve", "all that a lost worker has not answered is sent again"},
	};

	for (size_t i = 0; i < COUNT_OF(idle); i++) {
		const struct given *given = block_given(block, idle[i].word);
		if (given == NULL || given_argument(given, idle[i].keyword) == NULL)
			continue;
		report_warning(b->report, given_place(given, idle[i].keyword),
			       "\"%s %s\" does nothing in a pool of workers: %s",
			       idle[i].word, idle[i].keyword, idle[i].why);
	}
}

static void check_kv_pool(const struct build *b, uint32_t i, const struct users *users,
			  bool all_read)
{
	const struct block *block = &b->pools[i];
	const struct model_pool *p = &b->model->pools[i];
	const struct given *balance = block_given(block, "balance");

	if (p->policy->wants_load && balance != NULL)
		report_error(b->report, given_place(balance, ""),
			     "\"balance %s\" reads the load from probes, and workers get "
			     "none; write: balance least-conn", p->policy->name);
	if (p->policy == &policy_slots)
		report_error(b->report, given_place(balance, ""),
			     "\"balance slots\" is not for pools of workers: those that "
			     "join might find no slots left; write: balance rendezvous");
	if (given_argument(balance, "bounded") != NULL)
		report_error(b->report, given_place(balance, "bounded"),
			     "\"bounded\" is not for pools of workers; to even out their "
			     "load, write: balance least-conn");
	check_kv_sense(b, block);
	if (!users->has_workers && all_read)
		report_error(b->report, block->at,
			     "no workers can join pool %s; add to \"listen kv\" in line "
			     "%u for example: workers :5060",
			     quote(p->name).text, users->lines[LISTEN_KV]);
}

/* The first kind that uses the pool beside kv; KINDS: none does. */
static int other_user(const struct users *users)
{
	int kind = 0;

	while (kind < KINDS && (kind == LISTEN_KV || users->lines[kind] == NOBODY))
		kind++;
	return kind;
}

static void check_pool_suits(const struct build *b, uint32_t i, const struct users *users,
			     bool all_read)
{
	int other = other_user(users);

	if (users->lines[LISTEN_KV] == NOBODY) {
		check_demands(b, i, users);
		check_served_pool(b, i, users, all_read);
	} else if (other < KINDS) {
		report_error(b->report, b->pools[i].at,
			     "\"listen kv\" in line %u and \"listen %s\" in line %u use "
			     "pool %s, which has either workers or servers; give each "
			     "of the two a pool of its own",
			     users->lines[LISTEN_KV], kind_names[other],
			     users->lines[other], quote(b->model->pools[i].name).text);
	} else {
		check_demands(b, i, users);
		check_kv_pool(b, i, users, all_read);
	}
}

void suits_check(const struct build *b, const struct block *file)
{
	struct users *users = find_users(b, file);
	/* With an error elsewhere a word may be there, only misspelt. */
	bool all_read = b->report->error_count == 0;

	for (uint32_t i = 0; i < b->model->pool_count; i++)
		check_pool_suits(b, i, &users[i], all_read);
	check_own_names(b);
	free(users);
}
