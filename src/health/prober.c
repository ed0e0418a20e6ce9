/* health/prober.c - who is asked when, and what follows from the answers.
 *
 * Each server of the model has one struct checked_server, found by live->prober.
 * Its timer means the next probe where the pool has a check, and the end of a mark
 * where it has none.
 */
#include "health/prober.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/hash.h"
#include "base/list.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/must.h"
#include "base/slab.h"
#include "base/text.h"
#include "health/probe.h"
#include "health/verdict.h"

/* Periods are shorter than `every` by up to one part in so many. */
enum { JITTER_PART = 16 };

struct checked_server {
	struct link link;		/* in prober.servers */
	struct link waiting;		/* in prober.waiting, or in none */
	struct prober      *prober;	/* borrowed */
	struct live_server *live;	/* borrowed: prober.model holds it */
	const struct model_pool *pool;	/* likewise */
	uint32_t index;			/* in the pool */
	uint32_t generation;		/* of the last model that had it */
	uint32_t rounds;		/* of its timer, since the check began */
	struct loop_timer timer;
	struct probe     *probe;	/* owned, NULL when none is under way */
	struct verdict    verdict;
	bool could_not_probe;		/* said so already */
};

struct prober {
	struct loop        *loop;	/* borrowed */
	struct prober_hooks hooks;
	const struct model *model;	/* held, NULL at first */
	uint32_t            generation;	/* one more with each model */
	struct link         servers;
	struct link         waiting;	/* for one of PROBES_MAX to end */
	bool                serving;	/* serve_waiting is at work */
	struct slab         probes;
	uint32_t            under_way;
};

static bool has_check(const struct checked_server *c)
{
	return c->pool->check.kind != CHECK_OFF;
}

static bool has_address(const struct checked_server *c)
{
	return atomic_load_explicit(&c->live->address, memory_order_acquire) != NULL;
}

static bool is_up(const struct checked_server *c)
{
	return atomic_load_explicit(&c->live->up, memory_order_relaxed);
}

static void set_reason(struct checked_server *c, const char *reason)
{
	snprintf(c->live->reason, sizeof c->live->reason, "%s", reason);
}

/* The one place that makes a verdict known. `evidence` is "" or more logfmt. */
static void publish(struct checked_server *c, const char *reason, const char *evidence)
{
	const struct prober_hooks *hooks = &c->prober->hooks;
	bool up = c->verdict.up;

	live_server_set_up(c->live, up);
	set_reason(c, reason);
	log_write(up ? LOG_LEVEL_INFO : LOG_LEVEL_WARN,
		  "server is %s pool=%s server=%s reason=\"%s\"%s", up ? "up" : "down",
		  c->live->pool, c->live->text, c->live->reason, evidence);
	if (hooks->published != NULL)
		hooks->published(hooks->arg, c->live, up, c->live->reason);
}

static void tell(const struct checked_server *c, bool good, const char *reason)
{
	const struct prober_hooks *hooks = &c->prober->hooks;

	if (hooks->judged != NULL)
		hooks->judged(hooks->arg, c->live, good, reason);
}

/* It comes up without a probe. */
static void publish_up(struct checked_server *c, const char *reason)
{
	verdict_force(&c->verdict, true);
	publish(c, reason, "");
	tell(c, true, reason);
}

/* The data path has set it down; the verdict follows. */
static void take_mark(struct checked_server *c, const char *reason)
{
	char evidence[48];

	verdict_force(&c->verdict, false);
	snprintf(evidence, sizeof evidence, " requests_failed=%u",
		 (unsigned)c->pool->passive_fails);
	publish(c, reason, evidence);
}

/* The end of a mark where no check can bring the server back. */
static void lift_mark(struct checked_server *c)
{
	uint32_t fails = c->pool->passive_fails;

	if (is_up(c) || !has_address(c))
		return;
	publish_up(c, "given another try");
	if (fails > 0)		/* half open: the next failure marks it again */
		atomic_store_explicit(&c->live->failures_in_row, fails - 1,
				      memory_order_relaxed);
}

/* The first result after it has got an address decides alone. */
static void set_unresolved(struct checked_server *c)
{
	static const char reason[] = "name not resolved yet";
	bool known = !c->verdict.up && !is_up(c);

	verdict_init(&c->verdict, false, c->verdict.rise, c->verdict.fall);
	if (known)
		set_reason(c, reason);
	else
		publish(c, reason, "");
}

static void judge(struct checked_server *c, bool good, const char *reason)
{
	char text[LIVE_REASON_MAX], evidence[48];

	/* A mark whose message is still on its way: it counts before this result. */
	if (c->verdict.up && !is_up(c))
		take_mark(c, "requests failed");

	bool first = c->verdict.first;
	unsigned results = first ? 1 : good ? c->verdict.rise : c->verdict.fall;
	if (!verdict_feed(&c->verdict, good)) {
		if (first)
			set_reason(c, reason);
	} else if (good) {
		snprintf(text, sizeof text, "%s after %u good check%s", reason, results,
			 results == 1 ? "" : "s");
		publish(c, text, "");
	} else {
		snprintf(evidence, sizeof evidence, " checks_failed=%u", results);
		publish(c, reason, evidence);
	}
	tell(c, good, reason);
}

