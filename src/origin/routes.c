#include "origin/routes.h"

#include "base/hash.h"
#include "base/must.h"
#include "origin/server.h"
#include "origin/target.h"

#define BIT(method) (1u << (method))

enum {
	READS     = BIT(H1_GET) | BIT(H1_HEAD),
	FILES     = BIT(H1_GET) | BIT(H1_HEAD) | BIT(H1_PUT),
	WRITES    = BIT(H1_POST) | BIT(H1_PUT),
	ANY       = READS | WRITES | BIT(H1_DELETE) | BIT(H1_OPTIONS) | BIT(H1_PATCH),
	STATUS_MIN = 100, STATUS_MAX = 599,
	ECHO_DIES_AT = 1024,		/* of an echo whose length is not known */
};

#define BYTES_MAX (UINT64_C(1) << 50)

static const struct {
	enum h1_method method;
	const char    *name;
} methods[] = {
	{H1_GET, "GET"}, {H1_HEAD, "HEAD"}, {H1_POST, "POST"}, {H1_PUT, "PUT"},
	{H1_DELETE, "DELETE"}, {H1_OPTIONS, "OPTIONS"}, {H1_PATCH, "PATCH"},
};

struct route {
	struct span path;		/* ends in a slash: whatever begins so */
	const char *argument;		/* what follows, for the help */
	unsigned    methods;		/* a bit for each */
	bool        spared;		/* from chance: error-rate and die-mid-body */
	bool        sampled;		/* there in a sample server only */
	void (*run)(const struct request *r, struct answer *a);
	const char *help;
};

static void bad_request(const struct request *r, struct answer *a, const char *why)
{
	answer_text(a, r->pool, 400, "400 Bad Request: %s\n", why);
}

/* The number behind the route's path; answers 400 when there is none. */
static bool read_number(const struct request *r, uint64_t max, uint64_t *number,
			struct answer *a)
{
	if (span_to_u64(r->rest, number) && *number <= max)
		return true;
	bad_request(r, a, "the path must end in a number");
	return false;
}

static void run_health(const struct request *r, struct answer *a)
{
	struct counts sum = origin_server_counts(r->server, r->port);

	a->silent = a->faults.silent_health;
	if (a->faults.fail_health)
		answer_status(a, r->pool, 500);
	else
		answer_text(a, r->pool, 200, "%lu\n%lu\n", (unsigned long)sum.errors,
			    (unsigned long)sum.requests);
}

static void run_heartbeat(const struct request *r, struct answer *a)
{
	a->silent = a->faults.silent_health;
	if (a->faults.fail_health)
		answer_status(a, r->pool, 500);
}

static void run_home(const struct request *r, struct answer *a)
{
	answer_json(a, r->pool,
		    "{\"message\":\"Hello from Server: %s\",\"status\":\"successful\"}",
		    r->server->options->id);
}

static void run_bytes(const struct request *r, struct answer *a)
{
	struct source source;
	uint64_t length;

	if (!read_number(r, BYTES_MAX, &length, a))
		return;
	source_from_pattern(&source, &r->server->pattern, length);
	answer_source(a, &source);
}

static void run_chunked(const struct request *r, struct answer *a)
{
	run_bytes(r, a);
	if (a->status != 200)
		return;
	if (r->head->minor == 0) {
		a->framing = ANSWER_UNTIL_CLOSE;
		return;
	}
	a->framing = ANSWER_CHUNKED;
	a->trailer = target_query_has(r->query, SPAN("trailer"));
	if (a->trailer)
		answer_field(a, "Trailer: X-Body-Length\r\n");
}

static void run_delay(const struct request *r, struct answer *a)
{
	uint64_t ms;

	if (!read_number(r, FAULTS_DELAY_MS_MAX, &ms, a))
		return;
	a->faults.delay_ms = (uint32_t)ms;
	answer_text(a, r->pool, 200, "%u ms\n", a->faults.delay_ms);
}

static void run_echo(const struct request *r, struct answer *a)
{
	a->sink = ANSWER_ECHO;
	if (r->head->body == H1_BODY_CHUNKED)
		a->framing = ANSWER_CHUNKED;
	else if (r->head->body == H1_BODY_LENGTH)
		a->length = r->head->content_length;
}

