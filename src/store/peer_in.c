#include "store/peer_in.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "base/must.h"
#include "base/text.h"
#include "store/member.h"
#include "store/peer_out.h"
#include "store/pool.h"

static struct peer_in *peer_of(struct link *l)
{
	return CONTAINER_OF(l, struct peer_in, link);
}

static struct peer_in *of_channel(struct channel *c)
{
	return CONTAINER_OF(c, struct peer_in, channel);
}

static void free_peer(struct lane_grave *g)
{
	free(CONTAINER_OF(g, struct peer_in, grave));
}

static void on_gone(struct lane *first, const struct lane_note *n)
{
	door_note_gone(&first->member->door, n->serial);
}

static void end(struct peer_in *p)
{
	struct lane *l = p->lane;

	channel_close(&p->channel);
	sync_take_stop(&p->take);
	list_remove(&p->link);
	lane_bury(l, &p->grave, free_peer);
	lane_tell(l, member_first(l->member),
		  &(struct lane_note){.run = on_gone, .serial = p->serial, .fd = -1});
}

static void on_lost(struct channel *c, const char *why)
{
	struct peer_in *p = of_channel(c);

	log_info("a peer's connection is lost reason=\"%s\" peer=%u lane=%u", why, p->id,
		 p->number);
	end(p);
}

static void refuse(struct peer_in *p, enum kv_result code, const char *why)
{
	channel_refuse(&p->channel, code, why);
}

/* ---- writes ---- */

/* Writes what a peer has, and passes it on to whom we fill. False: the
 * connection is over. */
static bool apply(struct peer_in *p, struct store_item *item)
{
	struct lane *l = p->lane;
	uint64_t version;

	if (item->key.len == 0 || item->key.len > KV_KEY_MAX) {
		refuse(p, KV_INVALID_KEY, "a key has 1 to 32768 bytes");
		return false;
	}
	if (item->key.len + item->value.len > KV_ENTRY_MAX) {
		refuse(p, KV_INVALID_VALUE,
		       "a key and its value have 65503 bytes at most");
		return false;
	}
	switch (store_write(l->member->store, item, STORE_UNLIMITED, lane_wall_ms(l),
			    &version)) {
	case STORE_FULL:
		channel_refuse(&p->channel, KV_MEMORY_FULL, "out of memory");
		return false;
	case STORE_OLD:
		return true;
	case STORE_DONE:
	case STORE_MISSING:
	case STORE_EXISTS:
		break;
	}
	item->version = version;
	lane_record_foreign(l, item);
	count_up(&l->counts.replicated_in);
	l->look_at_memory = true;
	peer_out_pass_on(l, p->id, &(struct kv_message){
		.type = KV_REPLICATE,
		.kind = item->deleted ? KV_KIND_DELETED : KV_KIND_SET,
		.version = item->version, .expires_ms = item->expires_ms,
		.key = item->key, .value = item->value,
	});
	return true;
}

static void replicate(struct peer_in *p, const struct kv_message *m)
{
	struct store_item item = {
		.key = m->key, .value = m->value, .version = m->version,
		.expires_ms = m->expires_ms, .deleted = m->kind == KV_KIND_DELETED,
	};

	if (m->kind != KV_KIND_SET && m->kind != KV_KIND_DELETED) {
		refuse(p, KV_PROTOCOL, "REPLICATE of an unknown kind");
	} else if (m->version == 0) {
		refuse(p, KV_PROTOCOL, "REPLICATE without a version");
	} else if (item.deleted && m->value.len > 0) {
		refuse(p, KV_PROTOCOL, "REPLICATE of a deletion with a value");
	} else if (m->seq != 0 && m->seq <= p->last.seq) {
		refuse(p, KV_PROTOCOL, "REPLICATE with a number that does not grow");
	} else if (apply(p, &item)) {
		if (m->seq == 0)
			p->take.taken++;
		else
			p->last = (struct peer_in_applied){m->seq, p->lane->ledger_seq};
		lane_at_end(p->lane);
	}
}

/* The number up to which it may be told. Two at a time are enough: what comes while one
 * is on its way to the disk goes there together. */
