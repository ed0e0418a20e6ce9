#include "kv/roll.h"

#include <stdlib.h>

#include "base/memory.h"
#include "base/must.h"

/* What a worker is told at most in one piece: each of the others, and a
 * frame around them. */
enum { MESSAGES_MAX = KV_WORKERS_MAX + 3 };

static struct kv_worker *worker_of(struct link *link)
{
	return CONTAINER_OF(link, struct kv_worker, link);
}

void kv_roll_init(struct kv_roll *roll,
		  void (*say)(void *arg, const struct kv_worker *to,
			      const struct kv_message *messages, uint32_t count),
		  void *arg)
{
	*roll = (struct kv_roll){.say = say, .arg = arg};
	list_init(&roll->workers);
}

static void strike(struct kv_roll *roll, struct kv_worker *w)
{
	roll->count -= w->listed;
	list_remove(&w->link);
	free(w);
}

void kv_roll_fini(struct kv_roll *roll)
{
	LIST_EACH(&roll->workers, it, next)
		strike(roll, worker_of(it));
}

/* ---- finding ---- */

struct kv_worker *kv_roll_find(const struct kv_roll *roll, uint32_t id)
{
	LIST_EACH((struct link *)(uintptr_t)&roll->workers, it, next)
		if (worker_of(it)->id == id)
			return worker_of(it);
	return NULL;
}

struct kv_worker *kv_roll_find_link(const struct kv_roll *roll, uint8_t hub,
				    uint32_t link)
{
	LIST_EACH((struct link *)(uintptr_t)&roll->workers, it, next) {
		struct kv_worker *w = worker_of(it);
		for (uint32_t i = 0; i < w->lanes; i++)
			if (w->links[i].there && w->links[i].hub == hub &&
			    w->links[i].link == link)
				return w;
	}
	return NULL;
}

static bool has_address(const struct kv_roll *roll, const struct address *peer)
{
	LIST_EACH((struct link *)(uintptr_t)&roll->workers, it, next)
		if (address_equals(&worker_of(it)->peer, peer))
			return true;
	return false;
}

void kv_roll_count(const struct kv_roll *roll, uint32_t *listed, uint32_t *ready,
		   uint32_t *version_1)
{
	*listed = *ready = *version_1 = 0;
	LIST_EACH((struct link *)(uintptr_t)&roll->workers, it, next) {
		const struct kv_worker *w = worker_of(it);
		*listed += w->listed;
		*ready += w->state == KV_ROLL_READY;
		*version_1 += w->listed && w->speaks == 1;
	}
}

/* ---- joining ---- */

static struct kv_worker *refuse(enum kv_result *code, const char **why, const char *text)
{
	*code = KV_PROTOCOL;
	*why = text;
	return NULL;
}

static struct kv_worker *enroll(struct kv_roll *roll, const struct kv_notice *n)
{
	struct kv_worker *w = memory_new(1, sizeof *w);

	w->id = n->worker;
	w->speaks = n->speaks;
	w->lanes = n->lanes;
	w->peer = n->peer;
	list_push_last(&roll->workers, &w->link);
	return w;
}

struct kv_worker *kv_roll_join(struct kv_roll *roll, const struct kv_notice *n,
			       enum kv_result *code, const char **why)
{
	struct kv_worker *w = kv_roll_find(roll, n->worker);

	if (w != NULL && (w->lanes_there == w->lanes || w->lanes != n->lanes ||
			  w->speaks != n->speaks || w->links[n->lane].there ||
			  !address_equals(&w->peer, &n->peer)))
		return refuse(code, why, "another worker of the pool has this id; choose "
			      "another one (kv-worker --id N)");
	if (w == NULL && has_address(roll, &n->peer))
		return refuse(code, why,
			      "another worker of the pool has this peer address");
	if (w == NULL && roll->count >= KV_WORKERS_MAX)
		return refuse(code, why, "the pool has as many workers as it may");
	if (w == NULL)
		w = enroll(roll, n);
	w->links[n->lane] = (struct kv_worker_link){true, n->hub, n->link};
	w->lanes_there++;
	return w;
}

/* ---- telling ---- */

/* "There is this worker", in the words of who is told. The address is the host alone;
 * `host` holds its text. */
static struct kv_message entry_of(const struct kv_worker *about,
				  const struct kv_worker *to, bool fills,
				  char host[ADDRESS_HOST_MAX + 1])
{
	uint16_t port;

	address_split(&about->peer, host, &port);
	return (struct kv_message){
		.type = to->speaks >= 2 ? KV_PEER : KV_WORKER_ENTRY,
		.id = about->id, .speaks = about->speaks, .value = span_of(host), .port = port,
		.fills = fills,
	};
}

static struct kv_message start_of(const struct kv_roll *roll)
{
	return (struct kv_message){.type = KV_REGISTRY_START, .total = roll->count};
}

