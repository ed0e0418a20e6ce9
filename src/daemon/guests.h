/* daemon/guests.h - servers that come and go by themselves, workers of key-value pools and
 * those that a pool owns: they join and leave as one that is added and removed at run time,
 * for the time being. So policies, status and balancerctl know them.
 *
 * Thread: control.
 */
#ifndef DAEMON_GUESTS_H
#define DAEMON_GUESTS_H

#include <stdint.h>

#include "base/address.h"
#include "base/err.h"

struct live_server;
struct service;

/* Adds it to the pool; one that was left behind is taken as it is. NULL and *err: it
 * cannot be. */
struct live_server *guests_add(struct service *s, const char *pool,
			       const struct address *at, struct err *err);

/* Takes it out; what it has may go on for limit_ms (UINT32_MAX: as the model says), and
 * whoever is at this address next begins down. While the balancer drains nothing changes. */
void guests_remove(struct service *s, const char *pool, const struct address *at,
		   uint32_t limit_ms);

#endif