static uint64_t due_ack(struct peer_in *p, uint64_t durable)
{
	uint64_t due = p->acked;

	if (p->last.kept <= durable)
		return p->last.seq;
	if (p->awaited.seq <= p->acked)
		p->awaited = p->last;
	if (p->awaited.kept <= durable) {
		due = p->awaited.seq;
		p->awaited = p->last;
	}
	return due;
}

void peer_in_acknowledge(struct lane *l)
{
	bool waits = l->member->ledger != NULL;

	LIST_EACH(&l->visitors_in, it, next) {
		struct peer_in *p = peer_of(it);
		if (p->last.seq == p->acked)
			continue;
		uint64_t due = due_ack(p, waits ? l->durable_seq : UINT64_MAX);
		if (due == p->acked)
			continue;
		p->acked = due;
		channel_send(&p->channel, &(struct kv_message){
			.type = KV_REPLICATED, .seq = due,
		});
	}
}

/* ---- syncs ---- */

/* What the peer lacks is told to all, as a write of ours; what everybody has deleted long
 * ago is deleted here, too. */
static void on_extra(void *arg, const struct store_item *item, bool forget)
{
	struct lane *l = arg;
	struct store_item gone = {.key = item->key, .version = item->version + 1,
				  .deleted = true};

	if (!forget) {
		lane_record(l, item);
		return;
	}
	if (store_write(l->member->store, &gone, STORE_UNLIMITED, lane_wall_ms(l),
			NULL) == STORE_DONE)
		lane_record_foreign(l, &gone);
}

static struct sync_take_from from(struct peer_in *p)
{
	return (struct sync_take_from){
		.channel = &p->channel, .store = p->lane->member->store,
		.now_ms = lane_wall_ms(p->lane), .extra = on_extra, .arg = p->lane,
	};
}

static void ask(struct peer_in *p)
{
	struct sync_take_from f = from(p);

	sync_take_ask(&p->take, &f);
}

static struct peer_in *find_offer(const struct lane *l, uint32_t id)
{
	LIST_EACH(&l->visitors_in, it, next) {
		struct peer_in *p = peer_of(it);
		if (p->id == id && p->number == 0 && p->take.state == SYNC_TAKE_OFFERED)
			return p;
	}
	return NULL;
}

bool peer_in_offers(const struct lane *l, uint32_t id)
{
	return find_offer(l, id) != NULL;
}

bool peer_in_ask(struct lane *l, uint32_t id)
{
	struct peer_in *p = find_offer(l, id);

	if (p == NULL)
		return false;
	log_info("being filled by a peer peer=%u", id);
	ask(p);
	return true;
}

void peer_in_ask_all(struct lane *l)
{
	LIST_EACH(&l->visitors_in, it, next)
		if (peer_of(it)->take.state == SYNC_TAKE_OFFERED)
			ask(peer_of(it));
}

/* One that is not to fill us waits until we are filled: it would
 * bring all of it again. */
static void offered(struct peer_in *p, const struct kv_message *m)
{
	struct member *member = p->lane->member;

	sync_take_offer(&p->take, m);
	store_note(member->store, m->newest, 0);
	if (p->lane->ready)
		ask(p);
	else if (p->lane->number == 0)
		pool_look(member);
}

/* What was asked for is here: what the peer has forgotten, and we do not have,
 * is forgotten here as well. Otherwise a worker that returns with it would tell
 * us of it as news. */
static void on_synced(struct peer_in *p, const struct kv_message *m, uint64_t purged)
{
	struct member *member = p->lane->member;

	store_note(member->store, 0, purged);
	count_up(&p->lane->counts.syncs_taken);
	count_add(&p->lane->counts.sync_entries_in, m->entries);
	if (p->lane->number == 0 && p->number == 0 && member->roster.filler == p->id) {
		log_info("filled by a peer peer=%u entries=%llu", p->id,
			 (unsigned long long)m->entries);
		pool_filled(member);
	}
}

