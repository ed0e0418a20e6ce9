/* config/quick_kv.c - the quick form for keys and values: a command line becomes a model.
 *
 *   balancerd kv [--clients ADDRESS:PORT] [--workers ADDRESS:PORT] [--resp ADDRESS:PORT]
 *                [--acks none|one|all]
 *
 * One pool, whose name is "default", and nobody in it: workers join by themselves.
 */
#include <string.h>

#include "base/expected.h"
#include "base/memory.h"
#include "base/must.h"
#include "base/text.h"
#include "config/config.h"
#include "config/directives.h"
#include "config/fill.h"
#include "pick/policy.h"

#define USAGE \
	"usage: balancerd kv [--clients ADDRESS:PORT] [--workers ADDRESS:PORT] "         \
	"[--resp ADDRESS:PORT] [--acks none|one|all]"

enum option { CLIENTS, WORKERS, RESP, ACKS, OPTIONS };

static const char *const names[OPTIONS] = {
	[CLIENTS] = "--clients", [WORKERS] = "--workers", [RESP] = "--resp",
	[ACKS] = "--acks",
};

/* What was given for each; NULL: nothing. */
struct values {
	const char *of[OPTIONS];
};

/* The option that a word is, OPTIONS: none. *value: what stands behind "=", or NULL. */
static enum option find_option(const char *word, const char **value)
{
	struct span name = {word, strcspn(word, "=")};
	enum option i = 0;

	*value = word[name.len] == '=' ? word + name.len + 1 : NULL;
	while (i < OPTIONS && !span_equals(span_of(names[i]), name))
		i++;
	return i;
}

static int read_line(struct values *v, int argc, char *const argv[], struct err *err)
{
	for (int i = 0; i < argc; i++) {
		const char *value;
		enum option option = find_option(argv[i], &value);
		if (option == OPTIONS)
			return err_set(err, "unknown option %s; " USAGE,
				       quote(argv[i]).text);
		if (value == NULL && ++i == argc)
			return err_set(err, "%s needs a value; " USAGE, names[option]);
		if (v->of[option] != NULL)
			return err_set(err, "%s is given twice", names[option]);
		v->of[option] = value != NULL ? value : argv[i];
	}
	return 0;
}

static int read_address(struct address *out, enum option option, const char *value,
			struct err *err)
{
	struct err reason;

	if (fill_listen(out, value, FILL_LISTEN_HOST, &reason) == 0)
		return 0;
	return err_set(err, "%s: %s", names[option], reason.text);
}

/* As a file would say it, by the same row of the table. */
static int read_acks(struct model_pool *p, const char *value, struct err *err)
{
	const struct directive *d = directive_find(IN_POOL, "acks");
	struct err reason;

	if (fill_field(&d->arguments[0], p, value, NULL, &reason) == 0)
		return 0;
	return err_set(err, "%s: %s", names[ACKS], reason.text);
}

static struct model_listener *add_listener(struct model *m)
{
	struct model_listener *l = &m->listeners[m->listener_count++];

	l->kind = LISTEN_KV;
	model_listener_defaults(l);
	l->routes = memory_new(1, sizeof *l->routes);	/* everything to pool 0 */
	l->route_count = 1;
	return l;
}

static int add_listeners(struct model *m, const struct values *v, struct err *err)
{
	m->listeners = memory_new(2, sizeof *m->listeners);

	struct model_listener *clients = add_listener(m), *resp = NULL;
	if (read_address(&clients->address, CLIENTS, v->of[CLIENTS], err) != 0 ||
	    read_address(&clients->workers, WORKERS, v->of[WORKERS], err) != 0)
		return -1;
	if (v->of[RESP] != NULL) {
		resp = add_listener(m);
		resp->protocol = KV_PROTOCOL_RESP;
		if (read_address(&resp->address, RESP, v->of[RESP], err) != 0)
			return -1;
	}
	if (address_equals(&clients->address, &clients->workers) ||
	    (resp != NULL && (address_equals(&resp->address, &clients->address) ||
			      address_equals(&resp->address, &clients->workers))))
		return err_set(err, "two of --clients, --workers and --resp are the "
			       "same; each needs an address of its own");
	return 0;
}

static int add_pool(struct model *m, const struct values *v, struct err *err)
{
	m->pools = memory_new(1, sizeof *m->pools);
	m->pool_count = 1;
	model_pool_defaults(m->pools);
	m->pools->name = memory_text("default");
	m->pools->policy = policies[0];
	return v->of[ACKS] != NULL ? read_acks(m->pools, v->of[ACKS], err) : 0;
}

struct model *config_quick_kv(int argc, char *const argv[], struct err *err)
{
	struct values v = {{NULL}};

	if (read_line(&v, argc, argv, err) != 0)
		return NULL;
	if (v.of[CLIENTS] == NULL)
		v.of[CLIENTS] = CONFIG_QUICK_KV_CLIENTS;
	if (v.of[WORKERS] == NULL)
		v.of[WORKERS] = CONFIG_QUICK_KV_WORKERS;

	struct model *m = model_create();
	if (add_listeners(m, &v, err) == 0 && add_pool(m, &v, err) == 0)
		return m;
	model_put(m);
	return NULL;
}
