#include "daemon/steering.h"

#include <signal.h>

#include "base/log.h"
#include "base/must.h"
#include "daemon/inside.h"
#include "daemon/publish.h"
#include "forward/worker.h"
#include "observe/access_log.h"

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
	if (publish(s, m, &err) != 0)
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

int steering_open(struct service *s, struct err *err)
{
	static const int numbers[] = {SIGTERM, SIGINT, SIGHUP, SIGUSR1, 0};

	return signals_open(&s->signals, s->loop, numbers, on_signal, err);
}
