#include "daemon/service.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/log.h"
#include "base/memory.h"
#include "base/must.h"
#include "daemon/names.h"
#include "daemon/summary.h"
#include "forward/worker.h"
#include "health/prober.h"
#include "listen/listener.h"
#include "loop/signals.h"
#include "observe/access_log.h"
#include "pick/policy.h"

enum {
	START_NAMES_MS = 3000,	/* how long a start waits for names */
	/* Descriptors for what is no connection: logs, epoll, probes, standard ones. */
	DESCRIPTORS_APART = 64,
	CONNECTIONS_MAX = 1024 * 1024,
};

/* "This worker has nothing left to do." */
struct drained {
	struct loop_job job;
	struct service *service;
};

struct service {
	struct service_options options;
	struct loop     *loop;
	struct live      live;
	struct model    *model;		/* held: the one in force; NULL before the first */
	struct worker   *workers[MODEL_LOOPS_MAX];
	pthread_t        threads[MODEL_LOOPS_MAX];
	uint32_t         worker_count, thread_count, drained_count;
	struct prober   *prober;
	struct resolver *resolver;
	struct names     names;
	struct signals   signals;
	struct access_log *access_log;	/* NULL: none so far */
	struct loop_job  collect;
	struct drained   drained[MODEL_LOOPS_MAX];
	bool             draining;
};

/* ---- messages from the workers ---- */

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

static void run_drained(struct loop_job *job)
{
	struct service *s = CONTAINER_OF(job, struct drained, job)->service;

	if (++s->drained_count == s->worker_count)
		loop_stop(s->loop);
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

static void on_resolved(void *arg, struct live_server *server)
{
	struct service *s = arg;

	prober_check_server(s->prober, server);
}

/* ---- a model comes into force ---- */

/* A client's connection needs one, and while a request is under way one to a server,
 * and for a large body a pipe: room for a server's with every third of them. What idle
 * ones hold is given up when it is needed (upstream.h). */
static uint32_t connections_that_fit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return 1024;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
	rlim_t fit = limit.rlim_cur > 2 * DESCRIPTORS_APART
			     ? (limit.rlim_cur - DESCRIPTORS_APART) / 4 * 3 : DESCRIPTORS_APART;
	return fit < CONNECTIONS_MAX ? (uint32_t)fit : CONNECTIONS_MAX;
}

struct opening {
	uint32_t count;			/* of listeners that are new */
	struct live_listener *live[MODEL_LISTENERS_MAX];
	int *fds[MODEL_LISTENERS_MAX];	/* owned: one per worker */
};

static bool is_new(const struct service *s, const struct live_listener *live)
{
	for (uint32_t i = 0; s->model != NULL && i < s->model->listener_count; i++)
		if (s->model->listeners[i].live == live)
			return false;
	return true;
}

static void close_openings(const struct service *s, struct opening *o, bool descriptors)
{
	for (uint32_t i = 0; i < o->count; i++) {
		for (uint32_t j = 0; descriptors && j < s->worker_count; j++)
			close(o->fds[i][j]);
		free(o->fds[i]);
	}
}

static int open_new(const struct service *s, const struct model *m, struct opening *o,
		    struct err *err)
{
	o->count = 0;
	for (uint32_t i = 0; i < m->listener_count; i++) {
		const struct model_listener *l = &m->listeners[i];
		if (!is_new(s, l->live))
			continue;
		int *fds = memory_new(s->worker_count, sizeof *fds);
		bool datagrams = l->kind == LISTEN_UDP;
		if ((datagrams ? listener_open_datagrams : listener_open)(
				fds, s->worker_count, &l->address, err) != 0) {
			free(fds);
			close_openings(s, o, true);
			return -1;
		}
		if (!datagrams)
			listener_defer(fds, s->worker_count,
				       l->kind == LISTEN_HTTP && l->connections_max > 0);
		o->live[o->count] = l->live;
		o->fds[o->count++] = fds;
	}
	return 0;
}

static int use_access_log(struct service *s, const struct model *m, struct err *err)
{
	if (s->access_log != NULL)
		return access_log_use(s->access_log, m->access_format, m->access_path, err);
	s->access_log = access_log_open(m->access_format, m->access_path, s->worker_count, err);
	return s->access_log != NULL ? 0 : -1;
}

static int use_logs(struct service *s, const struct model *m, struct err *err)
{
	struct err ignored;

	if (log_open(m->log_path, err) != 0)
		return -1;
	if (use_access_log(s, m, err) != 0) {
		log_open(s->model != NULL ? s->model->log_path : NULL, &ignored);
		return -1;
	}
	return 0;
}

