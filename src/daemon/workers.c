#include "daemon/workers.h"

#include <stdio.h>

#include "base/log.h"
#include "daemon/guests.h"
#include "daemon/inside.h"
#include "daemon/news.h"
#include "kv/registry.h"

static struct live_server *add(void *arg, const char *pool, const struct address *at,
			       struct err *err)
{
	return guests_add(arg, pool, at, err);
}

static void drop(void *arg, const char *pool, const struct address *at)
{
	guests_remove(arg, pool, at, UINT32_MAX);
}

static void set_ready(void *arg, struct live_server *server, bool ready, const char *why)
{
	snprintf(server->reason, sizeof server->reason, "%s", why);
	if (!live_server_set_up(server, ready))
		return;
	log_info("worker is %s pool=%s server=%s", why, server->pool, server->text);
	news_on_published(arg, server, ready, why);
}

struct kv_registry *workers_registry(struct service *s)
{
	const struct kv_registry_hooks hooks = {
		.add = add, .remove = drop, .set_ready = set_ready, .arg = s,
	};

	return kv_registry_create(s->loop, s->hubs, &hooks);
}

void workers_end(struct service *s)
{
	if (s->registry != NULL)
		kv_registry_destroy(s->registry);
	s->registry = NULL;
}
