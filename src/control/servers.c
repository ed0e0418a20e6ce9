/* control/servers.c - a pool's servers: to see them, to add one, to set its weight and
 * drain, to take it out.
 *
 * A change goes to the owner with the address as the model spells it, so that it finds
 * the server by its text; what is answered is read afterwards, from what is then in
 * force.
 */
#include <string.h>

#include "base/must.h"
#include "control/ask.h"
#include "control/body.h"
#include "control/figures.h"

enum { LIMIT_MS_MAX = 24 * 3600 * 1000 };

/* Owned by the reply: {name: list}. */
static void reply_list(struct reply *r, const char *name, json_t *list)
{
	json_t *object = json_object();

	json_object_set_new(object, name, list);
	reply_json(r, 200, object);
}

void servers_get(const struct ask *ask, struct reply *r)
{
	const struct model_pool *p = ask_pool(ask, r);
	struct figures f;

	if (p == NULL)
		return;
	figures_init(&f, ask->view);
	reply_list(r, "servers", figures_servers(&f, p));
	figures_fini(&f);
}

static void reply_server(const struct ask *ask, const struct model_pool *p,
			 const struct model_server *s, uint16_t status, struct reply *r)
{
	struct figures f;

	figures_init(&f, ask->view);
	reply_json(r, status, figures_server(&f, p, s));
	figures_fini(&f);
}

void servers_get_one(const struct ask *ask, struct reply *r)
{
	const struct model_pool *p = ask_pool(ask, r);
	const struct model_server *s = p != NULL ? ask_server(ask, p, r) : NULL;

	if (s != NULL)
		reply_server(ask, p, s, 200, r);
}

static bool has_id(const uint64_t *ids, uint32_t id)
{
	return (ids[id / 64] >> id % 64 & 1) != 0;
}

void servers_get_leaving(const struct ask *ask, struct reply *r)
{
	uint64_t staying[LIVE_SERVER_IDS_MAX / 64] = {0};
	json_t *list = json_array();
	struct figures f;

	figures_init(&f, ask->view);
	for (uint32_t i = 0; i < f.model->pool_count; i++) {
		const struct model_pool *p = &f.model->pools[i];
		for (uint32_t j = 0; j < p->server_count; j++) {
			uint32_t id = p->servers[j].live->id;
			staying[id / 64] |= UINT64_C(1) << id % 64;
		}
	}
	const struct live_server *s = ask->view->live->servers;
	for (; s != NULL; s = s->next)
		if (!has_id(staying, s->id) &&
		    atomic_load_explicit(&s->in_flight, memory_order_relaxed) > 0)
			json_array_append_new(list, figures_leaving(&f, s));
	figures_fini(&f);
	reply_list(r, "servers", list);
}

/* ---- changes ---- */

/* Asks the owner for it. False: the reply says why not. */
static bool make(const struct ask *ask, const struct change *c, struct reply *r)
{
	const struct control_hooks *hooks = ask->view->hooks;
	enum change_fault fault = CHANGE_FINE;
	struct err err = {""};
	enum control_result result = hooks->change(hooks->arg, c, &fault, &err);

	return reply_outcome(r, result, fault, &err);
}

/* The server as it is in force now. It is there but where the owner has changed more
 * than it was asked for; then there is nothing to show. */
static void reply_changed(const struct ask *ask, const struct change *c, uint16_t status,
			  struct reply *r)
{
	const struct model *m = view_model(ask->view);
	int pool = model_pool_find(m, span_of(c->pool));
	const struct model_server *s =
		pool >= 0 ? model_server_find(&m->pools[pool], &c->server) : NULL;

	if (s != NULL)
		reply_server(ask, &m->pools[pool], s, status, r);
	else
		reply_json(r, status, json_object());
}

static struct change change_of(enum change_kind kind, const struct model_pool *p,
			       const struct address *server)
{
	struct change c = {.kind = kind, .server = *server, .limit_ms = UINT32_MAX};

	must(strlen(p->name) < sizeof c.pool);
	memcpy(c.pool, p->name, strlen(p->name) + 1);
	return c;
}