/* Hands every worker its edition and its own socket of each new listener. */
static void publish(struct service *s, const struct model *m, const struct opening *o)
{
	for (uint32_t i = 0; i < s->worker_count; i++) {
		struct port_opening *openings = memory_new(o->count, sizeof *openings);
		for (uint32_t j = 0; j < o->count; j++)
			openings[j] = (struct port_opening){o->fds[j][i], o->live[j]};
		worker_adopt(s->workers[i], edition_create(m, i), openings, o->count);
	}
}

/* Brings m, which is given, into force. On an error nothing has changed. */
static int use_model(struct service *s, struct model *m, struct err *err)
{
	struct opening opening;
	uint32_t fits = connections_that_fit();

	if (m->connections_max == 0)
		m->connections_max = fits;
	else if (m->connections_max > fits)
		log_warn("connections %u are more than the descriptor limit allows; "
			 "raise it (ulimit -n) to %u", m->connections_max,
			 m->connections_max / 3 * 4 + DESCRIPTORS_APART);
	if (pick_prepare(m, s->model, err) != 0 || model_attach(m, &s->live, err) != 0)
		goto put_model;
	if (open_new(s, m, &opening, err) != 0)
		goto put_model;
	if (use_logs(s, m, err) != 0) {
		close_openings(s, &opening, true);
		goto put_model;
	}
	live_take_over(m);
	log_set_level(m->log_level);
	prober_use(s->prober, m);
	names_use(&s->names, m);
	if (s->model == NULL) {		/* the first: names may take a moment */
		uint64_t until = loop_now_ms(s->loop) + START_NAMES_MS;
		while (s->names.asked > 0 && loop_now_ms(s->loop) < until)
			loop_turn(s->loop, 100);
	}
	publish(s, m, &opening);
	close_openings(s, &opening, false);
	model_put(s->model);
	s->model = m;
	return 0;

put_model:
	model_put(m);
	return -1;
}

/* ---- signals ---- */

static void reload(struct service *s)
{
	struct err err;

	if (s->options.reread == NULL) {
		log_warn("nothing to reload: this balancer was started without a file");
		return;
	}
	struct model *m = s->options.reread(s->options.arg);
	if (m == NULL)
		return;
	uint32_t listeners = m->listener_count, pools = m->pool_count;
	if (m->threads != s->model->threads)
		log_warn("threads cannot be changed while running: it takes a restart");
	if (use_model(s, m, &err) != 0)
		log_error("reload refused, nothing has changed: %s", err.text);
	else
		log_info("reloaded listeners=%u pools=%u", listeners, pools);
}

static void drain(struct service *s)
{
	uint32_t limit_ms = s->draining ? 0 : s->model->drain_ms;

	if (s->draining)
		log_info("asked again: ending now");
	else
		log_info("draining limit_ms=%u", limit_ms);
	s->draining = true;
	for (uint32_t i = 0; i < s->worker_count; i++)
		worker_drain(s->workers[i], limit_ms);
}

static void reopen_logs(struct service *s)
{
	struct err err;

	if (log_reopen(&err) != 0 || access_log_reopen(s->access_log, &err) != 0)
		log_error("%s", err.text);
	else
		log_info("logs reopened");
}

static void on_signal(struct signals *signals, int number)
{
	struct service *s = CONTAINER_OF(signals, struct service, signals);

	switch (number) {
	case SIGTERM:
	case SIGINT:
		drain(s);
		break;
	case SIGHUP:
		if (!s->draining)
			reload(s);
		break;
	case SIGUSR1:
		reopen_logs(s);
		break;
	default:
		break;
	}
}

/* ---- start and end ---- */

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
	const struct worker_hooks hooks = {
		.marked_down = on_marked_down, .check_due = on_check_due,
		.drained = on_drained, .arg = s,
	};

	for (uint32_t i = 0; i < count; i++) {
		s->workers[i] = worker_create(i, &s->live, s->workers, &hooks, err);
		if (s->workers[i] == NULL)
			return -1;
		s->drained[i] = (struct drained){{.run = run_drained}, s};
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
	static const int numbers[] = {SIGTERM, SIGINT, SIGHUP, SIGUSR1, 0};
	struct service *s = memory_new_aligned(64, sizeof *s);

	s->options = *options;
	s->collect.run = run_collect;
	live_init(&s->live);
	/* They wait, and are taken when there is something to drain or to reload. */
	signals_block();
	s->signals.watch.fd = -1;
	s->loop = loop_create(err);
	if (s->loop == NULL)
		goto free_service;
	s->live.on_released = on_released;
	s->prober = prober_create(s->loop, NULL, NULL);
	s->resolver = resolver_create(s->loop, err);
	if (s->resolver == NULL)
		goto destroy_prober;
	names_init(&s->names, s->loop, s->resolver, on_resolved, s);
	if (create_workers(s, count_workers(s, m), err) != 0) {
		model_put(m);
		goto stop;
	}
	if (use_model(s, m, err) != 0 || start_threads(s, err) != 0 ||
	    signals_open(&s->signals, s->loop, numbers, on_signal, err) != 0)
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
