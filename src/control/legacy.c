#include "control/legacy.h"

#include <stdio.h>
#include <string.h>

#include "base/must.h"
#include "control/owned.h"

static void add_replica(void *list, const struct owners_entry *e)
{
	if (e->serves)
		json_array_append_new(list, reply_text(e->name));
}

static void reply_replicas(const struct view *view, const char *pool, struct reply *r)
{
	json_t *names = json_array(), *message = json_object(), *body = json_object();

	owners_list(view->hooks->owners, pool, add_replica, names);
	json_int_t count = (json_int_t)json_array_size(names);
	json_object_set_new(message, "N", json_integer(count));
	json_object_set_new(message, "replicas", names);
	json_object_set_new(body, "message", message);
	json_object_set_new(body, "status", json_string("successful"));
	reply_json(r, 200, body);
}

static const struct owned_manner adding = {
	.count = "n", .names = "hostnames", .count_required = true,
	.too_many_names = "Length of hostname list is more than newly added instances",
	.reply_done = reply_replicas,
};

static const struct owned_manner removing = {
	.count = "n", .names = "hostnames", .count_required = true,
	.too_many_names = "Length of hostname list is more than removable instances",
	.reply_done = reply_replicas,
};

static void rep(const struct ask *ask, struct reply *r)
{
	if (owned_pool(ask, r) != NULL)
		reply_replicas(ask->view, ask->pool, r);
}

static void add(const struct ask *ask, struct reply *r)
{
	owned_ask(ask, OWNERS_ADD, &adding, r);
}

static void rm(const struct ask *ask, struct reply *r)
{
	owned_ask(ask, OWNERS_REMOVE, &removing, r);
}

/* What stands behind the "?" does not matter: query is not NULL. */
#define BODY "{\"n\": 2, \"hostnames\": [\"S5\"]}"
const struct route legacy_routes[] = {
	{H1_GET, "/rep", ROLE_READ, rep, "", NULL, "the servers that serve"},
	{H1_POST, "/add", ROLE_CHANGE, add, "", BODY, "starts n more"},
	{H1_DELETE, "/rm", ROLE_CHANGE, rm, "", BODY, "stops n"},
	{H1_POST, "/rm", ROLE_CHANGE, rm, "", BODY, "stops n"},
};
const uint32_t legacy_route_count = COUNT_OF(legacy_routes);

static uint16_t status_of(const struct reply *r)
{
	switch ((unsigned)r->code) {
	case REPLY_SERVER_UNKNOWN:
	case REPLY_SERVER_EXISTS:
	case REPLY_REFUSED:
		return 400;
	case REPLY_DRAINING:
		return 503;
	default:
		return r->status;
	}
}

/* Whether a message names the member: "n" in quotes. */
static bool names_member(const char *message, const char *name)
{
	char quoted[80];

	snprintf(quoted, sizeof quoted, "\"%s\"", name);
	return strstr(message, quoted) != NULL;
}

void legacy_shape(struct reply *r)
{
	const json_t *error = json_object_get(r->body, "error");
	const char *message = json_string_value(json_object_get(error, "message"));
	const char *field = json_string_value(json_object_get(error, "field"));

	if (message == NULL)
		return;
	bool says = field != NULL && !names_member(message, field);
	json_t *body = json_object();
	json_object_set_new(body, "message", json_sprintf(
		"<Error> %s%s%s", says ? field : "", says ? ": " : "", message));
	json_object_set_new(body, "status", json_string("failure"));
	reply_json(r, status_of(r), body);
}
