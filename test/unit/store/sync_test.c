/* Goal: whatever two stores hold, after a sync by digest the taker has everything that the filler
 * has, in its newest version, and has told of exactly what the filler lacks; and a sync of equal
 * stores carries nothing. So with everything at once, and with an export of version 1. */
#include "store/sync_fill.h"
#include "store/sync_take.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "base/hash.h"

enum { KEYS = 3000, TURNS_MAX = 100000, DAY_MS = 24 * 3600 * 1000 };

static const uint64_t now_ms = UINT64_C(1800000000000);
static uint64_t       dice_state;

static uint64_t dice(uint64_t sides)
{
	return hash_mix(++dice_state) % sides;
}

/* A version of so long ago. */
static uint64_t version_before(uint64_t ms)
{
	return (now_ms - ms) * 1000 << 8;
}

/* Two ends of one connection, in one loop. */
struct pair {
	struct loop *loop;
	struct channel_turn turn;
	uint64_t refused;
	struct { struct channel channel; struct store *store; struct sync_fill sync; } filler;
	struct { struct channel channel; struct store *store; struct sync_take sync; } taker;
	bool ended, lost;
	uint64_t replicated, entries_announced, exported, notified;
	uint64_t told, forgotten;
};

static void on_end(struct loop_task *t)
{
	channel_flush_all(CONTAINER_OF(t, struct channel_turn, end));
}

static void on_lost(struct channel *c, const char *why)
{
	(void)c;
	fail_msg("the connection is lost: %s", why);
}

static void on_filler_message(struct channel *c, const struct kv_message *m)
{
	struct pair *p = CONTAINER_OF(c, struct pair, filler.channel);
	const char *why;

	assert_true(sync_fill_take(&p->filler.sync, c, m, &why));
}

/* As the worker does: what the filler lacks is told, or forgotten. */
static void on_extra(void *arg, const struct store_item *item, bool forget)
{
	struct pair *p = arg;
	struct store_item gone = {.key = item->key, .version = item->version + 1,
				  .deleted = true};

	if (forget) {
		p->forgotten++;
		store_write(p->taker.store, &gone, STORE_UNLIMITED, now_ms, NULL);
	} else {
		p->told++;
		store_write(p->filler.store, item, STORE_UNLIMITED, now_ms, NULL);
	}
}

static void on_taker_message(struct channel *c, const struct kv_message *m)
{
	struct pair *p = CONTAINER_OF(c, struct pair, taker.channel);
	struct sync_take_from from = {c, p->taker.store, now_ms, on_extra, p};
	struct store_item item = {m->key, m->value, m->version, m->expires_ms,
				  m->kind == KV_KIND_DELETED};
	const char *why;

	switch (m->type) {
	case KV_SYNC_OFFER:
		sync_take_offer(&p->taker.sync, m);
		sync_take_ask(&p->taker.sync, &from);
		break;
	case KV_REPLICATE:
		assert_int_equal(m->seq, 0);
		p->replicated++;
		store_write(p->taker.store, &item, STORE_UNLIMITED, now_ms, NULL);
		break;
	case KV_EXPORT_START:
		p->entries_announced = m->total;
		break;
	case KV_DATA_ENTRY:
	case KV_PEER_NOTIFY:
		p->exported += m->type == KV_DATA_ENTRY;
		p->notified += m->type == KV_PEER_NOTIFY;
		item.version = 0;
		item.deleted = false;
		store_write(p->taker.store, &item, STORE_UNLIMITED, now_ms, NULL);
		break;
	case KV_EXPORT_END:
		p->ended = true;
		break;
	default:
		p->entries_announced = m->entries;
		assert_true(sync_take_message(&p->taker.sync, &from, m, &p->ended, &why));
	}
}

static const struct channel_calls filler_calls = {on_filler_message, on_lost, NULL};
static const struct channel_calls taker_calls = {on_taker_message, on_lost, NULL};

static struct store *new_store(void)
{
	struct store_options o = {.shards = 1, .tombstone_ms = STORE_TOMBSTONE_MS,
				  .key = {1, 2}};

	return store_create(&o);
}

static struct pair *new_pair(void)
{
	struct pair *p = calloc(1, sizeof *p);
	struct err err;
	int fds[2];

