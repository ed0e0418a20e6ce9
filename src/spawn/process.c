/* spawn/process.c - the driver of spawn/driver.h whose servers are programs of this
 * machine: who there is, who is asked to end, who has ended.
 *
 *            start              stop              grace over
 *   (none) --------> RUNS ---------------> ENDS -----------> FORCED
 *     ^               | \                    |                  |
 *     |   has ended   |  '--- stop, 0 ms ----+----------------->|
 *     |               v                      |                  |
 *     '---- stop --- GONE                    | has ended        | has ended
 *     '--------------------------------------'------------------'
 *
 * A server is found again by its record and by the start time that the kernel has of its
 * process; how it is written is in spawn/process_child.h. Its end is told by a pidfd, so
 * no number of a process is ever asked about that may be another's by now.
 *
 * Signals go to the whole group, which the server leads. What is left of the group when
 * the leader has ended is ended by force at once: while we have not waited for a child,
 * its number is nobody else's.
 *
 * Thread: control.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "base/memory.h"
#include "base/must.h"
#include "loop/loop.h"
#include "spawn/driver.h"
#include "spawn/process_output.h"
#include "spawn/process_ports.h"
#include "spawn/process_start.h"

enum {
	FORCED_MS = 10 * 1000,		/* after SIGKILL, until we say that it does not end */
	WHY_MAX   = 80,
};

enum process_state { PROCESS_GONE, PROCESS_RUNS, PROCESS_ENDS, PROCESS_FORCED };

struct process {
	struct link link;			/* in the engine's */
	struct spawn_engine *engine;
	enum process_state state;
	struct process_record record;
	struct loop_watch  ended;		/* owned: its pidfd, while it is not GONE */
	struct process_output output;
	struct loop_timer  force;		/* ENDS, FORCED: this is taking too long */
	uint64_t           force_at_ms;
};

enum op_kind { OP_LIST, OP_START, OP_STOP };

/* A task that has begun, and is told of when its timer says so. */
struct op {
	struct link link;			/* in the engine's */
	struct spawn_engine *engine;
	struct spawn_task *task;		/* borrowed */
	enum op_kind kind;
	struct process *process;		/* the one it is about; NULL: none any more */
	struct loop_timer told;
	enum spawn_result result;
	struct err err;
};

struct spawn_engine {
	struct spawn_place place;		/* `own` is the present one */
	struct process_folder folder;
	struct process_share share;		/* of lines in the log */
	struct link processes, ops;
	bool looked;				/* for those that there were before us */
};

/* ---- tasks ---- */

