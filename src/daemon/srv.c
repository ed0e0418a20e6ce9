#include "daemon/srv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/memory.h"
#include "base/must.h"
#include "daemon/inside.h"
#include "daemon/news.h"
#include "daemon/resolving.h"
#include "daemon/steering.h"
#include "daemon/targets.h"
#include "loop/dns.h"
#include "model/live_registry.h"
#include "model/live_srv.h"
#include "model/srv.h"

/* Kinds of trouble, each said once: those of dns_fault, and: */
enum {
	TROUBLE_UNUSABLE = DNS_FAULTS,	/* no record leads anywhere */
	TROUBLE_REFUSED,		/* the pool cannot have these servers */
	TROUBLE_NO_ADDRESS,		/* none of these servers has an address */
};

struct srv_lookups {
	struct srv       *first;	/* owned: all of the model in force */
	struct loop_timer timer;
	uint32_t          asked;	/* questions that are not answered yet, and names */
	const struct srv *publishing;	/* its servers' addresses are to be taken over */
	struct service   *service;	/* borrowed */
};

struct srv {
	struct service *service;
	struct srv     *next;
	char            pool[MODEL_NAME_MAX + 1];
	char            name[ADDRESS_HOST_MAX + 1];
	struct dns_question *question;	/* NULL: not asked at present */
	struct targets  targets;	/* while their addresses are looked up */
	struct resolving *resolving;	/* NULL: none is */
	uint64_t        due_ms;		/* when it is to be asked for again */
	int             said;		/* the kind of trouble, in the log; 0: none */
	uint32_t        said_left_out, said_unusable;
};

/* ---- what is in force ---- */

/* The pool and the number of the name in it; NULL: no longer there. */
static struct model_pool *place_of(const struct srv *srv, const struct model *m, uint32_t *number)
{
	int at = m != NULL ? model_pool_find(m, span_of(srv->pool)) : -1;
	struct model_pool *p = at >= 0 ? &m->pools[at] : NULL;

	for (*number = 0; p != NULL && *number < p->srv_count; ++*number)
		if (strcasecmp(p->srvs[*number].name, srv->name) == 0)
			return p;
	return NULL;
}

static struct live_srv *live_of(const struct srv *srv)
{
	uint32_t number;
	const struct model_pool *p = place_of(srv, srv->service->model, &number);

	return p != NULL ? live_srv_of(p->live, srv->name) : NULL;
}

/* ---- when ---- */

static void ask_again_in(struct srv *srv, uint64_t ms)
{
	struct loop *loop = srv->service->loop;
	struct loop_timer *timer = &srv->service->srvs->timer;

	srv->due_ms = loop_now_ms(loop) + ms;
	if (!timer->armed || timer->due_ms > srv->due_ms)
		loop_timer_start(loop, timer, ms);
}

static uint64_t at_most(uint64_t ms, uint64_t max)
{
	return ms < max ? ms : max;
}

/* Records last so long; what may be asked of a name server has two bounds. */
static uint64_t lasts_ms(const struct srv *srv, uint32_t ttl_s)
{
	uint64_t ms = ttl_s * UINT64_C(1000);

	if (ms < SRV_AGAIN_MIN_MS)
		ms = SRV_AGAIN_MIN_MS;
	return at_most(ms, srv->service->model->resolve_ms);
}

static void ask_all(struct service *s);

/* ---- what came of it ---- */

static void on_trouble(struct srv *srv, int kind, const char *why)
{
	struct live_srv *live = live_of(srv);
	uint32_t number;
	const struct model_pool *p = place_of(srv, srv->service->model, &number);
	bool keeps = p != NULL && p->srvs[number].known;

	if (live != NULL) {
		live->failures++;
		snprintf(live->reason, sizeof live->reason, "%s", why);
	}
	if (srv->said != kind)
		log_warn("service is not found%s pool=%s srv=%s reason=\"%s\"",
			 keeps ? ", its last servers stay" : "", srv->pool, srv->name, why);
	srv->said = kind;
	ask_again_in(srv, at_most(NAMES_RETRY_MS, srv->service->model->resolve_ms));
}

