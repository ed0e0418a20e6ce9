#include "daemon/targets.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/span.h"

/* ---- records become targets ---- */

/* Case is no part of a name, but of a server's text. A host called "unix:..." is no way to
 * the sockets of this machine. */
static bool read_target(const struct dns_srv *record, struct target *t)
{
	char text[ADDRESS_TEXT_MAX];
	struct err err;

	if (record->port == 0 || strcmp(record->host, ".") == 0)
		return false;
	snprintf(text, sizeof text, "%s:%u", record->host, (unsigned)record->port);
	for (char *c = text; *c != '\0'; c++)
		*c = span_lower(*c);
	t->weight = record->weight;
	return address_parse(&t->address, text, "", &err) == 0 &&
	       t->address.any.sa_family != AF_UNIX;
}

/* Those of the lowest priority. */
static void take_first(const struct dns_srv_answer *answer, struct targets *t)
{
	struct target target;

	for (uint32_t i = 0; i < answer->count; i++) {
		const struct dns_srv *record = &answer->records[i];
		memset(&target, 0, sizeof target);
		if (!read_target(record, &target)) {
			t->unusable++;
			continue;
		}
		if (t->count > 0 && record->priority > t->priority)
			continue;
		if (t->count > 0 && record->priority < t->priority)
			t->count = 0;
		t->priority = record->priority;
		t->all[t->count++] = target;
	}
}

static int compare_texts(const void *one, const void *other)
{
	const struct target *a = one, *b = other;

	return strcmp(a->address.text, b->address.text);
}

static int compare_weights(const void *one, const void *other)
{
	const struct target *a = one, *b = other;

	if (a->weight != b->weight)
		return a->weight < b->weight ? 1 : -1;
	return compare_texts(one, other);
}

static void merge_equal(struct targets *t)
{
	uint32_t kept = 0;

	qsort(t->all, t->count, sizeof *t->all, compare_texts);
	for (uint32_t i = 0; i < t->count; i++) {
		if (kept > 0 && compare_texts(&t->all[kept - 1], &t->all[i]) == 0)
			t->all[kept - 1].weight += t->all[i].weight;
		else
			t->all[kept++] = t->all[i];
	}
	t->count = kept;
}

static void leave_out(struct targets *t)
{
	if (t->count <= TARGETS_MAX)
		return;
	qsort(t->all, t->count, sizeof *t->all, compare_weights);
	t->left_out = t->count - TARGETS_MAX;
	t->count = TARGETS_MAX;
	qsort(t->all, t->count, sizeof *t->all, compare_texts);
}

static void fit_weights(struct targets *t)
{
	uint64_t most = MODEL_WEIGHT_MAX;

	for (uint32_t i = 0; i < t->count; i++)
		if (t->all[i].weight > most)
			most = t->all[i].weight;
	for (uint32_t i = 0; i < t->count; i++) {
		uint64_t weight = (t->all[i].weight * (uint64_t)MODEL_WEIGHT_MAX + most / 2) / most;
		t->all[i].weight = weight > 0 ? (uint32_t)weight : 1;
	}
}

void targets_choose(const struct dns_srv_answer *answer, struct targets *t)
{
	*t = (struct targets){.all = memory_new(answer->count + 1, sizeof *t->all)};
	t->nobody = answer->count == 1 && strcmp(answer->records[0].host, ".") == 0;
	if (t->nobody)
		return;
	t->unusable = answer->unusable;
	take_first(answer, t);
	merge_equal(t);
	leave_out(t);
	fit_weights(t);
}

void targets_fini(struct targets *t)
{
	free(t->all);
	*t = (struct targets){0};
}

/* ---- targets become servers ---- */

static const struct target *find(const struct targets *t, const struct address *a)
{
	for (uint32_t i = 0; i < t->count; i++)
		if (address_equals(&t->all[i].address, a))
			return &t->all[i];
	return NULL;
}

