/* control/explain.c - POST /v1/explain: who would take a request or a connection, and why.
 * Nothing is sent, and nothing is noted: the same code that decides in the data path is
 * asked about a head that was made up here.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/must.h"
#include "base/text.h"
#include "control/ask.h"
#include "control/body.h"
#include "control/ranking.h"
#include "forward/key.h"
#include "forward/route.h"
#include "forward/sticky.h"
#include "parse/h1.h"

enum { HEADERS_MAX = 64, HEAD_SIZE = 32 * 1024 };

/* What was asked. Texts are borrowed from the body. */
struct wanted {
	const char *method, *url, *client, *listener;
	json_t     *headers;
	struct address from;		/* the client */
};

/* ---- which listener ---- */

static bool is_any(const struct address *a)
{
	if (a->any.sa_family == AF_INET)
		return a->in4.sin_addr.s_addr == INADDR_ANY;
	return a->any.sa_family == AF_INET6 && IN6_IS_ADDR_UNSPECIFIED(&a->in6.sin6_addr);
}

/* Whether a client that connects to `to` comes to this listener. A name fits any address
 * of its port, since it is not looked up. */
static bool comes_to(const struct model_listener *l, const struct address *to)
{
	char host[ADDRESS_HOST_MAX + 1];
	uint16_t port;

	if (to->len > 0 && to->any.sa_family == AF_UNIX)
		return address_equals(&l->address, to);
	address_split(to, host, &port);
	if (port != address_port(&l->address))
		return false;
	return to->len == 0 || is_any(to) || is_any(&l->address) ||
	       address_equals(&l->address, to);
}

static void name_listeners(const struct model *m, enum listener_kind kind, char *text,
			   size_t size)
{
	for (uint32_t i = 0; i < m->listener_count; i++)
		if (m->listeners[i].kind == kind)
			text_append(text, size, "%s%s", *text != '\0' ? ", " : "",
				    m->listeners[i].address.text);
	if (*text == '\0')
		snprintf(text, size, "none");
}

/* The listener of this kind that `at` leads to; NULL at: the only one. NULL: the reply
 * says what there is. */
static const struct model_listener *find_listener(const struct model *m,
						  enum listener_kind kind, const char *at,
						  const char *field, struct reply *r)
{
	const struct model_listener *found = NULL;
	char all[512] = "";
	struct address to;
	struct err err;
	uint32_t count = 0;

	if (at != NULL && address_parse(&to, at, "0.0.0.0", &err) != 0) {
		reply_error(r, REPLY_BAD_REQUEST, field, "%s", err.text);
		return NULL;
	}
	for (uint32_t i = 0; i < m->listener_count; i++) {
		const struct model_listener *l = &m->listeners[i];
		if (l->kind != kind || (at != NULL && !comes_to(l, &to)))
			continue;
		found = found == NULL ? l : found;
		count++;
	}
	if (count == 1 || (count > 1 && at != NULL))
		return found;
	name_listeners(m, kind, all, sizeof all);
	reply_error(r, REPLY_BAD_REQUEST, field, "%s \"listen %s\": there is %s",
		    count == 0 ? "no such" : "more than one", kind == LISTEN_HTTP ? "http" : "tcp",
		    all);
	return NULL;
}

/* ---- the head of a request that might come ---- */

/* http://HOST[:PORT]/PATH, or the path alone, as if of this machine. */
static void split_url(struct span url, struct span *authority, struct span *target)
{
	static const char scheme[] = "http://";
	struct span rest = url;

	*authority = SPAN("localhost");
	if (span_starts_with(rest, SPAN("http://"))) {
		rest.at += sizeof scheme - 1;
		rest.len -= sizeof scheme - 1;
		size_t len = strcspn(rest.at, "/?");
		*authority = (struct span){rest.at, len};
		rest.at += len;
		rest.len -= len;
	}
	*target = rest.len > 0 ? rest : SPAN("/");
}

static bool has_host(const json_t *headers)
{
	const json_t *one;
	size_t i;

	json_array_foreach(headers, i, one)
		if (strncasecmp(json_string_value(one), "host:", 5) == 0)
			return true;
	return false;
}

static bool headers_are_lines(const json_t *headers, struct reply *r)
{
	const json_t *one;
	size_t i;

	if (json_array_size(headers) > HEADERS_MAX) {
		reply_error(r, REPLY_BAD_REQUEST, "headers", "there may be %d of them",
			    HEADERS_MAX);
		return false;
	}
	json_array_foreach(headers, i, one) {
		const char *line = json_string_value(one);
		if (line != NULL && strchr(line, ':') != NULL &&
		    strpbrk(line, "\r\n") == NULL)
			continue;
		reply_error(r, REPLY_BAD_REQUEST, "headers",
			    "each is a text of the form \"Name: value\"");
		return false;
	}
	return true;
}