static void take(struct peer_in *p, const struct kv_message *m)
{
	struct sync_take_from f = from(p);
	uint64_t purged = p->take.purged;
	const char *why;
	bool ended;

	if (p->lane->number == 0)
		p->lane->member->fill_signs++;
	if (!sync_take_message(&p->take, &f, m, &ended, &why))
		refuse(p, KV_PROTOCOL, why);
	else if (ended)
		on_synced(p, m, purged);
}

/* ---- version 1 ---- */

static void hear_plain(struct peer_in *p, const struct kv_message *m)
{
	struct lane *l = p->lane;
	struct store_item item = {.key = m->key, .value = m->value};

	switch (m->type) {
	case KV_DATA_ENTRY:
		/* What others have told since the balancer told of us is newer. */
		item.version = l->import_version;
		apply(p, &item);
		break;
	case KV_PEER_NOTIFY:
		apply(p, &item);
		break;
	case KV_EXPORT_START:
		log_info("a peer exports to us entries=%u", m->total);
		break;
	case KV_EXPORT_END:
		log_info("filled by a peer of version 1");
		if (roster_exported(&l->member->roster))
			pool_filled(l->member);
		break;
	case KV_ERROR:
		channel_close(&p->channel);
		on_lost(&p->channel, "it said an error");
		break;
	default:
		refuse(p, KV_PROTOCOL,
		       "a peer of version 1 brings news and exports only");
	}
	l->member->fill_signs++;
}

/* ---- the connection ---- */

static void hear_error(struct peer_in *p, const struct kv_message *m)
{
	char text[400];

	log_warn("a peer says an error peer=%u error=%u text=\"%s\"", p->id, m->result,
		 text_mark(text, sizeof text, m->value.at, m->value.len));
	channel_close(&p->channel);
	on_lost(&p->channel, "it said an error");
}

static void on_message(struct channel *c, const struct kv_message *m)
{
	struct peer_in *p = of_channel(c);

	if (p->id == 0) {
		hear_plain(p, m);
		return;
	}
	switch (m->type) {
	case KV_REPLICATE:
		if (p->lane->number == 0)
			p->lane->member->fill_signs++;
		replicate(p, m);
		break;
	case KV_SYNC_OFFER:
		offered(p, m);
		break;
	case KV_SYNC_SUMMARY:
	case KV_SYNC_SUMMARIES_END:
	case KV_SYNC_END:
		take(p, m);
		break;
	case KV_ERROR:
		hear_error(p, m);
		break;
	default:
		refuse(p, KV_PROTOCOL, "a peer brings writes and syncs only");
	}
}

static const struct channel_calls calls = {on_message, on_lost, NULL};

void peer_in_begin(struct lane *l, const struct peer_in_who *who, int fd,
		   struct span bytes)
{
	struct peer_in *p = calloc(1, sizeof *p);

	if (p == NULL) {
		close(fd);
		lane_tell(l, member_first(l->member),
			  &(struct lane_note){
				  .run = on_gone, .serial = who->serial, .fd = -1});
		return;
	}
	p->lane = l;
	p->id = who->id;
	p->number = who->number;
	p->serial = who->serial;
	channel_init(&p->channel, &l->turn, &calls);
	list_push_last(&l->visitors_in, &p->link);
	if (channel_open(&p->channel, fd) != 0)
		on_lost(&p->channel, "the kernel cannot watch it");
	else if (bytes.len > 0 && !channel_unread(&p->channel, bytes))
		on_lost(&p->channel, "out of memory");
	else if (l->ledger_is_full)
		channel_pause(&p->channel, CHANNEL_PAUSE_OWNER);
}

void peer_in_close(struct lane *l, uint64_t serial)
{
	LIST_EACH(&l->visitors_in, it, next)
		if (peer_of(it)->serial == serial)
			end(peer_of(it));
}

void peer_in_close_all(struct lane *l)
{
	LIST_EACH(&l->visitors_in, it, next)
		end(peer_of(it));
}

void peer_in_pause_all(struct lane *l, bool on)
{
	LIST_EACH(&l->visitors_in, it, next) {
		if (on)
			channel_pause(&peer_of(it)->channel, CHANNEL_PAUSE_OWNER);
		else
			channel_resume(&peer_of(it)->channel, CHANNEL_PAUSE_OWNER);
	}
}
