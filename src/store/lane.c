#include "store/lane.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/hmac.h"
#include "base/memory.h"
#include "base/must.h"
#include "store/member.h"
#include "store/peer_in.h"
#include "store/peer_out.h"

static struct ledger *ledger_of(const struct lane *l)
{
	return l->member->ledger;
}

/* Whatever --sync says: the ledger tells when a write counts as kept. Without always that is
 * when the system has it, so that what was answered outlives the process. */
static bool waits_for_ledger(const struct lane *l)
{
	return ledger_of(l) != NULL;
}

uint64_t lane_jitter(struct lane *l, uint64_t ms)
{
	return ms - ms / 4 + hash_mix(l->random++) % (ms / 2 + 1);
}

/* ---- notes ---- */

static void let_go(struct lane_note *n)
{
	if (n->fd >= 0)
		close(n->fd);
}

static void run_note(struct loop_job *job)
{
	struct lane_note *n = CONTAINER_OF(job, struct lane_note, job);

	if (n->lane->ended)
		let_go(n);
	else
		n->run(n->lane, n);
	free(n->bytes);
	free(n);
}

void lane_tell(struct lane *from, struct lane *to, const struct lane_note *note)
{
	struct lane_note *copy;

	if (from == to) {
		note->run(to, note);
		free(note->bytes);
		return;
	}
	copy = memory_new(1, sizeof *copy);	/* a lane that missed one would be
						 * wrong for ever */
	*copy = *note;
	copy->lane = to;
	copy->job.run = run_note;
	loop_post(to->loop, &copy->job);
}

void lane_bury(struct lane *l, struct lane_grave *g, void (*bury)(struct lane_grave *g))
{
	g->bury = bury;
	list_push_last(&l->buried, &g->link);
	lane_at_end(l);
}

static void bury_all(struct lane *l)
{
	while (!list_empty(&l->buried)) {
		struct lane_grave *g = CONTAINER_OF(l->buried.next, struct lane_grave,
						    link);
		list_remove(&g->link);
		g->bury(g);
	}
}

/* ---- writes ---- */

static void keep(struct lane *l, const struct store_item *item)
{
	if (ledger_of(l) == NULL)
		return;
	ledger_append(ledger_of(l), l->number, ++l->ledger_seq, item);
	lane_at_end(l);
}

struct pending_mark lane_record(struct lane *l, const struct store_item *item)
{
	struct pending_mark mark = {0, 0};
	struct kv_message m = {
		.type = KV_REPLICATE, .kind = item->deleted ? KV_KIND_DELETED : KV_KIND_SET,
		.version = item->version, .expires_ms = item->expires_ms,
		.key = item->key, .value = item->value,
	};

	keep(l, item);
	if (waits_for_ledger(l))
		mark.kept = l->ledger_seq;
	if (list_empty(&l->peers))
		return mark;
	mark.seq = replog_append(&l->log, &m);
	if (mark.seq == 0)		/* no memory: a look at all peers
					 * later finds it */
		peer_out_offer_soon(l);
	count_up(&l->counts.replicated_out);
	lane_look_at_acks(l);		/* somebody may be too far behind now */
	return mark;
}

void lane_record_foreign(struct lane *l, const struct store_item *item)
{
	keep(l, item);
}

/* ---- answers ---- */

static void look_whether_full(struct lane *l)
{
	struct channel *c = &l->uplink.channel;

	if (pending_bytes(&l->pending) > LANE_PENDING_BYTES_MAX || l->ledger_is_full)
		channel_pause(c, CHANNEL_PAUSE_OWNER);
	else if (pending_bytes(&l->pending) <= LANE_PENDING_BYTES_MAX / 2)
		channel_resume(c, CHANNEL_PAUSE_OWNER);
}

void lane_answer(struct lane *l, unsigned flags, struct pending_mark mark,
		 const struct kv_message *answer)
{
	enum pending_promise promise = PENDING_HERE;
	struct channel *c = &l->uplink.channel;

	if (mark.seq != 0 && (flags & KV_ACK_ALL))
		promise = PENDING_ALL;
	else if (mark.seq != 0 && (flags & KV_ACK_ONE))
		promise = PENDING_ONE;
	else
		mark.seq = 0;
	if (promise == PENDING_HERE && mark.kept <= l->durable_seq) {
		channel_send(c, answer);
		return;
	}
	struct span bytes = {l->answer, kv_wire_write(answer, l->answer)};
	if (!pending_add(&l->pending, promise, mark, bytes))
		uplink_rejoin(&l->uplink, "out of memory");
	lane_look_at_acks(l);
	look_whether_full(l);
}

void lane_look_at_acks(struct lane *l)
{
	l->look_at_acks = true;
	lane_at_end(l);
}

