/* spawn/process_inside.h - what the parts of the process driver have in common.
 *
 *            start              stop              grace over
 *   (none) --------> RUNS ---------------> ENDS -----------> FORCED
 *     ^               | \                    |                  |
 *     |   has ended   |  '--- stop, 0 ms ----+----------------->|
 *     |               v                      |                  |
 *     '---- stop --- GONE                    | has ended        | has ended
 *     '--------------------------------------'------------------'
 *
 * Signals go to the whole group, which the server leads. What is left of the group when
 * the leader has ended is ended by force at once.
 *
 * Thread: control.
 */
#ifndef SPAWN_PROCESS_INSIDE_H
#define SPAWN_PROCESS_INSIDE_H

#include "loop/loop.h"
#include "spawn/driver.h"
#include "spawn/process_folder.h"
#include "spawn/process_output.h"

enum process_state { PROCESS_GONE, PROCESS_RUNS, PROCESS_ENDS, PROCESS_FORCED };

struct process {
	struct link link;		/* in the engine's */
	struct spawn_engine *engine;
	enum process_state state;
	struct process_record record;
	struct loop_watch ended;	/* owned: its pidfd, while it is not GONE */
	struct process_output output;
	struct loop_timer force;	/* ENDS, FORCED: this is taking too long */
	uint64_t force_at_ms;
};

enum process_task_kind { PROCESS_LIST, PROCESS_START, PROCESS_STOP };

/* A task that has begun, and is told of when its timer says so. */
struct process_task {
	struct link link;		/* in the engine's */
	struct spawn_engine *engine;
	struct spawn_task *task;	/* borrowed */
	enum process_task_kind kind;
	struct process *process;	/* that it is about; NULL: none any more */
	struct loop_timer told;
	enum spawn_result result;
	struct err err;
};

struct spawn_engine {
	struct spawn_place place;	/* `own` is the present one */
	struct process_folder folder;
	struct process_share share;	/* of lines in the log */
	struct link processes, tasks;
	bool looked;			/* for those that there were before us */
};

/* ---- process_task.c ---- */

/* From now on the task is under way. */
struct process_task *process_task_begin(struct spawn_engine *e, struct spawn_task *t,
					enum process_task_kind kind);

/* It is decided; told after the present turn, or in the next. */
void process_task_end(struct process_task *task, enum spawn_result result);

/* Nobody is told. */
void process_task_drop(struct process_task *task);

/* All stops of this process have come to this; `why` may be NULL. */
void process_task_end_stops(struct process *p, enum spawn_result result,
			    const struct err *why);

/* The start of this process, if it has not been told yet. */
struct process_task *process_task_start_of(const struct process *p);

/* ---- process_life.c ---- */

/* One that runs, without what watches it yet, or one that is gone. */
struct process *process_add(struct spawn_engine *e, const struct process_record *r,
			    enum process_state state);

/* We know nothing of it any more; it and its files are as they are. */
void process_forget(struct process *p);

/* NULL: nobody has this name. */
struct process *process_find(const struct spawn_engine *e, const char *name);

/* As those who use the driver know it. */
void process_describe(const struct process *p, struct spawn_server *out);

/* pidfd, which is given, is its. -1 and *err: it cannot be watched. */
int process_watch(struct process *p, int pidfd, struct err *err);

/* It is to end, by force at once or after a while. The stops that wait for it are told.
 * -1 and *err: it is not ours to signal. */
int process_ask(struct process *p, uint32_t grace_ms, struct err *err);

/* Nothing is left of one that is GONE, in memory and in files. */
void process_clear(struct process *p);

#endif
