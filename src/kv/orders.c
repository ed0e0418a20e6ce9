#include "kv/orders.h"

#include <stdlib.h>

#include "base/memory.h"
#include "base/must.h"
#include "kv/dispatch.h"
#include "kv/link.h"

struct order {
	struct loop_job job;
	struct kv_hub  *hub;
	uint32_t        link;
	struct live_server *server;	/* accept */
	struct kv_route *route;		/* route; given */
	bool            ready;
	size_t          len;		/* say, close */
	char            bytes[];
};

static struct order *order_new(struct kv_hub *hub, uint32_t link, size_t len)
{
	struct order *o = memory_new(1, sizeof *o + len);

	o->hub = hub;
	o->link = link;
	o->len = len;
	return o;
}

static void give(struct order *o, void (*run)(struct loop_job *job))
{
	o->job.run = run;
	loop_post(o->hub->loop, &o->job);
}

static struct order *order_of(struct loop_job *job)
{
	return CONTAINER_OF(job, struct order, job);
}

/* What they have sent, or ended, is seen to at the end of this turn. */
static void done(struct order *o)
{
	kv_hub_at_end(o->hub);
	free(o);
}

static void run_accept(struct loop_job *job)
{
	struct order *o = order_of(job);
	struct kv_link *l = kv_link_find(o->hub, o->link);

	if (l != NULL)
		kv_link_accept(l, o->server);
	done(o);
}

void kv_order_accept(struct kv_hub *hub, uint32_t link, struct live_server *server)
{
	struct order *o = order_new(hub, link, 0);

	o->server = server;
	give(o, run_accept);
}

static void run_say(struct loop_job *job)
{
	struct order *o = order_of(job);
	struct kv_link *l = kv_link_find(o->hub, o->link);

	if (l != NULL)
		kv_link_say(l, o->bytes, o->len);
	done(o);
}

void kv_order_say(struct kv_hub *hub, uint32_t link, const struct kv_message *messages,
		  uint32_t count)
{
	size_t len = 0;

	for (uint32_t i = 0; i < count; i++)
		len += kv_wire_size(&messages[i]);
	struct order *o = order_new(hub, link, len);
	char *at = o->bytes;
	for (uint32_t i = 0; i < count; i++)
		at += kv_wire_write(&messages[i], at);
	give(o, run_say);
}

static void run_close(struct loop_job *job)
{
	struct order *o = order_of(job);
	struct kv_link *l = kv_link_find(o->hub, o->link);

	if (l != NULL)
		kv_link_close(l, o->bytes, o->len);
	done(o);
}

void kv_order_close(struct kv_hub *hub, uint32_t link, const struct kv_message *last)
{
	struct order *o = order_new(hub, link, kv_wire_size(last));

	kv_wire_write(last, o->bytes);
	give(o, run_close);
}

static void drop_route(struct kv_hub *hub, const struct live_server *server)
{
	LIST_EACH(&hub->routes, it, next) {
		struct kv_route *route = CONTAINER_OF(it, struct kv_route, in_hub);
		if (route->server == server) {
			list_remove(it);
			free(route);
		}
	}
}

static void run_route(struct loop_job *job)
{
	struct order *o = order_of(job);
	struct kv_hub *hub = o->hub;

	drop_route(hub, o->route->server);
	if (o->ready)
		list_push_last(&hub->routes, &o->route->in_hub);
	else
		free(o->route);
	kv_edition_route(hub->now, &hub->routes);
	LIST_EACH(&hub->pools, it, next) {	/* one that is no more has
						 * its own edition */
		struct kv_edition *e = CONTAINER_OF(it, struct kv_pool, link)->edition;
		if (e != hub->now)
			kv_edition_route(e, &hub->routes);
	}
	LIST_EACH(&hub->pools, it, next)
		kv_dispatch_waiting(CONTAINER_OF(it, struct kv_pool, link));
	done(o);
}

void kv_order_route(struct kv_hub *hub, struct kv_route *route, bool ready)
{
	struct order *o = order_new(hub, 0, 0);

	o->route = route;
	o->ready = ready;
	give(o, run_route);
}