/* The head as a client would send it. False: the reply says what is wrong with it. */
static bool make_head(const struct wanted *w, char text[HEAD_SIZE], struct h1_head *head,
		      struct reply *r)
{
	const struct h1_limits limits = {
		.head_max = HEAD_SIZE - 1, .target_max = 8192, .fields_max = HEADERS_MAX + 2,
	};
	struct span authority, target;
	const json_t *one;
	size_t i;

	if (!headers_are_lines(w->headers, r))
		return false;
	split_url(span_of(w->url), &authority, &target);
	text_append(text, HEAD_SIZE, "%s %s%.*s HTTP/1.1\r\n", w->method,
		    target.at[0] == '?' ? "/" : "", (int)target.len, target.at);
	if (!has_host(w->headers))
		text_append(text, HEAD_SIZE, "Host: %.*s\r\n", (int)authority.len,
			    authority.at);
	json_array_foreach(w->headers, i, one)
		text_append(text, HEAD_SIZE, "%s\r\n", json_string_value(one));
	text_append(text, HEAD_SIZE, "\r\n");
	if (h1_parse_request(head, text, strlen(text), 0, &limits) == H1_DONE)
		return true;
	reply_error(r, REPLY_BAD_REQUEST, NULL, "this would be no request: %s",
		    h1_fault_text(head->fault));
	return false;
}

/* ---- who would take it ---- */

static void set_text(json_t *object, const char *name, const char *text)
{
	json_object_set_new(object, name, reply_text(text));
}

static json_t *servers_of(const struct model_pool *p, const struct ranking *ranking,
			  bool ranked)
{
	uint32_t *ranks = memory_new(p->server_count, sizeof *ranks);
	json_t *list = json_array();

	for (uint32_t i = 0; ranked && i < ranking->count; i++)
		ranks[ranking->order[i]] = i + 1;
	for (uint32_t i = 0; i < p->server_count; i++) {
		const struct model_server *s = &p->servers[i];
		const char *obstacle = ranking_obstacle(p, s);
		json_t *one = json_object();
		set_text(one, "address", s->address.text);
		json_object_set_new(one, "rank", ranks[i] > 0 ? json_integer(ranks[i])
							      : json_null());
		json_object_set_new(one, "may", json_boolean(obstacle == NULL));
		set_text(one, "why_not", obstacle != NULL ? obstacle : "");
		json_object_set_new(one, "weight", json_integer(s->weight));
		json_object_set_new(one, "in_flight", json_integer(atomic_load_explicit(
			&s->live->in_flight, memory_order_relaxed)));
		json_array_append_new(list, one);
	}
	free(ranks);
	return list;
}

/* How the choice came about. `named` is the index that a cookie names, or PICK_NONE. */
static void set_choice(json_t *o, const struct model_pool *p, uint64_t key, uint32_t named)
{
	static const char *const bases[] = {
		[RANKING_BY_KEY] = "key", [RANKING_BY_FIGURES] = "figures",
		[RANKING_BY_TURN] = "turn",
	};
	enum ranking_basis basis = ranking_basis_of(p);
	struct ranking ranking;
	uint32_t server = PICK_NONE;
	const char *why = "";

	ranking_make(&ranking, p, key);
	if (named != PICK_NONE && ranking_obstacle(p, &p->servers[named]) == NULL) {
		server = named;
		why = "its cookie names this server";
	} else if (ranking.count == 0) {
		why = "no server of the pool may be picked";
	} else if (basis == RANKING_BY_TURN) {
		why = "each of those that may be picked has its turn or its chance";
	} else {
		server = ranking.order[0];
		why = basis == RANKING_BY_KEY ? "the first for this key"
					      : "the best by the figures of this moment";
	}
	set_text(o, "pool", p->name);
	set_text(o, "policy", p->policy->name);
	set_text(o, "goes_by", bases[basis]);
	json_object_set_new(o, "server", server != PICK_NONE
				? reply_text(p->servers[server].address.text) : json_null());
	set_text(o, "why", why);
	json_object_set_new(o, "servers",
			    servers_of(p, &ranking, basis != RANKING_BY_TURN));
}

static void set_key(json_t *o, const char *of, struct span value, uint64_t key)
{
	char hash[24], text[512];
	json_t *object = json_object();

	snprintf(hash, sizeof hash, "%016" PRIx64, key);
	snprintf(text, sizeof text, "%.*s", (int)value.len, value.at);
	set_text(object, "of", of);
	set_text(object, "value", text);
	set_text(object, "hash", hash);
	json_object_set_new(o, "key", object);
}

static void set_client_key(json_t *o, const struct wanted *w, enum key_kind kind,
			   uint64_t key)
{
	set_key(o, kind == KEY_ADDRESS_PORT ? "the client's address and port"
					    : "the client's address",
		span_of(w->from.text), key);
}

/* ---- a request ---- */

