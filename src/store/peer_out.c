#include "store/peer_out.h"

#include <stdlib.h>

#include "base/log.h"
#include "base/must.h"
#include "base/text.h"
#include "store/member.h"
#include "store/pool.h"

static void rest(struct peer_out *p);

static struct peer_out *peer_of(struct link *l)
{
	return CONTAINER_OF(l, struct peer_out, link);
}

static struct peer_out *of_channel(struct channel *c)
{
	return CONTAINER_OF(c, struct peer_out, channel);
}

static struct store *store_of(const struct peer_out *p)
{
	return p->lane->member->store;
}

static struct peer_out *find(struct lane *l, uint32_t id)
{
	LIST_EACH(&l->peers, it, next)
		if (peer_of(it)->id == id)
			return peer_of(it);
	return NULL;
}

/* The connection ends; its state begins anew, but for what the log has for it. */
static void cut(struct peer_out *p)
{
	if (p->state == PEER_OUT_DIALING)
		dial_cancel(&p->dial);
	channel_close(&p->channel);
	loop_timer_stop(p->lane->loop, &p->timer);
	loop_timer_stop(p->lane->loop, &p->pace);
	if (p->fill.state == SYNC_FILL_EXPORT)
		p->must_fill = true;
	else if (p->fill.state != SYNC_FILL_NONE)
		p->must_offer = true;
	sync_fill_stop(&p->fill);
	p->sent = p->acked;
	p->sent_seq = p->acked_seq;
	p->state = PEER_OUT_RESTING;
	lane_look_at_acks(p->lane);
}

static void failed(struct peer_out *p, const char *why)
{
	struct lane *l = p->lane;

	cut(p);
	p->failures++;
	if (p->failures == 1)
		log_warn("cannot connect to a peer reason=\"%s\" peer=%u at=%s lane=%u",
			 why, p->id, p->at.text, l->number);
	if (p->failures % PEER_FAILURES_MAX == 0 && l->number == 0)
		pool_peer_lost(l->member, p->id);
	rest(p);
}

static void on_lost(struct channel *c, const char *why)
{
	struct peer_out *p = of_channel(c);

	if (p->state != PEER_OUT_OPEN) {
		failed(p, why);
		return;
	}
	log_info("the connection to a peer is lost reason=\"%s\" peer=%u at=%s lane=%u",
		 why, p->id, p->at.text, p->lane->number);
	cut(p);
	/* What it got last is not known, and it may lack more than the log has. */
	p->must_offer = true;
	rest(p);
}

static void refuse(struct peer_out *p, enum kv_result code, const char *why)
{
	channel_refuse(&p->channel, code, why);
}

/* ---- what it is sent ---- */

static void on_filled(struct lane *l, const struct lane_note *n)
{
	struct peer_out *p = find(l, n->id);

	if (p != NULL)
		p->passing = false;
}

/* Whether the lane has served clients a moment ago. */
static bool serves(struct peer_out *p)
{
	const struct lane_counts *c = &p->lane->counts;
	uint64_t served = c->gets + c->sets + c->deletes + c->expires;
	uint64_t now_ms = loop_now_ms(p->lane->loop);

	if (served != p->served)
		p->served_ms = now_ms;
	p->served = served;
	return now_ms - p->served_ms < PEER_CALM_MS;
}

/* While clients are served, filling goes in small steps with time between them: at full
 * speed both workers would take a core each, and clients would wait for those. */
static void step_fill(struct peer_out *p)
{
	struct lane *l = p->lane;

	if (p->state != PEER_OUT_OPEN || p->pace.armed)
		return;
	bool is_export = p->fill.state == SYNC_FILL_EXPORT;
	bool gently = sync_fill_walks(&p->fill) && serves(p);
	if (gently)
		loop_timer_start(l->loop, &p->pace, PEER_PACE_MS);
	if (sync_fill_step(&p->fill, &p->channel, store_of(p), lane_wall_ms(l), gently)) {
		loop_timer_stop(l->loop, &p->pace);
		count_up(&l->counts.syncs_given);
		if (p->passing || is_export)
			log_info("filled a peer peer=%u at=%s", p->id, p->at.text);
		p->passing = false;
		for (unsigned i = 1; l->number == 0 && i < l->member->lane_count; i++)
			lane_tell(l, l->member->lanes[i],
				  &(struct lane_note){
					  .run = on_filled, .id = p->id, .fd = -1});
	}
}