/* More than is taken is said once, and again when it is another number. */
static void say_rest(struct srv *srv, const struct targets *t)
{
	if (t->left_out != srv->said_left_out && t->left_out > 0)
		log_warn("service has %u servers more than are used pool=%s srv=%s", t->left_out,
			 srv->pool, srv->name);
	if (t->unusable != srv->said_unusable && t->unusable > 0)
		log_warn("service has %u records without a host or a port pool=%s srv=%s",
			 t->unusable, srv->pool, srv->name);
	srv->said_left_out = t->left_out;
	srv->said_unusable = t->unusable;
}

static void on_good(struct srv *srv, const struct targets *t)
{
	struct live_srv *live = live_of(srv);

	if (live != NULL) {
		live->answers++;
		live->left_out = t->left_out;
		live->unusable = t->unusable;
		live->priority = t->priority;
		snprintf(live->reason, sizeof live->reason, "%s",
			 t->nobody ? "the record says that nobody serves" : "");
	}
	if (srv->said != 0)
		log_info("service is found again pool=%s srv=%s", srv->pool, srv->name);
	srv->said = 0;
	say_rest(srv, t);
}

static bool is_of(const struct model_server *s, uint32_t number)
{
	return s != NULL && s->srv_weights[number] != 0;
}

/* The events, and how many servers came and went. */
static void tell_difference(const struct srv *srv, const struct model_pool *before,
			    const struct model_pool *after, uint32_t number)
{
	uint32_t added = 0, removed = 0, weighed = 0, count = 0;
	char text[ADDRESS_HOST_MAX + 32];

	for (uint32_t i = 0; i < after->server_count; i++) {
		const struct model_server *s = &after->servers[i];
		const struct model_server *was = model_server_find(before, &s->address);
		if (!is_of(s, number) && !is_of(was, number))
			continue;
		count += is_of(s, number);
		snprintf(text, sizeof text, "weight=%u srv=%s", s->weight, srv->name);
		if (was == NULL)
			news_tell_server(srv->service, EVENT_SERVER_ADDED, srv->pool,
					 s->address.text, text);
		else if (was->weight != s->weight)
			news_tell_server(srv->service, EVENT_SERVER_SET, srv->pool,
					 s->address.text, text);
		added += was == NULL;
		weighed += was != NULL && was->weight != s->weight;
	}
	snprintf(text, sizeof text, "srv=%s", srv->name);
	for (uint32_t i = 0; i < before->server_count; i++) {
		const struct model_server *was = &before->servers[i];
		if (!is_of(was, number) || model_server_find(after, &was->address) != NULL)
			continue;
		news_tell_server(srv->service, EVENT_SERVER_REMOVED, srv->pool,
				 was->address.text, text);
		removed++;
	}
	log_info("service has %u servers, %u new, %u gone, %u with another weight pool=%s srv=%s",
		 count, added, removed, weighed, srv->pool, srv->name);
}

/* A model with these servers comes into force. */
static int publish(struct srv *srv, struct targets *t, struct err *err)
{
	struct service *s = srv->service;
	uint32_t number;

	struct model *file = model_copy(s->wanted.file);
	const struct model *old = model_get(s->wanted.file);
	struct model_pool *p = place_of(srv, file, &number);
	t->left_out += targets_use(p, number, t);
	model_get(file);
	s->srvs->publishing = srv;
	int result = steering_use_records(s, file, err);
	s->srvs->publishing = NULL;
	if (result == 0)
		tell_difference(srv, place_of(srv, old, &number), p, number);
	model_put(file);
	model_put(old);
	return result;
}