	p->loop = loop_create(&err);
	p->turn = (struct channel_turn){.loop = p->loop, .refused = &p->refused};
	p->turn.scratch = malloc(CHANNEL_SCRATCH_BYTES);
	list_init(&p->turn.unsent);
	loop_task_init(&p->turn.end, on_end);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
	channel_init(&p->filler.channel, &p->turn, &filler_calls);
	channel_init(&p->taker.channel, &p->turn, &taker_calls);
	assert_int_equal(channel_open(&p->filler.channel, fds[0]), 0);
	assert_int_equal(channel_open(&p->taker.channel, fds[1]), 0);
	p->filler.store = new_store();
	p->taker.store = new_store();
	return p;
}

static void free_pair(struct pair *p)
{
	sync_fill_stop(&p->filler.sync);
	sync_take_stop(&p->taker.sync);
	channel_close(&p->filler.channel);
	channel_close(&p->taker.channel);
	loop_task_cancel(&p->turn.end);
	loop_destroy(p->loop);
	free(p->turn.scratch);
	store_destroy(p->filler.store);
	store_destroy(p->taker.store);
	free(p);
}

/* Runs what was begun to its end; the filler goes on whenever there is room. */
static void run(struct pair *p)
{
	p->ended = false;
	p->replicated = p->told = p->forgotten = p->exported = p->notified = 0;
	for (int turn = 0; !p->ended; turn++) {
		assert_true(turn < TURNS_MAX);
		sync_fill_step(&p->filler.sync, &p->filler.channel, p->filler.store, now_ms,
			       dice(2) == 0);
		loop_turn(p->loop, 1);
	}
	assert_int_equal(p->filler.sync.state, SYNC_FILL_NONE);
	assert_int_equal(p->taker.sync.state, SYNC_TAKE_NONE);
}

static void sync_both(struct pair *p)
{
	sync_fill_offer(&p->filler.sync, &p->filler.channel, p->filler.store);
	run(p);
	assert_int_equal(p->replicated, p->entries_announced);
}

static void put(struct store *s, unsigned number, uint64_t version, bool deleted)
{
	char key[16], value[64];
	struct store_item item = {.version = version, .deleted = deleted};

	item.key = (struct span){key, (size_t)snprintf(key, sizeof key, "key %u", number)};
	if (!deleted)
		item.value = (struct span){value, (size_t)snprintf(
			value, sizeof value, "value %llu", (unsigned long long)version)};
	store_write(s, &item, STORE_UNLIMITED, now_ms, NULL);
}

static struct store_figures figures_of(struct store *s)
{
	struct store_figures f;

	store_figures(s, &f);
	return f;
}

static void check_same(struct pair *p)
{
	struct store_figures a = figures_of(p->filler.store), b = figures_of(p->taker.store);

	assert_int_equal(a.entries, b.entries);
	assert_int_equal(a.digest, b.digest);
}

static void an_empty_store_takes_everything(void **state)
{
	struct pair *p = new_pair();

	(void)state;
	for (unsigned i = 0; i < KEYS; i++)
		put(p->filler.store, i, version_before(i), i % 7 == 0);
	sync_both(p);
	assert_int_equal(p->replicated, KEYS);
	assert_int_equal(p->told + p->forgotten, 0);
	check_same(p);
	assert_int_equal(figures_of(p->taker.store).tombstones,
			 figures_of(p->filler.store).tombstones);
	free_pair(p);
}

static void equal_stores_have_nothing_to_tell(void **state)
{
	struct pair *p = new_pair();

	(void)state;
	for (unsigned i = 0; i < KEYS; i++) {
		put(p->filler.store, i, version_before(i), false);
		put(p->taker.store, i, version_before(i), false);
	}
	uint64_t before = p->filler.channel.bytes_out;
	sync_both(p);
	assert_int_equal(p->replicated + p->told, 0);
	assert_true(p->filler.channel.bytes_out - before < 100);
	free_pair(p);
}

