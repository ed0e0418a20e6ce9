/* loop/loop.h - the only place that waits: one thread's descriptors, timers and
 * messages from other threads.
 *
 * A loop belongs to one thread. Everything below is for that thread alone, except
 * loop_post and loop_stop, which any thread may call. Handlers must not block.
 *
 * One turn: wait (until an event, the next timer, or a message), read the clock
 * once, run messages, run ready descriptors (at most LOOP_EVENTS_MAX), run those
 * that asked to go on (loop_again), run due timers (at most LOOP_TIMERS_PER_TURN), run
 * what was put off to the end (loop/turn.h). What is over the budget comes first in the
 * next turn, which does not wait.
 *
 * A timer runs only when everything that was ready at its time has been told, however
 * late that is: so a time limit is no verdict on what has come in time.
 *
 * Descriptors are watched edge-triggered and registered once: a handler that
 * leaves bytes unread, or room unwritten, has to remember that itself.
 *
 * No other folder waits, sleeps or reads the clock, so that a simulated loop can
 * stand in for this one.
 */
#ifndef LOOP_LOOP_H
#define LOOP_LOOP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/list.h"

enum { LOOP_EVENTS_MAX = 256, LOOP_TIMERS_PER_TURN = 1024 };

enum loop_event {
	LOOP_READABLE = 1,	/* bytes or a connection to take */
	LOOP_WRITABLE = 2,	/* room in the socket, after it was full */
	LOOP_ENDED    = 4,	/* the peer sends no more (FIN); bytes may still wait */
	LOOP_BROKEN   = 8,	/* reset or failed; bytes may still wait */
	LOOP_RESUMED  = 16,	/* loop_again, asked for by the handler itself */
	LOOP_URGENT   = 32,	/* among the bytes are urgent ones (TCP): a read stops there */
};

struct loop;

/* A descriptor and who is told. Lives inside the struct that owns it. */
struct loop_watch {
	int  fd;		/* owned, -1 when not open */
	bool registered;	/* the kernel tells us about it */
	bool again;		/* in the loop's list of those that go on next turn */
	void (*on_ready)(struct loop_watch *w, unsigned events);
	struct link again_link;	/* while `again` */
};

/* Something to be done at a time. Lives inside the struct that owns it. */
struct loop_timer {
	struct link link;	/* in the wheel while armed */
	uint64_t    due_ms;	/* when to run */
	uint64_t    slot_ms;	/* where it stands in the wheel: at or before due_ms */
	bool        armed;
	void (*on_due)(struct loop_timer *t);
};

/* A message to another thread's loop. Owned by the receiver from loop_post until
 * `run` is called; `run` may free it. */
struct loop_job {
	struct loop_job *next;
	void (*run)(struct loop_job *job);
};

/* NULL and *err: the kernel refused a descriptor. */
struct loop *loop_create(struct err *err);

/* Every watch must have been closed and every timer stopped. Messages that were
 * never run are run now. */
void loop_destroy(struct loop *l);

/* Runs turns until loop_stop. */
void loop_run(struct loop *l);

/* Runs one turn, waiting at most wait_ms (-1: as long as it takes). */
void loop_turn(struct loop *l, int wait_ms);

/* From any thread: loop_run returns after the present turn. */
void loop_stop(struct loop *l);

/* From any thread, without a lock, any number of times: `job->run` is called in the loop's thread,
 * in the order of posting. Each job may be in one loop at a time. */
void loop_post(struct loop *l, struct loop_job *job);

/* The time of this turn's start. Milliseconds and microseconds count from an
 * arbitrary point and never go back; wall time is microseconds since 1970. */
uint64_t loop_now_ms(const struct loop *l);
uint64_t loop_now_us(const struct loop *l);
uint64_t loop_wall_us(const struct loop *l);

/* The time at this very moment, for measuring within a turn. */
uint64_t loop_clock_us(void);

/* Makes w the owner of fd, not registered yet. */
void loop_watch_init(struct loop_watch *w, int fd,
		     void (*on_ready)(struct loop_watch *w, unsigned events));

/* Asks the kernel to tell. What is ready already is told in the next turn. Nothing
 * happens when it is registered. -1: out of kernel memory or watches. */
int loop_watch_register(struct loop *l, struct loop_watch *w);

/* The same, level-triggered and for reading only: for listening sockets, and for those of
 * datagrams, which are writable anew after each one that has left. */
int loop_watch_register_level(struct loop *l, struct loop_watch *w);

/* Takes it back without closing the descriptor; it stays in w->fd. */
void loop_watch_forget(struct loop *l, struct loop_watch *w);

/* Closes the descriptor, which may be open in another process, too. No handler runs after
 * it, not even for an event already fetched: the memory may be reused at once. Nothing
 * happens when fd is -1. */
void loop_watch_close(struct loop *l, struct loop_watch *w);

/* Calls on_ready with LOOP_RESUMED in the next turn, so that one busy connection
 * does not keep the others waiting. */
void loop_again(struct loop *l, struct loop_watch *w);

void loop_timer_init(struct loop_timer *t, void (*on_due)(struct loop_timer *t));

/* Runs on_due in `ms` milliseconds, once; a turn later, or as many as it takes to tell all
 * that was ready then. Moving an armed timer to a later time costs one store. */
void loop_timer_start(struct loop *l, struct loop_timer *t, uint64_t ms);

/* Nothing happens when it is not armed. */
void loop_timer_stop(struct loop *l, struct loop_timer *t);

/* Figures, for observing and for tests. */
struct loop_stats {
	uint64_t turns, events, timers_run, pauses;
	uint64_t timers_armed;
};
const struct loop_stats *loop_stats(const struct loop *l);

#endif
