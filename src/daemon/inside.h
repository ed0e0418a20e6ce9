/* daemon/inside.h - what a running balancer consists of, for the files of this folder.
 *
 *   service.c    start, run, stop
 *   wanted.c     what is asked for: the file, and the changes over it
 *   publish.c    a model comes into force
 *   loops.c      the threads of the data path
 *   notices.c    what they tell the control thread
 *   handed.c     connections that they hand over to the control interface
 *   hubs.c       the same threads' part of key-value mode
 *   steering.c   what is asked by signals and by the control interface
 *   admin.c      the control interface
 *   news.c       what has happened, for those who follow it
 *   guests.c     servers that come and go by themselves join their pool, and leave it
 *   watchdog.c   the service manager is told that nothing hangs
 *   workers.c    workers of key-value pools become servers of these
 *   owned.c      servers that pools make become servers of these
 *   naming.c     names, from the start to the end
 *   names.c      servers given by name get their addresses
 *   srv.c        names whose SRV records lead to servers
 *   resolving.c  and the addresses of these
 *   kept_names.c what names stand for outlives the process
 *   sockets.c    which listening sockets there are
 *   upgrade.c    another process takes this one's place
 *   takeover.c   this process takes another one's
 *
 * Thread: control.
 */
#ifndef DAEMON_INSIDE_H
#define DAEMON_INSIDE_H

#include <pthread.h>

#include "daemon/names.h"
#include "daemon/service.h"
#include "daemon/wanted.h"
#include "loop/signals.h"
#include "model/live.h"

struct access_log;
struct control;
struct events;
struct kept_names;
struct kv_hub;
struct kv_registry;
struct owners;
struct prober;
struct srv_lookups;
struct watchdog;
struct takeover;
struct upgrade;
struct worker;

/* "This loop has nothing left to do": for forwarded traffic, for clients of key-value mode, for
 * their workers. */
struct drained {
	struct loop_job job;
	struct service *service;
};

struct service {
	struct service_options options;
	struct loop     *loop;		/* owned, as all that is pointed at */
	struct live      live;
	struct wanted    wanted;
	struct model    *model;		/* held: in force; NULL before the first */
	uint64_t         version;	/* another one after each that came into force */
	struct worker   *workers[MODEL_LOOPS_MAX];
	pthread_t        threads[MODEL_LOOPS_MAX];
	uint32_t         worker_count, thread_count, drained_count;
	struct kv_hub   *hubs[MODEL_LOOPS_MAX];	/* key-value mode's, one for each loop */
	struct kv_registry *registry;
	struct owners   *owners;
	char            *state_folder;	/* NULL: there is none */
	uint32_t         hubs_without_clients;
	struct prober   *prober;
	struct names     names;
	struct srv_lookups *srvs;
	struct kept_names *kept_names;	/* NULL before the start */
	struct signals   signals;
	struct control  *control;	/* NULL before admin_open */
	struct events   *events;
	struct access_log *access_log;	/* NULL: none so far */
	struct loop_timer catch_up;	/* of the log */
	struct loop_job  collect;
	atomic_uint      handed_over;	/* connections on their way to `control` */
	struct drained   drained[MODEL_LOOPS_MAX], clients_gone[MODEL_LOOPS_MAX],
			 parted[MODEL_LOOPS_MAX];
	struct link      sockets;	/* struct listening: those that the loops have */
	struct upgrade  *upgrade;	/* owned; NULL: none is under way */
	struct takeover *takeover;	/* borrowed; NULL: this process takes nobody's place */
	struct loop_watch successor;	/* owned: of that process, until it ends */
	int              successor_pid;
	bool             replaced;	/* draining, since another process serves */
	struct watchdog *watchdog;	/* NULL: the manager does not ask for it */
	bool             draining;
	bool             hurried;	/* and asked to end at once */
};

#endif
