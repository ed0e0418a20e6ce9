/* daemon/loops.h - the threads of the data path, all at once.
 *
 * Thread: control.
 */
#ifndef DAEMON_LOOPS_H
#define DAEMON_LOOPS_H

#include "base/err.h"
#include "model/live.h"

struct service;

/* Listening sockets that no loop has yet. A key-value listener may have two. */
struct openings {
	uint32_t count;
	struct {
		struct live_listener *live;
		int *fds;		/* owned: one per loop */
		bool is_kv, for_workers;
	} all[2 * MODEL_LISTENERS_MAX];
};

/* As many as the command line, or else m, or else the machine says; no thread yet. */
int loops_create(struct service *s, const struct model *m, struct err *err);
int loops_start(struct service *s, struct err *err);

/* Hands each its edition of m and its own socket of each opening. */
void loops_adopt(struct service *s, const struct model *m, const struct openings *o);

/* Wakes these (a bit each): see worker_wake. Any of their threads. */
void loops_wake(struct service *s, uint64_t loops);

/* A server of a pool has come up: who waits there, in any loop, looks for a place. */
void loops_tell_up(struct service *s, const struct live_server *server);

/* See worker_drain. */
void loops_drain(struct service *s, uint32_t limit_ms);

/* Ends those that there are. */
void loops_destroy(struct service *s);

#endif
