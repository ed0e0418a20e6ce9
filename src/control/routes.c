#include "control/routes.h"

#include <string.h>

#include "base/must.h"
#include "control/percent.h"

const struct route control_routes[] = {
	{H1_GET, "/v1/status", ROLE_READ, status_get, NULL, NULL,
	 "the process: version, pid, uptime, its listeners, counts"},
	{H1_GET, "/v1/listeners", ROLE_READ, listeners_get, NULL, NULL,
	 "all listeners and their figures"},
	{H1_GET, "/v1/pools", ROLE_READ, pools_get, NULL, NULL,
	 "all pools, with their servers"},
	{H1_GET, "/v1/pools/{pool}", ROLE_READ, pools_get_one, NULL, NULL, "one pool"},
	{H1_GET, "/v1/pools/{pool}/ring", ROLE_READ, ring_get, NULL, NULL,
	 "of a pool that goes by keys: each server's part of them, asked of the policy"},
	{H1_GET, "/v1/history", ROLE_READ, history_get, "last=60", NULL,
	 "rates, errors, requests in flight and times of the last ten minutes, sampled every "
	 "5 s: of all, of each listener and of each pool"},
	{H1_GET, "/v1/times", ROLE_READ, times_get, NULL, NULL,
	 "how often which time was counted since the start, by pool"},
	{H1_GET, "/v1/pools/{pool}/servers", ROLE_READ, servers_get, NULL, NULL,
	 "its servers"},
	{H1_POST, "/v1/pools/{pool}/servers", ROLE_CHANGE, servers_add, NULL,
	 "{\"address\": \"127.0.0.1:8083\", \"weight\": 2, \"drain\": false, "
	 "\"temporary\": false}",
	 "adds a server; only its address must be given"},
	{H1_GET, "/v1/pools/{pool}/servers/{server}", ROLE_READ, servers_get_one,
	 NULL, NULL, "one server"},
	{H1_PATCH, "/v1/pools/{pool}/servers/{server}", ROLE_CHANGE, servers_set, NULL,
	 "{\"weight\": 3, \"drain\": true, \"temporary\": false}",
	 "sets its weight, its drain, or both"},
	{H1_DELETE, "/v1/pools/{pool}/servers/{server}", ROLE_CHANGE, servers_remove,
	 "limit_ms=30000&temporary=1", NULL,
	 "takes it out: no new work; what it has may go on for limit_ms"},
	{H1_GET, "/v1/pools/{pool}/owned", ROLE_READ, owned_get, NULL, NULL,
	 "a pool that makes its servers itself: these, by name, and how many there are "
	 "to be"},
	{H1_POST, "/v1/pools/{pool}/owned", ROLE_CHANGE, owned_add, NULL,
	 "{\"count\": 2, \"names\": [\"S5\"]}",
	 "starts more; answered when they serve. Names that are missing are made up; "
	 "without count there are as many as names"},
	{H1_PUT, "/v1/pools/{pool}/owned", ROLE_CHANGE, owned_scale, NULL,
	 "{\"count\": 5}", "starts or stops as many as it takes to have so many"},
	{H1_DELETE, "/v1/pools/{pool}/owned", ROLE_CHANGE, owned_remove, NULL,
	 "{\"count\": 2, \"names\": [\"S5\"]}",
	 "stops some: those, and others at random; they finish first what they have"},
	{H1_POST, "/v1/pools/{pool}/owned/remove", ROLE_CHANGE, owned_remove, NULL,
	 "{\"count\": 2, \"names\": [\"S5\"]}",
	 "the same, for those whose DELETE has no body"},
	{H1_GET, "/v1/leaving", ROLE_READ, servers_get_leaving, NULL, NULL,
	 "servers that were taken out and still have connections"},
	{H1_GET, "/v1/config", ROLE_READ, config_get, NULL, NULL,
	 "what is in force, as a text and as its twin in JSON"},
	{H1_GET, "/v1/config/diff", ROLE_READ, config_get_diff, NULL, NULL,
	 "what was changed at run time, and the file against what is in force"},
	{H1_POST, "/v1/config/check", ROLE_CHANGE, config_check, NULL,
	 "{\"text\": \"...\"} or {\"json\": [...]}",
	 "says what is wrong with a configuration; without a body, with the file"},
	{H1_POST, "/v1/explain", ROLE_READ, explain_post, NULL,
	 "{\"method\": \"GET\", \"url\": \"http://example.com/\", "
	 "\"headers\": [\"Cookie: a=1\"], \"client\": \"192.0.2.1:40000\", "
	 "\"listener\": \":8080\"}",
	 "who would take such a request and why; without a url, such a connection; nothing "
	 "is sent"},
	{H1_POST, "/v1/reload", ROLE_CHANGE, config_reload, NULL, NULL,
	 "reads the file again"},
	{H1_POST, "/v1/upgrade", ROLE_CHANGE, upgrade_post, NULL,
	 "{\"binary\": \"/usr/local/sbin/balancerd\", \"ready_ms\": 30000, "
	 "\"limit_ms\": 600000}",
	 "has a new process take this one's place, without loss; answered when it serves, or "
	 "why it does not"},
	{H1_POST, "/v1/stop", ROLE_CHANGE, status_stop, NULL, "{\"limit_ms\": 30000}",
	 "drains and ends"},
	{H1_GET, "/metrics", ROLE_READ, metrics_get, NULL, NULL,
	 "all figures, for Prometheus"},
	{H1_GET, "/v1/events", ROLE_READ, events_get, "after=ID&last=10&follow=1", NULL,
	 "what happens, as it happens: server-sent events; with follow=0 those that are "
	 "there, as an object"},
	{H1_GET, "/v1/log", ROLE_READ, log_get, "lines=100&follow=1", NULL,
	 "the last lines of the log as text; with follow=1 then what comes"},
	{H1_GET, "/", ROLE_NONE, page_get, NULL, NULL,
	 "a page for the browser that shows and steers the balancer"},
	{H1_GET, "/page/{name}", ROLE_NONE, page_get, NULL, NULL, "its files"},
	{H1_GET, "/v1/routes", ROLE_READ, routes_get, NULL, NULL, "this table"},
};
const uint32_t control_route_count = COUNT_OF(control_routes);