static void run_status(const struct request *r, struct answer *a)
{
	uint64_t code;

	if (!read_number(r, STATUS_MAX, &code, a))
		return;
	if (code < STATUS_MIN || code == 101) {
		bad_request(r, a, "no status to answer with");
		return;
	}
	if (code < 200 && r->head->minor > 0)
		a->interim = (uint16_t)code;
	if (code == 204 || code == 205 || code == 304)
		a->status = (uint16_t)code;
	else
		answer_status(a, r->pool, code < 200 ? 200 : (uint16_t)code);
}

static void run_headers(const struct request *r, struct answer *a)
{
	struct span head = {r->bytes + r->head->start, r->head->length - r->head->start};
	struct buf *text = buf_get(r->pool, head.len);
	struct source source;

	if (text == NULL) {
		answer_status(a, r->pool, 503);
		return;
	}
	buf_append_span(text, head);
	source_from_text(&source, text);
	answer_source(a, &source);
	answer_field(a, "Content-Type: text/plain\r\n");
}

static void run_upgrade(const struct request *r, struct answer *a)
{
	const struct h1_field *upgrade = h1_field_find(r->head, H1_NAME_UPGRADE);

	answer_field(a, "Upgrade: echo\r\nConnection: Upgrade\r\n");
	if (r->head->body != H1_BODY_NONE || r->head->minor == 0 ||
	    !r->head->connection_upgrade || upgrade == NULL ||
	    !span_equals_nocase(h1_value_span(r->bytes, upgrade), SPAN("echo"))) {
		answer_status(a, r->pool, 426);
		return;
	}
	a->status = 101;
	a->tunnel = true;
}

/* `OPTIONS *` asks about the server as a whole (RFC 9110, section 9.3.7). */
static void run_options(const struct request *r, struct answer *a)
{
	(void)r;
	a->status = 204;
	answer_field(a, "Allow: GET, HEAD, POST, PUT, OPTIONS\r\n");
}

static uint16_t open_file(const struct request *r, const char *file, struct answer *a)
{
	struct source source;
	uint64_t length;
	int fd;

	if (r->head->method == H1_PUT) {
		a->sink = ANSWER_UPLOAD;
		return upload_start(&a->upload, r->server->directory, file);
	}
	uint16_t status = files_open(r->server->directory, file, &fd, &length);
	if (status == 200) {
		source_from_file(&source, fd, length);
		answer_source(a, &source);
	}
	return status;
}

static void run_file(const struct request *r, struct answer *a)
{
	char file[PATH_MAX];
	uint16_t status = 0;

	switch (target_to_file(r->path, file)) {
	case TARGET_FILE_OK:        status = open_file(r, file, a); break;
	case TARGET_FILE_MALFORMED: status = 400; break;
	case TARGET_FILE_OUTSIDE:   status = 403; break;
	case TARGET_FILE_LONG:      status = 404; break;
	}
	if (status == 200)
		return;
	a->sink = ANSWER_DISCARD;
	answer_status(a, r->pool, status);
}

/* The first one that fits and is there. */
static const struct route routes[] = {
	{SPAN("/healthcheck"), "", READS, true, false, run_health,
	 "two lines: error answers and all requests of this port"},
	{SPAN("/heartbeat"), "", READS, true, true, run_heartbeat,
	 "a sample server lives: 200 and no body"},
	{SPAN("/home"), "", READS, false, true, run_home,
	 "a sample server's greeting, JSON with its SERVER_ID"},
	{SPAN("/bytes/"), "N", READS, false, false, run_bytes,
	 "N bytes of the pattern 0-9 a-z newline, with Content-Length"},
	{SPAN("/chunked/"), "N[?trailer]", READS, false, false, run_chunked,
	 "the same in chunks of 16 KiB, with a trailer field when asked"},
	{SPAN("/delay/"), "MS", READS, false, false, run_delay,
	 "an answer after MS milliseconds"},
	{SPAN("/echo"), "", WRITES, false, false, run_echo,
	 "the body that was sent, as it comes in"},
	{SPAN("/status/"), "CODE", ANY, false, false, run_status,
	 "this status; 1xx: as an interim answer before a 200"},
	{SPAN("/headers"), "", ANY, false, false, run_headers,
	 "the request's head as it came in"},
	{SPAN("/upgrade"), "", BIT(H1_GET), false, false, run_upgrade,
	 "101 for `Upgrade: echo`, then every byte comes back"},
	{SPAN("*"), "", BIT(H1_OPTIONS), false, false, run_options,
	 "204"},
	{SPAN("/"), "FILE", FILES, false, false, run_file,
	 "a file of the directory; PUT replaces it"},
};

