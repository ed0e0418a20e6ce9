/* daemon/sockets.h - which listening sockets the loops have, by listener: so that they can be
 * handed over to another process.
 *
 * The descriptors are the loops', which close them when a model without the listener comes
 * into force, or when they drain. What stands here is forgotten in the same moment in which
 * such a model is posted to them, so a number that is here is still open.
 *
 * Every socket of a SO_REUSEPORT group has a queue of its own. So one that was inherited
 * stays open whatever the number of loops: a loop may have several, or none.
 *
 * Thread: control.
 */
#ifndef DAEMON_SOCKETS_H
#define DAEMON_SOCKETS_H

#include <stdbool.h>

#include "base/list.h"
#include "daemon/loops.h"

/* Those of one address of a listener. */
struct listening {
	struct link link;		/* in service.sockets */
	struct address address;
	bool datagrams;
	bool is_kv, for_workers;
	struct live_listener *live;	/* borrowed: the model in force holds it */
	uint32_t count;
	int *fds;			/* owned; the descriptors are borrowed */
};

static inline struct listening *listening_at(struct link *l)
{
	return CONTAINER_OF(l, struct listening, link);
}

/* These are open from now on, as m has them; those that m does not have are not. m is
 * about to be posted to the loops. */
void sockets_use(struct service *s, const struct model *m, const struct openings *o);

/* Opens what loops lack that have none of a listener in force, and gives it to them. -1 and
 * *err: the system refuses. */
int sockets_fill(struct service *s, struct err *err);

/* At the end. */
void sockets_forget_all(struct service *s);

#endif
