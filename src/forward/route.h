/* forward/route.h - which pool a request goes to: the first route that fits its host
 * and the beginning of its path.
 *
 * Pure. A route's path fits at segment borders: /v1 takes /v1 and /v1/x, not /v10;
 * one that ends in "/" takes what lies below it.
 */
#ifndef FORWARD_ROUTE_H
#define FORWARD_ROUTE_H

#include "model/model.h"

/* `authority` is host[:port] as the client gave it; `path` may have a query, and an
 * empty one counts as "/" (RFC 9110, section 4.2.3). Returns the pool's index, or -1
 * when no route fits. */
int route_find(const struct model_listener *l, struct span authority, struct span path);

/* The same, of the route itself: its index in the listener. */
int route_find_number(const struct model_listener *l, struct span authority,
		      struct span path);

#endif
