#include "daemon/loops.h"

#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/memory.h"
#include "daemon/inside.h"
#include "daemon/notices.h"
#include "daemon/workers.h"
#include "forward/worker.h"
#include "kv/hub.h"
#include "kv/registry.h"
#include "observe/access_log.h"

static void *run_worker(void *arg)
{
	struct worker *w = arg;
	char name[16];

	snprintf(name, sizeof name, "loop %u", w->number);
	pthread_setname_np(pthread_self(), name);
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
	struct kv_hub_hooks kv_hooks;
	uint32_t count = count_workers(s, m);

	notices_hooks(s, &hooks);
	notices_kv_hooks(s, &kv_hooks);
	s->registry = workers_registry(s);
	for (uint32_t i = 0; i < count; i++) {
		s->workers[i] = worker_create(i, &s->live, s->workers, &hooks, err);
		if (s->workers[i] == NULL)
			return -1;
		s->worker_count++;
		s->hubs[i] = kv_hub_create(i, s->workers[i]->loop, &s->live, s->hubs,
					   &kv_hooks);
		kv_hub_use_registry(s->hubs[i], s->registry);
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

void loops_adopt(struct service *s, const struct model *m, const struct openings *o)
{
	for (uint32_t i = 0; i < s->worker_count; i++) {
		struct port_opening *mine = memory_new(o->count, sizeof *mine);
		struct kv_opening *kv = memory_new(o->count, sizeof *kv);
		uint32_t count = 0, kv_count = 0;
		for (uint32_t j = 0; j < o->count; j++) {
			int fd = o->all[j].fds[i];
			struct live_listener *live = o->all[j].live;
			if (o->all[j].is_kv)
				kv[kv_count++] = (struct kv_opening){fd, live,
								     o->all[j].for_workers};
			else
				mine[count++] = (struct port_opening){fd, live};
		}
		worker_adopt(s->workers[i], edition_create(m, i), mine, count);
		kv_hub_adopt(s->hubs[i], m, kv, kv_count);
		free(kv);
	}
}

void loops_drain(struct service *s, uint32_t limit_ms)
{
	for (uint32_t i = 0; i < s->worker_count; i++)
		worker_drain(s->workers[i], limit_ms);
	for (uint32_t i = 0; i < s->worker_count; i++)
		kv_hub_drain(s->hubs[i], limit_ms);
}

/* Requests that one hub has of another's come home by messages: there and back. */
static void destroy_hubs(struct service *s)
{
	enum { ROUNDS = 3 };

	for (uint32_t i = 0; i < s->worker_count; i++)
		loop_turn(s->workers[i]->loop, 0);
	for (uint32_t i = 0; i < s->worker_count; i++)
		kv_hub_end_all(s->hubs[i]);
	for (int round = 0; round < ROUNDS; round++)
		for (uint32_t i = 0; i < s->worker_count; i++)
			loop_turn(s->workers[i]->loop, 0);
	for (uint32_t i = 0; i < s->worker_count; i++)
		kv_hub_destroy(s->hubs[i]);
}

void loops_destroy(struct service *s)
{
	for (uint32_t i = 0; i < s->thread_count; i++)
		loop_stop(s->workers[i]->loop);
	for (uint32_t i = 0; i < s->thread_count; i++)
		pthread_join(s->threads[i], NULL);
	destroy_hubs(s);
	for (uint32_t i = 0; i < s->worker_count; i++)
		worker_destroy(s->workers[i]);
	s->thread_count = s->worker_count = 0;
}