static void describe(const struct process *p, struct spawn_server *out)
{
	const struct process_record *r = &p->record;

	*out = (struct spawn_server){
		.recipe = r->recipe, .running = p->state != PROCESS_GONE,
	};
	memcpy(out->name, r->name, sizeof out->name);
	snprintf(out->id, sizeof out->id, "%d-%llu", (int)r->pid,
		 (unsigned long long)r->started);
	if (r->port == 0)
		return;
	out->address.in4 = (struct sockaddr_in){
		.sin_family = AF_INET, .sin_port = htons(r->port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	out->address.len = sizeof out->address.in4;
	address_format(&out->address);
}

static struct spawn_server *describe_all(struct spawn_engine *e, uint32_t *count)
{
	uint32_t used = 0, size = 0;

	LIST_EACH(&e->processes, at, next)
		size++;
	struct spawn_server *all = memory_new(size + 1, sizeof *all);
	LIST_EACH(&e->processes, at, next)
		describe(CONTAINER_OF(at, struct process, link), &all[used++]);
	*count = used;
	return all;
}

/* The last that happens to an op. What is called may begin others, or close the engine. */
static void on_told(struct loop_timer *timer)
{
	struct op *op = CONTAINER_OF(timer, struct op, told);
	struct spawn_task *t = op->task;
	struct spawn_server *found = NULL;

	if (op->kind == OP_LIST && op->result == SPAWN_DONE)
		found = describe_all(op->engine, &t->found_count);
	if (op->kind == OP_START && op->result == SPAWN_DONE)
		describe(op->process, &t->server);
	list_remove(&op->link);
	t->inside = NULL;
	t->found = found;
	t->on_done(t, op->result, &op->err);
	free(found);
	free(op);
}

static struct op *begin(struct spawn_engine *e, struct spawn_task *t, enum op_kind kind)
{
	struct op *op = memory_new(1, sizeof *op);

	op->engine = e;
	op->task = t;
	op->kind = kind;
	loop_timer_init(&op->told, on_told);
	list_push_last(&e->ops, &op->link);
	t->inside = op;
	t->found = NULL;
	t->found_count = 0;
	return op;
}

/* It is decided; told after the present turn, or in the next. */
static void end(struct op *op, enum spawn_result result)
{
	op->result = result;
	loop_timer_start(op->engine->place.loop, &op->told, 0);
}

/* All stops of this process have come to this; `why` may be NULL. */
static void end_stops(struct process *p, enum spawn_result result, const struct err *why)
{
	LIST_EACH(&p->engine->ops, at, next) {
		struct op *op = CONTAINER_OF(at, struct op, link);
		if (op->process != p || op->kind != OP_STOP)
			continue;
		op->process = NULL;
		if (why != NULL)
			op->err = *why;
		end(op, result);
	}
}

/* The start of this process, if it has not been told yet. */
static struct op *start_of(const struct process *p)
{
	LIST_EACH(&p->engine->ops, at, next) {
		struct op *op = CONTAINER_OF(at, struct op, link);
		if (op->process == p && op->kind == OP_START)
			return op;
	}
	return NULL;
}

/* ---- processes ---- */

static void on_ended(struct loop_watch *w, unsigned events);
static void on_force(struct loop_timer *t);

static struct process *add(struct spawn_engine *e, const struct process_record *r)
{
	struct process *p = memory_new(1, sizeof *p);

	p->engine = e;
	p->record = *r;
	loop_watch_init(&p->ended, -1, on_ended);
	loop_timer_init(&p->force, on_force);
	process_output_init(&p->output, e->place.loop, e->place.pool, p->record.name, &e->share);
	list_push_last(&e->processes, &p->link);
	return p;
}

/* We know nothing of it any more; it and its files are as they are. */
static void forget(struct process *p)
{
	struct loop *loop = p->engine->place.loop;

	if (p->state != PROCESS_GONE)
		process_port_give(p->record.port);
	loop_timer_stop(loop, &p->force);
	loop_watch_close(loop, &p->ended);
	process_output_close(&p->output);
	list_remove(&p->link);
	free(p);
}

static struct process *find(const struct spawn_engine *e, const char *name)
{
	LIST_EACH(&e->processes, at, next) {
		struct process *p = CONTAINER_OF(at, struct process, link);
		if (strcmp(p->record.name, name) == 0)
			return p;
	}
	return NULL;
}

/* pidfd, which is given, is its. -1 and *err: it cannot be watched. */
static int watch(struct process *p, int pidfd, struct err *err)
{
	loop_watch_init(&p->ended, pidfd, on_ended);
	if (loop_watch_register_level(p->engine->place.loop, &p->ended) != 0) {
		err_sys(err, "cannot watch process %d", (int)p->record.pid);
		loop_watch_close(p->engine->place.loop, &p->ended);
		return -1;
	}
	return 0;
}

/* ---- ends ---- */

/* How it has ended; before it is waited for, so that its number is still its own. */
static bool look_at_end(const struct process *p, siginfo_t *info)
{
	*info = (siginfo_t){0};
	return waitid(P_PIDFD, (id_t)p->ended.fd, info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
	       info->si_pid != 0;
}

static void write_why(char why[WHY_MAX], const siginfo_t *info)
{
	const char *name = sigabbrev_np(info->si_status);

	if (info->si_code == CLD_EXITED)
		snprintf(why, WHY_MAX, "exited with status %d", info->si_status);
	else if (name != NULL)
		snprintf(why, WHY_MAX, "killed by signal %d (SIG%s)", info->si_status, name);
	else
		snprintf(why, WHY_MAX, "killed by signal %d", info->si_status);
}

/* What is left of the group of one that has ended. The kernel gives its number to no other
 * while the group has members; so if another has it, there are none. */
static void kill_rest(const struct process *p)
{
	const struct process_record *r = &p->record;

	if (r->pid > 1 && process_folder_holder(&p->engine->folder, r) != PROCESS_ANOTHER)
		kill(-r->pid, SIGKILL);
}

/* Sets why, and leaves neither a zombie nor its children. */
static void bury(struct process *p, char why[WHY_MAX])
{
	siginfo_t info;
	bool our_child = look_at_end(p, &info);

	kill_rest(p);
	if (our_child) {
		write_why(why, &info);
		waitid(P_PIDFD, (id_t)p->ended.fd, &info, WEXITED | WNOHANG);
	} else {
		snprintf(why, WHY_MAX, "has ended");
	}
	process_output_finish(&p->output);
	loop_timer_stop(p->engine->place.loop, &p->force);
	loop_watch_close(p->engine->place.loop, &p->ended);
	process_port_give(p->record.port);
	p->state = PROCESS_GONE;
}

static void on_ended(struct loop_watch *w, unsigned events)
{
	struct process *p = CONTAINER_OF(w, struct process, ended);
	struct spawn_engine *e = p->engine;
	bool asked = p->state != PROCESS_RUNS;
	struct op *start = start_of(p);
	struct spawn_server s;
	char why[WHY_MAX];

	(void)events;
	bury(p, why);
	if (!asked && start == NULL) {
		describe(p, &s);
		e->place.on_gone(e->place.arg, s.id, why);
		return;
	}
	if (start != NULL) {
		start->process = NULL;
		err_set(&start->err, "%s %s at once; what it said is in the log",
			p->record.command, why);
		end(start, SPAWN_FAILED);
	}
	end_stops(p, SPAWN_DONE, NULL);
	process_folder_remove(&e->folder, p->record.name);
	forget(p);
}

/* -1 and *err: it is not ours to signal. One that has just ended is none of that. */
static int signal_group(const struct process *p, int number, struct err *err)
{
	if (kill(-p->record.pid, number) == 0 || errno == ESRCH)
		return 0;
	return err_sys(err, "cannot signal process %d of server %s", (int)p->record.pid,
		       p->record.name);
}

static void wait_until(struct process *p, enum process_state state, uint32_t ms)
{
	struct loop *loop = p->engine->place.loop;

	p->state = state;
	p->force_at_ms = loop_now_ms(loop) + ms;
	loop_timer_start(loop, &p->force, ms);
}

static int force(struct process *p, struct err *err)
{
	if (signal_group(p, SIGKILL, err) != 0)
		return -1;
	wait_until(p, PROCESS_FORCED, FORCED_MS);
	return 0;
}

static int ask(struct process *p, uint32_t grace_ms, struct err *err)
{
	uint64_t now_ms = loop_now_ms(p->engine->place.loop);

	if (grace_ms == 0 || p->state == PROCESS_FORCED)
		return force(p, err);
	if (p->state == PROCESS_ENDS && p->force_at_ms <= now_ms + grace_ms)
		return 0;
	if (signal_group(p, SIGTERM, err) != 0)
		return -1;
	wait_until(p, PROCESS_ENDS, grace_ms);
	return 0;
}

/* It was asked to end, or to be ended, and has not. */
static void on_force(struct loop_timer *t)
{
	struct process *p = CONTAINER_OF(t, struct process, force);
	struct err err;

	if (p->state == PROCESS_ENDS && force(p, &err) == 0)
		return;
	if (p->state == PROCESS_FORCED)
		err_set(&err, "process %d of server %s does not end, not even by force: it "
			"waits within the kernel, see /proc/%d/stack",
			(int)p->record.pid, p->record.name, (int)p->record.pid);
	p->state = PROCESS_RUNS;	/* its end is told, if it comes */
	end_stops(p, SPAWN_FAILED, &err);
}

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

	if (find(e, name) != NULL)
		return 0;
	if (process_folder_read(&e->folder, name, &r, &why) != 0) {
		log_warn("the record of a server cannot be used pool=%s server=%s "
			 "reason=\"%s\"", e->place.pool, name, why.text);
		memcpy(r.name, name, strlen(name) + 1);
	}
	int runs = open_running(e, &r, &pidfd, err);
	if (runs < 0)
		return -1;
	struct process *p = add(e, &r);
	if (runs == 0)
		return 0;
	p->state = PROCESS_RUNS;
	process_port_take(r.port);
	if (watch(p, pidfd, err) != 0) {
		forget(p);
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
	list_init(&e->ops);
	return e;
}

static void process_close(struct spawn_engine *e)
{
	LIST_EACH(&e->ops, at, next) {
		struct op *op = CONTAINER_OF(at, struct op, link);
		loop_timer_stop(e->place.loop, &op->told);
		op->task->inside = NULL;
		list_remove(&op->link);
		free(op);
	}
	LIST_EACH(&e->processes, at, next)
		forget(CONTAINER_OF(at, struct process, link));
	process_folder_close(&e->folder);
	free(e);
}

static void process_use(struct spawn_engine *e, const struct model_own *own)
{
	e->place.own = own;
}

static void process_list(struct spawn_engine *e, struct spawn_task *t)
{
	struct op *op = begin(e, t, OP_LIST);

	end(op, look(e, &op->err) == 0 ? SPAWN_DONE : SPAWN_FAILED);
}

/* Nobody is to run by this name; what is left of one that did goes. */
static int make_room(struct spawn_engine *e, const char *name, struct err *err)
{
	if (!process_name_is_safe(name))
		return err_set(err, "a server cannot be named by this: it takes letters, "
			       "digits, '.', '_' and '-'");
	if (look(e, err) != 0)
		return -1;
	struct process *before = find(e, name);
	if (before == NULL)
		return 0;
	if (before->state != PROCESS_GONE)
		return err_set(err, "server %s runs already, as process %d", name,
			       (int)before->record.pid);
	kill_rest(before);
	forget(before);
	return 0;
}

static void process_begin(struct spawn_engine *e, const char *name, struct spawn_task *t)
{
	struct op *op = begin(e, t, OP_START);
	struct process_started made;

	if (make_room(e, name, &op->err) != 0 ||
	    process_start(&e->folder, e->place.own, name, &made, &op->err) != 0) {
		end(op, SPAWN_FAILED);
		return;
	}
	struct process *p = add(e, &made.record);
	p->state = PROCESS_RUNS;
	bool heard = process_output_open(&p->output, made.output, &op->err) == 0;
	if (watch(p, made.pidfd, &op->err) == 0 && heard) {
		op->process = p;
		end(op, SPAWN_DONE);
		return;
	}
	kill(-made.record.pid, SIGKILL);
	waitpid(made.record.pid, NULL, 0);
	process_folder_remove(&e->folder, name);
	forget(p);
	end(op, SPAWN_FAILED);
}

static void process_stop(struct spawn_engine *e, const struct spawn_server *s,
			 uint32_t grace_ms, struct spawn_task *t)
{
	struct op *op = begin(e, t, OP_STOP);
	struct spawn_server there = {.running = false};

	if (look(e, &op->err) != 0) {
		end(op, SPAWN_FAILED);
		return;
	}
	struct process *p = find(e, s->name);
	if (p != NULL)
		describe(p, &there);
	if (p == NULL || strcmp(there.id, s->id) != 0) {
		end(op, SPAWN_DONE);
		return;
	}
	if (p->state == PROCESS_GONE) {
		kill_rest(p);
		process_folder_remove(&e->folder, p->record.name);
		forget(p);
		end(op, SPAWN_DONE);
		return;
	}
	if (ask(p, grace_ms, &op->err) != 0) {
		end(op, SPAWN_FAILED);
		return;
	}
	op->process = p;
}

const struct spawn_driver spawn_process = {
	.name = "process",
	.open = process_open, .close = process_close, .use = process_use,
	.list = process_list, .start = process_begin, .stop = process_stop,
};
