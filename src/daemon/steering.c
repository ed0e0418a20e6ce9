#include "daemon/steering.h"

#include <signal.h>
#include <stdio.h>

#include "base/log.h"
#include "base/must.h"
#include "base/text.h"
#include "daemon/difference.h"
#include "daemon/inside.h"
#include "daemon/kept_names.h"
#include "daemon/loops.h"
#include "daemon/news.h"
#include "daemon/notify.h"
#include "daemon/owned.h"
#include "daemon/publish.h"
#include "daemon/takeover.h"
#include "daemon/targets.h"
#include "daemon/upgrade.h"
#include "model/live_registry.h"
#include "observe/access_log.h"
#include "spawn/owners.h"

/* ---- one server ---- */

/* How long what a server has may go on once it is out, for the loops to read. Returns its
 * live part. */
static struct live_server *set_leave(const struct service *s, const struct change *c)
{
	int pool = model_pool_find(s->model, span_of(c->pool));
	uint32_t leave_ms = c->limit_ms;

	if (leave_ms == UINT32_MAX)
		leave_ms = 0;			/* as the model says */
	else if (leave_ms == 0)
		leave_ms = UINT32_MAX;		/* at once */
	const struct model_server *server =
		model_server_find(&s->model->pools[pool], &c->server);
	must(server != NULL);		/* or the change would have been refused */
	atomic_store(&server->live->leave_ms, leave_ms);
	return server->live;
}

/* "weight=3 drain=yes temporary"; of one that was taken out, nothing. */
static void tell_changed(struct service *s, const struct change *c)
{
	static const enum event_kind kinds[] = {
		[CHANGE_ADD] = EVENT_SERVER_ADDED, [CHANGE_REMOVE] = EVENT_SERVER_REMOVED,
		[CHANGE_SET] = EVENT_SERVER_SET,
	};
	char text[64] = "";

	if (c->has_weight)
		text_append(text, sizeof text, "weight=%u", c->weight);
	if (c->has_drain)
		text_append(text, sizeof text, "%sdrain=%s", *text != '\0' ? " " : "",
			    c->drain ? "yes" : "no");
	if (c->temporary && *text != '\0')
		text_append(text, sizeof text, " temporary");
	news_tell_server(s, kinds[c->kind], c->pool, c->server.text, text);
}

static void say_changed(const struct change *c)
{
	static const char *const done[] = {
		[CHANGE_ADD] = "added", [CHANGE_REMOVE] = "removed", [CHANGE_SET] = "set",
	};
	char weight[24] = "", drain[24] = "";

	if (c->has_weight)
		snprintf(weight, sizeof weight, " weight=%u", c->weight);
	if (c->has_drain)
		snprintf(drain, sizeof drain, " drain=%s", c->drain ? "yes" : "no");
	log_always(LOG_LEVEL_INFO, "server is %s pool=%s server=%s%s%s temporary=%s",
		   done[c->kind], c->pool, c->server.text, weight, drain,
		   c->temporary ? "yes" : "no");
}

static int say_ending(struct err *err)
{
	return err_set(err, "this balancer is ending; it takes no changes any more");
}

enum control_result steering_change(struct service *s, const struct change *c,
				    enum change_fault *fault, struct err *err)
{
	struct live_server *removed = NULL;
	struct draft d;

	if (s->draining) {
		say_ending(err);
		return CONTROL_ENDING;
	}
	*fault = wanted_draft_change(&s->wanted, s->model, c, &d, err);
	if (*fault != CHANGE_FINE)
		return CONTROL_REFUSED;
	if (!c->temporary && wanted_keep(&s->wanted, &d, err) != 0) {
		wanted_refuse(&s->wanted, &d);
		return CONTROL_NOT_WRITTEN;
	}
	if (c->kind == CHANGE_REMOVE)
		removed = set_leave(s, c);
	if (publish_change(s, draft_take(&d), err) != 0) {
		wanted_refuse(&s->wanted, &d);
		live_take_over(s->model);
		return CONTROL_REFUSED;
	}
	wanted_adopt(&s->wanted, &d);
	say_changed(c);
	tell_changed(s, c);
	/* Its live part is there until the next turn, whoever held it. */
	if (removed != NULL)
		owned_on_removed(s, removed, c->limit_ms);
	return CONTROL_DONE;
}

/* ---- the file ---- */

static int use(struct service *s, struct model *file,
	       int (*publish)(struct service *s, struct model *m, struct err *err), struct err *err)
{
	struct err not_kept;
	struct draft d;

	wanted_draft_file(&s->wanted, file, &d);
	if (publish(s, draft_take(&d), err) != 0) {
		wanted_refuse(&s->wanted, &d);
		return -1;
	}
	if (d.caught_up > 0)
		log_always(LOG_LEVEL_INFO, "the file has caught up with %u changes of run time",
			   d.caught_up);
	/* Unkept, they are dropped again by the next one who reads them. */
	if (d.caught_up > 0 && s->takeover == NULL && wanted_keep(&s->wanted, &d, &not_kept) != 0)
		log_warn("%s", not_kept.text);
	wanted_adopt(&s->wanted, &d);
	return 0;
}

int steering_use_records(struct service *s, struct model *file, struct err *err)
{
	return use(s, file, publish_change, err);
}

