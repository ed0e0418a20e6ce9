#include "config/directives.h"

#include <stdio.h>
#include <string.h>

#include "config/rows.h"

const struct choice choice_unlimited[] = {{"unlimited", 0}, {NULL, 0}};
const struct choice choice_off[]       = {{"off", 0}, {NULL, 0}};
const struct choice choice_on_off[]    = {{"on", true}, {"off", false}, {NULL, 0}};

static const struct directive_table *const tables[] = {
	&rows_file, &rows_listen, &rows_pool, &rows_own,
};

const struct directive *directive_at(uint32_t i)
{
	for (size_t t = 0; t < COUNT_OF(tables); t++) {
		if (i < tables[t]->count)
			return &tables[t]->rows[i];
		i -= tables[t]->count;
	}
	return NULL;
}

const struct directive *directive_find(unsigned in, const char *word)
{
	const struct directive *d;

	for (uint32_t i = 0; (d = directive_at(i)) != NULL; i++)
		if ((d->in & in) != 0 && strcmp(d->word, word) == 0)
			return d;
	return NULL;
}

/* The next row of the same word in the same blocks after row i, which moves on. */
static const struct directive *next_of_word(const struct directive *first, uint32_t *i)
{
	const struct directive *d;

	while ((d = directive_at((*i)++)) != NULL)
		if (d->in == first->in && strcmp(d->word, first->word) == 0)
			return d;
	return NULL;
}

const struct directive *directive_find_second(const struct directive *first,
					      const char *second)
{
	const struct directive *d;
	uint32_t i = 0;

	while ((d = next_of_word(first, &i)) != NULL)
		if (d->second != NULL && strcmp(d->second, second) == 0)
			return d;
	return NULL;
}

const struct directive *directive_find_beginning(const struct directive *first,
						 const char *argument)
{
	const struct directive *d;
	uint32_t i = 0;

	while ((d = next_of_word(first, &i)) != NULL)
		if (d->second == NULL &&
		    (d->begins == NULL ||
		     strncmp(argument, d->begins, strlen(d->begins)) == 0))
			return d;
	return first;
}

const struct alias *directive_alias(const char *theirs)
{
	static const struct alias aliases[] = {
		{"upstream", "pool", NULL}, {"backend", "pool", NULL},
		{"cluster", "pool", NULL},
		{"frontend", "listen", NULL}, {"bind", "listen", NULL},
		{"entrypoint", "listen", NULL},
		{"location", "route", NULL}, {"use_backend", "route", NULL},
		{"proxy_pass", "to", NULL}, {"reverse_proxy", "to", NULL},
		{"default_backend", "to", NULL},
		{"worker_processes", "threads", NULL}, {"nbthread", "threads", NULL},
		{"worker_connections", "connections", NULL},
		{"maxconn", "connections", NULL},
		{"error_log", "log", NULL}, {"access_log", "access-log", NULL},
		{"client_max_body_size", "body-size", NULL},
		{"keepalive", "keep", NULL},
		{"health_check", "check", NULL}, {"httpchk", "check", NULL},
		{"send-proxy", NULL, "proxy-protocol v1"},
		{"send-proxy-v2", NULL, "proxy-protocol v2"},
		{"accept-proxy", NULL, "proxy-protocol from ADDRESS[/BITS]"},
		{"proxy_protocol", "proxy-protocol", NULL},
		{"set_real_ip_from", NULL, "proxy-protocol from ADDRESS[/BITS]"},
		{"mode", NULL, "listen tcp ADDRESS { ... }"},
		{"stream", NULL, "listen tcp ADDRESS { ... }"},
		{"http", NULL, "listen http ADDRESS { ... }"},
		{"option", NULL, "check http PATH, or check tcp"},
		{"proxy_timeout", NULL, "timeout idle TIME"},
		{"proxy_connect_timeout", NULL, "timeout connect TIME"},
		{"hash", NULL, "balance ring, and what it goes by: key address"},
		{"ip_hash", NULL, "balance ring"},
		{"hash-type", NULL, "balance ring, or balance maglev"},
		{"least_conn", NULL, "balance least-conn"},
		{"stick-table", NULL, "balance ring"},
		{"stick", NULL, "balance ring, and what it goes by: key address"},
		{"cookie", NULL, "sticky cookie NAME"},
		{"stats", NULL, "control unix:PATH"},
		{"docker", NULL, "own docker { image NAME }"},
		{"spawn", NULL, "own process { command PROGRAM }"},
		{"server-template", NULL, "server srv _http._tcp.example.com"},
		{"service", NULL, "server srv _http._tcp.example.com"},
		{"resolver", NULL, "resolve from ADDRESS[:PORT]"},
		{"nameserver", NULL, "resolve from ADDRESS[:PORT]"},
		{"replicas", NULL, "min N and max N, in an own block"},
		{"environment", "env", NULL}, {"cmd", "command", NULL},
		{"mem_limit", "memory", NULL}, {"pids_limit", "processes", NULL},
		{"stop_grace_period", "stop-time", NULL},
	};
	for (size_t i = 0; i < COUNT_OF(aliases); i++)
		if (strcmp(aliases[i].theirs, theirs) == 0)
			return &aliases[i];
	return NULL;
}

struct context_text context_text(unsigned in)
{
	static const struct {
		unsigned    in;
		const char *text;
	} parts[] = {
		{IN_FILE, "at the top of the file"},
		{IN_LISTEN, "in a listen block"},
		{IN_HTTP, "in a listen http block"},
		{IN_TCP, "in a listen tcp block"},
		{IN_UDP, "in a listen udp block"},
		{IN_KV, "in a listen kv block"},
		{IN_POOL, "in a pool block"},
		{IN_OWN, "in an own block"},
		{IN_DOCKER, "in an own docker block"},
		{IN_PROCESS, "in an own process block"},
	};
	struct context_text t = {""};

	for (size_t i = 0; i < COUNT_OF(parts); i++) {
		if ((in & parts[i].in) != parts[i].in)
			continue;
		in &= ~parts[i].in;
		size_t used = strlen(t.text);
		snprintf(t.text + used, sizeof t.text - used, "%s%s",
			 used > 0 ? " or " : "", parts[i].text);
	}
	return t;
}

uint32_t directive_argument_count(const struct directive *d)
{
	uint32_t n = 0;

	while (n < ARGUMENTS_MAX && d->arguments[n].kind != ARGUMENT_NONE)
		n++;
	return n;
}

bool argument_is_for(const struct argument *a, unsigned in)
{
	return a->in == 0 || (a->in & in) != 0;
}
