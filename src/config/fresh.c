#include "config/fresh.h"

#include "base/must.h"
#include "pick/policy.h"

void fresh_init(struct fresh *f)
{
	*f = (struct fresh){
		.model = model_create(),
		.http.kind = LISTEN_HTTP, .tcp.kind = LISTEN_TCP, .udp.kind = LISTEN_UDP,
		.kv.kind = LISTEN_KV,
		.pool.policy = policies[0],
	};
	model_listener_defaults(&f->http);
	model_listener_defaults(&f->tcp);
	model_listener_defaults(&f->udp);
	model_listener_defaults(&f->kv);
	model_pool_defaults(&f->pool);
	model_server_defaults(&f->server);
}

void fresh_fini(struct fresh *f)
{
	model_put(f->model);
}

static const void *fresh_block(const struct fresh *f, enum context in)
{
	switch (in) {
	case IN_FILE:
		return f->model;
	case IN_HTTP:
		return &f->http;
	case IN_TCP:
		return &f->tcp;
	case IN_UDP:
		return &f->udp;
	case IN_KV:
		return &f->kv;
	case IN_POOL:
		return &f->pool;
	case IN_NONE:
		break;
	}
	must(false);
	return NULL;
}

const void *fresh_target(const struct fresh *f, const struct directive *d,
			 enum context in)
{
	switch (d->makes) {
	case MAKES_NOTHING:
		return fresh_block(f, in);
	case MAKES_SERVER:
		return &f->server;
	case MAKES_LISTENER:
	case MAKES_POOL:
	case MAKES_ROUTE:
	case MAKES_CONTROL:
	case MAKES:
		break;
	}
	return NULL;
}
