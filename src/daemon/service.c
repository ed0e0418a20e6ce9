#include "daemon/service.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/memory.h"
#include "daemon/inside.h"
#include "daemon/notices.h"
#include "daemon/publish.h"
#include "daemon/steering.h"
#include "daemon/summary.h"
#include "health/prober.h"
#include "observe/access_log.h"

enum { START_NAMES_MS = 3000 };		/* how long a start waits for names */

static void on_resolved(void *arg, struct live_server *server)
{
	struct service *s = arg;

	prober_check_server(s->prober, server);
}

/* Names may take a moment; what they lead to would be missed by the first requests. */
static void wait_for_names(struct service *s)
{
	uint64_t until = loop_now_ms(s->loop) + START_NAMES_MS;

	while (s->names.asked > 0 && loop_now_ms(s->loop) < until)
		loop_turn(s->loop, 100);
}

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

static int create_workers(struct service *s, uint32_t count, struct err *err)
{
	const struct worker_hooks hooks = notices_hooks(s);

	for (uint32_t i = 0; i < count; i++) {
		s->workers[i] = worker_create(i, &s->live, s->workers, &hooks, err);
		if (s->workers[i] == NULL)
			return -1;
		s->worker_count++;
	}
	return 0;
}

static int start_threads(struct service *s, struct err *err)
{
	for (uint32_t i = 0; i < s->worker_count; i++) {
		s->workers[i]->records = access_log_ring(s->access_log, i);
		if (pthread_create(&s->threads[i], NULL, run_worker, s->workers[i]) != 0)
			return err_set(err, "cannot start thread number %u", i + 1);
		s->thread_count++;
	}
	return 0;
}

struct service *service_start(struct model *m, const struct service_options *options,
			      struct err *err)
{
	struct service *s = memory_new_aligned(64, sizeof *s);

	s->options = *options;
	live_init(&s->live);
	notices_init(s);
	/* They wait, and are taken when there is something to drain or to reload. */
	signals_block();
	s->signals.watch.fd = -1;
	s->loop = loop_create(err);
	if (s->loop == NULL)
		goto free_service;
	s->prober = prober_create(s->loop, NULL, NULL);
	s->resolver = resolver_create(s->loop, err);
	if (s->resolver == NULL)
		goto destroy_prober;
	names_init(&s->names, s->loop, s->resolver, on_resolved, s);
	if (create_workers(s, count_workers(s, m), err) != 0) {
		model_put(m);
		goto stop;
	}
	if (publish(s, m, err) != 0)
		goto stop;
	wait_for_names(s);
	if (start_threads(s, err) != 0 || steering_open(s, err) != 0)
		goto stop;
	for (uint32_t i = 0; i < s->model->listener_count; i++)
		log_info("listening on %s threads=%u",
			 s->model->listeners[i].address.text, s->worker_count);
	return s;

stop:
	service_stop(s);
	return NULL;
destroy_prober:
	prober_destroy(s->prober);
	loop_destroy(s->loop);
free_service:
	model_put(m);
	free(s);
	return NULL;
}

void service_run(struct service *s)
{
	loop_run(s->loop);
	summary_log(&s->live);
}

void service_stop(struct service *s)
{
	for (uint32_t i = 0; i < s->thread_count; i++)
		loop_stop(s->workers[i]->loop);
	for (uint32_t i = 0; i < s->thread_count; i++)
		pthread_join(s->threads[i], NULL);
	for (uint32_t i = 0; i < s->worker_count; i++)
		worker_destroy(s->workers[i]);
	if (s->access_log != NULL)
		access_log_close(s->access_log);
	names_use(&s->names, NULL);
	resolver_destroy(s->resolver);
	prober_destroy(s->prober);
	model_put(s->model);
	signals_close(&s->signals);
	loop_turn(s->loop, 0);		/* messages of the workers' last moments */
	s->live.on_released = NULL;
	live_fini(&s->live);
	loop_destroy(s->loop);
	free(s);
}
