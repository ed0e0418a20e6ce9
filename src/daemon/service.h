/* daemon/service.h - a running balancer: the control thread, the workers, and the
 * model that they work by.
 *
 *   model -> attach (live) -> open new listeners -> an edition per worker -> adopt
 *                 '-> prober, names
 *
 * A model takes effect as a whole or not at all: whatever can fail is done before the
 * first worker hears of it.
 *
 * Thread: control, which is the one that calls service_run.
 */
#ifndef DAEMON_SERVICE_H
#define DAEMON_SERVICE_H

#include "base/err.h"
#include "model/model.h"

struct service;

/* How a model is read anew on SIGHUP: returns one that the caller holds, or NULL after
 * having said in the log what is wrong. */
typedef struct model *service_reader(void *arg);

struct service_options {
	uint32_t threads;		/* 0: as the model says */
	service_reader *reread;		/* NULL: there is nothing to read anew */
	void *arg;			/* for reread */
};

/* Starts everything by m, which is given in any case. NULL and *err: it cannot be
 * done, and nothing is left running. */
struct service *service_start(struct model *m, const struct service_options *options,
			      struct err *err);

/* Serves until a signal ends it and the drain is over. */
void service_run(struct service *s);

/* Ends what is left. */
void service_stop(struct service *s);

#endif