static void on_pace(struct loop_timer *t)
{
	step_fill(CONTAINER_OF(t, struct peer_out, pace));
}

/* Offers a sync, or begins the export, when that is due and may be. */
static void begin_fill(struct peer_out *p)
{
	if (p->state != PEER_OUT_OPEN || p->fill.state != SYNC_FILL_NONE)
		return;
	/* What we lack ourselves as yet would look as if we had forgotten it. */
	if (p->speaks >= 2 && !p->lane->ready)
		return;		/* until peer_out_begin_fills */
	if (p->speaks < 2) {
		if (p->must_fill && p->lane->number == 0)
			sync_fill_export(&p->fill, &p->channel, store_of(p));
	} else if (p->must_offer || (p->must_fill && p->lane->number == 0)) {
		sync_fill_offer(&p->fill, &p->channel, store_of(p));
	}
	p->must_offer = p->must_fill = false;
	step_fill(p);
}

/* Version 1 knows no deletions and no time to live. */
static void send_plain(struct peer_out *p, struct span messages)
{
	struct kv_message m;
	const char *why;
	size_t used;

	while (messages.len > 0) {
		enum kv_parse parsed = kv_wire_parse(&m, messages.at, messages.len, &used,
						     &why);
		must(parsed == KV_PARSE_DONE);
		p->sent_seq = m.seq;
		if (m.kind == KV_KIND_SET && m.expires_ms == 0)
			channel_send(&p->channel, &(struct kv_message){
				.type = KV_PEER_NOTIFY, .key = m.key, .value = m.value,
			});
		else
			count_up(&p->lane->counts.not_carried);
		messages.at += used;
		messages.len -= used;
	}
}

static void note_plain_acks(struct peer_out *p)
{
	if (p->speaks >= 2 || channel_unsent(&p->channel) > 0 || p->acked == p->sent)
		return;
	p->acked = p->sent;
	p->acked_seq = p->sent_seq;
	lane_look_at_acks(p->lane);
}

static void hand_out(struct peer_out *p)
{
	struct replog *log = &p->lane->log;

	while (p->state == PEER_OUT_OPEN && p->sent < log->end &&
	       channel_unsent(&p->channel) <= CHANNEL_OUT_LOW) {
		struct span messages = replog_next(log, &p->sent, CHANNEL_OUT_LOW);
		if (p->speaks < 2)
			send_plain(p, messages);
		else
			channel_send_bytes(&p->channel, messages);
	}
	if (p->state == PEER_OUT_OPEN)
		channel_flush(&p->channel);
	if (p->state == PEER_OUT_OPEN)
		note_plain_acks(p);
}

void peer_out_replicate(struct lane *l)
{
	LIST_EACH(&l->peers, it, next)
		if (peer_of(it)->state == PEER_OUT_OPEN)
			hand_out(peer_of(it));
}

static void on_room(struct channel *c)
{
	struct peer_out *p = of_channel(c);

	note_plain_acks(p);
	step_fill(p);
	if (p->state == PEER_OUT_OPEN && p->sent < p->lane->log.end)
		lane_at_end(p->lane);
}

void peer_out_pass_on(struct lane *l, uint32_t from, const struct kv_message *m)
{
	struct kv_message plain = {
		.type = KV_PEER_NOTIFY, .key = m->key, .value = m->value,
	};

	LIST_EACH(&l->peers, it, next) {
		struct peer_out *p = peer_of(it);
		if (!p->passing || p->id == from || p->state != PEER_OUT_OPEN)
			continue;
		if (channel_unsent(&p->channel) > l->member->options->backlog_max) {
			channel_close(&p->channel);
			on_lost(&p->channel, "too far behind what is passed on to it");
			continue;
		}
		if (p->speaks >= 2)
			channel_send(&p->channel, m);
		else if (m->kind == KV_KIND_SET && m->expires_ms == 0)
			channel_send(&p->channel, &plain);
		count_up(&l->counts.passed_on);
	}
}

