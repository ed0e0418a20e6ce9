#include "daemon/names_record.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/memory.h"
#include "base/must.h"
#include "base/text.h"
#include "daemon/targets.h"
#include "model/live.h"
#include "model/live_registry.h"
#include "model/srv.h"

/* ---- from models ---- */

static json_t *targets_of(const struct model_pool *p, uint32_t srv)
{
	json_t *targets = json_object();

	for (uint32_t i = 0; i < p->server_count; i++) {
		const struct model_server *s = &p->servers[i];
		if (s->srv_weights[srv] != 0)
			json_object_set_new(targets, s->address.text,
					    json_integer(s->srv_weights[srv]));
	}
	return targets;
}

static json_t *srvs_of(const struct model_pool *p)
{
	json_t *srvs = json_object();

	for (uint32_t i = 0; i < p->srv_count; i++)
		if (p->srvs[i].known)
			json_object_set_new(srvs, p->srvs[i].name, targets_of(p, i));
	return srvs;
}

static json_t *addresses_of(const struct model_pool *p)
{
	json_t *addresses = json_object();

	for (uint32_t i = 0; i < p->server_count; i++) {
		const struct model_server *s = &p->servers[i];
		const struct address *at =
			s->address.len == 0 ? atomic_load(&s->live->address) : NULL;
		if (at != NULL)
			json_object_set_new(addresses, s->address.text, json_string(at->text));
	}
	return addresses;
}

/* Gives the part to the pool's object, which is made for it; an empty one is as good as none. */
static void give(json_t *pools, const char *pool, const char *key, json_t *part)
{
	if (json_object_size(part) == 0) {
		json_decref(part);
		return;
	}
	if (json_object_get(pools, pool) == NULL)
		json_object_set_new(pools, pool, json_object());
	json_object_set_new(json_object_get(pools, pool), key, part);
}

struct names_record *names_record_of(const struct model *file, const struct model *m)
{
	struct names_record *r = memory_new(1, sizeof *r);

	r->pools = json_object();
	for (uint32_t i = 0; i < file->pool_count; i++)
		give(r->pools, file->pools[i].name, "srv", srvs_of(&file->pools[i]));
	for (uint32_t i = 0; i < m->pool_count; i++)
		give(r->pools, m->pools[i].name, "addresses", addresses_of(&m->pools[i]));
	return r;
}

void names_record_destroy(struct names_record *r)
{
	if (r == NULL)
		return;
	json_decref(r->pools);
	free(r);
}

bool names_record_is_empty(const struct names_record *r)
{
	return json_object_size(r->pools) == 0;
}

bool names_record_equals(const struct names_record *a, const struct names_record *b)
{
	return a != NULL && b != NULL && json_equal(a->pools, b->pools);
}

/* ---- as a text ---- */

char *names_record_encode(const struct names_record *r, const char *serves)
{
	json_t *root = json_pack("{s:i, s:s, s:s, s:O}", "format", NAMES_RECORD_FORMAT, "serves",
				 serves, "since", r->since, "pools", r->pools);
	char *text = json_dumps(root, JSON_INDENT(1));

	must(text != NULL);		/* names and addresses are UTF-8 */
	json_decref(root);
	return text;
}

static bool read_number(const char *text, struct address *a)
{
	struct err err;

	return address_parse(a, text, "", &err) == 0 && a->len > 0 &&
	       a->any.sa_family != AF_UNIX;
}

static bool read_target(const char *text, const json_t *weight, struct target *t)
{
	json_int_t n = json_integer_value(weight);	/* 0 of what is none */
	struct err err;

	t->weight = (uint32_t)n;
	return n >= 1 && n <= MODEL_WEIGHT_MAX && address_parse(&t->address, text, "", &err) == 0 &&
	       t->address.any.sa_family != AF_UNIX;
}

static bool is_targets(const json_t *targets)
{
	const char *text;
	const json_t *weight;
	struct target t;

	if (!json_is_object(targets) || json_object_size(targets) > TARGETS_MAX)
		return false;
	json_object_foreach((json_t *)(uintptr_t)targets, text, weight) {
		memset(&t, 0, sizeof t);
		if (!read_target(text, weight, &t))
			return false;
	}
	return true;
}

