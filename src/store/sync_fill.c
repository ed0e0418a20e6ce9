#include "store/sync_fill.h"

#include <stdlib.h>

#include "base/must.h"

/* What a visit of the store writes to. */
struct giving {
	struct channel   *channel;
	struct sync_fill *fill;
	uint32_t bucket;
	size_t   count;			/* of items: those in the message at hand */
	bool     no_memory;
	struct bytes items;
};

void sync_fill_stop(struct sync_fill *f)
{
	free(f->digests);
	bytes_fini(&f->wants);
	bytes_fini(&f->last);
	*f = (struct sync_fill){0};
}

void sync_fill_offer(struct sync_fill *f, struct channel *c, struct store *s)
{
	struct store_figures figures;

	must(f->state == SYNC_FILL_NONE);
	store_figures(s, &figures);
	f->state = SYNC_FILL_OFFERED;
	channel_send(c, &(struct kv_message){
		.type = KV_SYNC_OFFER, .entries = figures.entries, .newest = figures.newest,
		.purged = figures.purged,
	});
}

void sync_fill_export(struct sync_fill *f, struct channel *c, struct store *s)
{
	struct store_figures figures;

	must(f->state == SYNC_FILL_NONE);
	store_figures(s, &figures);
	f->state = SYNC_FILL_EXPORT;
	f->total = figures.entries < UINT32_MAX ? figures.entries : UINT32_MAX;
	channel_send(c, &(struct kv_message){
		.type = KV_EXPORT_START, .total = (uint32_t)f->total,
	});
}

static bool start(struct sync_fill *f, const struct kv_message *m, const char **why)
{
	if (f->state != SYNC_FILL_OFFERED) {
		*why = "SYNC_ASK without an offer";
		return false;
	}
	switch ((enum kv_sync)m->how) {
	case KV_SYNC_NOTHING:
		sync_fill_stop(f);
		return true;
	case KV_SYNC_EVERYTHING:
		f->state = SYNC_FILL_EVERYTHING;
		return true;
	case KV_SYNC_BY_DIGEST:
		break;
	default:
		*why = "SYNC_ASK with an unknown way";
		return false;
	}
	if (m->items.len != KV_BUCKETS * sizeof(uint64_t)) {
		*why = "SYNC_ASK needs 4096 digests";
		return false;
	}
	f->digests = malloc(KV_BUCKETS * sizeof *f->digests);
	if (f->digests == NULL) {
		*why = "out of memory";
		return false;
	}
	for (size_t i = 0; i < KV_BUCKETS; i++)
		f->digests[i] = kv_u64_at(m->items, i);
	f->state = SYNC_FILL_SUMMARIES;
	return true;
}

static bool note_wants(struct sync_fill *f, struct channel *c, const struct kv_message *m,
		       const char **why)
{
	if ((f->state != SYNC_FILL_SUMMARIES && f->state != SYNC_FILL_WANTS) ||
	    f->wants_ended) {
		*why = "SYNC_WANT without a summary";
		return false;
	}
	if (!bytes_append(&f->wants, m->items.at, m->items.len)) {
		*why = "out of memory";
		return false;
	}
	if (bytes_waiting(&f->wants) > SYNC_WANTS_BYTES_MAX)
		channel_pause(c, CHANNEL_PAUSE_OWNER);
	return true;
}

bool sync_fill_take(struct sync_fill *f, struct channel *c, const struct kv_message *m,
		    const char **why)
{
	if (m->type == KV_SYNC_ASK)
		return start(f, m, why);
	if (m->type == KV_SYNC_WANT)
		return note_wants(f, c, m, why);
	if (f->state != SYNC_FILL_WANTS || f->wants_ended) {
		*why = "SYNC_WANTS_END before the summaries' end";
		return false;
	}
	f->wants_ended = true;
	return true;
}

static void give(void *arg, uint64_t hash, const struct store_item *item)
{
	struct giving *g = arg;

	(void)hash;
	g->fill->sent++;
	channel_send(g->channel, &(struct kv_message){
		.type = KV_REPLICATE, .seq = 0,
		.kind = item->deleted ? KV_KIND_DELETED : KV_KIND_SET,
		.version = item->version, .expires_ms = item->expires_ms,
		.key = item->key, .value = item->value,
	});
}

/* The number of entries was announced, and others may have come since: version 1
 * knows them as news. */
static void export_one(void *arg, uint64_t hash, const struct store_item *item)
{
	struct giving *g = arg;
	struct sync_fill *f = g->fill;
	struct kv_message m = {
		.type = KV_DATA_ENTRY, .key = item->key, .value = item->value,
	};

	(void)hash;
	if (item->deleted)
		return;
	if (f->sent == f->total) {
		m.type = KV_PEER_NOTIFY;
		channel_send(g->channel, &m);
		return;
	}
	f->sent++;
	channel_send(g->channel, &m);
	if (bytes_waiting(&f->last) > 0)
		bytes_consume(&f->last, bytes_waiting(&f->last));
	char *to = bytes_reserve(&f->last, kv_wire_size(&m));
	if (to != NULL)
		bytes_added(&f->last, kv_wire_write(&m, to));
}

/* Fewer than were announced, since some have been deleted: the last one again and again
 * makes the number right, and changes nothing. False: more are to come. */
