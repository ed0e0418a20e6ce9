/* spawn/process_task.c - what the process driver was asked for, until it is told that it
 * is done: never out of the call that began it.
 */
#include <stdlib.h>

#include "base/memory.h"
#include "base/must.h"
#include "spawn/process_inside.h"

static struct spawn_server *describe_all(struct spawn_engine *e, uint32_t *count)
{
	uint32_t used = 0, size = 0;

	LIST_EACH(&e->processes, at, next)
		size++;
	struct spawn_server *all = memory_new(size + 1, sizeof *all);
	LIST_EACH(&e->processes, at, next)
		process_describe(CONTAINER_OF(at, struct process, link), &all[used++]);
	*count = used;
	return all;
}

/* The last that happens to a task. What is called may begin others, or close the
 * engine. */
static void on_told(struct loop_timer *timer)
{
	struct process_task *task = CONTAINER_OF(timer, struct process_task, told);
	struct spawn_task *t = task->task;
	struct spawn_server *found = NULL;

	if (task->kind == PROCESS_LIST && task->result == SPAWN_DONE)
		found = describe_all(task->engine, &t->found_count);
	if (task->kind == PROCESS_START && task->result == SPAWN_DONE)
		process_describe(task->process, &t->server);
	list_remove(&task->link);
	t->inside = NULL;
	t->found = found;
	t->on_done(t, task->result, &task->err);
	free(found);
	free(task);
}

struct process_task *process_task_begin(struct spawn_engine *e, struct spawn_task *t,
					enum process_task_kind kind)
{
	struct process_task *task = memory_new(1, sizeof *task);

	task->engine = e;
	task->task = t;
	task->kind = kind;
	loop_timer_init(&task->told, on_told);
	list_push_last(&e->tasks, &task->link);
	t->inside = task;
	t->found = NULL;
	t->found_count = 0;
	return task;
}

void process_task_end(struct process_task *task, enum spawn_result result)
{
	task->result = result;
	loop_timer_start(task->engine->place.loop, &task->told, 0);
}

void process_task_drop(struct process_task *task)
{
	loop_timer_stop(task->engine->place.loop, &task->told);
	task->task->inside = NULL;
	list_remove(&task->link);
	free(task);
}

void process_task_end_stops(struct process *p, enum spawn_result result,
			    const struct err *why)
{
	LIST_EACH(&p->engine->tasks, at, next) {
		struct process_task *task = CONTAINER_OF(at, struct process_task, link);
		if (task->process != p || task->kind != PROCESS_STOP)
			continue;
		task->process = NULL;
		if (why != NULL)
			task->err = *why;
		process_task_end(task, result);
	}
}

struct process_task *process_task_start_of(const struct process *p)
{
	LIST_EACH(&p->engine->tasks, at, next) {
		struct process_task *task = CONTAINER_OF(at, struct process_task, link);
		if (task->process == p && task->kind == PROCESS_START)
			return task;
	}
	return NULL;
}

