/* spawn/process.c - the driver of spawn/driver.h whose servers are programs of this
 * machine: who is there, and what is asked for.
 *
 * A server is found again by its record and by the start time that the kernel has of
 * its process; how that is written is in spawn/process_child.h. Its end is told by a
 * pidfd, so no number of a process is watched that may be another's by now.
 *
 * A child of ours that outlives its engine is waited for by the engine that finds it
 * next, at the latest when it is stopped, or by init when we have ended.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "base/memory.h"
#include "base/must.h"
#include "spawn/process_inside.h"
#include "spawn/process_ports.h"
#include "spawn/process_start.h"

/* ---- those that were there before us ---- */

/* 1: runs, *pidfd is given; 0: it does not; -1 and *err: that cannot be found out. */
static int open_running(const struct spawn_engine *e, const struct process_record *r,
			int *pidfd, struct err *err)
{
	if (process_folder_holder(&e->folder, r) != PROCESS_ITSELF)
		return 0;
	*pidfd = (int)syscall(SYS_pidfd_open, r->pid, 0);
	if (*pidfd < 0 && errno == ESRCH)
		return 0;
	if (*pidfd < 0)
		return err_sys(err, "cannot watch process %d of server %s", (int)r->pid,
			       r->name);
	/* Now that it is ours to know, is it still the one? */
	if (process_folder_holder(&e->folder, r) == PROCESS_ITSELF)
		return 1;
	close(*pidfd);
	return 0;
}

static void read_on(struct process *p)
{
	int fd = process_output_of(&p->engine->folder, p->record.name);
	struct err err = {""};

	if (fd >= 0 && process_output_open(&p->output, fd, &err) == 0)
		return;
	if (fd < 0)
		err_sys(&err, "no pipe");
	log_warn("what a server says is not heard pool=%s server=%s reason=\"%s\"",
		 p->engine->place.pool, p->record.name, err.text);
}

static int adopt(void *arg, const char *name, struct err *err)
{
	struct spawn_engine *e = arg;
	struct process_record r = {.pid = 0};
	struct err why;
	int pidfd = -1;

	if (process_find(e, name) != NULL)
		return 0;
	if (process_folder_read(&e->folder, name, &r, &why) != 0) {
		log_warn("the record of a server cannot be used pool=%s server=%s "
			 "reason=\"%s\"", e->place.pool, name, why.text);
		memcpy(r.name, name, strlen(name) + 1);
	}
	int runs = open_running(e, &r, &pidfd, err);
	if (runs < 0)
		return -1;
	struct process *p = process_add(e, &r, runs ? PROCESS_RUNS : PROCESS_GONE);
	if (runs == 0)
		return 0;
	process_port_take(r.port);
	if (process_watch(p, pidfd, err) != 0) {
		process_forget(p);
		return -1;
	}
	read_on(p);
	return 0;
}

/* Whatever is done, the folder is ours first, and we know who is there. */
static int look(struct spawn_engine *e, struct err *err)
{
	if (process_folder_lock(&e->folder, err) != 0)
		return -1;
	if (!e->looked && process_folder_walk(&e->folder, adopt, e, err) != 0)
		return -1;
	e->looked = true;
	return 0;
}

/* ---- the driver ---- */

static struct spawn_engine *process_open(const struct spawn_place *place, struct err *err)
{
	struct spawn_engine *e = memory_new(1, sizeof *e);

	if (process_folder_open(&e->folder, place->state, place->balancer, place->pool,
				err) != 0) {
		free(e);
		return NULL;
	}
	e->place = *place;
	list_init(&e->processes);
	list_init(&e->tasks);
	return e;
}

static void process_close(struct spawn_engine *e)
{
	LIST_EACH(&e->tasks, at, next)
		process_task_drop(CONTAINER_OF(at, struct process_task, link));
	LIST_EACH(&e->processes, at, next)
		process_forget(CONTAINER_OF(at, struct process, link));
	process_folder_close(&e->folder);
	free(e);
}

static void process_use(struct spawn_engine *e, const struct model_own *own)
{
	e->place.own = own;
}

static void process_list(struct spawn_engine *e, struct spawn_task *t)
{
	struct process_task *task = process_task_begin(e, t, PROCESS_LIST);

	process_task_end(task, look(e, &task->err) == 0 ? SPAWN_DONE : SPAWN_FAILED);
}

/* Nobody is to run by this name; what is left of one that did goes. */
static int make_room(struct spawn_engine *e, const char *name, struct err *err)
{
	if (!spawn_name_is_good(name))
		return err_set(err, "a server cannot be named by this: it takes letters, "
			       "digits, '.', '_' and '-'");
	if (look(e, err) != 0)
		return -1;
	struct process *before = process_find(e, name);
	if (before == NULL)
		return 0;
	if (before->state != PROCESS_GONE)
		return err_set(err, "server %s runs already, as process %d", name,
			       (int)before->record.pid);
	process_clear(before);
	return 0;
}

static void process_begin(struct spawn_engine *e, const char *name, struct spawn_task *t)
{
	struct process_task *task = process_task_begin(e, t, PROCESS_START);
	struct process_started made;

	if (make_room(e, name, &task->err) != 0 ||
	    process_start(&e->folder, e->place.own, name, &made, &task->err) != 0) {
		process_task_end(task, SPAWN_FAILED);
		return;
	}
	struct process *p = process_add(e, &made.record, PROCESS_RUNS);
	bool heard = process_output_open(&p->output, made.output, &task->err) == 0;
	if (process_watch(p, made.pidfd, &task->err) == 0 && heard) {
		task->process = p;
		process_task_end(task, SPAWN_DONE);
		return;
	}
	kill(-made.record.pid, SIGKILL);
	waitpid(made.record.pid, NULL, 0);
	process_folder_remove(&e->folder, name);
	process_forget(p);
	process_task_end(task, SPAWN_FAILED);
}

static void process_stop(struct spawn_engine *e, const struct spawn_server *s,
			 uint32_t grace_ms, struct spawn_task *t)
{
	struct process_task *task = process_task_begin(e, t, PROCESS_STOP);
	struct spawn_server there = {.running = false};

	if (look(e, &task->err) != 0) {
		process_task_end(task, SPAWN_FAILED);
		return;
	}
	struct process *p = process_find(e, s->name);
	if (p != NULL)
		process_describe(p, &there);
	if (p == NULL || strcmp(there.id, s->id) != 0) {
		process_task_end(task, SPAWN_DONE);
		return;
	}
	if (p->state == PROCESS_GONE) {
		process_clear(p);
		process_task_end(task, SPAWN_DONE);
		return;
	}
	if (process_ask(p, grace_ms, &task->err) != 0) {
		process_task_end(task, SPAWN_FAILED);
		return;
	}
	task->process = p;
}

const struct spawn_driver spawn_process = {
	.name = "process",
	.open = process_open, .close = process_close, .use = process_use,
	.list = process_list, .start = process_begin, .stop = process_stop,
};