static bool end_export(struct sync_fill *f, struct channel *c)
{
	size_t len = bytes_waiting(&f->last);

	while (f->sent < f->total && len > 0) {
		if (channel_unsent(c) > CHANNEL_OUT_LOW)
			return false;
		channel_send_bytes(c, (struct span){bytes_first(&f->last), len});
		f->sent++;
	}
	channel_send(c, &(struct kv_message){.type = KV_EXPORT_END});
	return true;
}

static void send_summary(struct giving *g, bool last)
{
	channel_send(g->channel, &(struct kv_message){
		.type = KV_SYNC_SUMMARY, .bucket = (uint16_t)g->bucket, .last = last,
		.items = {bytes_first(&g->items), bytes_waiting(&g->items)},
	});
	bytes_consume(&g->items, bytes_waiting(&g->items));
	g->count = 0;
}

static void sum_up(void *arg, uint64_t hash, const struct store_item *item)
{
	struct giving *g = arg;
	struct kv_summary_item summary = {
		hash, item->version, item->deleted ? KV_KIND_DELETED : KV_KIND_SET,
	};

	if (g->count == KV_SUMMARY_ITEMS_MAX)
		send_summary(g, false);
	char *to = bytes_reserve(&g->items, KV_SUMMARY_ITEM_BYTES);
	if (to == NULL) {
		g->no_memory = true;
		return;
	}
	kv_summary_item_write(&summary, to);
	bytes_added(&g->items, KV_SUMMARY_ITEM_BYTES);
	g->count++;
}

static void summarise(struct sync_fill *f, struct channel *c, struct store *s,
		      uint64_t now_ms)
{
	uint64_t *ours = malloc(STORE_BUCKETS * sizeof *ours);
	struct giving g = {.channel = c, .fill = f};

	if (ours == NULL)
		return;		/* again at the next step */
	store_digests(s, ours);
	for (; f->bucket < KV_BUCKETS && channel_unsent(c) <= CHANNEL_OUT_LOW;
	     f->bucket++) {
		if (ours[f->bucket] == f->digests[f->bucket])
			continue;
		g.bucket = f->bucket;
		store_walk_bucket(s, f->bucket, now_ms, sum_up, &g);
		/* The taker would delete what it has, and a summary leaves
		 * out, as forgotten. */
		if (g.no_memory)
			channel_refuse(c, KV_MEMORY_FULL, "out of memory");
		else
			send_summary(&g, true);
		if (!channel_is_open(c))	/* and the sync has been stopped */
			break;
	}
	bytes_fini(&g.items);
	free(ours);
	if (!channel_is_open(c) || f->bucket < KV_BUCKETS)
		return;
	free(f->digests);
	f->digests = NULL;
	f->state = SYNC_FILL_WANTS;
	channel_send(c, &(struct kv_message){.type = KV_SYNC_SUMMARIES_END});
}

static void give_wanted(struct sync_fill *f, struct channel *c, struct store *s,
			uint64_t now_ms)
{
	struct giving g = {.channel = c, .fill = f};

	while (bytes_waiting(&f->wants) > 0 && channel_unsent(c) <= CHANNEL_OUT_LOW) {
		struct span next = {bytes_first(&f->wants), KV_WANT_ITEM_BYTES};
		store_visit_hash(s, kv_u64_at(next, 0), now_ms, give, &g);
		if (!channel_is_open(c))	/* and the sync has been stopped */
			return;
		bytes_consume(&f->wants, KV_WANT_ITEM_BYTES);
	}
	if (bytes_waiting(&f->wants) == 0)
		channel_resume(c, CHANNEL_PAUSE_OWNER);
}

static bool end(struct sync_fill *f, struct channel *c)
{
	channel_send(c, &(struct kv_message){.type = KV_SYNC_END, .entries = f->sent});
	sync_fill_stop(f);
	return true;
}

/* Walks on. True: the walk is over. */
static bool walk(struct giving *g, struct store *s, uint64_t now_ms, store_visit *visit,
		 bool gently)
{
	while (channel_unsent(g->channel) <= CHANNEL_OUT_LOW) {
		if (!store_walk(s, &g->fill->cursor, now_ms, visit, g))
			return true;
		if (gently)
			break;
	}
	return false;
}

bool sync_fill_step(struct sync_fill *f, struct channel *c, struct store *s,
		    uint64_t now_ms, bool gently)
{
	struct giving g = {.channel = c, .fill = f};

	if (!channel_is_open(c))
		return false;
	switch (f->state) {
	case SYNC_FILL_NONE:
	case SYNC_FILL_OFFERED:
		return false;
	case SYNC_FILL_EVERYTHING:
		return walk(&g, s, now_ms, give, gently) && end(f, c);
	case SYNC_FILL_SUMMARIES:
		summarise(f, c, s, now_ms);
		give_wanted(f, c, s, now_ms);
		return false;
	case SYNC_FILL_WANTS:
		give_wanted(f, c, s, now_ms);
		return f->wants_ended && bytes_waiting(&f->wants) == 0 && end(f, c);
	case SYNC_FILL_EXPORT:
		if (!walk(&g, s, now_ms, export_one, gently) || !end_export(f, c))
			return false;
		sync_fill_stop(f);
		return true;
	}
	return false;
}
