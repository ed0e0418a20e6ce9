/* control/routes.h - which request goes to which handler: one table, from which the
 * manual page and GET /v1/routes come too.
 *
 * Pure. Thread: control.
 */
#ifndef CONTROL_ROUTES_H
#define CONTROL_ROUTES_H

#include "control/ask.h"

struct route {
	enum h1_method method;		/* H1_GET stands for HEAD too */
	const char *path;		/* its parts may be {pool}, {server} and {name} */
	enum role   role;
	void      (*run)(const struct ask *ask, struct reply *r);
	const char *query;		/* what may stand behind the "?", for people;
					 * NULL: nothing, and run does not look at it */
	const char *body;		/* likewise */
	const char *help;
};

extern const struct route control_routes[];
extern const uint32_t control_route_count;

enum routes_result {
	ROUTES_FOUND,
	ROUTES_NO_PATH,
	ROUTES_NO_METHOD,	/* `allowed` says which the path has */
	ROUTES_BAD,		/* a part is not percent-encoded right, or too long */
};

struct routes_found {
	const struct route *route;
	unsigned allowed;		/* 1 << enum h1_method each, without HEAD */
	/* decoded, or "" */
	char pool[ASK_PART_MAX + 1], server[ASK_PART_MAX + 1], name[ASK_PART_MAX + 1];
};

/* Looks up a path, which begins with "/" and has no query, in a table. */
enum routes_result routes_find(const struct route *table, uint32_t count,
			       enum h1_method method, struct span path,
			       struct routes_found *found);

/* "GET"; for the methods of the table. */
const char *routes_method_text(enum h1_method method);

#endif
