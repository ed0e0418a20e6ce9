/* A balancer as the control interface sees it: pools that can be changed, without
 * loops, sockets and journal. Used by the fuzz program too. */
#ifndef TEST_UNIT_CONTROL_FAKE_H
#define TEST_UNIT_CONTROL_FAKE_H

#include <string.h>

#include "base/memory.h"
#include "base/must.h"
#include "control/ask.h"
#include "control/control.h"
#include "control/events.h"
#include "control/history.h"
#include "control/log_tail.h"
#include "model/live_registry.h"
#include "model/model.h"
#include "model/own.h"
#include "pick/policy.h"

#include "fake_owners.h"

struct fake {
	struct live     live;
	struct model   *model;
	struct model   *file;			/* what the file alone makes */
	struct changes *changes;
	uint64_t        version;
	enum control_result result;		/* of the next change or reload */
	struct change   changed;		/* the last one asked for */
	uint32_t        change_count, reloads, stops, stop_ms;
	bool            draining;
	struct control_upgrade *upgrade;	/* under way */
	char            binary[64];		/* that it asks for; "": none */
	struct owners   owners;			/* of pool `made` */
	struct control_hooks hooks;
	struct control_facts facts;
	struct streams  streams;
	struct history *history;
	struct view     view;
};

static const struct model *fake_model(void *arg)
{
	return ((struct fake *)arg)->model;
}

static const struct changes *fake_changes(void *arg)
{
	return ((struct fake *)arg)->changes;
}

static uint64_t fake_version(void *arg)
{
	return ((struct fake *)arg)->version;
}

static bool fake_draining(void *arg)
{
	return ((struct fake *)arg)->draining;
}

static void fake_stop(void *arg, uint32_t limit_ms)
{
	struct fake *f = arg;

	f->draining = true;
	f->stops++;
	f->stop_ms = limit_ms;
}

static inline void fake_upgrade(void *arg, struct control_upgrade *u)
{
	struct fake *f = arg;

	f->upgrade = u;
	snprintf(f->binary, sizeof f->binary, "%s", u->binary != NULL ? u->binary : "");
}

static inline void fake_upgrade_forget(void *arg, struct control_upgrade *u)
{
	struct fake *f = arg;

	must(f->upgrade == u);
	f->upgrade = NULL;
}

static enum control_result fake_reload(void *arg, struct err *err)
{
	struct fake *f = arg;

	err_set(err, "a.conf:1:1: no");
	f->reloads++;
	return f->result;
}

static void fake_use(struct fake *f, struct model *m)
{
	struct err err;

	must(model_attach(m, &f->live, &err) == 0);
	live_take_over(m);
	model_put(f->model);
	live_collect(&f->live);
	f->model = m;
	f->version++;
}

static char *fake_metrics(void *arg, bool openmetrics, uint64_t uptime_s, const char **type,
			  size_t *len)
{
	(void)arg, (void)uptime_s;
	*type = "text/plain";
	char *text = memory_text(openmetrics ? "# EOF\n" : "up 1\n");
	*len = strlen(text);
	return text;
}

static enum control_result fake_change(void *arg, const struct change *c,
				       enum change_fault *fault, struct err *err)
{
	struct fake *f = arg;
	struct model *m = model_copy(f->model);

	f->changed = *c;
	f->change_count++;
	*fault = CHANGE_FINE;
	err_set(err, "not written");
	if (f->result != CONTROL_DONE) {
		model_put(m);
		return f->result;
	}
	*fault = change_apply(m, c, err);
	if (*fault == CHANGE_FINE)
		*fault = changes_note(f->changes, f->file, c, err);
	if (*fault != CHANGE_FINE) {
		model_put(m);
		return CONTROL_REFUSED;
	}
	fake_use(f, m);
	return CONTROL_DONE;
}

static void fake_add_pool(struct model *m, const char *name, const char *const *servers)
{
	struct err err;

	m->pools = memory_grow(m->pools, m->pool_count + 1, sizeof *m->pools);
	struct model_pool *p = &m->pools[m->pool_count++];
	*p = (struct model_pool){.name = memory_text(name), .policy = policies[0]};
	model_pool_defaults(p);
	for (; *servers != NULL; servers++)
		must(address_parse(&model_server_add(p)->address, *servers, "127.0.0.1",
				   &err) == 0);
}

/* A pool that makes its servers itself: S1 serves, S2 is checked, S3 has no address. */
static inline void fake_make(struct fake *f)
{
	static const char *const made[] = {"127.0.0.1:5001", "127.0.0.1:5002", NULL};
	struct model *m = model_copy(f->model);
	struct model_own *own = memory_new(1, sizeof *own);

	model_own_defaults(own, OWN_PROCESS);
	own->max = 9;
	fake_add_pool(m, "made", made);
	m->pools[m->pool_count - 1].own = own;
	fake_use(f, m);
	live_server_set_up(m->pools[m->pool_count - 1].servers[0].live, true);
	fake_entry(&f->owners, "S1", made[0], "serving", true);
	fake_entry(&f->owners, "S2", made[1], "checking", false);
	fake_entry(&f->owners, "S3", "", "starting", false);
	f->owners.figures = (struct owners_figures){
		.wanted = 3, .serving = 1, .starting = 2,
	};
}

/* One that listens for pool `web` on port 8080. */
static struct model *fake_file(void)
{
	static const char *const web[] = {
		"127.0.0.1:8081", "[::1]:8082", "app1:80", NULL,
	};
	static const char *const api[] = {"unix:/run/app.sock", NULL};
	struct model *m = model_create();
	struct err err;

	fake_add_pool(m, "web", web);
	fake_add_pool(m, "api", api);
	m->listeners = memory_new(1, sizeof *m->listeners);
	m->listener_count = 1;
	model_listener_defaults(m->listeners);
	m->listeners->routes = memory_new(1, sizeof *m->listeners->routes);
	m->listeners->route_count = 1;
	must(address_parse(&m->listeners->address, "8080", "0.0.0.0", &err) == 0);
	return m;
}

static uint64_t fake_heap_bytes(void *arg)
{
	(void)arg;
	return 1024 * 1024;
}

static void fake_init(struct fake *f)
{
	memset(f, 0, sizeof *f);
	live_init(&f->live);
	f->changes = changes_create();
	f->file = fake_file();
	fake_use(f, fake_file());
	f->hooks = (struct control_hooks){
		.model = fake_model, .changes = fake_changes, .version = fake_version,
		.change = fake_change, .reload = fake_reload, .stop = fake_stop,
		.draining = fake_draining, .heap_bytes = fake_heap_bytes,
		.access_log_dropped = fake_heap_bytes,
		.upgrade = fake_upgrade, .upgrade_forget = fake_upgrade_forget,
		.metrics = fake_metrics, .arg = f,
		.owners = &f->owners,
	};
	f->facts = (struct control_facts){
		.name = "default", .version = "0", .config_path = "/etc/a.conf",
		.threads = 1,
	};
	f->hooks.events = events_create(1000);
	f->history = history_create();
	f->view = (struct view){
		.live = &f->live, .hooks = &f->hooks, .facts = &f->facts,
		.streams = &f->streams, .log_tail = log_tail_create(NULL),
		.history = f->history, .uptime_ms = 7000, .uptime_s = 7, .wall_s = 784111777,
	};
}

static void fake_fini(struct fake *f)
{
	model_put(f->model);
	model_put(f->file);
	changes_destroy(f->changes);
	must(f->streams.open == 0);
	events_destroy(f->hooks.events);
	log_tail_destroy(f->view.log_tail);
	history_destroy(f->history);
	live_fini(&f->live);
}

#endif