static uint64_t find_key(json_t *o, const struct wanted *w, const struct model_pool *p,
			 const struct h1_head *head, const char *at)
{
	static const char *const parts[] = {
		[KEY_HEADER] = "header", [KEY_COOKIE] = "cookie", [KEY_PATH] = "path",
		[KEY_QUERY] = "argument",
	};
	uint64_t address_key = key_of_peer(&w->from.any, KEY_ADDRESS);
	uint64_t key = key_of_request(p, head, at, address_key, key_port_of(&w->from.any));
	struct span value;
	char of[MODEL_TOKEN_MAX + 16];

	if (ranking_basis_of(p) != RANKING_BY_KEY)
		return 0;
	if (!key_find(p, head, at, &value)) {
		set_client_key(o, w, p->key, key);
		return key;
	}
	snprintf(of, sizeof of, "%s%s%s", parts[p->key], p->key_name != NULL ? " " : "",
		 p->key_name != NULL ? p->key_name : "");
	set_key(o, of, value, key);
	return key;
}

static uint32_t find_named(const struct model_pool *p, const struct h1_head *head,
			   const char *at)
{
	struct sticky *sticky = sticky_create(p);
	uint32_t named = sticky != NULL ? sticky_find(sticky, head, at) : PICK_NONE;

	sticky_destroy(sticky);
	return named;
}

static json_t *route_of(const struct model_listener *l, uint32_t number)
{
	const struct model_route *route = &l->routes[number];
	json_t *o = json_object();

	json_object_set_new(o, "number", json_integer(number + 1));
	json_object_set_new(o, "host", route->host != NULL ? reply_text(route->host)
							   : json_null());
	json_object_set_new(o, "path", route->path != NULL ? reply_text(route->path)
							   : json_null());
	return o;
}

static void explain_request(const struct ask *ask, const struct wanted *w, struct reply *r)
{
	const struct model *m = view_model(ask->view);
	struct h1_head *head = memory_new(1, sizeof *head);
	char *text = memory_new(1, HEAD_SIZE), host[ADDRESS_TEXT_MAX] = "";
	struct span authority, target;

	split_url(span_of(w->url), &authority, &target);
	const char *to = w->listener;
	if (to == NULL && authority.len < sizeof host &&
	    memrchr(authority.at, ':', authority.len) != NULL) {
		memcpy(host, authority.at, authority.len);
		to = host;
	}
	const struct model_listener *l =
		find_listener(m, LISTEN_HTTP, to, w->listener != NULL ? "listener" : "url", r);
	if (l == NULL || !make_head(w, text, head, r))
		goto free_head;

	struct span asked = {text + head->host_at, head->host_len};
	int number = route_find_number(l, asked, (struct span){text + head->path_at,
							       head->path_len});
	json_t *o = json_object();
	set_text(o, "listener", l->address.text);
	json_object_set_new(o, "route", number >= 0 ? route_of(l, (uint32_t)number)
						    : json_null());
	if (number >= 0) {
		const struct model_pool *p = &m->pools[l->routes[number].pool];
		uint64_t key = find_key(o, w, p, head, text);
		set_choice(o, p, key, find_named(p, head, text));
	} else {
		json_object_set_new(o, "server", json_null());
		set_text(o, "why", "no route fits: it would be answered with 404");
	}
	reply_json(r, 200, o);
free_head:
	free(head);
	free(text);
}

/* ---- a connection ---- */

static void explain_connection(const struct ask *ask, const struct wanted *w,
			       struct reply *r)
{
	const struct model *m = view_model(ask->view);
	const struct model_listener *l =
		find_listener(m, LISTEN_TCP, w->listener, "listener", r);

	if (l == NULL)
		return;
	const struct model_pool *p = &m->pools[l->routes[l->route_count - 1].pool];
	uint64_t key = p->policy->wants_key ? key_of_peer(&w->from.any, p->key) : 0;
	json_t *o = json_object();
	set_text(o, "listener", l->address.text);
	if (p->policy->wants_key)
		set_client_key(o, w, p->key, key);
	set_choice(o, p, key, PICK_NONE);
	reply_json(r, 200, o);
}

void explain_post(const struct ask *ask, struct reply *r)
{
	struct wanted w = {.method = "GET", .client = "127.0.0.1:40000"};
	const struct member members[] = {
		{.name = "method", .kind = MEMBER_TEXT, .value = &w.method},
		{.name = "url", .kind = MEMBER_TEXT, .value = &w.url},
		{.name = "headers", .kind = MEMBER_ARRAY, .value = &w.headers},
		{.name = "client", .kind = MEMBER_TEXT, .value = &w.client},
		{.name = "listener", .kind = MEMBER_TEXT, .value = &w.listener},
	};
	json_t *body = body_read(ask->body, members, COUNT_OF(members), r);
	struct err err;

	if (body == NULL)
		return;
	if (w.url == NULL && w.listener == NULL)
		reply_error(r, REPLY_BAD_REQUEST, "url", "a request has a url, a connection "
			    "a listener");
	else if (address_parse(&w.from, w.client, "127.0.0.1", &err) != 0 || w.from.len == 0)
		reply_error(r, REPLY_BAD_REQUEST, "client", "a client is an address and a "
			    "port, such as 192.0.2.1:40000");
	else if (w.url != NULL)
		explain_request(ask, &w, r);
	else
		explain_connection(ask, &w, r);
	json_decref(body);
}