/* ---- what it says ---- */

static void opened(struct peer_out *p)
{
	struct lane *l = p->lane;

	p->state = PEER_OUT_OPEN;
	p->failures = 0;
	p->looked_acked = p->acked;
	p->looked_out = 0;
	loop_timer_start(l->loop, &p->timer, PEER_SILENCE_MS_MAX);
	log_info("connected to a peer peer=%u at=%s lane=%u version=%u", p->id,
		 p->at.text, l->number, p->speaks);
	begin_fill(p);
	lane_at_end(l);
	lane_look_at_acks(l);
}

static void greet(struct peer_out *p, const struct kv_message *m)
{
	enum kv_result code;
	const char *why;

	if (m->type == KV_ERROR) {
		channel_close(&p->channel);
		char text[400];
		log_warn("a peer refuses us peer=%u at=%s error=%u text=\"%s\"", p->id,
			 p->at.text, m->result,
			 text_mark(text, sizeof text, m->value.at, m->value.len));
		failed(p, "it refuses us");
		return;
	}
	enum kv_hello_state state = kv_hello_take(&p->hello, m, &code, &why);
	if (state == KV_HELLO_REFUSED) {
		refuse(p, code, why);
		return;
	}
	if (p->hello.heard &&
	    (p->hello.role != KV_ROLE_PEER || p->hello.id != p->id)) {
		refuse(p, KV_PROTOCOL, "another worker than the balancer has told of");
		return;
	}
	channel_send_bytes(&p->channel, (struct span){(const char *)p->hello.out,
						      p->hello.out_len});
	if (state != KV_HELLO_DONE)
		return;
	if (memcmp(p->hello.pool_key, p->hello.self.pool_key, KV_POOL_KEY_BYTES) != 0)
		refuse(p, KV_PROTOCOL,
		       "it has another pool key; one of both is not in the pool yet");
	else
		opened(p);
}

static void note_ack(struct peer_out *p, const struct kv_message *m)
{
	uint64_t passed = replog_pass(&p->lane->log, &p->acked, p->sent, m->seq);

	/* 0: nothing new; it may say what it has said before. */
	if (m->seq != (passed != 0 ? passed : p->acked_seq)) {
		refuse(p, KV_PROTOCOL, "REPLICATED with a number that was not sent");
		return;
	}
	p->acked_seq = m->seq;
	lane_look_at_acks(p->lane);
}

static void on_message(struct channel *c, const struct kv_message *m)
{
	struct peer_out *p = of_channel(c);
	const char *why;

	if (p->state == PEER_OUT_GREETING) {
		greet(p, m);
		return;
	}
	if (m->type == KV_ERROR) {
		char text[400];
		log_warn("a peer says an error peer=%u at=%s error=%u text=\"%s\"", p->id,
			 p->at.text, m->result,
			 text_mark(text, sizeof text, m->value.at, m->value.len));
		channel_close(c);
		on_lost(c, "it said an error");
	} else if (p->speaks < 2) {
		refuse(p, KV_PROTOCOL,
		       "who accepts a connection of version 1 says nothing");
	} else if (m->type == KV_REPLICATED) {
		note_ack(p, m);
	} else if (m->type == KV_SYNC_ASK || m->type == KV_SYNC_WANT ||
		   m->type == KV_SYNC_WANTS_END) {
		if (sync_fill_take(&p->fill, c, m, &why))
			step_fill(p);
		else
			refuse(p, KV_PROTOCOL, why);
	} else {
		refuse(p, KV_PROTOCOL,
		       "only acknowledgements and syncs are answered here");
	}
}

static const struct channel_calls calls = {on_message, on_lost, on_room};

/* ---- connecting ---- */

static void on_connected(struct peer_out *p)
{
	struct lane *l = p->lane;

	channel_begin(&p->channel);
	if (p->speaks < 2) {
		opened(p);
		return;
	}
	p->state = PEER_OUT_GREETING;
	loop_timer_start(l->loop, &p->timer, PEER_GREETING_MS);
	member_hello(l->member, &p->hello, KV_ROLE_PEER, l->number, true);
	channel_send_bytes(&p->channel, (struct span){(const char *)p->hello.out,
						      p->hello.out_len});
}

