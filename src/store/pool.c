#include "store/pool.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "store/peer_in.h"
#include "store/peer_out.h"
#include "store/serve.h"

static void say(struct member *m, const struct kv_message *message)
{
	struct uplink *u = &member_first(m)->uplink;

	if (uplink_is_up(u))
		channel_send(&u->channel, message);
}

static void tell_all(struct member *m, const struct lane_note *n)
{
	for (unsigned i = 0; i < m->lane_count; i++)
		lane_tell(member_first(m), m->lanes[i], n);
}

/* ---- whether it may serve ---- */

static void on_ready(struct lane *l, const struct lane_note *n)
{
	l->ready = n->flag;
	if (!l->ready)
		return;
	serve_held(l);
	peer_in_ask_all(l);
	peer_out_begin_fills(l);
}

static void set_ready(struct member *m, bool ready)
{
	if (__atomic_exchange_n(&m->is_ready, ready, __ATOMIC_RELAXED) != ready)
		tell_all(m, &(struct lane_note){
			.run = on_ready, .flag = ready, .fd = -1,
		});
}

static void log_ready(const struct member *m)
{
	log_info("ready worker=%u peers=%zu", m->id, m->roster.count);
}

static void say_ready(struct member *m)
{
	log_ready(m);
	loop_timer_stop(member_first(m)->loop, &m->filling);
	say(m, &(struct kv_message){
		.type = KV_WORKER_READY, .id = m->id, .port = address_port(&m->peers_at),
	});
	set_ready(m, true);
}

void pool_greeted(struct member *m)
{
	struct lane *first = member_first(m);

	roster_greeted(&m->roster);
	for (unsigned i = 0; i < m->lane_count; i++)
		/* In whole milliseconds, as versions of now are. */
		m->lanes[i]->import_version =
				loop_wall_us(first->loop) / 1000 * 1000 << 8;
	if (first->uplink.speaks >= 2) {
		set_ready(m, false);
		return;
	}
	/* Version 1 begins with READY; who has others beside it takes
	 * that back at once. */
	set_ready(m, true);
	say(m, &(struct kv_message){
		.type = KV_WORKER_READY, .id = m->id, .port = address_port(&m->peers_at),
	});
}

void pool_left(struct member *m)
{
	roster_left(&m->roster);
	loop_timer_stop(member_first(m)->loop, &m->filling);
	set_ready(m, false);
}

void pool_filled(struct member *m)
{
	if (m->roster.state != ROSTER_FILLING)
		return;
	roster_filled(&m->roster);
	say_ready(m);
}

void pool_look(struct member *m)
{
	if (roster_may_ask(&m->roster) &&
	    peer_in_ask(member_first(m), m->roster.filler)) {
		m->roster.offered = false;
		m->fill_signs++;
		return;
	}
	if (m->roster.state == ROSTER_FILLING && !m->roster.offered &&
	    m->roster.filler != 0 && peer_in_offers(member_first(m), m->roster.filler)) {
		m->roster.offered = true;
		pool_look(m);
	}
}

void pool_peer_lost(struct member *m, uint32_t id)
{
	struct roster_peer *p = roster_find(&m->roster, id);

	if (p == NULL)
		return;
	log_warn("a peer cannot be reached peer=%u at=%s", id, p->at.text);
	/* Version 1 has nobody who would say that it has gone. */
	if (member_first(m)->uplink.speaks >= 2)
		say(m, &(struct kv_message){.type = KV_PEER_LOST, .id = id});
	else
		pool_remove(m, id);
}

/* ---- who is there ---- */

static void on_peer(struct lane *l, const struct lane_note *n)
{
	peer_out_add(l, n->id, n->speaks, &n->at, n->flag);
}

static void on_fill(struct lane *l, const struct lane_note *n)
{
	peer_out_fill(l, n->id);
}

static void on_peer_gone(struct lane *l, const struct lane_note *n)
{
	peer_out_remove(l, n->id);
	lane_look_at_acks(l);
	if (l->number == 0)
		peer_out_offer_soon(l);
}

void pool_remove(struct member *m, uint32_t id)
{
	bool was_filler = m->roster.filler == id;

	if (roster_find(&m->roster, id) == NULL)
		return;
	log_info("a peer has gone peer=%u", id);
	roster_remove(&m->roster, id);
	tell_all(m, &(struct lane_note){.run = on_peer_gone, .id = id, .fd = -1});
	/* Alone, there is nobody who could know more. */
	if (was_filler && m->roster.count == 0) {
		log_warn("the peer that was to fill this worker has gone, and was the "
			 "last: it serves what it has");
		pool_filled(m);
	}
	pool_look(m);
}