/* Our own lack of something is no fault of the server: said once, judged never. */
static void could_not_probe(struct checked_server *c, const char *reason)
{
	if (!c->could_not_probe)
		log_warn("server cannot be checked pool=%s server=%s reason=\"%s\"",
			 c->live->pool, c->live->text, reason);
	c->could_not_probe = true;
}

/* Cancels what is under way or waiting. */
static void end_probe(struct checked_server *c)
{
	list_remove(&c->waiting);
	if (c->probe == NULL)
		return;
	probe_cancel(c->probe);
	slab_put(&c->prober->probes, c->probe);
	c->probe = NULL;
	c->prober->under_way--;
}

static void serve_waiting(struct prober *p);

static void on_probed(struct probe *probe, enum probe_decision decision,
		      const char *reason)
{
	struct checked_server *c = probe->arg;
	struct prober *p = c->prober;
	char why[PROBE_REASON_MAX];

	snprintf(why, sizeof why, "%s", reason);
	if (decision == PROBE_GOOD && probe->kind == CHECK_HTTP &&
	    probe->answer.expect == EXPECT_LOAD) {
		atomic_store_explicit(&c->live->load_errors, probe->answer.load_errors,
				      memory_order_relaxed);
		atomic_store_explicit(&c->live->load_total, probe->answer.load_total,
				      memory_order_relaxed);
	}
	end_probe(c);
	if (decision == PROBE_UNDECIDED) {
		could_not_probe(c, why);
	} else {
		c->could_not_probe = false;
		judge(c, decision == PROBE_GOOD, why);
	}
	serve_waiting(p);
}

/* Begins a probe; there is room for one more. */
static void start_probe(struct checked_server *c)
{
	struct prober *p = c->prober;
	const struct address *to = atomic_load_explicit(&c->live->address,
							memory_order_acquire);
	if (to == NULL) {
		set_unresolved(c);
		return;
	}
	c->probe = slab_get(&p->probes);
	if (c->probe == NULL) {
		could_not_probe(c, "out of memory");
		return;
	}
	p->under_way++;
	probe_init(c->probe, p->loop, on_probed, c);
	probe_start(c->probe, &c->pool->check, to, c->live->text);
}

/* Not recursive, though a probe that ends at once leads here again. */
static void serve_waiting(struct prober *p)
{
	if (p->serving)
		return;
	p->serving = true;
	while (p->under_way < PROBES_MAX && !list_empty(&p->waiting)) {
		struct checked_server *c = CONTAINER_OF(p->waiting.next,
							struct checked_server, waiting);
		list_remove(&c->waiting);
		start_probe(c);
	}
	p->serving = false;
}

/* Probes it now, or as soon as others have ended. */
static void ask(struct checked_server *c)
{
	if (c->probe != NULL || !list_empty(&c->waiting))
		return;
	list_push_last(&c->prober->waiting, &c->waiting);
	serve_waiting(c->prober);
}

/* After the first round, which asks all at once, the servers of a pool have their
 * places in the period, and no two drift in step. Never later than `every`. */
static uint64_t next_round_ms(struct checked_server *c)
{
	uint64_t every = c->pool->check.every_ms, delay;

	if (c->rounds == 0)
		delay = every * (c->index + 1) / c->pool->server_count;
	else
		delay = every - hash_pair(c->live->seed, c->rounds) %
				(every / JITTER_PART + 1);
	c->rounds++;
	return delay > 0 ? delay : 1;
}

static void on_due(struct loop_timer *t)
{
	struct checked_server *c = CONTAINER_OF(t, struct checked_server, timer);

	if (!has_check(c)) {
		lift_mark(c);
		return;
	}
	loop_timer_start(c->prober->loop, &c->timer, next_round_ms(c));
	ask(c);
}

/* Thresholds aside: those do not change what is asked. */
static bool asks_the_same(const struct model_check *a, const struct model_check *b)
{
	return a->kind == b->kind && a->expect == b->expect &&
	       a->status_min == b->status_min && a->status_max == b->status_max &&
	       a->every_ms == b->every_ms && a->timeout_ms == b->timeout_ms &&
	       text_equals(a->path, b->path) && text_equals(a->host, b->host);
}

