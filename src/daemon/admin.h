/* daemon/admin.h - the control interface of this balancer: its hooks, its facts, and
 * where it is opened.
 *
 * Thread: control.
 */
#ifndef DAEMON_ADMIN_H
#define DAEMON_ADMIN_H

#include "base/err.h"
#include "base/places.h"

struct service;

/* Makes s->control, with the UNIX socket open, before anything is served: of two
 * balancers that were given the same socket, the second one disturbs nobody. -1 and
 * *err: it was given, by path or by name, and cannot be opened. Where it was not, the
 * log says so and the balancer has no socket. */
int admin_open(struct service *s, const struct places *places, struct err *err);

#endif
