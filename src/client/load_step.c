/* client/load_step.c - what connections of the load do: ask, judge what is answered, and
 * come back when they are lost. load.c has the rest.
 *
 * Invariant: load->under_way is the sum of all talks' waiting requests.
 * Thread: the loop's.
 */
#include <stdlib.h>

#include "base/hash.h"
#include "base/memory.h"
#include "base/must.h"
#include "client/load_inside.h"

static struct load_operation *operation_of(struct load_connection *c, uint32_t tag)
{
	return &c->operations[tag & (c->talk.asking.depth - 1)];
}

/* ---- asking ---- */

static bool may_ask(const struct load *l)
{
	return l->state == LOAD_RUNNING &&
	       (l->options->count == 0 || l->figures.asked < l->options->count);
}

/* begun_us: when it was to begin, which with --rate may be earlier than it could. */
static void ask_one(struct load_connection *c, uint64_t begun_us)
{
	struct load *l = c->load;
	struct load_step step = load_plan_next(&l->plan, c->index, c->nth++);
	struct request r = {
		.verb = step.writes ? KV_VERB_SET : KV_VERB_GET,
		.key = {l->key, l->values.key_size},
		.value = {l->value, 0},
	};

	load_key_write(&l->values, step.key, l->key);
	if (step.writes)
		r.value.len = load_value_write(&l->values, step.key, step.id, l->value);
	uint32_t tag = talk_ask(&c->talk, &r);
	*operation_of(c, tag) = (struct load_operation){step, begun_us};
	l->figures.asked++;
	l->under_way++;
	if (l->options->count > 0 && l->figures.asked == l->options->count)
		load_end(l);
}

static bool has_room(const struct load_connection *c)
{
	return c->talk.state == TALK_OPEN && !c->talk.stopping &&
	       asking_has_room(&c->talk.asking) &&
	       c->talk.asking.waiting < c->load->options->pipeline;
}

void load_fill(struct load_connection *c)
{
	struct load *l = c->load;

	if (l->options->rate > 0) {
		if (has_room(c) && list_empty(&c->idle))
			list_push_last(&l->idle, &c->idle);
		load_fill_due(l);
		return;
	}
	while (may_ask(l) && has_room(c))
		ask_one(c, loop_clock_us());
}

void load_fill_due(struct load *l)
{
	uint64_t rate = l->options->rate;

	while (may_ask(l) && !list_empty(&l->idle)) {
		/* In two parts, so that a long run at a high rate does not overflow. */
		uint64_t asked = l->figures.asked;
		uint64_t due_us = l->figures.begun_us + asked / rate * 1000000 +
				  asked % rate * 1000000 / rate;
		if (due_us > loop_clock_us())
			return;
		struct load_connection *c = CONTAINER_OF(l->idle.next,
							 struct load_connection, idle);
		list_remove(&c->idle);
		if (!has_room(c))
			continue;	/* the balancer leaves */
		ask_one(c, due_us);
		if (has_room(c))
			list_push_last(&l->idle, &c->idle);
	}
}

/* ---- answers ---- */

/* What is wrong with a value is said, for the first few. */
static void complain(struct load *l, const struct load_operation *o, uint32_t id,
		     enum load_verdict verdict)
{
	if (l->complaints++ >= LOAD_COMPLAINTS_MAX)
		return;
	load_key_write(&l->values, o->step.key, l->key);
	load_progress_clear(&l->progress, stderr);
	fprintf(stderr, "kv-client: wrong value for key %.*s: ", (int)l->values.key_size,
		l->key);
	if (verdict == LOAD_FOREIGN)
		fputs("it was never written for this key\n", stderr);
	else if (verdict == LOAD_VANISHED)
		fprintf(stderr, "none, though number %u was written\n", o->step.id);
	else if (verdict == LOAD_STALE)
		fprintf(stderr, "number %u, though number %u was written before the read "
			"began\n", id, o->step.id);
	else
		fprintf(stderr, "number %u, which was not written yet\n", id);
}

/* Returns the id of the value read, 0 if there is none; *result is changed where the
 * answer is not just fine. */
static uint32_t take_read(struct load *l, const struct load_operation *o,
			  const struct answer *a, const char **result)
{
	bool found = a->result == KV_FINE;
	uint32_t id = 0;

	if (!found) {
		l->figures.missing++;
		*result = "missing";
	}
	if (l->options->verify == VERIFY_NOTHING && l->history == NULL)
		return 0;
	if (found && !load_value_recognise(&l->values, o->step.key, a->value, &id))
		*result = "foreign";
	if (l->options->verify == VERIFY_NOTHING)
		return id;
	enum load_verdict verdict = load_plan_judge(&l->plan, &o->step, found, id);
	l->figures.verdicts[verdict]++;
	if (verdict != LOAD_RIGHT)
		complain(l, o, id, verdict);
	else if (found)
		l->figures.recognised++;
	return id;
}

static void remember(struct load_connection *c, const struct load_operation *o,
		     struct load_event *e)
{
	struct load *l = c->load;

	if (l->history == NULL)
		return;
	e->connection = c->index;
	load_key_write(&l->values, o->step.key, l->key);
	load_history_write(l->history, (struct span){l->key, l->values.key_size}, o, e);
}

