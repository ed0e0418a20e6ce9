#include "config/suits.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/must.h"

enum { KINDS = LISTEN_UDP + 1, NOBODY = 0 };

static const char *const kind_names[KINDS] = {
	[LISTEN_HTTP] = "http", [LISTEN_TCP] = "tcp", [LISTEN_UDP] = "udp",
};

/* By kind: the line of the first listener that uses a pool, or NOBODY. */
struct users {
	uint32_t lines[KINDS];
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
			uint32_t *line = &users[l->routes[k].pool].lines[l->kind];
			if (*line == NOBODY)
				*line = file->made[MAKES_LISTENER][i].line;
		}
	}
	return users;
}

/* A word of a pool that listeners of one kind alone can follow. */
struct demand {
	const char *word;
	enum listener_kind kind;
	const char *instead[KINDS];	/* for each other kind: the way out */
};

static void check_demand(const struct build *b, const struct demand *demand,
			 const struct given *given, const struct users *users)
{
	const struct directive *d = given->directive;

	for (int kind = 0; kind < KINDS; kind++) {
		if (kind == (int)demand->kind || users->lines[kind] == NOBODY)
			continue;
		report_error(b->report, given->statement->words[0].at,
			     "\"%s%s%s\" is for %s only, and \"listen %s\" in line %u "
			     "uses this pool; %s",
			     d->word, d->second != NULL ? " " : "",
			     d->second != NULL ? d->second : "",
			     kind_names[demand->kind], kind_names[kind],
			     users->lines[kind], demand->instead[kind]);
		return;
	}
}

static void check_pool_suits(const struct build *b, uint32_t i, const struct users *users)
{
	static const struct demand demands[] = {
		{"key", LISTEN_HTTP,
		 {[LISTEN_TCP] = "write: key address",
		  [LISTEN_UDP] = "write: key address"}},
		{"sticky", LISTEN_HTTP,
		 {[LISTEN_TCP] = "write: balance ring",
		  [LISTEN_UDP] = "write: balance ring"}},
		{"proxy-protocol", LISTEN_TCP,
		 {[LISTEN_HTTP] = "there X-Forwarded-For says who the client is (see "
				  "headers)",
		  [LISTEN_UDP] = "give that one a pool of its own"}},
	};
	const struct model_pool *p = &b->model->pools[i];
	const struct given *redistribute = block_given(&b->pools[i], "redistribute");

	for (size_t k = 0; k < COUNT_OF(demands); k++) {
		const struct given *given = block_given(&b->pools[i], demands[k].word);
		bool any = strcmp(demands[k].word, "key") == 0 &&
			   (p->key == KEY_ADDRESS || p->key == KEY_ADDRESS_PORT);
		if (given != NULL && !any)
			check_demand(b, &demands[k], given, users);
	}
	/* With an error elsewhere a listener may be there, only misspelt. */
	if (redistribute != NULL && users->lines[LISTEN_TCP] == NOBODY &&
	    b->report->error_count == 0)
		report_warning(b->report, redistribute->statement->words[0].at,
			       "\"redistribute\" does nothing: no \"listen tcp\" uses "
			       "this pool");
}

void suits_check(const struct build *b, const struct block *file)
{
	struct users *users = find_users(b, file);

	for (uint32_t i = 0; i < b->model->pool_count; i++)
		check_pool_suits(b, i, &users[i]);
	free(users);
}
