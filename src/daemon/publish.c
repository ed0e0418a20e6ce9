#include "daemon/publish.h"

#include <stdlib.h>
#include <sys/resource.h>

#include "base/log.h"
#include "base/memory.h"
#include "control/control.h"
#include "daemon/inside.h"
#include "daemon/kept_names.h"
#include "daemon/loops.h"
#include "daemon/sockets.h"
#include "daemon/srv.h"
#include "daemon/takeover.h"
#include "health/prober.h"
#include "kv/registry.h"
#include "listen/listener.h"
#include "model/live_registry.h"
#include "observe/access_log.h"
#include "pick/policy.h"

enum {
	/* Descriptors for what is no connection of clients: logs, epoll, probes, the
	 * control interface, standard ones. */
	DESCRIPTORS_APART = 160,
	CONNECTIONS_MAX = 1024 * 1024,
};

/* How many descriptors go with so many clients. An HTTP client's connection needs one, and
 * while a request is under way one to a server, and for a large body a pipe: room for a
 * server's with every third of them; what idle ones hold is given up when it is needed
 * (upstream.h). A TCP client's has one to its server for as long as it lives. Key-value
 * clients share the connections of workers. */
struct share {
	rlim_t clients, descriptors;
};

static const struct share shares[] = {
	[LISTEN_HTTP] = {3, 4}, [LISTEN_TCP] = {1, 2}, [LISTEN_UDP] = {3, 4},
	[LISTEN_KV] = {1, 1},
};

/* Of the kind that needs the most, since any client may be one of those. */
static struct share share_of(const struct model *m)
{
	struct share most = shares[LISTEN_KV];

	for (uint32_t i = 0; i < m->listener_count; i++) {
		struct share s = shares[m->listeners[i].kind];
		if (s.descriptors * most.clients > most.descriptors * s.clients)
			most = s;
	}
	return most;
}

static rlim_t descriptors_for(struct share share, rlim_t connections)
{
	return (connections * share.descriptors + share.clients - 1) / share.clients +
	       DESCRIPTORS_APART;
}

/* Raises the limit as far as it goes, and beyond what it was meant to be where more
 * connections are asked for and the system lets us. */
static uint32_t connections_that_fit(const struct model *m)
{
	struct share share = share_of(m);
	rlim_t wanted = descriptors_for(share, m->connections_max);
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return 1024;
	struct rlimit raised = {wanted, wanted};
	if (wanted <= limit.rlim_max || setrlimit(RLIMIT_NOFILE, &raised) != 0) {
		raised = (struct rlimit){limit.rlim_max, limit.rlim_max};
		setrlimit(RLIMIT_NOFILE, &raised);
	}
	rlim_t fit = DESCRIPTORS_APART;
	if (raised.rlim_cur > 2 * DESCRIPTORS_APART)
		fit = (raised.rlim_cur - DESCRIPTORS_APART) / share.descriptors * share.clients;
	return fit < CONNECTIONS_MAX ? (uint32_t)fit : CONNECTIONS_MAX;
}

/* The listener in force at this address, or NULL. */
static const struct model_listener *in_force(const struct service *s,
					     const struct live_listener *live)
{
	for (uint32_t i = 0; s->model != NULL && i < s->model->listener_count; i++)
		if (s->model->listeners[i].live == live)
			return &s->model->listeners[i];
	return NULL;
}

/* We listen there ourselves, by a listener of another kind, whose sockets are closed as soon as
 * the new ones are open. */
static bool is_ours(const struct service *s, const struct address *at)
{
	for (uint32_t i = 0; s->model != NULL && i < s->model->listener_count; i++) {
		const struct model_listener *l = &s->model->listeners[i];
		if (l->kind != LISTEN_UDP && (address_equals(&l->address, at) ||
					      address_equals(&l->workers, at)))
			return true;
	}
	return false;
}

/* Whether nobody listens there for workers of key-value pools. */
static bool is_new_for_workers(const struct service *s, const struct model_listener *l)
{
	const struct model_listener *before = in_force(s, l->live);

	return before == NULL || !address_equals(&before->workers, &l->workers);
}

