#include "daemon/resolving.h"

#include <stdlib.h>

#include "base/memory.h"
#include "base/must.h"
#include "daemon/inside.h"
#include "daemon/name_question.h"

struct one {
	struct resolving    *resolving;
	struct name_question question;
	uint32_t             number;	/* in `all` */
};

struct resolving {
	struct service   *service;	/* borrowed */
	struct loop_timer timer;	/* armed until on_done */
	uint32_t          count, asked;
	struct resolved  *all;		/* owned */
	struct one       *ones;		/* owned */
	void (*on_done)(void *arg);
	void             *arg;
};

/* At the end of a turn, or when the time is over. */
static void on_due(struct loop_timer *t)
{
	struct resolving *r = CONTAINER_OF(t, struct resolving, timer);

	r->on_done(r->arg);
}

static void on_answer(void *arg, const struct resolver_answer *answer)
{
	struct one *one = arg;
	struct resolving *r = one->resolving;

	one->question = (struct name_question){NULL, NULL};
	if (answer->count > 0)
		r->all[one->number].found = answer->addresses[0];
	if (--r->asked == 0)
		loop_timer_start(r->service->loop, &r->timer, 0);
}

struct resolving *resolving_start(struct service *s, const struct address *names,
				  uint32_t count, void (*on_done)(void *arg), void *arg)
{
	const struct name_ways ways = {s->names.dns, s->names.resolver, s->model};
	struct resolving *r = memory_new(1, sizeof *r);

	must(count > 0);
	r->service = s;
	r->count = count;
	r->on_done = on_done;
	r->arg = arg;
	r->all = memory_new(count, sizeof *r->all);
	r->ones = memory_new(count, sizeof *r->ones);
	loop_timer_init(&r->timer, on_due);
	for (uint32_t i = 0; i < count; i++) {
		r->all[i].name = names[i];
		r->ones[i] = (struct one){.resolving = r, .number = i};
		r->asked += name_question_ask(&r->ones[i].question, &ways, &names[i], on_answer,
					      &r->ones[i]);
	}
	loop_timer_start(s->loop, &r->timer, r->asked > 0 ? RESOLVING_MAX_MS : 0);
	return r;
}

const struct resolved *resolving_all(const struct resolving *r, uint32_t *count)
{
	*count = r->count;
	return r->all;
}

void resolving_end(struct resolving *r)
{
	if (r == NULL)
		return;
	loop_timer_stop(r->service->loop, &r->timer);
	for (uint32_t i = 0; i < r->count; i++)
		name_question_cancel(&r->ones[i].question);
	free(r->all);
	free(r->ones);
	free(r);
}
