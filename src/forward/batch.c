#include "forward/batch.h"

#include <stdlib.h>

#include "base/memory.h"
#include "base/must.h"
#include "forward/worker.h"

void batch_remove(struct batch *b, struct waiter *waiter)
{
	list_remove(&waiter->link);
	if (--b->count > 0)
		return;
	loop_timer_stop(b->worker->loop, &b->window);
	loop_task_cancel(&b->full);
}

/* Those that join meanwhile are the next batch: what is placed here may be answered at
 * once, and the next request of its client be here before the last of these is placed. */
static void place_all(struct batch *b)
{
	struct edition *e = edition_use(b->edition);	/* b lives as long */

	loop_timer_stop(b->worker->loop, &b->window);
	loop_task_cancel(&b->full);
	for (uint32_t left = b->count; left > 0 && !list_empty(&b->held); left--) {
		struct waiter *first = CONTAINER_OF(b->held.next, struct waiter, link);
		batch_remove(b, first);
		first->retry(first);
	}
	edition_release(e);
}

static void on_window(struct loop_timer *t)
{
	struct batch *b = CONTAINER_OF(t, struct batch, window);

	worker_sweep(b->worker);
	place_all(b);
}

static void on_full(struct loop_task *t)
{
	struct batch *b = CONTAINER_OF(t, struct batch, full);

	worker_sweep(b->worker);
	place_all(b);
}

struct batch *batch_create(const struct model_pool *pool)
{
	if (pool->batch_ms == 0)
		return NULL;
	struct batch *b = memory_new(1, sizeof *b);

	b->window_ms = pool->batch_ms;
	b->count_max = pool->batch_max;
	list_init(&b->held);
	loop_timer_init(&b->window, on_window);
	loop_task_init(&b->full, on_full);
	return b;
}

void batch_destroy(struct batch *b)
{
	must(b == NULL || b->count == 0);
	free(b);
}

void batch_add(struct batch *b, struct worker *w, struct edition *e, struct waiter *waiter)
{
	b->worker = w;
	b->edition = e;
	list_push_last(&b->held, &waiter->link);
	if (++b->count >= b->count_max)
		loop_at_end(w->loop, &b->full);
	else if (!b->window.armed)
		loop_timer_start(w->loop, &b->window, b->window_ms);
}

void batch_flush_all(struct worker *w)
{
	LIST_EACH(&w->editions, it, next) {
		struct edition *e = edition_use(CONTAINER_OF(it, struct edition, link));
		for (uint32_t i = 0; i < e->model->pool_count; i++) {
			struct batch *b = e->lanes[i].batch;
			if (b != NULL && b->count > 0)
				place_all(b);
		}
		next = e->link.next;
		edition_release(e);
	}
}
