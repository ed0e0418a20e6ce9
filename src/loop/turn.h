/* loop/turn.h - the end of a loop's turn: what many events of one turn add to is done
 * once, and a busy loop may wait a moment for more.
 *
 * Thread: the loop's.
 */
#ifndef LOOP_TURN_H
#define LOOP_TURN_H

#include "loop/loop.h"

enum {
	LOOP_PAUSE_US = 30,		/* how long loop_pause lets the loop sleep */
	LOOP_PAUSE_SOON_US = 100,	/* where turns are further apart, it does not */
	LOOP_PAUSE_EVENTS_MAX = 16,	/* nor where a turn has had more than these */
};

/* Something to be done at the end of a turn. Lives inside the struct that owns it. */
struct loop_task {
	struct link link;	/* in the loop's list while it waits */
	void (*run)(struct loop_task *t);
};

void loop_task_init(struct loop_task *t, void (*run)(struct loop_task *t));

/* Runs the task once, at the end of this turn: what many events of a turn add to is sent
 * by one call. Nothing happens when it waits already. A task that asks for itself, or for
 * another, out of `run` gets the end of the next turn. */
void loop_at_end(struct loop *l, struct loop_task *t);

/* Nothing happens when it does not wait. */
void loop_task_cancel(struct loop_task *t);

/* More will come very soon, as far as the caller can tell: the next turn may begin
 * LOOP_PAUSE_US later, so that it finds much, instead of little many times over.
 * Where turns are small, being woken, asking the kernel what there is and waking
 * others is most of what a busy loop costs. Asked for anew in each turn; nothing
 * happens when this one had many events or came long after the one before, or when
 * something is to go on at once. */
void loop_pause(struct loop *l);

#endif
