#include "daemon/admin.h"

#include "base/heap.h"
#include "base/log.h"
#include "control/control.h"
#include "control/journal.h"
#include "daemon/handed.h"
#include "daemon/inside.h"
#include "daemon/steering.h"
#include "observe/access_log.h"
#include "daemon/takeover.h"
#include "daemon/upgrade.h"
#include "observe/metrics.h"

static const struct model *hook_model(void *arg)
{
	return ((const struct service *)arg)->model;
}

static const struct changes *hook_changes(void *arg)
{
	return ((const struct service *)arg)->wanted.changes;
}

static uint64_t hook_version(void *arg)
{
	return ((const struct service *)arg)->version;
}

static enum control_result hook_change(void *arg, const struct change *c,
				       enum change_fault *fault, struct err *err)
{
	const struct service *s = arg;

	/* One that is temporary would be lost with this process, too. */
	if (s->upgrade != NULL)
		return CONTROL_UPGRADING;
	return steering_change(arg, c, fault, err);
}

static enum control_result hook_reload(void *arg, struct err *err)
{
	return steering_reload(arg, err);
}

static void hook_stop(void *arg, uint32_t limit_ms)
{
	steering_drain(arg, limit_ms);
}

static void hook_upgrade(void *arg, struct control_upgrade *wish)
{
	upgrade_begin(arg, wish);
}

static void hook_upgrade_forget(void *arg, struct control_upgrade *wish)
{
	upgrade_forget(arg, wish);
}

static int hook_inherited(void *arg, const struct address *at)
{
	return takeover_socket(((const struct service *)arg)->takeover, at);
}

static bool hook_draining(void *arg)
{
	return ((const struct service *)arg)->draining;
}

static uint64_t hook_heap_bytes(void *arg)
{
	(void)arg;
	return heap_bytes_in_use();
}

static uint64_t hook_access_log_dropped(void *arg)
{
	return access_log_dropped(((const struct service *)arg)->access_log);
}

static char *hook_metrics(void *arg, bool openmetrics, uint64_t uptime_s, const char **type,
			  size_t *len)
{
	const struct service *s = arg;
	enum exposition_format format =
		openmetrics ? EXPOSITION_OPENMETRICS : EXPOSITION_PROMETHEUS;
	const struct metrics_source source = {
		.model = s->model, .live = &s->live, .version = s->options.version,
		.uptime_s = uptime_s, .heap_bytes = heap_bytes_in_use(),
		.threads = s->worker_count, .log = log_losses(),
		.access_log_dropped = hook_access_log_dropped(arg),
	};

	*type = exposition_content_type(format);
	return metrics_print(&source, format, len);
}

static struct control *create(struct service *s, const struct places *places)
{
	const struct control_hooks hooks = {
		.model = hook_model, .changes = hook_changes, .version = hook_version,
		.change = hook_change,
		.reload = hook_reload, .stop = hook_stop,
		.upgrade = hook_upgrade, .upgrade_forget = hook_upgrade_forget,
		.inherited = hook_inherited, .draining = hook_draining,
		.heap_bytes = hook_heap_bytes,
		.access_log_dropped = hook_access_log_dropped,
		.answered = handed_answered, .metrics = hook_metrics,
		.owners = s->owners, .events = s->events, .arg = s,
	};
	const struct journal *journal = s->wanted.journal;
	const struct control_facts facts = {
		.name = places->name != NULL ? places->name : PLACES_NAME_DEFAULT,
		.version = s->options.version,
		.config_path = s->options.config_path,
		.state_file = journal != NULL ? journal_path(journal) : NULL,
		.threads = s->worker_count,
	};

	return control_create(s->loop, &s->live, &hooks, &facts);
}

int admin_open(struct service *s, const struct places *places, struct err *err)
{
	char path[PLACES_SOCKET_MAX];
	bool by_default, taken;
	int fd, lock;

	s->control = create(s, places);
	if (s->control == NULL)
		return err_set(err, "out of memory for the control interface");
	if (s->takeover != NULL)
		control_hold(s->control);
	if (places_socket(places, path, &by_default, err) != 0)
		return -1;
	if (takeover_control(s->takeover, path, &fd, &lock))
		return control_adopt_unix(s->control, path, fd, lock, err);
	if (control_open_unix(s->control, path, &taken, err) == 0) {
		log_info("control socket %s", path);
		return 0;
	}
	const char *remedy = taken ? "give this one a --name or a --socket of its own"
				   : "give its path by --socket";
	struct err why = *err;
	if (!by_default)
		return err_set(err, "%s; %s", why.text, remedy);
	log_warn("no control socket: %s; to have one, %s", why.text, remedy);
	return 0;
}
