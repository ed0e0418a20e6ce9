#include "config/fresh.h"

#include <stdlib.h>

#include "base/must.h"
#include "pick/policy.h"

void fresh_init(struct fresh *f)
{
	*f = (struct fresh){
		.model = model_create(),
		.http.kind = LISTEN_HTTP, .tcp.kind = LISTEN_TCP, .udp.kind = LISTEN_UDP,
		.kv.kind = LISTEN_KV,
		.pool.policy = policies[0], .owning.policy = policies[0],
		.owning_slots.policy = policies[0],
	};
	model_listener_defaults(&f->http);
	model_listener_defaults(&f->tcp);
	model_listener_defaults(&f->udp);
	model_listener_defaults(&f->kv);
	model_pool_defaults(&f->pool);
	model_pool_defaults(&f->owning);
	model_owning_pool_defaults(&f->owning);
	model_pool_defaults(&f->owning_slots);
	model_owning_pool_defaults(&f->owning_slots);
	f->owning_slots.key = KEY_REQUEST_ID;
	model_own_defaults(&f->docker, OWN_DOCKER);
	model_own_defaults(&f->process, OWN_PROCESS);
	f->owning.own = f->owning_slots.own = &f->docker;
	model_server_defaults(&f->server);
}

void fresh_fini(struct fresh *f)
{
	model_put(f->model);
	free(f->owning.check.path);
	free(f->owning_slots.check.path);
	model_own_fini(&f->docker);
	model_own_fini(&f->process);
}

static const void *fresh_pool(const struct fresh *f, const struct model_pool *like)
{
	if (like == NULL || like->own == NULL)
		return &f->pool;
	return like->policy == &policy_slots ? &f->owning_slots : &f->owning;
}

static const void *fresh_block(const struct fresh *f, enum context in, const void *like)
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
		return fresh_pool(f, like);
	case IN_DOCKER:
		return &f->docker;
	case IN_PROCESS:
		return &f->process;
	case IN_NONE:
		break;
	}
	must(false);
	return NULL;
}

const void *fresh_target(const struct fresh *f, const struct directive *d,
			 enum context in, const void *block)
{
	switch (d->makes) {
	case MAKES_NOTHING:
		return fresh_block(f, in, block);
	case MAKES_SERVER:
		return &f->server;
	case MAKES_SRV:
		return &f->srv;
	case MAKES_LISTENER:
	case MAKES_POOL:
	case MAKES_ROUTE:
	case MAKES_CONTROL:
	case MAKES_OWN:
	case MAKES_VARIABLE:
	case MAKES:
		break;
	}
	return NULL;
}