static void release(struct lane *l, enum pending_promise promise, uint64_t seq)
{
	struct pending_mark reached = {
		seq, waits_for_ledger(l) ? l->durable_seq : UINT64_MAX,
	};
	struct span answer;

	while (pending_first(&l->pending, promise, reached, &answer)) {
		channel_send_bytes(&l->uplink.channel, answer);
		/* Its loss has emptied the queue. */
		if (!channel_is_open(&l->uplink.channel))
			return;
		pending_drop(&l->pending, promise);
	}
}

static void release_all(struct lane *l)
{
	struct peer_out_reached reached;

	l->look_at_acks = false;
	peer_out_trim(l);
	reached = peer_out_reached(l);
	release(l, PENDING_HERE, UINT64_MAX);
	release(l, PENDING_ONE, reached.one);
	release(l, PENDING_ALL, reached.all);
	count_set(&l->counts.waiting, l->pending.count);
	look_whether_full(l);
}

/* Their results are made BUSY in place: the write is here, but not everywhere. */
void lane_break_promises(struct lane *l)
{
	struct pending_mark all = {UINT64_MAX, UINT64_MAX};
	struct span answer;
	struct kv_message m;
	const char *why;
	size_t used;

	while (pending_first(&l->pending, PENDING_ALL, all, &answer)) {
		if (kv_wire_parse(&m, answer.at, answer.len, &used, &why) ==
		    KV_PARSE_DONE) {
			m.result = KV_BUSY;
			channel_send(&l->uplink.channel, &m);
		}
		if (!channel_is_open(&l->uplink.channel))
			return;
		pending_drop(&l->pending, PENDING_ALL);
	}
}

/* ---- the ledger ---- */

static void on_durable(struct loop_job *job)
{
	struct lane *l = CONTAINER_OF(job, struct lane, durable.job);

	__atomic_store_n(&l->durable.posted, false, __ATOMIC_SEQ_CST);
	l->durable_seq = __atomic_load_n(&l->durable.seq, __ATOMIC_SEQ_CST);
	if (!l->ended)
		lane_look_at_acks(l);
}

void lane_on_durable(struct lane *l, uint64_t seq)
{
	__atomic_store_n(&l->durable.seq, seq, __ATOMIC_SEQ_CST);
	if (!__atomic_exchange_n(&l->durable.posted, true, __ATOMIC_SEQ_CST))
		loop_post(l->loop, &l->durable.job);
}

static void look_at_ledger(struct lane *l)
{
	bool full;

	if (ledger_of(l) == NULL)
		return;
	ledger_flush(ledger_of(l), l->number);
	full = ledger_is_full(ledger_of(l));
	if (full)
		loop_timer_start(l->loop, &l->ledger_timer, LANE_LEDGER_LOOK_MS);
	if (full == l->ledger_is_full)
		return;
	l->ledger_is_full = full;
	peer_in_pause_all(l, full);
	look_whether_full(l);
}

static void on_ledger_time(struct loop_timer *t)
{
	lane_at_end(CONTAINER_OF(t, struct lane, ledger_timer));
}

/* ---- the end of a turn ---- */

/* Writes go to the peers before the balancer hears of them: who dies in between has told
 * too much rather than too little. */
static void on_end(struct loop_task *t)
{
	struct lane *l = CONTAINER_OF(CONTAINER_OF(t, struct channel_turn, end),
				      struct lane, turn);

	look_at_ledger(l);
	peer_out_replicate(l);
	peer_in_acknowledge(l);
	if (l->look_at_acks)
		release_all(l);
	channel_flush_all(&l->turn);
	if (l->look_at_memory) {
		l->look_at_memory = false;
		member_look_at_memory(l->member, l);
	}
	bury_all(l);
}

int lane_init(struct lane *l, struct member *m, unsigned number, struct err *err)
{
	*l = (struct lane){.member = m, .number = number};
	l->loop = loop_create(err);
	if (l->loop == NULL)
		return -1;
	l->turn.scratch = malloc(CHANNEL_SCRATCH_BYTES);
	if (l->turn.scratch == NULL) {
		loop_destroy(l->loop);
		return err_set(err, "out of memory");
	}
	l->turn.loop = l->loop;
	l->turn.refused = &l->counts.bad_input;
	list_init(&l->turn.unsent);
	loop_task_init(&l->turn.end, on_end);
	list_init(&l->peers);
	list_init(&l->visitors_in);
	list_init(&l->buried);
	replog_init(&l->log);
	loop_timer_init(&l->ledger_timer, on_ledger_time);
	l->durable.job.run = on_durable;
	hmac_random(&l->random, sizeof l->random);
	uplink_init(&l->uplink, l);
	return 0;
}

void lane_fini(struct lane *l)
{
	uplink_stop(&l->uplink);
	peer_out_remove_all(l);
	peer_in_close_all(l);
	loop_timer_stop(l->loop, &l->ledger_timer);
	l->ended = true;
	bury_all(l);
	loop_task_cancel(&l->turn.end);
	loop_destroy(l->loop);
	replog_fini(&l->log);
	pending_fini(&l->pending);
	bytes_fini(&l->held);
	free(l->turn.scratch);
}
