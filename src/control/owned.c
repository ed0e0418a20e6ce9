#include "control/owned.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/must.h"
#include "control/body.h"
#include "control/later.h"
#include "model/model.h"

const struct model_pool *owned_pool(const struct ask *ask, struct reply *r)
{
	const struct model_pool *p = ask_pool(ask, r);

	if (p == NULL || (p->own != NULL && ask->view->hooks->owners != NULL))
		return p;
	reply_error(r, REPLY_NOT_OWNED, NULL, "the servers of pool %s are not made by "
		    "this balancer; with `own` in its configuration they would be",
		    p->name);
	return NULL;
}

/* ---- what there is ---- */

static void set_number(json_t *object, const char *name, uint64_t n)
{
	json_object_set_new(object, name, json_integer((json_int_t)n));
}

static void set_text(json_t *object, const char *name, const char *text)
{
	json_object_set_new(object, name, reply_text(text));
}

static json_t *entry_figures(const struct owners_entry *e)
{
	json_t *object = json_object();

	set_text(object, "name", e->name);
	set_text(object, "id", e->id);
	set_text(object, "address", e->address);
	set_text(object, "state", e->state);
	json_object_set_new(object, "serves", json_boolean(e->serves));
	set_number(object, "since_ms", e->since_ms);
	set_text(object, "why", e->why);
	return object;
}

static void add_entry(void *list, const struct owners_entry *e)
{
	json_array_append_new(list, entry_figures(e));
}

json_t *owned_figures(const struct view *view, const struct model_pool *p)
{
	const struct owners *owners = view->hooks->owners;
	struct owners_figures f;

	if (p->own == NULL || owners == NULL || !owners_figures(owners, p->name, &f))
		return json_null();
	json_t *object = json_object(), *servers = json_array();
	owners_list(owners, p->name, add_entry, servers);
	set_text(object, "pool", p->name);
	set_text(object, "driver", p->own->driver == OWN_DOCKER ? "docker" : "process");
	set_number(object, "min", p->own->min);
	set_number(object, "max", p->own->max);
	set_number(object, "wanted", f.wanted);
	set_number(object, "serving", f.serving);
	set_number(object, "starting", f.starting);
	set_number(object, "leaving", f.leaving);
	set_number(object, "starts", f.starts);
	set_number(object, "start_failures", f.start_failures);
	set_number(object, "replaced", f.replaced);
	set_number(object, "adopted", f.adopted);
	set_number(object, "retry_ms", f.retry_ms);
	set_text(object, "trouble", f.trouble);
	json_object_set_new(object, "servers", servers);
	return object;
}

static void add_by_address(void *all, const struct owners_entry *e)
{
	if (*e->address != '\0' &&
	    (e->serves || json_object_get(all, e->address) == NULL))
		json_object_set_new(all, e->address, entry_figures(e));
}

json_t *owned_by_address(const struct view *view, const struct model_pool *p)
{
	if (p->own == NULL || view->hooks->owners == NULL)
		return NULL;
	json_t *all = json_object();
	owners_list(view->hooks->owners, p->name, add_by_address, all);
	return all;
}

/* ---- a wish ---- */

/* One that is under way, until whoever waits for its answer ends it. */
struct order {
	struct later later;
	struct owners_order order;
	struct owners *owners;		/* borrowed */
	const struct view *view;	/* borrowed */
	const struct owned_manner *manner;
	char pool[MODEL_NAME_MAX + 1];
	bool under_way;
};

static void refuse_bad(const struct order *o, const struct err *err, struct reply *r)
{
	const struct owned_manner *m = o->manner;

	switch (o->order.fault) {
	case OWNERS_MORE_NAMES_THAN_N:
	case OWNERS_NAME_BAD:
	case OWNERS_NAME_TWICE:
		reply_error(r, REPLY_BAD_REQUEST, m->names, "%s", err->text);
		break;
	case OWNERS_NAME_UNKNOWN:
		reply_error(r, REPLY_SERVER_UNKNOWN, m->names, "%s", err->text);
		break;
	case OWNERS_NAME_TAKEN:
		reply_error(r, REPLY_SERVER_EXISTS, m->names, "%s", err->text);
		break;
	case OWNERS_N_RANGE:
		reply_error(r, REPLY_COUNT_RANGE, m->count, "%s", err->text);
		break;
	case OWNERS_FINE:
		reply_error(r, REPLY_REFUSED, NULL, "%s", err->text);
		break;
	}
}

static void reply_result(const struct order *o, enum owners_result result,
			 const struct err *err, struct reply *r)
{
	switch (result) {
	case OWNERS_DONE:
		o->manner->reply_done(o->view, o->pool, r);
		break;
	case OWNERS_BAD:
		refuse_bad(o, err, r);
		break;
	case OWNERS_NOT_OWNED:
		reply_error(r, REPLY_NOT_OWNED, NULL, "the servers of pool %s are not "
			    "made by this balancer", o->pool);
		break;
	case OWNERS_FAILED:
		reply_error(r, REPLY_NOT_STARTED, NULL, "%s", err->text);
		break;
	case OWNERS_ENDING:
		reply_outcome(r, CONTROL_ENDING, CHANGE_FINE, NULL);
		break;
	}
}

static void on_done(struct owners_order *order, enum owners_result result,
		    const struct err *err)
{
	struct order *o = CONTAINER_OF(order, struct order, order);

	o->under_way = false;
	reply_result(o, result, err, &o->later.reply);
	later_answered(&o->later);
}

