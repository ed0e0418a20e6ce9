#include "daemon/sockets.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "daemon/inside.h"
#include "listen/listener.h"

static const struct model_listener *find(const struct model *m,
					 const struct live_listener *live)
{
	for (uint32_t i = 0; i < m->listener_count; i++)
		if (m->listeners[i].live == live)
			return &m->listeners[i];
	return NULL;
}

static bool is_in(const struct model *m, const struct listening *l)
{
	const struct model_listener *listener = find(m, l->live);

	if (listener == NULL || !l->for_workers)
		return listener != NULL;
	return listener->kind == LISTEN_KV &&
	       address_equals(&listener->workers, &l->address);
}

static void forget(struct listening *l)
{
	list_remove(&l->link);
	free(l->fds);
	free(l);
}

static struct listening *find_same(struct service *s, const struct opening *o)
{
	LIST_EACH(&s->sockets, it, next) {
		struct listening *l = listening_at(it);
		if (l->live == o->live && l->for_workers == o->for_workers)
			return l;
	}
	return NULL;
}

static void note(struct service *s, const struct model *m, const struct opening *o)
{
	const struct model_listener *listener = find(m, o->live);
	struct listening *l = find_same(s, o);

	if (listener == NULL)
		return;
	if (l == NULL) {
		l = memory_new(1, sizeof *l);
		l->address = o->for_workers ? listener->workers : listener->address;
		l->datagrams = listener->kind == LISTEN_UDP;
		l->is_kv = o->is_kv;
		l->for_workers = o->for_workers;
		l->live = o->live;
		list_push_last(&s->sockets, &l->link);
	}
	l->fds = memory_grow(l->fds, l->count + o->count, sizeof *l->fds);
	memcpy(l->fds + l->count, o->fds, o->count * sizeof *l->fds);
	l->count += o->count;
}

void sockets_use(struct service *s, const struct model *m, const struct openings *o)
{
	LIST_EACH(&s->sockets, it, next)
		if (!is_in(m, listening_at(it)))
			forget(listening_at(it));
	for (uint32_t i = 0; i < o->count; i++)
		note(s, m, &o->all[i]);
}

void sockets_forget_all(struct service *s)
{
	LIST_EACH(&s->sockets, it, next)
		forget(listening_at(it));
}

/* ---- those that are missing ---- */

static int open_missing(const struct service *s, const struct listening *l,
			struct opening *o, struct err *err)
{
	*o = (struct opening){
		.live = l->live, .is_kv = l->is_kv, .for_workers = l->for_workers,
		.first = l->count, .count = s->worker_count - l->count,
	};
	o->fds = memory_new(o->count, sizeof *o->fds);
	int (*open)(int *, uint32_t, const struct address *, struct err *) =
		l->datagrams ? listener_open_datagrams_beside : listener_open_beside;
	if (open(o->fds, o->count, &l->address, err) == 0)
		return 0;
	free(o->fds);
	return -1;
}

int sockets_fill(struct service *s, struct err *err)
{
	struct openings *o = memory_new(1, sizeof *o);
	int result = 0;

	LIST_EACH(&s->sockets, it, next) {
		const struct listening *l = listening_at(it);
		if (l->count >= s->worker_count || result != 0)
			continue;
		result = open_missing(s, l, &o->all[o->count], err);
		o->count += result == 0;
	}
	if (o->count > 0 && result == 0) {
		sockets_use(s, s->model, o);
		loops_adopt(s, s->model, o);
	}
	loops_free_openings(o, result != 0);
	free(o);
	return result;
}