/* Where a peer is; an address that is no number is a mistake of the balancer's. */
static bool read_address(struct address *at, const struct kv_message *message)
{
	char text[ADDRESS_TEXT_MAX], host[INET6_ADDRSTRLEN + 1];
	struct span a = message->value;
	struct err err;

	if (a.len == 0 || a.len >= sizeof host || message->port == 0 ||
	    memchr(a.at, '\0', a.len) != NULL)
		return false;
	memcpy(host, a.at, a.len);
	host[a.len] = '\0';
	snprintf(text, sizeof text, strchr(host, ':') != NULL ? "[%s]:%u" : "%s:%u", host,
		 message->port);
	return address_parse(at, text, "127.0.0.1", &err) == 0 && at->len > 0 &&
	       at->any.sa_family != AF_UNIX;
}

/* What `fills` means depends on whether we are a newcomer ourselves: it
 * fills us, or we it. */
static bool hear_fills(struct member *m, const struct kv_message *message, bool plain)
{
	if (message->fills == 0)
		return false;
	if (plain) {
		roster_note_export(&m->roster);
		return true;
	}
	if (m->roster.state == ROSTER_READY)
		return true;
	roster_note_filler(&m->roster, message->id);
	return false;
}

static bool hear_peer(struct member *m, const struct kv_message *message,
		      const char **why)
{
	bool plain = message->type == KV_WORKER_ENTRY;
	uint8_t speaks = plain || message->speaks < 2 ? 1 : 2;
	struct address at;

	if (message->id == m->id)
		return true;
	if (!read_address(&at, message)) {
		*why = "a peer without a numeric address and a port";
		return false;
	}
	if (speaks < 2 && m->secret_len > 0) {
		log_warn("a peer of version 1 cannot prove that it knows the secret: it "
			 "gets no data peer=%u at=%s", message->id, at.text);
		return true;
	}
	enum roster_news news = roster_told(&m->roster, message->id, speaks, &at);
	if (news == ROSTER_TOO_MANY) {
		*why = "more than 1024 peers";
		return false;
	}
	bool we_fill = hear_fills(m, message, plain);
	struct lane_note n = {
		.run = on_peer, .id = message->id, .speaks = speaks, .at = at,
		.flag = we_fill, .fd = -1,
	};
	if (news != ROSTER_SAME) {
		log_info("told of a peer peer=%u at=%s version=%u%s", message->id,
			 at.text, speaks, we_fill ? " to be filled by us" : "");
		tell_all(m, &n);
		door_look(&m->door, message->id);
	} else if (we_fill) {
		n.run = on_fill;
		tell_all(m, &n);
	}
	return true;
}

static void hear_end(struct member *m)
{
	bool plain = member_first(m)->uplink.speaks < 2;
	bool was_ready = m->roster.state == ROSTER_READY;
	uint32_t gone;

	while (m->roster.state == ROSTER_TOLD_NOTHING && !plain &&
	       (gone = roster_untold(&m->roster)) != 0)
		pool_remove(m, gone);
	roster_ends(&m->roster, plain);
	if (m->roster.state == ROSTER_READY && !was_ready) {
		if (plain)	/* it has said so already */
			log_ready(m);
		else
			say_ready(m);
	} else if (m->roster.state == ROSTER_FILLING) {
		log_info("waiting to be filled worker=%u peers=%zu filler=%u", m->id,
			 m->roster.count, m->roster.filler);
		set_ready(m, false);
		if (plain)
			say(m, &(struct kv_message){
				.type = KV_WORKER_NOT_READY, .id = m->id,
			});
		loop_timer_start(member_first(m)->loop, &m->filling, MEMBER_FILL_MS_MAX);
	}
	pool_look(m);
}

bool pool_hear(struct member *m, const struct kv_message *message, const char **why)
{
	switch (message->type) {
	case KV_REGISTRY_START:
		roster_begins(&m->roster);
		return true;
	case KV_WORKER_ENTRY:
	case KV_PEER:
		return hear_peer(m, message, why);
	case KV_REGISTRY_END:
		hear_end(m);
		return true;
	case KV_PEER_GONE:
		pool_remove(m, message->id);
		return true;
	default:
		*why = "nothing that a balancer says to a worker";
		return false;
	}
}
