#include "daemon/gather.h"

#include <stdlib.h>

#include "base/memory.h"
#include "base/must.h"
#include "daemon/inside.h"
#include "daemon/name_question.h"

struct one {
	struct gather       *gather;
	struct name_question question;
	uint32_t             number;	/* in `all` */
};

struct gather {
	struct service   *service;	/* borrowed */
	struct loop_timer timer;	/* armed until on_done */
	uint32_t          count, asked;
	struct gathered  *all;		/* owned */
	struct one       *ones;		/* owned */
	void (*on_done)(void *arg);
	void             *arg;
};

/* At the end of a turn, or when the time is over. */
static void on_due(struct loop_timer *t)
{
	struct gather *g = CONTAINER_OF(t, struct gather, timer);

	g->on_done(g->arg);
}

static void on_answer(void *arg, const struct resolver_answer *answer)
{
	struct one *one = arg;
	struct gather *g = one->gather;

	one->question = (struct name_question){NULL, NULL};
	if (answer->count > 0)
		g->all[one->number].found = answer->addresses[0];
	if (--g->asked == 0)
		loop_timer_start(g->service->loop, &g->timer, 0);
}

struct gather *gather_start(struct service *s, const struct address *names, uint32_t count,
			    void (*on_done)(void *arg), void *arg)
{
	const struct name_ways ways = {s->names.dns, s->names.resolver, s->model};
	struct gather *g = memory_new(1, sizeof *g);

	must(count > 0);
	g->service = s;
	g->count = count;
	g->on_done = on_done;
	g->arg = arg;
	g->all = memory_new(count, sizeof *g->all);
	g->ones = memory_new(count, sizeof *g->ones);
	loop_timer_init(&g->timer, on_due);
	for (uint32_t i = 0; i < count; i++) {
		g->all[i].name = names[i];
		g->ones[i] = (struct one){.gather = g, .number = i};
		g->asked += name_question_ask(&g->ones[i].question, &ways, &names[i], on_answer,
					      &g->ones[i]);
	}
	loop_timer_start(s->loop, &g->timer, g->asked > 0 ? GATHER_MAX_MS : 0);
	return g;
}

const struct gathered *gather_all(const struct gather *g, uint32_t *count)
{
	*count = g->count;
	return g->all;
}

void gather_end(struct gather *g)
{
	if (g == NULL)
		return;
	loop_timer_stop(g->service->loop, &g->timer);
	for (uint32_t i = 0; i < g->count; i++)
		name_question_cancel(&g->ones[i].question);
	free(g->all);
	free(g->ones);
	free(g);
}
