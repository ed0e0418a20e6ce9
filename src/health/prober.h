/* health/prober.h - asks every server whether it is alive, all side by side.
 *
 * One probe per server is under way at most, each with its own time limit, so that
 * a silent server delays nobody (beyond PROBES_MAX probes at once, the next begin
 * when one ends). Runs as timers and connections of the control thread's loop: no
 * thread of its own. Every change of a verdict is published in live, with the
 * reason, and logged, once.
 *
 *   probes of a pool with a check ---> verdict (rise, fall) ---.
 *   the data path's own failures ----> passive mark -----------+--> live->up
 *   a name without an address -------> down -------------------'
 *
 * A server that a passive mark has set down comes up after `rise` good probes in a
 * row. Where there is no check, it does after passive_ms, and then one more failure is
 * enough to mark it again; or when it has answered somebody who had no other to ask. A
 * server without an address is down until it has one.
 *
 * Thread: control.
 */
#ifndef HEALTH_PROBER_H
#define HEALTH_PROBER_H

#include "loop/loop.h"
#include "model/live.h"

enum { PROBES_MAX = 1024 };

struct prober;

/* Told after each probe that counts, and after a server has come up without one. What
 * follows from it has been published and logged then, in s->up too. Out of the loop or
 * out of any function below but prober_destroy; it may call prober_check_pool. */
typedef void prober_judged(void *arg, struct live_server *s, bool good,
			   const char *reason);

/* Told whenever a verdict has become known, which is when it is another one. Likewise. */
typedef void prober_published(void *arg, const struct live_server *s, bool up,
			      const char *reason);

struct prober_hooks {
	prober_judged    *judged;	/* each may be NULL */
	prober_published *published;
	void             *arg;
};

/* loop: the control thread's. */
struct prober *prober_create(struct loop *loop, const struct prober_hooks *hooks);
void prober_destroy(struct prober *p);

/* From now on the pools and servers of m, which is held until the next call, are
 * probed: those that are new or whose check is another one in the next turn, all by
 * their check. Servers that m no longer has are forgotten; those that stay keep
 * their verdict's streak. A pool without a check only has its passive marks, and
 * what an earlier check has set down, lifted after passive_ms. */
void prober_use(struct prober *p, const struct model *m);

/* Each server that has a check and an address has been judged by it. */
bool prober_knows_all(const struct prober *p);

/* Probes all servers of one pool now; those under way are not doubled. */
void prober_check_pool(struct prober *p, struct live_pool *pool);

/* Probes this server now, unless that is under way: its address has just become
 * known. Where there is no check, it is up from now on. */
void prober_check_server(struct prober *p, struct live_server *s);

/* The data path has had an answer of this server, which is down by a mark and has no
 * check: it is up. */
void prober_on_proof(struct prober *p, struct live_server *s);

/* The data path has marked this server down or wants it looked at: logs the mark
 * (once) and probes it at once. `why` is what passive has seen. */
void prober_on_passive_mark(struct prober *p, struct live_server *s,
			    enum live_failure why);

#endif