/* By what its names say. False: none of them leads to it any more. */
static bool settle(const struct model_pool *p, struct model_server *s)
{
	uint32_t first = model_server_srv(s);

	s->weight = 0;
	for (uint32_t i = 0; i < p->srv_count; i++)
		if (s->srv_weights[i] > s->weight)
			s->weight = s->srv_weights[i];
	if (first > 0)
		s->parallel_max = p->srvs[first - 1].parallel_max;
	return first > 0;
}

/* The srv leads to this address from now on. False: the pool is full. */
static bool lead(struct model_pool *p, uint32_t srv, const struct address *a, uint32_t weight)
{
	struct model_server *s = model_server_find(p, a);

	if (s != NULL && model_server_srv(s) == 0)
		return true;			/* it is as it is written */
	if (s == NULL)
		s = model_server_add(p);
	if (s == NULL)
		return false;
	s->address = *a;
	s->srv_weights[srv] = (uint16_t)weight;
	settle(p, s);
	return true;
}

/* It leads there no more. */
static void let_go(struct model_pool *p, uint32_t srv, uint32_t at)
{
	struct model_server *s = &p->servers[at];

	s->srv_weights[srv] = 0;
	if (!settle(p, s))
		model_server_remove(p, at);
}

uint32_t targets_use(struct model_pool *p, uint32_t srv, const struct targets *t)
{
	uint32_t no_room = 0;

	p->srvs[srv].known = true;
	for (uint32_t i = p->server_count; i-- > 0; )
		if (p->servers[i].srv_weights[srv] != 0 && find(t, &p->servers[i].address) == NULL)
			let_go(p, srv, i);
	for (uint32_t i = 0; i < t->count; i++)
		no_room += !lead(p, srv, &t->all[i].address, t->all[i].weight);
	return no_room;
}

bool targets_are_used(const struct model_pool *p, uint32_t srv, const struct targets *t,
		      uint32_t *no_room)
{
	uint32_t there = 0;

	for (uint32_t i = 0; i < p->server_count; i++) {
		const struct model_server *s = &p->servers[i];
		const struct target *target = find(t, &s->address);
		if (model_server_srv(s) > 0 &&
		    s->srv_weights[srv] != (target != NULL ? target->weight : 0))
			return false;
		there += target != NULL;
	}
	*no_room = t->count - there;
	return p->srvs[srv].known && (*no_room == 0 || p->server_count == MODEL_SERVERS_MAX);
}

/* ---- a file anew ---- */

static const struct model_pool *pool_of(const struct model *m, const char *name)
{
	int at = m != NULL ? model_pool_find(m, span_of(name)) : -1;

	return at >= 0 ? &m->pools[at] : NULL;
}

/* From 1; 0: it has none. */
static uint32_t number_of(const struct model_pool *p, const char *name)
{
	for (uint32_t i = 0; i < p->srv_count; i++)
		if (strcasecmp(p->srvs[i].name, name) == 0)
			return i + 1;
	return 0;
}

static void carry(struct model_pool *p, uint32_t srv, const struct model_pool *before,
		  uint32_t was_srv)
{
	p->srvs[srv].known = before->srvs[was_srv].known;
	for (uint32_t i = 0; i < before->server_count; i++) {
		const struct model_server *was = &before->servers[i];
		if (was->srv_weights[was_srv] != 0)
			lead(p, srv, &was->address, was->srv_weights[was_srv]);
	}
}

void targets_carry(struct model *m, const struct model *before)
{
	for (uint32_t i = 0; i < m->pool_count; i++) {
		struct model_pool *p = &m->pools[i];
		const struct model_pool *old = pool_of(before, p->name);
		for (uint32_t j = 0; old != NULL && j < p->srv_count; j++) {
			uint32_t number = number_of(old, p->srvs[j].name);
			if (number > 0)
				carry(p, j, old, number - 1);
		}
	}
}