static bool is_pool(const json_t *pool)
{
	json_t *srvs = json_object_get(pool, "srv");
	json_t *addresses = json_object_get(pool, "addresses"), *value;
	const char *key;
	struct address a = {0};

	if ((srvs != NULL && !json_is_object(srvs)) ||
	    (addresses != NULL && !json_is_object(addresses)))
		return false;
	json_object_foreach(srvs, key, value)
		if (!is_targets(value))
			return false;
	json_object_foreach(addresses, key, value)
		if (!json_is_string(value) || !read_number(json_string_value(value), &a))
			return false;
	return json_is_object(pool);
}

/* -1 and *err: this is no record that can be used. */
static int check(const json_t *root, const char *serves, struct err *err)
{
	json_t *pools = json_object_get(root, "pools"), *pool;
	const char *given = json_string_value(json_object_get(root, "serves")), *key;
	const char *since = json_string_value(json_object_get(root, "since"));

	if (json_integer_value(json_object_get(root, "format")) != NAMES_RECORD_FORMAT)
		return err_set(err, "it is not of format %d, which this balancer knows",
			       NAMES_RECORD_FORMAT);
	if (given == NULL || strcmp(given, serves) != 0)
		return err_set(err, "it is not of what this balancer serves");
	if (!json_is_object(pools) || since == NULL ||
	    strlen(since) >= NAMES_RECORD_TIME_MAX || !text_is_plain(since))
		return err_set(err, "it has no pools, or no time");
	json_object_foreach(pools, key, pool)
		if (!is_pool(pool))
			return err_set(err, "what it says of pool %s cannot be", quote(key).text);
	return 0;
}

struct names_record *names_record_decode(const char *text, size_t len, const char *serves,
					 struct err *err)
{
	struct names_record *r = NULL;
	json_error_t error;
	json_t *root = json_loadb(text, len, JSON_REJECT_DUPLICATES, &error);

	if (root == NULL) {
		err_set(err, "it is no JSON, line %d: %.160s", error.line, error.text);
	} else if (check(root, serves, err) == 0) {
		r = memory_new(1, sizeof *r);
		r->pools = json_incref(json_object_get(root, "pools"));
		snprintf(r->since, sizeof r->since, "%s",
			 json_string_value(json_object_get(root, "since")));
	}
	json_decref(root);
	return r;
}

/* ---- into models ---- */

static json_t *part_of(const struct names_record *r, const char *pool, const char *key)
{
	return json_object_get(json_object_get(r->pools, pool), key);
}

/* Case is no part of a name: it may be written otherwise by now. NULL: nothing is known of it. */
static json_t *find_srv(json_t *srvs, const char *name)
{
	const char *key;
	json_t *known;

	json_object_foreach(srvs, key, known)
		if (strcasecmp(key, name) == 0)
			return known;
	return NULL;
}

/* What one name led to. */
static uint32_t lead(struct model_pool *p, uint32_t srv, json_t *known)
{
	struct targets t = {.all = memory_new(json_object_size(known) + 1, sizeof *t.all)};
	const char *text;
	json_t *weight;

	json_object_foreach(known, text, weight)
		must(read_target(text, weight, &t.all[t.count++]));	/* or it is no record */
	uint32_t count = t.count - targets_use(p, srv, &t);
	targets_fini(&t);
	return count;
}

uint32_t names_record_lead(const struct names_record *r, struct model *file)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < file->pool_count; i++) {
		struct model_pool *p = &file->pools[i];
		json_t *srvs = part_of(r, p->name, "srv");
		for (uint32_t j = 0; j < p->srv_count; j++) {
			json_t *known = find_srv(srvs, p->srvs[j].name);
			if (known != NULL)
				count += lead(p, j, known);
		}
	}
	return count;
}

static bool give_address(const json_t *addresses, const struct model_server *s)
{
	const char *text = json_string_value(json_object_get(addresses, s->address.text));
	struct address at = {0};

	if (s->address.len > 0 || text == NULL || atomic_load(&s->live->address) != NULL)
		return false;
	must(read_number(text, &at));		/* or it is no record */
	live_server_set_address(s->live, &at);
	return true;
}

uint32_t names_record_address(const struct names_record *r, const struct model *m)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < m->pool_count; i++) {
		const struct model_pool *p = &m->pools[i];
		const json_t *addresses = part_of(r, p->name, "addresses");
		for (uint32_t j = 0; addresses != NULL && j < p->server_count; j++)
			count += give_address(addresses, &p->servers[j]);
	}
	return count;
}