void srv_take_over(struct service *s)
{
	const struct srv *srv = s->srvs->publishing;
	uint32_t count = 0;
	const struct resolved *all = srv != NULL && srv->resolving != NULL
					     ? resolving_all(srv->resolving, &count) : NULL;

	for (uint32_t i = 0; i < count; i++) {
		struct live_server *live = live_server_find(&s->live, srv->pool, &all[i].name);
		if (live != NULL && all[i].found.len > 0)
			live_server_set_address(live, &all[i].found);
	}
}

static void forget_targets(struct srv *srv)
{
	resolving_end(srv->resolving);
	srv->resolving = NULL;
	targets_fini(&srv->targets);
}

/* It is a number, was known, or has been found. */
static bool has_address(const struct srv *srv, const struct address *target)
{
	const struct live_server *live =
		live_server_find(&srv->service->live, srv->pool, target);
	uint32_t count = 0;
	const struct resolved *all = srv->resolving != NULL
					     ? resolving_all(srv->resolving, &count) : NULL;

	if (target->len > 0 || (live != NULL && atomic_load(&live->address) != NULL))
		return true;
	for (uint32_t i = 0; i < count; i++)
		if (all[i].found.len > 0 && address_equals(&all[i].name, target))
			return true;
	return false;
}

/* Whether servers that could serve would be given up for such as cannot, all of them. */
static bool loses_all(const struct srv *srv)
{
	uint32_t number;
	const struct model_pool *p = place_of(srv, srv->service->model, &number);

	for (uint32_t i = 0; i < srv->targets.count; i++)
		if (has_address(srv, &srv->targets.all[i].address))
			return false;
	for (uint32_t i = 0; p != NULL && i < p->server_count; i++)
		if (is_of(&p->servers[i], number) && has_address(srv, &p->servers[i].address))
			return srv->targets.count > 0;
	return false;
}

static void use_targets(struct srv *srv)
{
	struct err err;

	if (loses_all(srv))
		on_trouble(srv, TROUBLE_NO_ADDRESS, "none of its servers has an address");
	else if (publish(srv, &srv->targets, &err) != 0)
		on_trouble(srv, TROUBLE_REFUSED, err.text);
	else
		on_good(srv, &srv->targets);
	forget_targets(srv);
}

static void on_resolved(void *arg)
{
	struct srv *srv = arg;
	struct service *s = srv->service;

	s->srvs->asked--;
	if (s->draining)
		forget_targets(srv);
	else
		use_targets(srv);
	ask_all(s);
}

/* Those that have no address yet; owned by the caller. */
static struct address *new_names(const struct srv *srv, uint32_t *count)
{
	const struct targets *t = &srv->targets;
	struct address *names = memory_new(t->count + 1, sizeof *names);

	*count = 0;
	for (uint32_t i = 0; i < t->count; i++) {
		const struct address *a = &t->all[i].address;
		const struct live_server *live =
			live_server_find(&srv->service->live, srv->pool, a);
		if (a->len == 0 && (live == NULL || atomic_load(&live->address) == NULL))
			names[(*count)++] = *a;
	}
	return names;
}

static void on_other_targets(struct srv *srv)
{
	uint32_t count;
	struct address *names = new_names(srv, &count);

	if (count == 0) {
		use_targets(srv);
	} else {
		srv->resolving = resolving_start(srv->service, names, count, on_resolved, srv);
		srv->service->srvs->asked++;
	}
	free(names);
}

static void on_records(struct srv *srv, const struct dns_srv_answer *answer)
{
	uint32_t number, no_room = 0;
	const struct model_pool *p = place_of(srv, srv->service->wanted.file, &number);

	targets_choose(answer, &srv->targets);
	if (srv->targets.count == 0 && !srv->targets.nobody) {
		on_trouble(srv, TROUBLE_UNUSABLE, "no record has a host and a port");
		forget_targets(srv);
	} else if (p == NULL || targets_are_used(p, number, &srv->targets, &no_room)) {
		srv->targets.left_out += no_room;
		on_good(srv, &srv->targets);
		forget_targets(srv);
	} else {
		on_other_targets(srv);
	}
}

