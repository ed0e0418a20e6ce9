/* config/quick.c - the quick form: a command line becomes a model, without a file.
 *
 *   balancerd http [-N n] [-R n] PORT SERVER...
 */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/must.h"
#include "base/value.h"
#include "config/config.h"
#include "pick/policy.h"

#define USAGE "usage: balancerd http [-N connections] [-R requests] PORT SERVER..."

enum { QUICK_NUMBER_MAX = 1000 * 1000 };

/* The command line, taken apart. */
struct quick {
	uint64_t     connections, requests;
	const char  *port;
	const char **servers;		/* owned; the texts are borrowed */
	uint32_t     server_count;
};

/* The value of an option, in the same word (-N8) or in the next. */
static int read_option(int argc, char *const argv[], int *i, uint64_t *value,
		       struct err *err)
{
	const char *option = argv[*i], *digits = option + 2;
	struct value_range range = {VALUE_NUMBER, 1, QUICK_NUMBER_MAX};
	struct err reason;

	if (*digits == '\0') {
		if (++*i == argc)
			return err_set(err, "%s needs a number; " USAGE, option);
		digits = argv[*i];
	}
	if (value_read(&range, digits, value, &reason) != 0)
		return err_set(err, "-%c: %s", option[1], reason.text);
	return 0;
}

static int read_line(struct quick *q, int argc, char *const argv[], struct err *err)
{
	for (int i = 0; i < argc; i++) {
		const char *word = argv[i];
		if (strncmp(word, "-N", 2) == 0 || strncmp(word, "-R", 2) == 0) {
			uint64_t *value = word[1] == 'N' ? &q->connections : &q->requests;
			if (read_option(argc, argv, &i, value, err) != 0)
				return -1;
		} else if (*word == '-') {
			return err_set(err, "unknown option %s; " USAGE,
				       quote(word).text);
		} else if (q->port == NULL) {
			q->port = word;
		} else if (q->server_count == MODEL_SERVERS_MAX) {
			return err_set(err, "more than %d servers", MODEL_SERVERS_MAX);
		} else {
			q->servers[q->server_count++] = word;
		}
	}
	if (q->port == NULL)
		return err_set(err, "no port to listen on; " USAGE);
	if (q->server_count == 0)
		return err_set(err, "no server to forward to; " USAGE);
	return 0;
}

static int add_servers(struct model_pool *p, const struct quick *q, struct err *err)
{
	p->servers = memory_new(q->server_count, sizeof *p->servers);
	for (uint32_t i = 0; i < q->server_count; i++) {
		struct model_server *s = &p->servers[i];
		model_server_defaults(s);
		if (address_parse(&s->address, q->servers[i], "127.0.0.1", err) != 0)
			return -1;
		for (uint32_t k = 0; k < i; k++)
			if (address_equals(&p->servers[k].address, &s->address))
				return err_set(err, "server %s is given twice",
					       s->address.text);
		p->server_count++;
	}
	return 0;
}

/* The one pool: the least loaded server, probed every 3 s, with one failure down
 * and with one answer up again. */
static int add_pool(struct model *m, const struct quick *q, struct err *err)
{
	struct model_pool *p = memory_new(1, sizeof *p);

	m->pools = p;
	m->pool_count = 1;
	model_pool_defaults(p);
	p->name = memory_text("default");
	p->policy = policy_find("least-load");
	must(p->policy != NULL);
	p->check.kind = CHECK_HTTP;
	p->check.path = memory_text("/healthcheck");
	p->check.expect = EXPECT_LOAD;
	p->check.every_ms = 3000;
	p->check.timeout_ms = 1000;
	p->check.rise = p->check.fall = 1;
	p->check.after_requests = (uint32_t)q->requests;
	return add_servers(p, q, err);
}

static int add_listener(struct model *m, const struct quick *q, struct err *err)
{
	struct model_listener *l = memory_new(1, sizeof *l);

	m->listeners = l;
	m->listener_count = 1;
	model_listener_defaults(l);
	l->connections_max = (uint32_t)q->connections;
	l->plain_500 = true;
	l->routes = memory_new(1, sizeof *l->routes);	/* everything to pool 0 */
	l->route_count = 1;
	if (strchr(q->port, ':') != NULL)
		return err_set(err, "%s is no port; expected 1 to 65535",
			       quote(q->port).text);
	return address_parse(&l->address, q->port, "0.0.0.0", err);
}

struct model *config_quick_http(int argc, char *const argv[], struct err *err)
{
	struct quick q = {
		.connections = CONFIG_QUICK_CONNECTIONS,
		.requests = CONFIG_QUICK_REQUESTS,
		.servers = memory_new((size_t)argc, sizeof *q.servers),
	};
	struct model *m = model_create();

	if (read_line(&q, argc, argv, err) != 0 || add_listener(m, &q, err) != 0 ||
	    add_pool(m, &q, err) != 0) {
		model_put(m);
		m = NULL;
	}
	free(q.servers);
	return m;
}
