#include "daemon/notices.h"

#include <stdlib.h>

#include "base/must.h"
#include "daemon/handed.h"
#include "daemon/inside.h"
#include "daemon/owned.h"
#include "forward/worker.h"
#include "health/prober.h"
#include "spawn/owners.h"
#include "model/live_registry.h"

struct mark {
	struct loop_job     job;
	struct service     *service;
	const struct model *model;	/* held: keeps the live part */
	struct live_server *server;
	struct live_pool   *pool;
	enum live_failure   why;
};

/* False: out of memory, and nothing is posted. Runs on a worker's thread. */
static bool post(struct service *s, const struct model *m, struct mark what,
		 void (*run)(struct loop_job *job))
{
	struct mark *mark = malloc(sizeof *mark);

	if (mark == NULL)
		return false;
	*mark = what;
	mark->job.run = run;
	mark->service = s;
	mark->model = model_get(m);
	loop_post(s->loop, &mark->job);
	return true;
}

static void end(struct mark *mark)
{
	model_put(mark->model);
	free(mark);
}

static void run_marked_down(struct loop_job *job)
{
	struct mark *mark = CONTAINER_OF(job, struct mark, job);

	prober_on_passive_mark(mark->service->prober, mark->server, mark->why);
	end(mark);
}

static void on_marked_down(void *arg, const struct model *m, struct live_server *server,
			   enum live_failure why)
{
	/* Untold, the mark is seen by the next probe. */
	post(arg, m, (struct mark){.server = server, .why = why}, run_marked_down);
}

static void run_proved(struct loop_job *job)
{
	struct mark *mark = CONTAINER_OF(job, struct mark, job);

	prober_on_proof(mark->service->prober, mark->server);
	atomic_store(&mark->server->proof_told, false);
	end(mark);
}

static void on_proved(void *arg, const struct model *m, struct live_server *server)
{
	if (!post(arg, m, (struct mark){.server = server}, run_proved))
		atomic_store(&server->proof_told, false);
}

static void run_check_due(struct loop_job *job)
{
	struct mark *mark = CONTAINER_OF(job, struct mark, job);

	atomic_store(&mark->pool->check_asked, false);
	prober_check_pool(mark->service->prober, mark->pool);
	end(mark);
}

static void on_check_due(void *arg, const struct model *m, struct live_pool *pool)
{
	if (!post(arg, m, (struct mark){.pool = pool}, run_check_due))
		atomic_store(&pool->check_asked, false);
}

static void run_needed(struct loop_job *job)
{
	struct mark *mark = CONTAINER_OF(job, struct mark, job);

	/* Before it is told: who begins to wait from here on tells again. */
	atomic_store(&mark->pool->need_told, false);
	owners_on_needed(mark->service->owners, mark->pool->name);
	end(mark);
}

static void on_server_needed(void *arg, const struct model *m, struct live_pool *pool)
{
	if (!post(arg, m, (struct mark){.pool = pool}, run_needed))
		atomic_store(&pool->need_told, false);
}

static void run_drained(struct loop_job *job)
{
	struct service *s = CONTAINER_OF(job, struct drained, job)->service;

	if (++s->drained_count == 2 * s->worker_count)	/* each in both halves */
		owned_end(s);
}

static void on_drained(void *arg, struct worker *w)
{
	struct service *s = arg;

	loop_post(s->loop, &s->drained[w->number].job);
}

static void run_collect(struct loop_job *job)
{
	live_collect(&CONTAINER_OF(job, struct service, collect)->live);
}

static void on_released(struct live *live)
{
	struct service *s = CONTAINER_OF(live, struct service, live);

	loop_post(s->loop, &s->collect);
}

void notices_hooks(struct service *s, struct worker_hooks *hooks)
{
	*hooks = (struct worker_hooks){
		.marked_down = on_marked_down, .proved = on_proved, .check_due = on_check_due,
		.server_needed = on_server_needed, .admin_asked = handed_over,
		.drained = on_drained, .arg = s,
	};
}

void notices_init(struct service *s)
{
	s->collect.run = run_collect;
	for (uint32_t i = 0; i < MODEL_LOOPS_MAX; i++) {
		s->drained[i] = (struct drained){{.run = run_drained}, s};
		s->parted[i] = (struct drained){{.run = run_drained}, s};
	}
	s->live.on_released = on_released;
}
