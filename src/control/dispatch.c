#include "control/dispatch.h"

#include <string.h>

#include "base/must.h"
#include "base/text.h"
#include "control/body.h"
#include "control/etag.h"
#include "control/legacy.h"
#include "control/routes.h"

/* Whether the request is about what is in force now, or does not care. */
static bool is_about_now(const struct request *request, uint64_t version)
{
	bool any = false;

	for (uint32_t i = 0; i < request->head->field_count; i++) {
		const struct h1_field *f = &request->head->fields[i];
		struct span name = h1_name_span(request->bytes, f);
		if (!span_equals_nocase(name, SPAN("If-Match")))
			continue;
		if (etag_is_among(h1_value_span(request->bytes, f), version))
			return true;
		any = true;
	}
	return !any;
}

/* Splits what is asked for into path and query. */
static struct span path_of(const struct request *request, struct span *query)
{
	const struct h1_head *h = request->head;
	struct span path = {request->bytes + h->path_at, h->path_len};
	const char *mark = path.len > 0 ? memchr(path.at, '?', path.len) : NULL;

	*query = SPAN("");
	if (mark != NULL) {
		*query = (struct span){mark + 1, path.len - (size_t)(mark + 1 - path.at)};
		path.len = (size_t)(mark - path.at);
	}
	return path;
}

/* A path as a message shows it. */
static struct quoted quote_path(struct span path)
{
	char text[TEXT_QUOTE_MAX * 2];
	size_t len = path.len < sizeof text - 1 ? path.len : sizeof text - 1;

	memcpy(text, path.at, len);
	text[len] = '\0';
	return quote(text);
}

static bool find(const struct request *request, struct span path,
		 struct routes_found *found, struct reply *r)
{
	bool legacy = request->legacy_pool != NULL;
	enum routes_result result = routes_find(
		legacy ? legacy_routes : control_routes,
		legacy ? legacy_route_count : control_route_count,
		request->head->method, path, found);

	switch (result) {
	case ROUTES_FOUND:
		return true;
	case ROUTES_NO_PATH:
		reply_error(r, REPLY_PATH_UNKNOWN, NULL, "there is no %s; %s",
			    quote_path(path).text, legacy
			    ? "there are /rep, /add and /rm"
			    : "GET /v1/routes says what can be asked");
		break;
	case ROUTES_NO_METHOD:
		reply_error(r, REPLY_METHOD_UNKNOWN, NULL, "%s has no such method; Allow "
			    "names those that it has", quote_path(path).text);
		r->allow = found->allowed;
		break;
	case ROUTES_BAD:
		reply_error(r, REPLY_BAD_REQUEST, NULL,
			    "%s has a part that is longer than %d bytes or not "
			    "percent-encoded as it should be",
			    quote_path(path).text, ASK_PART_MAX);
		break;
	}
	return false;
}

/* What a route has no use for must not be there: it would be a mistake unseen. */
static bool has_only_known(const struct route *route, const struct ask *ask,
			   struct reply *r)
{
	if (route->query == NULL && !body_read_query(ask->query, NULL, 0, r))
		return false;
	if (route->body != NULL)
		return true;
	json_t *nothing = body_read(ask->body, NULL, 0, r);
	json_decref(nothing);
	return nothing != NULL;
}

/* Whether a name, with its port or without, is one that somebody can own: it has a dot and
 * a letter, and is no address. */
static bool is_of_a_domain(struct span host)
{
	bool dot = false, letter = false;

	if (host.len == 0 || host.at[0] == '[')
		return false;
	for (size_t i = 0; i < host.len && host.at[i] != ':'; i++) {
		char c = span_lower(host.at[i]);
		dot = dot || c == '.';
		letter = letter || (c >= 'a' && c <= 'z');
	}
	return dot && letter;
}

/* Whether no page of somebody else's has made a browser ask: one that asks for a change
 * says where the page came from, and that has to be where it asks (RFC 6454, section 7).
 * Through a tunnel to the UNIX socket, where no token tells who asks, a foreign name that
 * leads here for the moment would be just that: so it has to be none of a domain. */
static bool is_from_here(const struct request *request)
{
	struct span host = ask_field_of(request->head, request->bytes, "Host");

	for (uint32_t i = 0; i < request->head->field_count; i++) {
		const struct h1_field *f = &request->head->fields[i];
		struct span origin = h1_value_span(request->bytes, f);
		if (!span_equals_nocase(h1_name_span(request->bytes, f), SPAN("Origin")))
			continue;
		size_t scheme = span_starts_with(origin, SPAN("https://"))  ? 8
				: span_starts_with(origin, SPAN("http://")) ? 7 : 0;
		origin.at += scheme;
		origin.len -= scheme;
		if (scheme == 0 || !span_equals_nocase(origin, host) ||
		    (request->local && is_of_a_domain(origin)))
			return false;
	}
	return true;
}

static bool may(const struct view *view, const struct request *request,
		const struct route *route, struct reply *r)
{
	if (request->role == ROLE_NONE && route->role != ROLE_NONE) {
		reply_error(r, REPLY_NO_TOKEN, NULL, "over TCP a request needs a token that "
			    "is right: Authorization: Bearer TOKEN");
		return false;
	}
	if (route->role == ROLE_CHANGE && !is_from_here(request)) {
		reply_error(r, REPLY_FOREIGN_ORIGIN, NULL, "a page of another origin may "
			    "change nothing: Origin has to be the Host that is asked, and "
			    "through a tunnel to the socket localhost or an address");
		return false;
	}
	if (route->role == ROLE_CHANGE && request->role != ROLE_CHANGE) {
		reply_error(r, REPLY_READ_ONLY, NULL,
			    "this token may only look; a change takes the other one");
		return false;
	}
	if (route->role == ROLE_CHANGE && !is_about_now(request, view_version(view))) {
		reply_error(r, REPLY_VERSION_CHANGED, NULL, "something else has changed "
			    "meanwhile: look again, then repeat the change");
		return false;
	}
	return true;
}

bool dispatch_is_open(const struct h1_head *head, const char *bytes)
{
	struct request request = {.head = head, .bytes = bytes};
	struct routes_found found;
	struct span query, path = path_of(&request, &query);

	return routes_find(control_routes, control_route_count, head->method, path,
			   &found) == ROUTES_FOUND && found.route->role == ROLE_NONE;
}

void dispatch(const struct view *view, const struct request *request, struct reply *r)
{
	struct ask ask = {
		.view = view, .body = request->body, .local = request->local,
		.head = request->head, .bytes = request->bytes,
	};
	struct span path = path_of(request, &ask.query);
	struct routes_found found;

	if (find(request, path, &found, r) && may(view, request, found.route, r)) {
		ask.pool = request->legacy_pool != NULL ? request->legacy_pool
							: found.pool;
		ask.server = found.server;
		ask.name = found.name;
		if (has_only_known(found.route, &ask, r))
			found.route->run(&ask, r);
	}
	must((r->status != 0) != (r->later != NULL));
}