/* Takes the first part, up to the next "/", off a path; what is left begins with that
 * "/", or is empty. */
static struct span take_part(struct span *path)
{
	const char *end = path->len > 1 ? memchr(path->at + 1, '/', path->len - 1) : NULL;
	size_t len = end != NULL ? (size_t)(end - path->at) : path->len;
	struct span part = {path->at + 1, len - 1};

	path->at += len;
	path->len -= len;
	return part;
}

/* Whether the path is of the pattern's shape. Where that has a {name}, any part fits
 * that is not empty: parts[0] is {pool}, parts[1] {server}, parts[2] {name}. */
static bool fits(const char *pattern, struct span path, struct span parts[3])
{
	struct span rest = span_of(pattern);

	parts[0] = parts[1] = parts[2] = SPAN("");
	while (rest.len > 0 && path.len > 0) {
		struct span wanted = take_part(&rest), part = take_part(&path);
		if (part.len == 0 && wanted.len > 0)
			return false;
		if (span_equals(wanted, SPAN("{pool}")))
			parts[0] = part;
		else if (span_equals(wanted, SPAN("{server}")))
			parts[1] = part;
		else if (span_equals(wanted, SPAN("{name}")))
			parts[2] = part;
		else if (!span_equals(wanted, part))
			return false;
	}
	return rest.len == 0 && path.len == 0;
}

enum routes_result routes_find(const struct route *table, uint32_t count,
			       enum h1_method method, struct span path,
			       struct routes_found *found)
{
	enum h1_method wanted = method == H1_HEAD ? H1_GET : method;
	struct span parts[3], fitting[3];

	*found = (struct routes_found){0};
	if (path.len == 0 || path.at[0] != '/')
		return ROUTES_NO_PATH;
	for (uint32_t i = 0; i < count; i++) {
		if (!fits(table[i].path, path, parts))
			continue;
		found->allowed |= 1u << table[i].method;
		memcpy(fitting, parts, sizeof fitting);
		if (table[i].method == wanted)
			found->route = &table[i];
	}
	if (found->allowed == 0)
		return ROUTES_NO_PATH;
	if (!percent_decode(fitting[0], found->pool, sizeof found->pool) ||
	    !percent_decode(fitting[1], found->server, sizeof found->server) ||
	    !percent_decode(fitting[2], found->name, sizeof found->name))
		return ROUTES_BAD;
	return found->route != NULL ? ROUTES_FOUND : ROUTES_NO_METHOD;
}

const char *routes_method_text(enum h1_method method)
{
	static const char *const texts[] = {
		[H1_GET] = "GET", [H1_POST] = "POST", [H1_PUT] = "PUT",
		[H1_PATCH] = "PATCH", [H1_DELETE] = "DELETE",
	};

	must(method < COUNT_OF(texts) && texts[method] != NULL);
	return texts[method];
}

static json_t *text_or_null(const char *text)
{
	return text != NULL ? json_string(text) : json_null();
}

void routes_get(const struct ask *ask, struct reply *r)
{
	static const char *const roles[] = {
		[ROLE_NONE] = "open", [ROLE_READ] = "read", [ROLE_CHANGE] = "change",
	};
	json_t *list = json_array(), *object = json_object();

	(void)ask;
	for (uint32_t i = 0; i < control_route_count; i++) {
		const struct route *route = &control_routes[i];
		json_t *one = json_object();
		json_object_set_new(one, "method",
				    json_string(routes_method_text(route->method)));
		json_object_set_new(one, "path", json_string(route->path));
		json_object_set_new(one, "role", json_string(roles[route->role]));
		json_object_set_new(one, "query", text_or_null(route->query));
		json_object_set_new(one, "body", text_or_null(route->body));
		json_object_set_new(one, "help", json_string(route->help));
		json_array_append_new(list, one);
	}
	json_object_set_new(object, "routes", list);
	reply_json(r, 200, object);
}
