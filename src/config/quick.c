/* config/quick.c - the quick forms: a command line becomes a model, without a file.
 *
 *   balancerd http [-N n] [-R n] PORT SERVER...
 *   balancerd tcp ADDRESS:PORT [SERVER...]
 *
 * Both have one listener, and one pool, whose name is "default".
 */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/must.h"
#include "base/value.h"
#include "config/config.h"
#include "config/fill.h"
#include "pick/policy.h"

enum { QUICK_NUMBER_MAX = 1000 * 1000 };

/* What tells one form from the other. */
struct form {
	const char *usage;
	const char *where;		/* is missing when nothing is given at all */
	enum listener_kind kind;
	bool has_options;		/* -N and -R */
	uint32_t servers_min;
};

static const struct form http_form = {
	.usage = "usage: balancerd http [-N connections] [-R requests] PORT SERVER...",
	.where = "port", .kind = LISTEN_HTTP, .has_options = true, .servers_min = 1,
};

static const struct form tcp_form = {
	.usage = "usage: balancerd tcp ADDRESS:PORT [SERVER...]",
	.where = "address", .kind = LISTEN_TCP,
};

/* The command line, taken apart. */
struct quick {
	const struct form *form;
	uint64_t     connections, requests;
	const char  *where;
	const char **servers;		/* owned; the texts are borrowed */
	uint32_t     server_count;
};

/* The value of an option, in the same word (-N8) or in the next. */
static int read_option(struct quick *q, int argc, char *const argv[], int *i,
		       struct err *err)
{
	const char *option = argv[*i], *digits = option + 2;
	uint64_t *value = option[1] == 'N' ? &q->connections : &q->requests;
	struct value_range range = {VALUE_NUMBER, 1, QUICK_NUMBER_MAX};
	struct err reason;

	if (*digits == '\0') {
		if (++*i == argc)
			return err_set(err, "%s needs a number; %s", option,
				       q->form->usage);
		digits = argv[*i];
	}
	if (value_read(&range, digits, value, &reason) != 0)
		return err_set(err, "-%c: %s", option[1], reason.text);
	return 0;
}

static bool is_option(const struct form *form, const char *word)
{
	return form->has_options &&
	       (strncmp(word, "-N", 2) == 0 || strncmp(word, "-R", 2) == 0);
}

static int read_line(struct quick *q, int argc, char *const argv[], struct err *err)
{
	for (int i = 0; i < argc; i++) {
		const char *word = argv[i];
		if (is_option(q->form, word)) {
			if (read_option(q, argc, argv, &i, err) != 0)
				return -1;
		} else if (*word == '-') {
			return err_set(err, "unknown option %s; %s", quote(word).text,
				       q->form->usage);
		} else if (q->where == NULL) {
			q->where = word;
		} else if (q->server_count == MODEL_SERVERS_MAX) {
			return err_set(err, "more than %d servers", MODEL_SERVERS_MAX);
		} else {
			q->servers[q->server_count++] = word;
		}
	}
	if (q->where == NULL)
		return err_set(err, "no %s to listen on; %s", q->form->where,
			       q->form->usage);
	if (q->server_count < q->form->servers_min)
		return err_set(err, "no server to forward to; %s", q->form->usage);
	return 0;
}

static int add_servers(struct model_pool *p, const struct quick *q, struct err *err)
{
	for (uint32_t i = 0; i < q->server_count; i++) {
		struct address address;
		if (address_parse(&address, q->servers[i], "127.0.0.1", err) != 0)
			return -1;
		for (uint32_t k = 0; k < i; k++)
			if (address_equals(&p->servers[k].address, &address))
				return err_set(err, "server %s is given twice",
					       address.text);
		model_server_add(p)->address = address;
	}
	return 0;
}

/* The least loaded server, probed every 3 s, with one failure down and with one
 * answer up again. */
static void set_http_pool(struct model_pool *p, const struct quick *q)
{
	p->policy = policy_find("least-load");
	p->check.kind = CHECK_HTTP;
	p->check.path = memory_text("/healthcheck");
	p->check.expect = EXPECT_LOAD;
	p->check.every_ms = 3000;
	p->check.timeout_ms = 1000;
	p->check.rise = p->check.fall = 1;
	p->check.after_requests = (uint32_t)q->requests;
}

/* A client keeps its server, which is connected to every second. */
static void set_tcp_pool(struct model_pool *p)
{
	p->policy = policy_find("ring");
	p->check.kind = CHECK_TCP;
	p->check.every_ms = 1000;
	p->check.timeout_ms = 1000;
	p->check.rise = 1;
	p->check.fall = 2;
}

static int add_pool(struct model *m, const struct quick *q, struct err *err)
{
	struct model_pool *p = memory_new(1, sizeof *p);

	m->pools = p;
	m->pool_count = 1;
	model_pool_defaults(p);
	p->name = memory_text("default");
	if (q->form->kind == LISTEN_HTTP)
		set_http_pool(p, q);
	else
		set_tcp_pool(p);
	must(p->policy != NULL);
	return add_servers(p, q, err);
}

static int add_listener(struct model *m, const struct quick *q, struct err *err)
{
	struct model_listener *l = memory_new(1, sizeof *l);

	m->listeners = l;
	m->listener_count = 1;
	l->kind = q->form->kind;
	model_listener_defaults(l);
	l->routes = memory_new(1, sizeof *l->routes);	/* everything to pool 0 */
	l->route_count = 1;
	if (l->kind == LISTEN_HTTP) {
		l->connections_max = (uint32_t)q->connections;
		l->plain_500 = true;
		if (strchr(q->where, ':') != NULL)
			return err_set(err, "%s is no port; expected 1 to 65535",
				       quote(q->where).text);
	}
	return fill_listen(&l->address, q->where, FILL_LISTEN_HOST, err);
}

static struct model *make_model(const struct form *form, int argc, char *const argv[],
				struct err *err)
{
	struct quick q = {
		.form = form,
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

struct model *config_quick_http(int argc, char *const argv[], struct err *err)
{
	return make_model(&http_form, argc, argv, err);
}

struct model *config_quick_tcp(int argc, char *const argv[], struct err *err)
{
	return make_model(&tcp_form, argc, argv, err);
}
