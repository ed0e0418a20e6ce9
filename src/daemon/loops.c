#include "daemon/loops.h"

#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "base/memory.h"
#include "daemon/inside.h"
#include "daemon/hubs.h"
#include "daemon/notices.h"
#include "forward/worker_thread.h"
#include "observe/access_log.h"

static void *run_worker(void *arg)
{
	struct worker *w = arg;
	char name[16];

	snprintf(name, sizeof name, "loop %u", w->number);
	pthread_setname_np(pthread_self(), name);
	log_hurry();
	loop_run(w->loop);
	return NULL;
}

static uint32_t count_workers(const struct service *s, const struct model *m)
{
	uint32_t wanted = s->options.threads > 0 ? s->options.threads : m->threads;

	if (wanted == 0) {
		cpu_set_t cpus;
		wanted = 1;
		if (sched_getaffinity(0, sizeof cpus, &cpus) == 0)
			wanted = (uint32_t)CPU_COUNT(&cpus);
	}
	return wanted < MODEL_LOOPS_MAX ? wanted : MODEL_LOOPS_MAX;
}

int loops_create(struct service *s, const struct model *m, struct err *err)
{
	struct worker_hooks hooks;
	uint32_t count = count_workers(s, m);

	notices_hooks(s, &hooks);
	hubs_init(s);
	for (uint32_t i = 0; i < count; i++) {
		s->workers[i] = worker_create(i, &s->live, s->workers, &hooks, err);
		if (s->workers[i] == NULL)
			return -1;
		s->worker_count++;
		hubs_create(s, i, s->workers[i]->loop);
	}
	return 0;
}

int loops_start(struct service *s, struct err *err)
{
	for (uint32_t i = 0; i < s->worker_count; i++) {
		s->workers[i]->records = access_log_ring(s->access_log, i);
		if (pthread_create(&s->threads[i], NULL, run_worker, s->workers[i]) != 0)
			return err_set(err, "cannot start thread number %u", i + 1);
		s->thread_count++;
	}
	return 0;
}

void loops_free_openings(struct openings *o, bool descriptors)
{
	for (uint32_t i = 0; i < o->count; i++) {
		for (uint32_t j = 0; descriptors && j < o->all[i].count; j++)
			close(o->all[i].fds[j]);
		free(o->all[i].fds);
	}
}

/* As many as one loop may get. */
static uint32_t count_at_most(const struct openings *o, uint32_t loops)
{
	uint32_t most = 0;

	for (uint32_t i = 0; i < o->count; i++)
		most += (o->all[i].count + loops - 1) / loops;
	return most;
}

static void give(struct service *s, uint32_t loop, const struct model *m,
		 const struct openings *o)
{
	uint32_t loops = s->worker_count, count = 0;
	struct port_opening *mine = memory_new(count_at_most(o, loops), sizeof *mine);

	for (uint32_t i = 0; i < o->count; i++) {
		const struct opening *one = &o->all[i];
		for (uint32_t j = opening_first(one, loop, loops);
		     !one->is_kv && j < one->count; j += loops)
			mine[count++] = (struct port_opening){one->fds[j], one->live};
	}
	worker_adopt(s->workers[loop], edition_create(m, loop), mine, count);
}

void loops_adopt(struct service *s, const struct model *m, const struct openings *o)
{
	for (uint32_t i = 0; i < s->worker_count; i++) {
		give(s, i, m, o);
		hubs_adopt(s, i, m, o);
	}
}

void loops_wake(struct service *s, uint64_t loops)
{
	worker_wake(s->workers[0], loops);
}

void loops_tell_up(struct service *s, const struct live_server *server)
{
	int i = s->model != NULL ? model_pool_find(s->model, span_of(server->pool)) : -1;

	/* Behind the write of `up`, in the one order of all threads: see place.c. */
	if (i >= 0)
		loops_wake(s, atomic_exchange(&s->model->pools[i].live->waiting_loops, 0));
}

void loops_drain(struct service *s, uint32_t limit_ms)
{
	for (uint32_t i = 0; i < s->worker_count; i++)
		worker_drain(s->workers[i], limit_ms);
	hubs_drain(s, limit_ms);
}

void loops_leave(struct service *s, uint32_t limit_ms)
{
	for (uint32_t i = 0; i < s->worker_count; i++)
		worker_leave(s->workers[i], limit_ms);
	/* A pool of key-value workers has one balancer: these have to go to the other. */
	hubs_leave(s, s->model->drain_ms);
}

void loops_destroy(struct service *s)
{
	for (uint32_t i = 0; i < s->thread_count; i++)
		loop_stop(s->workers[i]->loop);
	for (uint32_t i = 0; i < s->thread_count; i++)
		pthread_join(s->threads[i], NULL);
	hubs_destroy(s);
	for (uint32_t i = 0; i < s->worker_count; i++)
		worker_destroy(s->workers[i]);
	s->thread_count = s->worker_count = 0;
}