static void on_answer(struct talk *t, uint32_t tag, const struct answer *a)
{
	struct load_connection *c = CONTAINER_OF(t, struct load_connection, talk);
	struct load *l = c->load;
	struct load_operation o = *operation_of(c, tag);
	struct load_event e = {.done_us = loop_clock_us(), .version = a->version,
			       .result = "ok", .id = o.step.writes ? o.step.id : 0};
	bool good = a->result == KV_FINE || (a->result == KV_NOT_FOUND && !o.step.writes);

	l->under_way--;
	l->figures.answered++;
	c->retry_ms = LOAD_RETRY_MS_MIN;
	if (!good) {
		l->figures.errors[a->result < KV_RESULTS ? a->result : KV_PROTOCOL]++;
		e.result = kv_wire_result_text(a->result);
	} else {
		histogram_add(&l->figures.took_us[o.step.writes ? LOAD_PUT : LOAD_GET],
			      e.done_us - o.begun_us);
		if (o.step.writes)
			load_plan_written(&l->plan, &o.step);
		else
			e.id = take_read(l, &o, a, &e.result);
	}
	remember(c, &o, &e);
	if (l->state == LOAD_RUNNING)
		load_fill(c);
	else if (l->under_way == 0)
		load_end(l);
}

/* ---- coming and going ---- */

static void on_retry(struct loop_timer *timer)
{
	struct load_connection *c = CONTAINER_OF(timer, struct load_connection, retry);

	talk_open(&c->talk);
}

/* Each connection counts once here; the last one begins the run. The first opens a
 * number of others, each of which opens one more, so that DIALS_MAX are under way. */
static void tried(struct load_connection *c)
{
	struct load *l = c->load;

	if (c->tried)
		return;
	c->tried = true;
	l->tried++;
	while (l->opened < l->options->connections &&
	       l->opened - l->tried < LOAD_DIALS_MAX)
		talk_open(&l->connections[l->opened++].talk);
	if (l->tried == l->options->connections && l->state == LOAD_OPENING)
		load_begin(l);
}

static void on_open(struct talk *t)
{
	struct load_connection *c = CONTAINER_OF(t, struct load_connection, talk);
	struct load *l = c->load;

	c->stood = true;
	l->standing++;
	l->figures.version = t->version;
	loop_timer_stop(l->loop, &l->alone);
	if (c->tried)
		l->figures.reconnected++;
	else
		l->figures.connected++;
	if (l->state == LOAD_RUNNING)
		load_fill(c);
	tried(c);
}

static void lose_operations(struct load_connection *c)
{
	struct load *l = c->load;
	const struct asking *x = &c->talk.asking;

	for (uint32_t tag = x->first; tag != x->next; tag++) {
		if (!asking_is_pending(x, tag))
			continue;
		const struct load_operation *o = operation_of(c, tag);
		struct load_event e = {.result = "lost",
				       .id = o->step.writes ? o->step.id : 0};
		remember(c, o, &e);
		l->figures.unanswered++;
		l->under_way--;
	}
}

static void on_lost(struct talk *t, enum talk_loss loss)
{
	struct load_connection *c = CONTAINER_OF(t, struct load_connection, talk);
	struct load *l = c->load;

	l->figures.lost[loss]++;
	list_remove(&c->idle);
	lose_operations(c);
	asking_reset(&c->talk.asking);
	if (c->stood && --l->standing == 0)
		loop_timer_start(l->loop, &l->alone, l->options->timeout_ms);
	c->stood = false;
	l->failure = t->why;
	if (l->figures.connected == 0) {
		load_fail(l, &t->why);	/* the first one: there is no balancer */
		return;
	}
	if (l->state != LOAD_ENDING) {
		/* Not all at the same moment, when all are lost at the same moment. */
		uint32_t extra = (uint32_t)(hash_pair(c->index, loop_clock_us()) %
					    c->retry_ms);
		loop_timer_start(l->loop, &c->retry, c->retry_ms + extra);
		c->retry_ms = c->retry_ms * 2 < LOAD_RETRY_MS_MAX ? c->retry_ms * 2
								  : LOAD_RETRY_MS_MAX;
	} else if (l->under_way == 0) {
		load_end(l);
	}
	tried(c);
}

static const struct talk_hooks hooks = {
	.on_open = on_open, .on_answer = on_answer, .on_lost = on_lost,
};

void load_connection_init(struct load *l, uint64_t index)
{
	struct load_connection *c = &l->connections[index];

	*c = (struct load_connection){
		.load = l, .index = index, .retry_ms = LOAD_RETRY_MS_MIN,
	};
	talk_init(&c->talk, &l->balancer, &hooks, (uint32_t)l->options->pipeline);
	c->operations = memory_new(c->talk.asking.depth, sizeof *c->operations);
	loop_timer_init(&c->retry, on_retry);
	list_init(&c->idle);
}

void load_connection_fini(struct load_connection *c)
{
	lose_operations(c);
	asking_reset(&c->talk.asking);
	loop_timer_stop(c->load->loop, &c->retry);
	talk_fini(&c->talk);
	free(c->operations);
}