/* Whether what is sent to this address comes in at this listener. */
static bool comes_in_at(const struct model_listener *l, const struct address *server)
{
	struct address any = l->address;

	if (server->len == 0 || l->kind == LISTEN_UDP)
		return false;
	if (address_equals(&l->address, server))
		return true;
	if (any.any.sa_family == AF_UNIX || address_port(&any) != address_port(server))
		return false;
	/* One that listens everywhere takes what goes to this machine too. */
	if (any.any.sa_family == AF_INET6 ? !IN6_IS_ADDR_UNSPECIFIED(&any.in6.sin6_addr)
					  : any.in4.sin_addr.s_addr != htonl(INADDR_ANY))
		return false;
	if (server->any.sa_family == AF_INET6)
		return any.any.sa_family == AF_INET6 &&
		       IN6_IS_ADDR_LOOPBACK(&server->in6.sin6_addr);
	return ntohl(server->in4.sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
}

/* The listener that leads to the pool and is the server at once, or NULL: what comes in
 * would come in again for ever. */
static const struct model_listener *loop_of(const struct model *m,
					    const struct model_pool *p,
					    const struct address *server)
{
	for (uint32_t i = 0; i < m->listener_count; i++) {
		const struct model_listener *l = &m->listeners[i];
		if (!comes_in_at(l, server))
			continue;
		for (uint32_t j = 0; j < l->route_count; j++)
			if (&m->pools[l->routes[j].pool] == p)
				return l;
	}
	return NULL;
}

/* Reads the address of a server that is to be added, spelled as one that is there. */
static bool read_new(const struct ask *ask, const struct model_pool *p, const char *text,
		     struct address *address, struct reply *r)
{
	struct err err;

	if (address_parse(address, text, "127.0.0.1", &err) != 0) {
		reply_error(r, REPLY_BAD_REQUEST, "address", "%s", err.text);
		return false;
	}
	const struct model_listener *l = loop_of(view_model(ask->view), p, address);
	if (l != NULL) {
		reply_error(r, REPLY_BAD_REQUEST, "address",
			    "%s is this balancer's own listener %s: what comes in would "
			    "go round for ever", address->text, l->address.text);
		return false;
	}
	const struct model_server *there = model_server_find(p, address);
	if (there != NULL)
		*address = there->address;
	return true;
}

/* Whether its servers are workers, which nobody adds or removes but themselves. */
static bool is_of_workers(const struct ask *ask, const struct model_pool *p)
{
	const struct model *m = view_model(ask->view);

	return model_pool_is_kv(m, (uint32_t)(p - m->pools));
}

/* What may be said of a server besides where it is. */
#define SETTINGS(change)                                                                   \
	{.name = "weight", .kind = MEMBER_NUMBER, .max = MODEL_WEIGHT_MAX,                \
	 .value = &(change).weight, .given = &(change).has_weight},                       \
	{.name = "drain", .kind = MEMBER_BOOL, .value = &(change).drain,                  \
	 .given = &(change).has_drain},                                                   \
	{.name = "temporary", .kind = MEMBER_BOOL, .value = &(change).temporary}

void servers_add(const struct ask *ask, struct reply *r)
{
	const struct model_pool *p = ask_pool(ask, r);
	const char *text = NULL;

	if (p == NULL)
		return;
	if (is_of_workers(ask, p)) {
		reply_error(r, REPLY_REFUSED, NULL, "workers join pool %s by themselves; "
			    "start a kv-worker that connects to this balancer", p->name);
		return;
	}
	if (p->own != NULL) {
		reply_error(r, REPLY_REFUSED, NULL, "pool %s makes its servers itself; "
			    "to have more: balancerctl scale %s +1, or POST "
			    "/v1/pools/%s/owned", p->name, p->name, p->name);
		return;
	}
	struct change c = change_of(CHANGE_ADD, p, &(struct address){0});
	const struct member members[] = {
		{.name = "address", .kind = MEMBER_TEXT, .required = true,
		 .value = &text},
		SETTINGS(c),
	};
	json_t *body = body_read(ask->body, members, COUNT_OF(members), r);

	if (body == NULL)
		return;
	if (read_new(ask, p, text, &c.server, r) && make(ask, &c, r))
		reply_changed(ask, &c, 201, r);
	json_decref(body);
}

void servers_set(const struct ask *ask, struct reply *r)
{
	const struct model_pool *p = ask_pool(ask, r);
	const struct model_server *s = p != NULL ? ask_server(ask, p, r) : NULL;

	if (s == NULL)
		return;
	struct change c = change_of(CHANGE_SET, p, &s->address);
	const struct member members[] = {
		SETTINGS(c),
	};
	json_t *body = body_read(ask->body, members, COUNT_OF(members), r);

	if (body == NULL)
		return;
	json_decref(body);
	if (!c.has_weight && !c.has_drain)
		reply_error(r, REPLY_BAD_REQUEST, NULL, "there is nothing to change: say "
			    "\"weight\", \"drain\" or both");
	else if (make(ask, &c, r))
		reply_changed(ask, &c, 200, r);
}

/* How many connections it has; it may be gone already. */
static json_t *in_flight_of(const struct live *live, const struct change *c)
{
	const struct live_server *s = live->servers;

	while (s != NULL && (strcmp(s->text, c->server.text) != 0 ||
			     strcmp(s->pool, c->pool) != 0))
		s = s->next;
	return json_integer(s == NULL ? 0 : atomic_load_explicit(&s->in_flight,
								 memory_order_relaxed));
}

void servers_remove(const struct ask *ask, struct reply *r)
{
	const struct model_pool *p = ask_pool(ask, r);
	const struct model_server *s = p != NULL ? ask_server(ask, p, r) : NULL;
	struct figures f;

	if (s == NULL)
		return;
	if (is_of_workers(ask, p)) {
		reply_error(r, REPLY_REFUSED, NULL, "workers leave pool %s by themselves; "
			    "stop the kv-worker at %s, or drain it", p->name,
			    s->address.text);
		return;
	}
	if (p->own != NULL) {
		reply_error(r, REPLY_REFUSED, NULL, "pool %s makes its servers itself; "
			    "to have one less: balancerctl remove and its name, "
			    "balancerctl scale %s -1, or DELETE /v1/pools/%s/owned",
			    p->name, p->name, p->name);
		return;
	}
	struct change c = change_of(CHANGE_REMOVE, p, &s->address);
	const struct member members[] = {
		{.name = "limit_ms", .kind = MEMBER_NUMBER, .max = LIMIT_MS_MAX,
		 .value = &c.limit_ms},
		{.name = "temporary", .kind = MEMBER_BOOL, .value = &c.temporary},
	};

	if (!body_read_query(ask->query, members, COUNT_OF(members), r))
		return;
	/* Its live part may end with the change. */
	figures_init(&f, ask->view);
	json_t *object = figures_server(&f, p, s);
	figures_fini(&f);
	if (!make(ask, &c, r)) {
		json_decref(object);
		return;
	}
	json_object_set_new(object, "state", json_string("leaving"));
	json_object_set_new(object, "in_flight", in_flight_of(ask->view->live, &c));
	reply_json(r, 200, object);
}