static const struct route *find(struct request *r)
{
	for (size_t i = 0; i < COUNT_OF(routes); i++) {
		struct span own = routes[i].path;
		bool open = own.at[own.len - 1] == '/';
		if (open ? !span_starts_with(r->path, own) : !span_equals(r->path, own))
			continue;
		if (routes[i].sampled && r->server->options->id == NULL)
			continue;
		r->rest = (struct span){r->path.at + own.len, r->path.len - own.len};
		return &routes[i];
	}
	return NULL;
}

static size_t list_methods(unsigned bits, char *out, size_t size)
{
	size_t len = 0;

	out[0] = '\0';
	for (size_t i = 0; i < COUNT_OF(methods); i++)
		if (bits & BIT(methods[i].method))
			len += (size_t)snprintf(out + len, size - len, "%s%s",
						len > 0 ? ", " : "", methods[i].name);
	return len;
}

/* Answers what needs no route: methods that nobody knows or that fit no path. */
static bool answer_without(const struct request *r, const struct route *route,
			   struct answer *a)
{
	enum h1_method method = r->head->method;
	char allowed[80];

	if (method == H1_METHOD_OTHER || method == H1_CONNECT) {
		answer_status(a, r->pool, 501);
		return true;
	}
	if (route == NULL) {
		answer_status(a, r->pool, 404);
		return true;
	}
	if (route->methods & BIT(method))
		return false;
	list_methods(route->methods, allowed, sizeof allowed);
	answer_field(a, "Allow: %s\r\n", allowed);
	answer_status(a, r->pool, 405);
	return true;
}

static uint64_t half_of(const struct answer *a)
{
	if (a->sink == ANSWER_ECHO && a->framing == ANSWER_CHUNKED)
		return ECHO_DIES_AT;
	return faults_half(a->length);
}

static void read_target(struct request *r)
{
	const struct h1_head *head = r->head;
	struct span target = {r->bytes + head->path_at, head->path_len};

	if (head->target == H1_TARGET_ASTERISK)
		target = SPAN("*");
	target_split(target, &r->path, &r->query);
	if (head->target == H1_TARGET_ABSOLUTE && r->path.len == 0)
		r->path = SPAN("/");
}

void origin_routes_answer(struct request *r, struct answer *a)
{
	read_target(r);
	const struct route *route = find(r);

	if (!faults_set_from_query(&a->faults, r->query))
		bad_request(r, a, "a fault in the query has no such value");
	else if (answer_without(r, route, a))
		return;
	else if (!route->spared && faults_strike(a->faults.error_percent, r->roll))
		answer_status(a, r->pool, 500);
	else
		route->run(r, a);
	if (route != NULL && !route->spared && a->length + (a->sink == ANSWER_ECHO) > 0 &&
	    faults_strike(a->faults.die_percent, hash_mix(r->roll)))
		a->dies_at = half_of(a);
}

void origin_routes_print(FILE *out)
{
	char left[48], names[80];

	fprintf(out, "\nWhat can be asked for:\n");
	for (size_t i = 0; i < COUNT_OF(routes); i++) {
		list_methods(routes[i].methods, names, sizeof names);
		if (routes[i].methods == ANY)
			snprintf(names, sizeof names, "any method");
		snprintf(left, sizeof left, "%.*s%s", (int)routes[i].path.len,
			 routes[i].path.at, routes[i].argument);
		fprintf(out, "  %-22s  %-16s  %s\n", left, names, routes[i].help);
	}
}
