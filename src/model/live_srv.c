#include "model/live_srv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "model/srv.h"

struct live_srv *live_srv_of(struct live_pool *pool, const char *name)
{
	struct live_srv *s = pool->srvs;

	while (s != NULL && strcasecmp(s->name, name) != 0)
		s = s->next;
	if (s != NULL)
		return s;
	s = memory_new(1, sizeof *s);
	snprintf(s->name, sizeof s->name, "%s", name);
	s->next = pool->srvs;
	pool->srvs = s;
	return s;
}

static bool has(const struct model_pool *model, const char *name)
{
	for (uint32_t i = 0; model != NULL && i < model->srv_count; i++)
		if (strcasecmp(model->srvs[i].name, name) == 0)
			return true;
	return false;
}

void live_srv_keep(struct live_pool *pool, const struct model_pool *model)
{
	for (struct live_srv **at = &pool->srvs, *s; (s = *at) != NULL; ) {
		if (has(model, s->name)) {
			at = &s->next;
			continue;
		}
		*at = s->next;
		free(s);
	}
}