static void dialed(struct peer_out *p, enum dial_result result)
{
	if (result == DIAL_OPEN)
		on_connected(p);
	else
		failed(p, dial_result_text(result));
}

static void on_dialed(struct dial *d, enum dial_result result)
{
	dialed(CONTAINER_OF(d, struct peer_out, dial), result);
}

static void on_dial_ready(struct loop_watch *w, unsigned events)
{
	struct stream *s = CONTAINER_OF(w, struct stream, watch);

	dial_on_ready(&of_channel(CONTAINER_OF(s, struct channel, stream))->dial, events);
}

static void dial(struct peer_out *p)
{
	enum dial_result result;

	p->state = PEER_OUT_DIALING;
	if (dial_start(&p->dial, &p->channel.stream.watch, &p->at, PEER_DIAL_MS,
		       on_dial_ready, &result))
		dialed(p, result);
}

/* Until it is tried again: longer each time. */
static void rest(struct peer_out *p)
{
	uint64_t ms = PEER_REST_MS_MIN;

	p->state = PEER_OUT_RESTING;
	for (unsigned i = 1; i < p->failures && ms < PEER_REST_MS_MAX; i++)
		ms *= 2;
	if (!p->removed)
		loop_timer_start(p->lane->loop, &p->timer, lane_jitter(p->lane, ms));
}

/* It takes connections, and does nothing: no write is acknowledged, no byte taken. */
static void look_at_silence(struct peer_out *p)
{
	bool waits = p->acked < p->sent && p->acked == p->looked_acked;

	if (waits && p->channel.bytes_out == p->looked_out) {
		channel_close(&p->channel);
		on_lost(&p->channel, "it acknowledges nothing");
		return;
	}
	p->looked_acked = p->acked;
	p->looked_out = p->channel.bytes_out;
	loop_timer_start(p->lane->loop, &p->timer, PEER_SILENCE_MS_MAX);
}

static void on_time(struct loop_timer *t)
{
	struct peer_out *p = CONTAINER_OF(t, struct peer_out, timer);

	switch (p->state) {
	case PEER_OUT_RESTING:
		dial(p);
		break;
	case PEER_OUT_DIALING:
		break;
	case PEER_OUT_GREETING:
		channel_close(&p->channel);
		failed(p, "it does not greet");
		break;
	case PEER_OUT_OPEN:
		look_at_silence(p);
		break;
	}
}

static void on_offer_time(struct loop_timer *t)
{
	struct peer_out *p = CONTAINER_OF(t, struct peer_out, offer);

	if (p->speaks >= 2 && p->state == PEER_OUT_OPEN &&
	    p->fill.state == SYNC_FILL_NONE) {
		p->must_offer = true;
		begin_fill(p);
	}
	loop_timer_start(p->lane->loop, t, lane_jitter(p->lane, PEER_OFFER_MS));
}

/* ---- coming and going ---- */

/* Somebody's gap is not in the log any more: who comes now may lack what is in it. */
static bool somebody_has_a_gap(struct lane *l)
{
	LIST_EACH(&l->peers, it, next)
		if (peer_of(it)->must_offer)
			return true;
	return false;
}

void peer_out_add(struct lane *l, uint32_t id, uint8_t speaks, const struct address *at,
		  bool fills)
{
	if (find(l, id) != NULL)
		peer_out_remove(l, id);
	struct peer_out *p = calloc(1, sizeof *p);
	if (p == NULL) {
		log_error("out of memory: a peer gets no writes of this worker peer=%u",
			  id);
		return;
	}
	p->lane = l;
	p->id = id;
	p->speaks = speaks;
	p->at = *at;
	p->sent = p->acked = l->log.start;
	p->sent_seq = p->acked_seq = l->log.start_seq - 1;
	p->must_fill = p->passing = fills;
	p->must_offer = somebody_has_a_gap(l);
	channel_init(&p->channel, &l->turn, &calls);
	dial_init(&p->dial, l->loop, on_dialed);
	loop_timer_init(&p->timer, on_time);
	loop_timer_init(&p->pace, on_pace);
	loop_timer_init(&p->offer, on_offer_time);
	list_push_last(&l->peers, &p->link);
	if (l->number == 0)
		loop_timer_start(l->loop, &p->offer, lane_jitter(l, PEER_OFFER_MS));
	dial(p);
}