static void end_order(struct later *l)
{
	struct order *o = CONTAINER_OF(l, struct order, later);

	if (o->under_way)
		owners_forget(o->owners, &o->order);
	reply_fini(&o->later.reply);
	free(o);
}

/* What a body asks for. */
struct asked {
	uint32_t     count;
	const char **names;		/* owned; they are the body's */
	uint32_t     name_count;
};

static void begin(const struct ask *ask, enum owners_wish wish, const struct asked *asked,
		  const struct owned_manner *manner, struct reply *r)
{
	struct order *o = memory_new(1, sizeof *o);

	must(strlen(ask->pool) < sizeof o->pool);
	memcpy(o->pool, ask->pool, strlen(ask->pool) + 1);
	o->later.end = end_order;
	o->owners = ask->view->hooks->owners;
	o->view = ask->view;
	o->manner = manner;
	o->under_way = true;
	o->order = (struct owners_order){
		.wish = wish, .pool = o->pool, .names = asked->names,
		.name_count = asked->name_count, .count = asked->count,
		.on_done = on_done,
	};
	list_init(&o->order.link);
	r->later = &o->later;
	owners_ask(o->owners, &o->order);
}

/* Of no more names than count says. False: the reply says what is wrong. */
static bool take_names(const json_t *list, const struct owned_manner *m,
		       struct asked *asked, struct reply *r)
{
	size_t count = json_array_size(list);

	if (count > asked->count) {
		if (m->too_many_names != NULL)
			reply_error(r, REPLY_BAD_REQUEST, NULL, "%s", m->too_many_names);
		else
			reply_error(r, REPLY_BAD_REQUEST, m->names, "\"%s\" has more of "
				    "them than \"%s\" says", m->names, m->count);
		return false;
	}
	asked->names = memory_new(count, sizeof *asked->names);
	for (asked->name_count = 0; asked->name_count < count; asked->name_count++) {
		const char *name =
			json_string_value(json_array_get(list, asked->name_count));
		if (name == NULL) {
			reply_error(r, REPLY_BAD_REQUEST, m->names, "\"%s\" has to be an "
				    "array of texts", m->names);
			return false;
		}
		asked->names[asked->name_count] = name;
	}
	return true;
}

/* Looked at behind the names: more of these than 0 is the fault that is told. */
static bool has_count(const struct owned_manner *m, const struct asked *asked, bool given,
		      struct reply *r)
{
	if (asked->count > 0)
		return true;
	if (given)
		reply_error(r, REPLY_BAD_REQUEST, m->count, "\"%s\" has to be a whole "
			    "number from 1 to %d", m->count, OWN_SERVERS_MAX);
	else
		reply_error(r, REPLY_BAD_REQUEST, m->count, "\"%s\" is missing",
			    m->count);
	return false;
}

void owned_ask(const struct ask *ask, enum owners_wish wish,
	       const struct owned_manner *manner, struct reply *r)
{
	bool scales = wish == OWNERS_SCALE, counted = false;
	struct asked asked = {0};
	json_t *names = NULL;
	const struct member members[] = {
		{.name = manner->count, .kind = MEMBER_NUMBER, .value = &asked.count,
		 .required = manner->count_required, .min = scales ? 0 : 1,
		 .max = OWN_SERVERS_MAX, .zero = true, .given = &counted},
		{.name = manner->names, .kind = MEMBER_ARRAY, .value = &names},
	};

	if (owned_pool(ask, r) == NULL)
		return;
	json_t *body = body_read(ask->body, members, scales ? 1 : COUNT_OF(members), r);
	if (body == NULL)
		return;
	if (!counted)
		asked.count = (uint32_t)json_array_size(names);
	if (take_names(names, manner, &asked, r) &&
	    (scales || has_count(manner, &asked, counted, r)))
		begin(ask, wish, &asked, manner, r);
	free(asked.names);
	json_decref(body);
}

/* ---- in the manner of the interface itself ---- */

static void reply_figures(const struct view *view, const char *pool, uint16_t status,
			  struct reply *r)
{
	const struct model *m = view_model(view);
	int at = model_pool_find(m, span_of(pool));
	json_t *figures = at >= 0 ? owned_figures(view, &m->pools[at]) : NULL;

	/* Meanwhile it may be a pool of another kind, or none. */
	reply_json(r, status, json_is_object(figures) ? figures : json_object());
}

static void reply_added(const struct view *view, const char *pool, struct reply *r)
{
	reply_figures(view, pool, 201, r);
}

static void reply_done(const struct view *view, const char *pool, struct reply *r)
{
	reply_figures(view, pool, 200, r);
}

static const struct owned_manner adding = {
	.count = "count", .names = "names", .reply_done = reply_added,
};
static const struct owned_manner removing = {
	.count = "count", .names = "names", .reply_done = reply_done,
};
static const struct owned_manner scaling = {
	.count = "count", .count_required = true, .reply_done = reply_done,
};

void owned_get(const struct ask *ask, struct reply *r)
{
	if (owned_pool(ask, r) != NULL)
		reply_figures(ask->view, ask->pool, 200, r);
}

void owned_add(const struct ask *ask, struct reply *r)
{
	owned_ask(ask, OWNERS_ADD, &adding, r);
}

void owned_remove(const struct ask *ask, struct reply *r)
{
	owned_ask(ask, OWNERS_REMOVE, &removing, r);
}

void owned_scale(const struct ask *ask, struct reply *r)
{
	owned_ask(ask, OWNERS_SCALE, &scaling, r);
}