int steering_use_file(struct service *s, struct model *file, struct err *err)
{
	targets_carry(file, s->wanted.file);
	if (use(s, file, publish_file, err) != 0)
		return -1;
	if (s->takeover == NULL)		/* or takeover.h says when */
		owners_use(s->owners, s->model);
	return 0;
}

/* What is read only once. */
static void warn_of_restart(const struct model *now, const struct model *file)
{
	static const char until[] = "cannot be changed while running: it takes an upgrade or "
				    "a restart";

	if (file->threads != now->threads)
		log_warn("threads %s", until);
	if (!text_equals(file->control_path, now->control_path))
		log_warn("the control socket %s", until);
	if (!text_equals(file->state_path, now->state_path))
		log_warn("the state folder %s", until);
}

static bool reopen_access_log(struct service *s)
{
	struct err err;

	if (access_log_reopen(s->access_log, &err) == 0)
		return true;
	log_error("%s", err.text);
	return false;
}

static enum control_result reread(struct service *s, struct err *err)
{
	struct model *file = s->options.reread(s->options.arg, err);

	if (file == NULL)
		return CONTROL_FILE_ERRORS;
	uint32_t listeners = file->listener_count, pools = file->pool_count;
	warn_of_restart(s->wanted.file, file);
	const struct model *before = model_get(s->model);
	if (steering_use_file(s, file, err) != 0) {
		model_put(before);
		return CONTROL_REFUSED;
	}
	log_always(LOG_LEVEL_INFO, "reloaded listeners=%u pools=%u", listeners, pools);
	news_tell(s, EVENT_RELOADED, "listeners=%u pools=%u", listeners, pools);
	difference_log(before, s->model);
	model_put(before);
	reopen_access_log(s);		/* as the log has been */
	return CONTROL_DONE;
}

enum control_result steering_reload(struct service *s, struct err *err)
{
	if (s->draining) {
		say_ending(err);
		return CONTROL_ENDING;
	}
	if (s->upgrade != NULL) {
		err_set(err, "an upgrade is under way: the new process reads the file");
		log_warn("not reloaded: %s", err->text);
		return CONTROL_UPGRADING;
	}
	if (s->options.reread == NULL) {
		err_set(err, "nothing to reload: this balancer was started without a "
			"file");
		log_warn("%s", err->text);
		return CONTROL_NO_FILE;
	}
	notify_reloading();
	enum control_result result = reread(s, err);
	if (result != CONTROL_DONE) {
		log_error("reload refused, nothing has changed: %s", err->text);
		news_tell(s, EVENT_RELOAD_REFUSED, "%s", err->text);
	}
	notify_ready(result == CONTROL_DONE ? "serving"
					    : "serving by the old file; see the log");
	return result;
}

/* ---- the end, and signals ---- */

void steering_drain(struct service *s, uint32_t limit_ms)
{
	if (limit_ms == UINT32_MAX && s->draining)
		return;
	if (limit_ms == UINT32_MAX)
		limit_ms = s->model->drain_ms;
	if (!s->draining)
		takeover_end_older(s->takeover, limit_ms == 0);
	if (!s->draining)
		notify_stopping();
	if (!s->draining)
		owners_rest(s->owners);
	s->draining = true;
	log_always(LOG_LEVEL_INFO, "draining limit_ms=%u", limit_ms);
	news_tell(s, EVENT_DRAINING, "limit_ms=%u", limit_ms);
	loops_drain(s, limit_ms);
}

void steering_leave(struct service *s, int pid, uint32_t limit_ms)
{
	char limit[24] = "none";

	if (limit_ms != UINT32_MAX)
		snprintf(limit, sizeof limit, "%u", limit_ms);
	s->draining = s->replaced = true;
	kept_names_leave(s);
	log_info("process %d serves from now on; draining limit_ms=%s", pid, limit);
	loops_leave(s, limit_ms);
}

static void on_end_asked(struct service *s)
{
	if (upgrade_end_asked(s))
		return;
	if (s->replaced) {
		s->replaced = false;
		steering_drain(s, s->model->drain_ms);
		return;
	}
	if (!s->draining) {
		steering_drain(s, UINT32_MAX);
		return;
	}
	log_always(LOG_LEVEL_INFO, "asked again: ending now");
	takeover_end_older(s->takeover, true);
	if (s->drained_count < 2 * s->worker_count)
		loops_drain(s, 0);
	owned_hurry(s);
}

static void reopen_logs(struct service *s)
{
	struct err err;
	bool reopened = log_reopen(&err) == 0;

	takeover_reopen_older(s->takeover);
	if (!reopened)
		log_error("%s", err.text);
	if (reopen_access_log(s) && reopened)
		log_always(LOG_LEVEL_INFO, "logs reopened");
}

static void on_signal(struct signals *signals, int number)
{
	struct service *s = CONTAINER_OF(signals, struct service, signals);
	struct err said;

	switch (number) {
	case SIGTERM:
	case SIGINT:
		on_end_asked(s);
		break;
	case SIGHUP:
		steering_reload(s, &said);
		break;
	case SIGUSR1:
		reopen_logs(s);
		break;
	case SIGUSR2:
		upgrade_begin(s, NULL);
		break;
	default:
		break;
	}
}

int steering_open(struct service *s, struct err *err)
{
	static const int numbers[] = {SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGUSR2, 0};

	return signals_open(&s->signals, s->loop, numbers, on_signal, err);
}