static struct checked_server *remember(struct prober *p, struct live_server *s,
				       const struct model_pool *pool)
{
	struct checked_server *c = memory_new(1, sizeof *c);

	c->prober = p;
	c->live = s;
	c->pool = pool;
	list_init(&c->waiting);
	loop_timer_init(&c->timer, on_due);
	verdict_init(&c->verdict, is_up(c), pool->check.rise, pool->check.fall);
	list_push_last(&p->servers, &c->link);
	s->prober = c;
	return c;
}

static void forget(struct checked_server *c)
{
	end_probe(c);
	loop_timer_stop(c->prober->loop, &c->timer);
	list_remove(&c->link);
	c->live->prober = NULL;
	free(c);
}

/* A check that is new, another one, or gone. */
static void begin_check(struct checked_server *c)
{
	struct loop *l = c->prober->loop;

	end_probe(c);
	loop_timer_stop(l, &c->timer);
	c->rounds = 0;
	/* At 1 ms, so in the next turn: this one may have begun long ago, and time
	 * limits count from its beginning. */
	if (has_check(c))
		loop_timer_start(l, &c->timer, 1);
	else if (!is_up(c))
		loop_timer_start(l, &c->timer, c->pool->passive_ms);
	if (!has_address(c))
		set_unresolved(c);
}

static void adopt(struct prober *p, const struct model_pool *pool, uint32_t index)
{
	struct live_server *s = pool->servers[index].live;
	struct checked_server *c = s->prober;
	bool as_before = c != NULL && asks_the_same(&c->pool->check, &pool->check);

	if (c == NULL)
		c = remember(p, s, pool);
	c->pool = pool;
	c->index = index;
	c->generation = p->generation;
	verdict_tune(&c->verdict, pool->check.rise, pool->check.fall);
	if (!as_before)
		begin_check(c);
}

static void forget_those_before(struct prober *p, uint32_t generation)
{
	LIST_EACH(&p->servers, it, next) {
		struct checked_server *c = CONTAINER_OF(it, struct checked_server, link);
		if (c->generation < generation)
			forget(c);
	}
}

struct prober *prober_create(struct loop *loop, const struct prober_hooks *hooks)
{
	struct prober *p = memory_new(1, sizeof *p);

	p->loop = loop;
	p->hooks = *hooks;
	list_init(&p->servers);
	list_init(&p->waiting);
	slab_init(&p->probes, sizeof(struct probe));
	return p;
}

void prober_destroy(struct prober *p)
{
	forget_those_before(p, UINT32_MAX);
	model_put(p->model);
	slab_fini(&p->probes);
	free(p);
}

void prober_use(struct prober *p, const struct model *m)
{
	const struct model *before = p->model;	/* holds what is compared and forgotten */

	p->model = model_get(m);
	p->generation++;
	for (uint32_t i = 0; i < m->pool_count; i++)
		for (uint32_t j = 0; j < m->pools[i].server_count; j++)
			if (!model_pool_is_kv(m, i))	/* those tell themselves how they are */
				adopt(p, &m->pools[i], j);
	forget_those_before(p, p->generation);
	model_put(before);
	serve_waiting(p);	/* those that were ended have made room */
}

bool prober_knows_all(const struct prober *p)
{
	LIST_EACH(&p->servers, it, next) {
		const struct checked_server *c =
			CONTAINER_OF(it, struct checked_server, link);
		if (has_check(c) && has_address(c) && c->verdict.first)
			return false;
	}
	return true;
}

void prober_check_pool(struct prober *p, struct live_pool *pool)
{
	if (p->model == NULL)
		return;
	for (uint32_t i = 0; i < p->model->pool_count; i++) {
		const struct model_pool *at = &p->model->pools[i];
		if (at->live != pool || at->check.kind == CHECK_OFF)
			continue;
		for (uint32_t j = 0; j < at->server_count; j++)
			ask(at->servers[j].live->prober);
	}
}

void prober_check_server(struct prober *p, struct live_server *s)
{
	struct checked_server *c = s->prober;

	if (c == NULL || !has_address(c))
		return;
	must(c->prober == p);
	if (has_check(c)) {
		ask(c);
	} else if (!is_up(c) && !c->timer.armed) {
		publish_up(c, "name resolved");
	}
}

void prober_on_proof(struct prober *p, struct live_server *s)
{
	struct checked_server *c = s->prober;

	if (c == NULL || has_check(c) || is_up(c) || !has_address(c))
		return;
	must(c->prober == p);
	loop_timer_stop(p->loop, &c->timer);
	publish_up(c, "answered");
}

void prober_on_passive_mark(struct prober *p, struct live_server *s,
			    enum live_failure why)
{
	struct checked_server *c = s->prober;

	if (c == NULL)		/* the model has lost it meanwhile */
		return;
	if (c->verdict.up && !is_up(c))
		take_mark(c, live_failure_text(why));
	if (has_check(c))
		ask(c);
	else if (!is_up(c) && has_address(c) && !c->timer.armed)
		loop_timer_start(p->loop, &c->timer, c->pool->passive_ms);
}