static void on_answer(void *arg, const struct dns_srv_answer *answer)
{
	struct srv *srv = arg;

	srv->question = NULL;
	srv->service->srvs->asked--;
	if (srv->service->draining)
		return;
	if (answer->fault != DNS_FINE) {
		on_trouble(srv, answer->fault, answer->err.text);
		return;
	}
	ask_again_in(srv, lasts_ms(srv, answer->ttl_s));
	on_records(srv, answer);
}

static void ask(struct srv *srv)
{
	srv->question = dns_ask_srv(srv->service->names.dns, srv->name, on_answer, srv);
	if (srv->question != NULL)
		srv->service->srvs->asked++;
	else
		ask_again_in(srv, NAMES_RETRY_MS);
}

static bool is_idle(const struct srv *srv)
{
	return srv->question == NULL && srv->resolving == NULL;
}

/* Asks for those whose time has come, and wakes for the next. */
static void ask_all(struct service *s)
{
	uint64_t now_ms = loop_now_ms(s->loop), next_ms = UINT64_MAX;

	for (struct srv *srv = s->srvs->first; srv != NULL; srv = srv->next) {
		if (is_idle(srv) && srv->due_ms <= now_ms)
			ask(srv);
		if (is_idle(srv) && srv->due_ms < next_ms)
			next_ms = srv->due_ms;
	}
	if (next_ms != UINT64_MAX)
		loop_timer_start(s->loop, &s->srvs->timer, next_ms - now_ms);
}

static void on_due(struct loop_timer *t)
{
	ask_all(CONTAINER_OF(t, struct srv_lookups, timer)->service);
}

uint32_t srv_asked(const struct service *s)
{
	return s->srvs->asked;
}

/* ---- another model ---- */

static struct srv *take(struct srv **list, const char *pool, const char *name)
{
	while (*list != NULL && (strcmp((*list)->pool, pool) != 0 ||
				 strcasecmp((*list)->name, name) != 0))
		list = &(*list)->next;
	struct srv *srv = *list;
	if (srv != NULL)
		*list = srv->next;
	return srv;
}

static struct srv *srv_new(struct service *s, const char *pool, const char *name)
{
	struct srv *srv = memory_new(1, sizeof *srv);

	srv->service = s;
	snprintf(srv->pool, sizeof srv->pool, "%s", pool);
	snprintf(srv->name, sizeof srv->name, "%s", name);
	return srv;
}

static void forget_all(struct service *s, struct srv *list)
{
	while (list != NULL) {
		struct srv *srv = list;
		list = srv->next;
		s->srvs->asked -= !is_idle(srv);
		dns_cancel(srv->question);
		forget_targets(srv);
		free(srv);
	}
}

void srv_use(struct service *s, const struct model *m, bool anew)
{
	struct srv *before = s->srvs->first, **end = &s->srvs->first;

	s->srvs->first = NULL;
	for (uint32_t i = 0; i < m->pool_count; i++) {
		const struct model_pool *p = &m->pools[i];
		live_srv_keep(p->live, p);
		for (uint32_t j = 0; j < p->srv_count; j++) {
			struct srv *srv = take(&before, p->name, p->srvs[j].name);
			if (srv == NULL)
				srv = srv_new(s, p->name, p->srvs[j].name);
			srv->next = NULL;
			if (anew)
				srv->due_ms = 0;
			*end = srv;
			end = &srv->next;
		}
	}
	forget_all(s, before);
	loop_timer_stop(s->loop, &s->srvs->timer);
	ask_all(s);
}

void srv_open(struct service *s)
{
	s->srvs = memory_new(1, sizeof *s->srvs);
	s->srvs->service = s;
	loop_timer_init(&s->srvs->timer, on_due);
}

void srv_close(struct service *s)
{
	struct srv *all = s->srvs->first;

	loop_timer_stop(s->loop, &s->srvs->timer);
	s->srvs->first = NULL;
	forget_all(s, all);
	free(s->srvs);
	s->srvs = NULL;
}