/* Both have been apart for minutes, and each has written and deleted. */
static void apart_for_a_while(struct pair *p)
{
	for (unsigned i = 0; i < KEYS; i++) {
		uint64_t common = version_before(DAY_MS + dice(DAY_MS));
		if (dice(10) != 0) {
			put(p->filler.store, i, common, false);
			put(p->taker.store, i, common, false);
		}
		if (dice(20) == 0)
			put(p->filler.store, i, version_before(dice(300000)), dice(2) == 0);
		if (dice(20) == 0)
			put(p->taker.store, i, version_before(dice(300000)), dice(2) == 0);
	}
}

static void stores_that_were_apart_are_the_same_afterwards(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 20; seed++) {
		struct pair *p = new_pair();
		dice_state = seed << 32;
		apart_for_a_while(p);
		/* What the taker has newer under a key that both have goes the other way. */
		sync_both(p);
		assert_true(p->replicated < KEYS / 4);
		struct pair *back = new_pair();
		store_destroy(back->filler.store);
		store_destroy(back->taker.store);
		back->filler.store = p->taker.store;
		back->taker.store = p->filler.store;
		sync_both(back);
		check_same(p);
		sync_both(p);
		assert_int_equal(p->replicated + p->told, 0);
		back->filler.store = new_store();
		back->taker.store = new_store();
		free_pair(back);
		free_pair(p);
	}
}

static void what_was_deleted_long_ago_is_not_brought_back(void **state)
{
	struct pair *p = new_pair();

	(void)state;
	for (unsigned i = 0; i < 100; i++)
		put(p->taker.store, i, version_before(DAY_MS), false);
	put(p->taker.store, 1000, version_before(1000), false);
	put(p->filler.store, 2000, version_before(500), false);
	/* The filler has forgotten tombstones of an hour ago. */
	store_note(p->filler.store, 0, version_before(3600 * 1000));
	sync_both(p);
	assert_int_equal(p->forgotten, 100);
	assert_int_equal(p->told, 1);	/* it never got there: news */
	check_same(p);
	assert_int_equal(figures_of(p->taker.store).entries, 2);
	free_pair(p);
}

/* Entries that expire are forgotten within seconds; what is as young as that has not been
 * deleted, but is on its way. */
static void what_is_young_is_told_whatever_was_forgotten(void **state)
{
	struct pair *p = new_pair();

	(void)state;
	for (unsigned i = 0; i < 100; i++)
		put(p->taker.store, i, version_before(10000), false);
	store_note(p->filler.store, 0, version_before(1));
	sync_both(p);
	assert_int_equal(p->forgotten, 0);
	assert_int_equal(p->told, 100);
	check_same(p);
	free_pair(p);
}

static void an_export_has_as_many_entries_as_it_says(void **state)
{
	struct pair *p = new_pair();

	(void)state;
	for (unsigned i = 0; i < KEYS; i++)
		put(p->filler.store, i, version_before(1 + i), i % 5 == 0);
	sync_fill_export(&p->filler.sync, &p->filler.channel, p->filler.store);
	/* Some go and some come while it is under way. */
	for (unsigned i = 0; i < 40; i++)
		put(p->filler.store, i, version_before(0), true);
	for (unsigned i = 0; i < 100; i++)
		put(p->filler.store, KEYS + i, version_before(0), false);
	run(p);
	assert_int_equal(p->exported, p->entries_announced);
	assert_true(p->notified > 0);
	assert_int_equal(figures_of(p->taker.store).entries,
			 figures_of(p->filler.store).entries);

	struct pair *fewer = new_pair();
	for (unsigned i = 0; i < 100; i++)
		put(fewer->filler.store, i, version_before(1 + i), false);
	sync_fill_export(&fewer->filler.sync, &fewer->filler.channel, fewer->filler.store);
	for (unsigned i = 0; i < 40; i++)
		put(fewer->filler.store, i, version_before(0), true);
	run(fewer);
	assert_int_equal(fewer->exported, 100);
	assert_int_equal(figures_of(fewer->taker.store).entries, 60);
	free_pair(fewer);
	free_pair(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_store_takes_everything),
		cmocka_unit_test(equal_stores_have_nothing_to_tell),
		cmocka_unit_test(stores_that_were_apart_are_the_same_afterwards),
		cmocka_unit_test(what_was_deleted_long_ago_is_not_brought_back),
		cmocka_unit_test(what_is_young_is_told_whatever_was_forgotten),
		cmocka_unit_test(an_export_has_as_many_entries_as_it_says),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
