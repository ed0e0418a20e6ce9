/* health/prober.h - asks every server whether it is alive, all side by side.
 *
 * One probe per server is under way at most, each with its own time limit, so that
 * a silent server delays nobody. Runs as timers and connections of the control
 * thread's loop: no thread of its own.
 *
 * Thread: control.
 */
#ifndef HEALTH_PROBER_H
#define HEALTH_PROBER_H

#include "loop/loop.h"
#include "model/live.h"

struct prober;

/* loop: the control thread's. changed (may be NULL) is called after each change of
 * a verdict, which has then been published and logged. */
struct prober *prober_create(struct loop *loop, void (*changed)(void *arg), void *arg);
void prober_destroy(struct prober *p);

/* From now on the pools and servers of m, which is held until the next call, are
 * probed, each at once and then by its check. Servers that m no longer has are
 * forgotten; those that stay keep their verdict's streak. A pool without a check
 * only has its passive marks lifted after passive_ms. */
void prober_use(struct prober *p, const struct model *m);

/* Probes all servers of one pool now; those under way are not doubled. */
void prober_check_pool(struct prober *p, struct live_pool *pool);

/* Probes this server now, unless that is under way or its pool has no check: its
 * address has just become known. */
void prober_check_server(struct prober *p, struct live_server *s);

/* The data path has marked this server down or wants it looked at: logs the mark
 * (once) and probes it at once. `why` is what passive has seen. */
void prober_on_passive_mark(struct prober *p, struct live_server *s, enum live_failure why);

#endif