/* Tells one worker of another. */
static void tell_of(const struct kv_roll *roll, const struct kv_worker *to,
		    const struct kv_worker *about, bool fills)
{
	char host[ADDRESS_HOST_MAX + 1];
	struct kv_message messages[] = {
		start_of(roll),
		entry_of(about, to, fills, host),
		{.type = KV_REGISTRY_END},
	};

	roll->say(roll->arg, to, messages, COUNT_OF(messages));
}

/* Tells a newcomer of everybody. Version 1 has itself on the list; version 2 is
 * told who fills it. */
static void tell_newcomer(const struct kv_roll *roll, const struct kv_worker *w)
{
	struct kv_message *messages = memory_new(MESSAGES_MAX, sizeof *messages);
	char (*hosts)[ADDRESS_HOST_MAX + 1] = memory_new(MESSAGES_MAX, sizeof *hosts);
	uint32_t count = 0;

	messages[count++] = start_of(roll);
	LIST_EACH((struct link *)(uintptr_t)&roll->workers, it, next) {
		const struct kv_worker *other = worker_of(it);
		if (!other->listed || (other == w && w->speaks >= 2))
			continue;
		bool fills = w->speaks >= 2 && other == w->filler;
		messages[count] = entry_of(other, w, fills, hosts[count]);
		count++;
	}
	messages[count++] = (struct kv_message){.type = KV_REGISTRY_END};
	roll->say(roll->arg, w, messages, count);
	free(hosts);
	free(messages);
}

static uint32_t count_filled_by(const struct kv_roll *roll,
				const struct kv_worker *filler)
{
	uint32_t count = 0;

	LIST_EACH((struct link *)(uintptr_t)&roll->workers, it, next)
		count += worker_of(it)->state == KV_ROLL_FILLING &&
			 worker_of(it)->filler == filler;
	return count;
}

/* The ready one that fills the fewest, of the newcomer's version if there is one. */
static struct kv_worker *choose_filler(const struct kv_roll *roll,
				       const struct kv_worker *w)
{
	struct kv_worker *best = NULL;
	uint32_t best_cost = UINT32_MAX;

	LIST_EACH((struct link *)(uintptr_t)&roll->workers, it, next) {
		struct kv_worker *other = worker_of(it);
		if (other == w || other->state != KV_ROLL_READY)
			continue;
		uint32_t cost = count_filled_by(roll, other) +
				(other->speaks != w->speaks ? KV_WORKERS_MAX : 0);
		if (cost < best_cost) {
			best = other;
			best_cost = cost;
		}
	}
	return best;
}

void kv_roll_list(struct kv_roll *roll, struct kv_worker *w)
{
	must(w->lanes_there == w->lanes && !w->listed);
	w->listed = true;
	roll->count++;
	w->filler = choose_filler(roll, w);
	w->state = KV_ROLL_FILLING;
	LIST_EACH(&roll->workers, it, next) {
		const struct kv_worker *other = worker_of(it);
		if (other != w && other->listed)
			tell_of(roll, other, w, other == w->filler);
	}
	tell_newcomer(roll, w);
	if (w->speaks == 1)		/* it has said so already */
		kv_roll_set_ready(roll, w, true);
}

bool kv_roll_set_ready(struct kv_roll *roll, struct kv_worker *w, bool ready)
{
	enum kv_worker_state state = ready ? KV_ROLL_READY : KV_ROLL_FILLING;

	(void)roll;
	if (!w->listed || w->state == state)
		return false;
	w->state = state;
	return true;
}

/* ---- leaving ---- */

static void tell_gone(const struct kv_roll *roll, const struct kv_worker *to, uint32_t id)
{
	struct kv_message gone = {.type = KV_PEER_GONE, .id = id};

	if (to->speaks >= 2)		/* version 1 sees it by the
					 * connection between them */
		roll->say(roll->arg, to, &gone, 1);
}

/* Whoever was to be filled by one that has gone is told who does it now, or that nobody
 * does: a list without one. */
static void fill_anew(struct kv_roll *roll, struct kv_worker *w)
{
	struct kv_message nobody[] = {start_of(roll), {.type = KV_REGISTRY_END}};

	w->filler = choose_filler(roll, w);
	if (w->filler == NULL && w->speaks == 1)
		return;
	if (w->filler == NULL) {
		roll->say(roll->arg, w, nobody, COUNT_OF(nobody));
		return;
	}
	if (w->speaks >= 2)
		tell_of(roll, w, w->filler, true);
	tell_of(roll, w->filler, w, true);
}

void kv_roll_leave(struct kv_roll *roll, struct kv_worker *w)
{
	bool was_listed = w->listed;
	uint32_t id = w->id;
	struct kv_worker *gone = w;

	LIST_EACH(&roll->workers, it, next)
		if (worker_of(it) != w && was_listed && worker_of(it)->listed)
			tell_gone(roll, worker_of(it), id);
	roll->count -= w->listed;
	list_remove(&w->link);
	LIST_EACH(&roll->workers, it, next) {
		struct kv_worker *other = worker_of(it);
		if (other->filler != gone)
			continue;
		if (other->state == KV_ROLL_FILLING)
			fill_anew(roll, other);
		else
			other->filler = NULL;
	}
	free(w);
}