static void free_peer(struct lane_grave *g)
{
	free(CONTAINER_OF(g, struct peer_out, grave));
}

static void remove_peer(struct peer_out *p)
{
	p->removed = true;
	cut(p);
	loop_timer_stop(p->lane->loop, &p->offer);
	list_remove(&p->link);
	lane_bury(p->lane, &p->grave, free_peer);
}

void peer_out_remove(struct lane *l, uint32_t id)
{
	struct peer_out *p = find(l, id);

	if (p != NULL)
		remove_peer(p);
}

void peer_out_remove_all(struct lane *l)
{
	LIST_EACH(&l->peers, it, next)
		remove_peer(peer_of(it));
}

void peer_out_fill(struct lane *l, uint32_t id)
{
	struct peer_out *p = find(l, id);

	if (p == NULL)
		return;
	p->must_fill = p->passing = true;
	/* An offer of ours that it has not answered is as good; else after
	 * what is under way. */
	begin_fill(p);
}

void peer_out_restart_all(struct lane *l, const char *why)
{
	LIST_EACH(&l->peers, it, next) {
		struct peer_out *p = peer_of(it);
		if (p->state == PEER_OUT_RESTING)
			continue;
		if (p->state == PEER_OUT_DIALING)
			dial_cancel(&p->dial);
		channel_close(&p->channel);
		p->state = PEER_OUT_OPEN;
		on_lost(&p->channel, why);
	}
}

void peer_out_begin_fills(struct lane *l)
{
	LIST_EACH(&l->peers, it, next)
		begin_fill(peer_of(it));
}

void peer_out_offer_soon(struct lane *l)
{
	LIST_EACH(&l->peers, it, next)
		loop_timer_start(l->loop, &peer_of(it)->offer,
				 lane_jitter(l, PEER_OFFER_SOON_MS));
}

/* ---- what they have ---- */

struct peer_out_reached peer_out_reached(struct lane *l)
{
	struct peer_out_reached r = {UINT64_MAX, 0};

	if (list_empty(&l->peers))
		r.one = UINT64_MAX;
	LIST_EACH(&l->peers, it, next) {
		struct peer_out *p = peer_of(it);
		r.all = p->acked_seq < r.all ? p->acked_seq : r.all;
		r.one = p->acked_seq > r.one ? p->acked_seq : r.one;
	}
	return r;
}

/* What the log has for it is let go of: it is made up for by a sync. */
static void fall_behind(struct peer_out *p)
{
	struct lane *l = p->lane;

	if (!p->must_offer)
		log_warn("a peer is too far behind, and is filled anew later peer=%u "
			 "at=%s behind=%llu", p->id, p->at.text,
			 (unsigned long long)(l->log.end - p->acked));
	if (p->state == PEER_OUT_OPEN) {
		channel_close(&p->channel);
		on_lost(&p->channel, "too far behind");
	}
	p->sent = p->acked = l->log.end;
	p->sent_seq = p->acked_seq = l->log.seq;
	p->must_offer = true;
	lane_break_promises(l);
}

void peer_out_trim(struct lane *l)
{
	uint64_t needed = l->log.end, backlog = l->member->options->backlog_max;
	uint64_t open = 0, behind = 0, peers = 0;

	LIST_EACH(&l->peers, it, next) {
		struct peer_out *p = peer_of(it);
		if (l->log.end - p->acked > backlog)
			fall_behind(p);
		needed = p->acked < needed ? p->acked : needed;
		peers++;
		open += p->state == PEER_OUT_OPEN;
		behind += p->acked < l->log.end;
	}
	replog_forget(&l->log, needed);
	count_set(&l->counts.peers, peers);
	count_set(&l->counts.peers_open, open);
	count_set(&l->counts.peers_behind, behind);
	count_set(&l->counts.backlog_bytes, l->log.end - needed);
}
