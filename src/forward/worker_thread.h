/* forward/worker_thread.h - a worker as the control thread has it: made, given editions,
 * drained, ended.
 *
 * Thread: control. What it asks for is done on the loop's.
 */
#ifndef FORWARD_WORKER_THREAD_H
#define FORWARD_WORKER_THREAD_H

#include "forward/worker.h"

/* Makes the worker and its loop; nothing runs yet. */
struct worker *worker_create(unsigned number, struct live *live, struct worker **all,
			     const struct worker_hooks *hooks, struct err *err);

/* Ends all that is still there. After the loop's thread has ended. */
void worker_destroy(struct worker *w);

/* A new listening socket that comes with an edition. */
struct port_opening {
	int fd;					/* given */
	struct live_listener *live;
};

/* From now on work by this edition, which is given. `openings` (given, heap) are the
 * listeners that it has and the last one had not; listeners that it lacks are closed, their
 * connections ended when idle. */
void worker_adopt(struct worker *w, struct edition *e, struct port_opening *openings,
		  uint32_t count);

/* Another process accepts at our sockets from now on, and this worker no more. Who is
 * connected notices nothing: requests are answered with Connection: close, idle connections
 * may stay as long as ever, and all may go on for limit_ms; UINT32_MAX: for as long as they
 * last. hooks.drained is called when all is gone; worker_drain may follow. */
void worker_leave(struct worker *w, uint32_t limit_ms);

/* Accept no more, end idle connections, let requests finish; after limit_ms cut what is
 * left. hooks.drained is called when all is gone. May be called again, with a shorter
 * limit. */
void worker_drain(struct worker *w, uint32_t limit_ms);

#endif
