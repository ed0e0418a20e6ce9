#include "daemon/watchdog.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "base/memory.h"
#include "base/must.h"
#include "daemon/notify.h"
#include "forward/worker.h"

/* A message that a loop takes. Sent again only once it has been taken. */
struct pulse {
	struct loop_job job;
	atomic_bool     sent;
};

struct watchdog {
	struct service   *service;
	struct loop_timer timer;
	uint64_t          every_ms;
	bool              said;		/* that a loop hangs */
	struct pulse      pulses[MODEL_LOOPS_MAX];
};

static void on_taken(struct loop_job *job)
{
	atomic_store(&CONTAINER_OF(job, struct pulse, job)->sent, false);
}

/* Sends to those that have taken the last one. The first that has not is `worker_count`
 * if there is none. */
static uint32_t send_all(struct watchdog *w)
{
	const struct service *s = w->service;
	uint32_t hangs = s->worker_count;

	for (uint32_t i = 0; i < s->worker_count; i++) {
		struct pulse *p = &w->pulses[i];
		if (atomic_exchange(&p->sent, true))
			hangs = hangs == s->worker_count ? i : hangs;
		else
			loop_post(s->workers[i]->loop, &p->job);
	}
	return hangs;
}

static void on_due(struct loop_timer *t)
{
	struct watchdog *w = CONTAINER_OF(t, struct watchdog, timer);
	uint32_t hangs = send_all(w);

	if (hangs == w->service->worker_count)
		notify_alive();
	else if (!w->said)
		log_error("loop %u has made no turn for %llu ms; the service manager is "
			  "told nothing any more", hangs, (unsigned long long)w->every_ms);
	w->said = hangs < w->service->worker_count;
	loop_timer_start(w->service->loop, &w->timer, w->every_ms);
}

/* In microseconds; 0: nobody asks, or it is no number. */
static uint64_t asked_us(void)
{
	const char *us = getenv("WATCHDOG_USEC"), *pid = getenv("WATCHDOG_PID");

	if (us == NULL || (pid != NULL && strtoull(pid, NULL, 10) != (uint64_t)getpid()))
		return 0;
	return strtoull(us, NULL, 10);
}

void watchdog_start(struct service *s)
{
	uint64_t us = asked_us();

	if (us == 0)
		return;
	struct watchdog *w = memory_new(1, sizeof *w);
	w->service = s;
	w->every_ms = us / 2000 > 0 ? us / 2000 : 1;
	for (uint32_t i = 0; i < MODEL_LOOPS_MAX; i++)
		w->pulses[i].job.run = on_taken;
	loop_timer_init(&w->timer, on_due);
	s->watchdog = w;
	on_due(&w->timer);
}

void watchdog_rest(struct service *s)
{
	/* Messages may be under way, so what they are in stays. */
	if (s->watchdog != NULL)
		loop_timer_stop(s->loop, &s->watchdog->timer);
}

void watchdog_stop(struct service *s)
{
	if (s->watchdog == NULL)
		return;
	loop_timer_stop(s->loop, &s->watchdog->timer);
	free(s->watchdog);
	s->watchdog = NULL;
}
