#include "daemon/hubs.h"

#include <stdlib.h>

#include "base/memory.h"
#include "base/must.h"
#include "daemon/inside.h"
#include "daemon/workers.h"
#include "kv/hub.h"

/* ---- what they tell ---- */

/* Any worker may be asked by any loop: they are let go when no loop has a client. */
static void run_clients_gone(struct loop_job *job)
{
	struct service *s = CONTAINER_OF(job, struct drained, job)->service;

	if (++s->hubs_without_clients < s->worker_count)
		return;
	for (uint32_t i = 0; i < s->worker_count; i++)
		kv_hub_part(s->hubs[i]);
}

static void on_clients_gone(void *arg, struct kv_hub *hub)
{
	struct service *s = arg;

	loop_post(s->loop, &s->clients_gone[hub->number].job);
}

static void on_parted(void *arg, struct kv_hub *hub)
{
	struct service *s = arg;

	loop_post(s->loop, &s->parted[hub->number].job);
}

static void on_wake(void *arg, uint64_t loops)
{
	loops_wake(arg, loops);
}

/* ---- what they are told ---- */

void hubs_init(struct service *s)
{
	s->registry = workers_registry(s);
	for (uint32_t i = 0; i < MODEL_LOOPS_MAX; i++)
		s->clients_gone[i] = (struct drained){{.run = run_clients_gone}, s};
}

void hubs_create(struct service *s, uint32_t i, struct loop *loop)
{
	const struct kv_hub_hooks hooks = {
		.wake = on_wake, .clients_gone = on_clients_gone, .parted = on_parted, .arg = s,
	};

	s->hubs[i] = kv_hub_create(i, loop, &s->live, s->hubs, &hooks);
	kv_hub_use_registry(s->hubs[i], s->registry);
}

void hubs_adopt(struct service *s, uint32_t i, const struct model *m,
		const struct openings *o)
{
	struct kv_opening *mine = NULL;
	uint32_t count = 0;

	for (uint32_t j = 0; j < o->count; j++) {
		const struct opening *one = &o->all[j];
		for (uint32_t k = opening_first(one, i, s->worker_count);
		     one->is_kv && k < one->count; k += s->worker_count) {
			mine = memory_grow(mine, count + 1, sizeof *mine);
			mine[count++] = (struct kv_opening){one->fds[k], one->live,
							    one->for_workers};
		}
	}
	kv_hub_adopt(s->hubs[i], m, mine, count);
	free(mine);
}

void hubs_drain(struct service *s, uint32_t limit_ms)
{
	for (uint32_t i = 0; i < s->worker_count; i++)
		kv_hub_drain(s->hubs[i], limit_ms);
}

void hubs_leave(struct service *s, uint32_t limit_ms)
{
	for (uint32_t i = 0; i < s->worker_count; i++)
		kv_hub_leave(s->hubs[i], limit_ms);
}

/* Requests that one hub has of another's come home by messages: there and back. */
void hubs_destroy(struct service *s)
{
	enum { ROUNDS = 3 };

	for (uint32_t i = 0; i < s->worker_count; i++)
		loop_turn(s->hubs[i]->loop, 0);
	for (uint32_t i = 0; i < s->worker_count; i++)
		kv_hub_end_all(s->hubs[i]);
	for (int round = 0; round < ROUNDS; round++)
		for (uint32_t i = 0; i < s->worker_count; i++)
			loop_turn(s->hubs[i]->loop, 0);
	for (uint32_t i = 0; i < s->worker_count; i++)
		kv_hub_destroy(s->hubs[i]);
}
