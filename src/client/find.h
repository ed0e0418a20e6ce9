/* client/find.h - where the balancer is: HOST:PORT becomes an address. */
#ifndef CLIENT_FIND_H
#define CLIENT_FIND_H

#include "base/address.h"
#include "base/err.h"
#include "loop/loop.h"

/* HOST:PORT, PORT, :PORT, or unix:PATH; a host without a port means the port of
 * balancers. A name is looked up, for which the loop runs; of its addresses the first is
 * taken. -1 and *err: it is no place, or the name has no address. */
int find_balancer(struct loop *loop, const char *place, struct address *address,
		  struct err *err);

#endif