/* One address of a listener: its own, or the one for workers. */
static int open_one(const struct service *s, const struct model_listener *l, bool for_workers,
		    struct openings *o, struct err *err)
{
	const struct address *at = for_workers ? &l->workers : &l->address;
	bool datagrams = l->kind == LISTEN_UDP;
	uint32_t count = s->worker_count;
	int *fds = takeover_sockets(s->takeover, at, datagrams, &count);
	if (fds != NULL)
		goto opened;
	fds = memory_new(count, sizeof *fds);
	int (*open)(int *, uint32_t, const struct address *, struct err *) =
		datagrams ? listener_open_datagrams :
		is_ours(s, at) ? listener_open_beside : listener_open;

	if (open(fds, count, at, err) != 0) {
		free(fds);
		return -1;
	}
opened:
	if (!datagrams)
		listener_defer(fds, count,
			       l->kind == LISTEN_HTTP && l->connections_max > 0);
	o->all[o->count++] = (struct opening){
		.live = l->live, .fds = fds, .count = count,
		.is_kv = l->kind == LISTEN_KV, .for_workers = for_workers,
	};
	return 0;
}

static int open_new(const struct service *s, const struct model *m, struct openings *o,
		    struct err *err)
{
	o->count = 0;
	for (uint32_t i = 0; i < m->listener_count; i++) {
		const struct model_listener *l = &m->listeners[i];
		bool has_workers = l->kind == LISTEN_KV && l->workers.len > 0;
		if ((in_force(s, l->live) == NULL && open_one(s, l, false, o, err) != 0) ||
		    (has_workers && is_new_for_workers(s, l) &&
		     open_one(s, l, true, o, err) != 0)) {
			loops_free_openings(o, true);
			return -1;
		}
	}
	return 0;
}

static int use_access_log(struct service *s, const struct model *m, struct err *err)
{
	const struct access_wish wish = {
		m->access_format, m->access_form, m->access_path, m->access_part,
	};

	if (s->access_log != NULL)
		return access_log_use(s->access_log, &wish, err);
	s->access_log = access_log_open(&wish, s->worker_count, err);
	return s->access_log != NULL ? 0 : -1;
}

int publish_log(const struct model *m, struct err *err)
{
	if (log_open(m->log_path, err) != 0)
		return -1;
	log_set_level(m->log_level);
	log_set_form(m->log_form);
	log_set_limit(m->log_same_max);
	return 0;
}

/* What is beside the data path: the control interface over TCP, and logs. On an error
 * they are as before. */
static int use_side(struct service *s, const struct model *m, struct err *err)
{
	struct err ignored;

	if (control_use(s->control, m, err) != 0)
		return -1;
	if (publish_log(m, err) != 0)
		goto undo_control;
	if (use_access_log(s, m, err) != 0)
		goto undo_log;
	return 0;

undo_log:
	if (s->model != NULL)
		publish_log(s->model, &ignored);
undo_control:
	if (s->model != NULL)
		control_use(s->control, s->model, &ignored);
	return -1;
}

static void set_connections(struct live *live, const struct model *m, uint32_t fits)
{
	if (m->connections_max > fits)
		log_warn("connections %u are more than the descriptor limit allows; "
			 "raise it (ulimit -n) to %llu", m->connections_max,
			 (unsigned long long)descriptors_for(share_of(m), m->connections_max));
	atomic_store(&live->connections_max, m->connections_max > 0 ? m->connections_max : fits);
}

static int publish(struct service *s, struct model *m, bool is_file, struct err *err)
{
	struct openings openings;

	if (pick_prepare(m, s->model, err) != 0 || model_attach(m, &s->live, err) != 0 ||
	    (is_file && kv_registry_use(s->registry, m, err) != 0) ||
	    open_new(s, m, &openings, err) != 0)
		goto put_model;
	if (is_file && use_side(s, m, err) != 0) {
		loops_free_openings(&openings, true);
		goto put_model;
	}
	live_take_over(m);
	srv_take_over(s);
	kept_names_take_over(s, m);
	prober_use(s->prober, m);
	names_use(&s->names, m);
	sockets_use(s, m, &openings);
	loops_adopt(s, m, &openings);
	loops_free_openings(&openings, false);
	model_put(s->model);
	s->model = m;
	s->version++;
	srv_use(s, m, is_file);
	kept_names_changed(s);
	return 0;

put_model:
	model_put(m);
	return -1;
}

int publish_file(struct service *s, struct model *m, struct err *err)
{
	uint32_t fits = connections_that_fit(m);

	if (publish(s, m, true, err) != 0)
		return -1;
	set_connections(&s->live, m, fits);
	return 0;
}

int publish_change(struct service *s, struct model *m, struct err *err)
{
	return publish(s, m, false, err);
}
