/* daemon/loops.h - the threads of the data path, all at once.
 *
 * Thread: control.
 */
#ifndef DAEMON_LOOPS_H
#define DAEMON_LOOPS_H

#include "base/err.h"
#include "model/live.h"

struct service;

/* Listening sockets that no loop has yet. A key-value listener may have two openings. */
struct openings {
	uint32_t count;
	struct opening {
		struct live_listener *live;
		int *fds;		/* owned */
		uint32_t count;		/* one for each loop, or more, or fewer */
		uint32_t first;		/* the loop that gets the first one */
		bool is_kv, for_workers;
	} all[2 * MODEL_LISTENERS_MAX];
};

/* Which of its descriptors loop number i gets: the first of them, then each that is
 * `loops` further on. */
static inline uint32_t opening_first(const struct opening *o, uint32_t i, uint32_t loops)
{
	return (i + loops - o->first % loops) % loops;
}

/* Frees what they own; closes the descriptors, too, where no loop has got them. */
void loops_free_openings(struct openings *o, bool descriptors);

/* As many as the command line, or else m, or else the machine says; no thread yet. */
int loops_create(struct service *s, const struct model *m, struct err *err);
int loops_start(struct service *s, struct err *err);

/* Hands each its edition of m and its own sockets of each opening. */
void loops_adopt(struct service *s, const struct model *m, const struct openings *o);

/* Wakes these (a bit each): see worker_wake. Any of their threads. */
void loops_wake(struct service *s, uint64_t loops);

/* A server of a pool has come up: who waits there, in any loop, looks for a place. */
void loops_tell_up(struct service *s, const struct live_server *server);

/* See worker_drain. */
void loops_drain(struct service *s, uint32_t limit_ms);

/* See worker_leave. */
void loops_leave(struct service *s, uint32_t limit_ms);

/* Ends those that there are. */
void loops_destroy(struct service *s);

#endif
