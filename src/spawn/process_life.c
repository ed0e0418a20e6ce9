/* spawn/process_life.c - one process of a pool: from the moment that it runs until
 * nothing is left of it. The drawing is in spawn/process_inside.h.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "base/memory.h"
#include "base/must.h"
#include "spawn/process_inside.h"
#include "spawn/process_ports.h"

enum {
	FORCED_MS = 10 * 1000,		/* after SIGKILL, until we say that it stays */
	WHY_MAX   = 80,
};

void process_describe(const struct process *p, struct spawn_server *out)
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

struct process *process_find(const struct spawn_engine *e, const char *name)
{
	LIST_EACH(&e->processes, at, next) {
		struct process *p = CONTAINER_OF(at, struct process, link);
		if (strcmp(p->record.name, name) == 0)
			return p;
	}
	return NULL;
}

/* ---- ends ---- */

/* How it has ended; before it is waited for, so that its number is still its own. */
static bool look_at_end(const struct process *p, siginfo_t *info)
{
	*info = (siginfo_t){0};
	return waitid(P_PIDFD, (id_t)p->ended.fd, info,
		      WEXITED | WNOHANG | WNOWAIT) == 0 && info->si_pid != 0;
}

static void write_why(char why[WHY_MAX], const siginfo_t *info)
{
	const char *name = sigabbrev_np(info->si_status);

	if (info->si_code == CLD_EXITED)
		snprintf(why, WHY_MAX, "exited with status %d", info->si_status);
	else if (name != NULL)
		snprintf(why, WHY_MAX, "killed by signal %d (SIG%s)", info->si_status,
			 name);
	else
		snprintf(why, WHY_MAX, "killed by signal %d", info->si_status);
}

/* What is left of the group of one that has ended. The kernel gives its number to no
 * other while the group has members; so if another has it, there are none. */
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

void process_forget(struct process *p)
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

void process_clear(struct process *p)
{
	const struct process_folder *folder = &p->engine->folder;

	kill_rest(p);
	/* A child of ours that ended while no engine looked; another's stays as it is. */
	if (process_folder_holder(folder, &p->record) == PROCESS_ITS_ZOMBIE)
		waitpid(p->record.pid, NULL, WNOHANG);
	process_folder_remove(folder, p->record.name);
	process_forget(p);
}

static void on_ended(struct loop_watch *w, unsigned events)
{
	struct process *p = CONTAINER_OF(w, struct process, ended);
	struct spawn_engine *e = p->engine;
	bool asked = p->state != PROCESS_RUNS;
	struct process_task *start = process_task_start_of(p);
	struct spawn_server s;
	char why[WHY_MAX];

	(void)events;
	bury(p, why);
	if (!asked && start == NULL) {
		process_describe(p, &s);
		e->place.on_gone(e->place.arg, s.id, why);
		return;
	}
	if (start != NULL) {
		start->process = NULL;
		err_set(&start->err, "%s %s at once; what it said is in the log",
			p->record.command, why);
		process_task_end(start, SPAWN_FAILED);
	}
	process_task_end_stops(p, SPAWN_DONE, NULL);
	process_clear(p);
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

int process_ask(struct process *p, uint32_t grace_ms, struct err *err)
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
		err_set(&err, "process %d of server %s does not end, not even by force: "
			"it waits within the kernel, see /proc/%d/stack",
			(int)p->record.pid, p->record.name, (int)p->record.pid);
	p->state = PROCESS_RUNS;	/* its end is told, if it comes */
	process_task_end_stops(p, SPAWN_FAILED, &err);
}

/* ---- beginnings ---- */

struct process *process_add(struct spawn_engine *e, const struct process_record *r,
			    enum process_state state)
{
	struct process *p = memory_new(1, sizeof *p);

	p->engine = e;
	p->record = *r;
	p->state = state;
	loop_watch_init(&p->ended, -1, on_ended);
	loop_timer_init(&p->force, on_force);
	process_output_init(&p->output, e->place.loop, e->place.pool, p->record.name,
			    &e->share);
	list_push_last(&e->processes, &p->link);
	return p;
}

int process_watch(struct process *p, int pidfd, struct err *err)
{
	loop_watch_init(&p->ended, pidfd, on_ended);
	if (loop_watch_register_level(p->engine->place.loop, &p->ended) != 0) {
		err_sys(err, "cannot watch process %d", (int)p->record.pid);
		loop_watch_close(p->engine->place.loop, &p->ended);
		return -1;
	}
	return 0;
}
