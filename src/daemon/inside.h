/* daemon/inside.h - what a running balancer consists of, for the files of this folder.
 *
 *   service.c    start, run, stop
 *   publish.c    a model comes into force
 *   steering.c   signals: reload, drain, reopen the logs
 *   notices.c    what workers tell the control thread
 *
 * Thread: control.
 */
#ifndef DAEMON_INSIDE_H
#define DAEMON_INSIDE_H

#include <pthread.h>

#include "daemon/names.h"
#include "daemon/service.h"
#include "loop/signals.h"
#include "model/live.h"

struct access_log;
struct prober;
struct resolver;
struct worker;

/* "This worker has nothing left to do." */
struct drained {
	struct loop_job job;
	struct service *service;
};

struct service {
	struct service_options options;
	struct loop     *loop;		/* owned, as all that is pointed at */
	struct live      live;
	struct model    *model;		/* held: the one in force; NULL before the first */
	struct worker   *workers[MODEL_LOOPS_MAX];
	pthread_t        threads[MODEL_LOOPS_MAX];
	uint32_t         worker_count, thread_count, drained_count;
	struct prober   *prober;
	struct resolver *resolver;
	struct names     names;
	struct signals   signals;
	struct access_log *access_log;	/* NULL: none so far */
	struct loop_job  collect;
	struct drained   drained[MODEL_LOOPS_MAX];
	bool             draining;
};

#endif
