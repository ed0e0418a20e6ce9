#include "daemon/service.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "base/memory.h"
#include "control/control.h"
#include "daemon/admin.h"
#include "daemon/inside.h"
#include "daemon/loops.h"
#include "daemon/naming.h"
#include "daemon/news.h"
#include "daemon/notices.h"
#include "daemon/notify.h"
#include "daemon/owned.h"
#include "daemon/publish.h"
#include "daemon/sockets.h"
#include "daemon/steering.h"
#include "daemon/summary.h"
#include "daemon/takeover.h"
#include "daemon/upgrade.h"
#include "daemon/watchdog.h"
#include "daemon/workers.h"
#include "health/prober.h"
#include "model/live_registry.h"
#include "observe/access_log.h"

enum { CATCH_UP_MS = 5000 };		/* until the log says what it has left out */

/* With what the file says. */
static struct places places_of(const struct service *s, const struct model *m)
{
	struct places places = s->options.places;

	places.file_socket = m->control_path;
	places.file_state = m->state_path;
	return places;
}

/* The log says what it has left out, also when nothing else is to be said. */
static void on_catch_up(struct loop_timer *t)
{
	log_catch_up(false);
	loop_timer_start(CONTAINER_OF(t, struct service, catch_up)->loop, t, CATCH_UP_MS);
}

/* Everything that goes by a model, m, which is given. */
static int start(struct service *s, struct model *m, struct err *err)
{
	struct places places = places_of(s, m);

	s->version = loop_wall_us(s->loop);	/* none that was told before a restart */
	atomic_store(&s->live.request_ids, s->version);		/* so too */
	if (publish_log(m, err) != 0) {
		model_put(m);
		return -1;
	}
	if (s->takeover == NULL)
		wanted_open(&s->wanted, &places, s->options.serves);
	int looked = s->takeover == NULL ? 0 :
		wanted_look(&s->wanted, &places, s->options.serves, err);
	owned_open(s, &places);
	if (looked != 0 || loops_create(s, m, err) != 0 || admin_open(s, &places, err) != 0) {
		model_put(m);
		return -1;
	}
	if (naming_use_first(s, m, err) != 0) {
		if (changes_count(s->wanted.changes) > 0)
			log_warn("what was tried is the file with the changes in %s over "
				 "it", journal_path(s->wanted.journal));
		return -1;
	}
	if (steering_open(s, err) != 0 || (s->takeover != NULL && takeover_go(s, err) != 0))
		return -1;
	return loops_start(s, err);
}

static struct prober *create_prober(struct service *s)
{
	const struct prober_hooks hooks = {
		.judged = owned_on_judged, .published = news_on_published, .arg = s,
	};

	return prober_create(s->loop, &hooks);
}

struct service *service_start(struct model *m, const struct service_options *options,
			      struct err *err)
{
	struct service *s = memory_new_aligned(64, sizeof *s);

	s->options = *options;
	s->takeover = options->takeover;
	list_init(&s->sockets);
	live_init(&s->live);
	notices_init(s);
	loop_timer_init(&s->catch_up, on_catch_up);
	/* They wait, and are taken when there is something to drain or to reload. */
	signals_block();
	s->signals.watch.fd = s->successor.fd = -1;
	s->loop = loop_create(err);
	if (s->loop == NULL)
		goto free_service;
	s->events = events_create(loop_wall_us(s->loop) / 1000);
	s->prober = create_prober(s);
	if (naming_open(s, err) != 0)
		goto destroy_prober;
	if (start(s, m, err) != 0) {
		service_stop(s);
		return NULL;
	}
	for (uint32_t i = 0; i < s->model->listener_count; i++)
		log_always(LOG_LEVEL_INFO, "listening on %s threads=%u",
			   s->model->listeners[i].address.text, s->worker_count);
	loop_timer_start(s->loop, &s->catch_up, CATCH_UP_MS);
	news_tell(s, EVENT_STARTED, "balancerd %s, process %d", s->options.version,
		  (int)getpid());
	naming_begin(s);
	control_begin(s->control);
	watchdog_start(s);
	if (s->takeover != NULL)
		takeover_done(s);
	else
		notify_ready("serving");
	return s;

destroy_prober:
	prober_destroy(s->prober);
	events_destroy(s->events);
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
	log_catch_up(true);
}

void service_stop(struct service *s)
{
	upgrade_cancel(s);
	takeover_end(s);
	loops_destroy(s);
	watchdog_stop(s);
	workers_end(s);
	/* The state first: who finds the socket gone may start the next balancer. */
	naming_end(s);
	wanted_close(&s->wanted);
	if (s->control != NULL)
		control_destroy(s->control);
	s->control = NULL;		/* messages may still be for it */
	if (s->access_log != NULL)
		access_log_close(s->access_log);
	owned_close(s);
	naming_close(s);
	prober_destroy(s->prober);
	events_destroy(s->events);
	model_put(s->model);
	signals_close(&s->signals);
	loop_timer_stop(s->loop, &s->catch_up);
	loop_turn(s->loop, 0);		/* messages of the workers' last moments */
	s->live.on_released = NULL;
	live_fini(&s->live);
	loop_destroy(s->loop);
	sockets_forget_all(s);
	free(s);
}
