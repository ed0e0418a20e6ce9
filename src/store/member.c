#include "store/member.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/hmac.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/must.h"
#include "base/secret.h"
#include "base/value.h"
#include "listen/listener.h"
#include "store/identity.h"
#include "store/peer_in.h"
#include "store/peer_out.h"
#include "store/pool.h"
#include "store/stats.h"

enum { SHARDS_PER_LANE = 4, HARD_PERCENT = 125, KEY_HALF = KV_POOL_KEY_BYTES / 2 };

/* ---- the pool's key ---- */

static struct siphash_key key_of(const uint8_t bytes[KV_POOL_KEY_BYTES])
{
	struct siphash_key key = {0, 0};

	/* As SipHash has it: the low byte first. */
	for (int i = KEY_HALF - 1; i >= 0; i--) {
		key.low = key.low << 8 | bytes[i];
		key.high = key.high << 8 | bytes[KEY_HALF + i];
	}
	return key;
}

static void write_key(struct siphash_key key, uint8_t bytes[KV_POOL_KEY_BYTES])
{
	for (int i = 0; i < KEY_HALF; i++) {
		bytes[i] = (uint8_t)(key.low >> (8 * i));
		bytes[KEY_HALF + i] = (uint8_t)(key.high >> (8 * i));
	}
}

/* What depends on the order of hashes: syncs, and so the peers' connections. */
static void end_syncs(struct lane *l)
{
	peer_out_restart_all(l, "the pool has another key");
	peer_in_close_all(l);
}

static void on_stand_still(struct lane *l, const struct lane_note *n)
{
	struct member *m = l->member;

	(void)n;
	end_syncs(l);
	pthread_mutex_lock(&m->still_lock);
	m->still++;
	pthread_cond_broadcast(&m->still_changed);
	while (m->stand_still)
		pthread_cond_wait(&m->still_changed, &m->still_lock);
	m->still--;
	pthread_mutex_unlock(&m->still_lock);
}

static void stop_others(struct member *m)
{
	pthread_mutex_lock(&m->still_lock);
	m->stand_still = true;
	pthread_mutex_unlock(&m->still_lock);
	for (unsigned i = 1; i < m->lane_count; i++)
		lane_tell(m->lanes[0], m->lanes[i],
			  &(struct lane_note){.run = on_stand_still, .fd = -1});
	pthread_mutex_lock(&m->still_lock);
	while (m->still < m->lane_count - 1)
		pthread_cond_wait(&m->still_changed, &m->still_lock);
	pthread_mutex_unlock(&m->still_lock);
}

static void let_others_go(struct member *m)
{
	pthread_mutex_lock(&m->still_lock);
	m->stand_still = false;
	pthread_cond_broadcast(&m->still_changed);
	pthread_mutex_unlock(&m->still_lock);
}

static bool is_zero(const uint8_t key[KV_POOL_KEY_BYTES])
{
	for (int i = 0; i < KV_POOL_KEY_BYTES; i++)
		if (key[i] != 0)
			return false;
	return true;
}

void member_use_key(struct member *m, const uint8_t bytes[KV_POOL_KEY_BYTES])
{
	struct siphash_key key = key_of(bytes), now = store_key(m->store);

	if (is_zero(bytes) || (key.low == now.low && key.high == now.high))
		return;
	end_syncs(m->lanes[0]);
	stop_others(m);
	bool done = store_use_key(m->store, &key);
	let_others_go(m);
	if (done)
		return;
	log_error("out of memory while taking the pool's key; the worker ends: give it "
		  "more memory");
	m->broken = true;
	member_stop(m, true);
}

void member_hello(struct member *m, struct kv_hello *h, uint8_t role, unsigned lane,
		  bool connector)
{
	uint8_t nonce[KV_NONCE_BYTES];
	struct store_figures figures;
	struct kv_self self = {
		.role = role, .lane = (uint8_t)lane, .lanes = (uint8_t)m->lane_count,
		.id = m->id, .port = address_port(&m->peers_at),
		.secret = {m->secret, m->secret_len},
	};

	if (!connector) {		/* it answers for the worker */
		self.lane = 0;
		self.lanes = 1;
	}
	store_figures(m->store, &figures);
	self.newest = figures.newest;
	self.entries = figures.entries;
	write_key(store_key(m->store), self.pool_key);
	hmac_random(nonce, sizeof nonce);
	kv_hello_init(h, &self, connector, nonce);
}

/* ---- memory ---- */

static void on_over(struct lane *first, const struct lane_note *n)
{
	struct member *m = first->member;

	(void)n;
	if (m->broken)
		return;
	m->broken = true;
	log_error("memory is at its hard limit, a quarter above --memory-max, through "
		  "what peers have accepted; the worker leaves the pool: raise "
		  "--memory-max limit=%s",
		  value_text(VALUE_SIZE, m->options->memory_max).text);
	member_stop(m, true);
}

void member_look_at_memory(struct member *m, struct lane *l)
{
	struct store_figures figures;

	if (m->memory_hard_max == 0)
		return;
	store_figures(m->store, &figures);
	if (figures.bytes > m->memory_hard_max)
		lane_tell(l, m->lanes[0], &(struct lane_note){.run = on_over, .fd = -1});
}

/* ---- timers ---- */

static void on_sweep(struct loop_timer *t)
{
	struct member *m = CONTAINER_OF(t, struct member, sweep);
	struct lane *first = m->lanes[0];

	store_sweep(m->store, lane_wall_ms(first), MEMBER_SWEEP_SLOTS);
	loop_timer_start(first->loop, t, MEMBER_SWEEP_MS);
}

static void on_snapshot(struct loop_timer *t)
{
	struct member *m = CONTAINER_OF(t, struct member, snapshot);
	struct lane *first = m->lanes[0];
	uint64_t ms = MEMBER_SNAPSHOT_MS;
	bool goes_on = m->in_snapshot || ledger_snapshot_is_due(m->ledger);

	for (int i = 0; goes_on && i < MEMBER_SNAPSHOT_STEPS; i++)
		goes_on = !ledger_snapshot_step(m->ledger, lane_wall_ms(first));
	m->in_snapshot = goes_on;
	if (!goes_on)
		ms = MEMBER_SNAPSHOT_LOOK_MS;
	loop_timer_start(first->loop, t, ms);
}

static void on_stats(struct loop_timer *t)
{
	struct member *m = CONTAINER_OF(t, struct member, stats);

	stats_log(m, m->lanes[0]);
	loop_timer_start(m->lanes[0]->loop, t, m->options->stats_ms);
}

/* Whoever was to fill us does not, or somebody cannot reach us. */
static void on_filling(struct loop_timer *t)
{
	struct member *m = CONTAINER_OF(t, struct member, filling);

	if (m->roster.state != ROSTER_FILLING)
		return;
	bool goes_on = m->fill_signs != m->fill_signs_seen;
	m->fill_signs_seen = m->fill_signs;
	loop_timer_start(m->lanes[0]->loop, t, MEMBER_FILL_MS_MAX);
	if (goes_on)
		return;
	log_warn("nobody fills this worker; it joins anew filler=%u", m->roster.filler);
	uplink_rejoin(&m->lanes[0]->uplink, "nobody fills this worker");
}

static void on_parting(struct loop_timer *t)
{
	loop_stop(CONTAINER_OF(t, struct member, parting)->lanes[0]->loop);
}

/* ---- people ---- */

void member_stop(struct member *m, bool at_once)
{
	struct uplink *u = &m->lanes[0]->uplink;

	if (at_once || m->parting_began || !uplink_is_up(u)) {
		loop_stop(m->lanes[0]->loop);
		return;
	}
	/* The balancer gives it no more work; what is under way gets its answers. */
	m->parting_began = true;
	channel_send(&u->channel, &(struct kv_message){.type = KV_WORKER_NOT_READY,
						       .id = m->id});
	loop_timer_start(m->lanes[0]->loop, &m->parting, MEMBER_PARTING_MS);
}

/* To whoever reads what the program prints; on a terminal that is a person. */
static void print_stats(struct member *m)
{
	char text[STATS_TEXT_MAX];
	size_t len = stats_write(m, m->lanes[0], text);

	fwrite(text, 1, len, stdout);
	fflush(stdout);
}

static void on_signal(struct signals *s, int number)
{
	struct member *m = CONTAINER_OF(s, struct member, signals);

	if (number == SIGUSR1) {
		print_stats(m);
		stats_log(m, m->lanes[0]);
		return;
	}
	log_info("told to stop by a signal signal=%d", number);
	member_stop(m, false);
}

static void on_key(struct keys *k, char key)
{
	struct member *m = CONTAINER_OF(k, struct member, keys);

	if (key == 's') {
		print_stats(m);
	} else if (key == 'q') {
		printf("stopping\n");
		member_stop(m, false);
	} else {
		printf("s: statistics, q: stop\n");
	}
	fflush(stdout);
}

/* ---- the whole ---- */

static int open_store(struct member *m, struct err *err)
{
	const struct worker_options *o = m->options;
	uint8_t random[KV_POOL_KEY_BYTES];
	struct siphash_key key;
	uint32_t shards = 1;

	while (o->threads > 1 && shards < SHARDS_PER_LANE * o->threads)
		shards *= 2;
	if (o->data == NULL || !ledger_pool_key(o->data, &key)) {
		hmac_random(random, sizeof random);
		key = key_of(random);
	}
	m->store = store_create(&(struct store_options){
		.shards = shards, .memory_max = o->memory_max, .key = key,
		.tombstone_ms = STORE_TOMBSTONE_MS,
	});
	m->memory_hard_max = o->memory_max / 100 * HARD_PERCENT;
	if (m->store == NULL)
		return err_set(err, "out of memory");
	return 0;
}

static void on_durable(void *arg, uint32_t lane, uint64_t seq)
{
	struct member *m = arg;

	lane_on_durable(m->lanes[lane], seq);
}

static int open_ledger(struct member *m, struct err *err)
{
	const struct worker_options *o = m->options;

	if (o->data == NULL)
		return identity_find(&m->id, o->id, NULL, err);
	m->ledger = ledger_open(&(struct ledger_options){
		.directory = o->data, .sync = o->sync, .lanes = m->lane_count,
		.on_durable = on_durable, .arg = m, .now_ms = lane_wall_ms(m->lanes[0]),
	}, m->store, err);
	if (m->ledger == NULL)
		return -1;
	return identity_find(&m->id, o->id, o->data, err);
}

static int open_lanes(struct member *m, struct err *err)
{
	for (; m->lane_count < m->options->threads; m->lane_count++) {
		struct lane *l = memory_new(1, sizeof *l);
		if (lane_init(l, m, m->lane_count, err) != 0) {
			free(l);
			return -1;
		}
		m->lanes[m->lane_count] = l;
	}
	return 0;
}

static int open_door(struct member *m, struct err *err)
{
	int fd;

	m->peers_at = m->options->peers;
	if (listener_open(&fd, 1, &m->peers_at, err) != 0)
		return -1;
	getsockname(fd, &m->peers_at.any, &m->peers_at.len);
	address_format(&m->peers_at);
	door_open(&m->door, m, fd);
	return 0;
}

static int open_people(struct member *m, struct err *err)
{
	static const int numbers[] = {SIGTERM, SIGINT, SIGUSR1, 0};
	struct loop *loop = m->lanes[0]->loop;

	if (signals_open(&m->signals, loop, numbers, on_signal, err) != 0)
		return -1;
	if (keys_open(&m->keys, loop, on_key, err) != 0)
		return -1;
	if (m->options->balancer.len != 0)
		return 0;
	m->resolver = resolver_create(loop, err);
	return m->resolver != NULL ? 0 : -1;
}

static void init_timers(struct member *m)
{
	loop_timer_init(&m->sweep, on_sweep);
	loop_timer_init(&m->snapshot, on_snapshot);
	loop_timer_init(&m->stats, on_stats);
	loop_timer_init(&m->filling, on_filling);
	loop_timer_init(&m->parting, on_parting);
}

static void start_timers(struct member *m)
{
	struct loop *loop = m->lanes[0]->loop;

	loop_timer_start(loop, &m->sweep, MEMBER_SWEEP_MS);
	if (m->ledger != NULL)
		loop_timer_start(loop, &m->snapshot, MEMBER_SNAPSHOT_LOOK_MS);
	if (m->options->stats_ms > 0)
		loop_timer_start(loop, &m->stats, m->options->stats_ms);
}

int member_open(struct member *m, const struct worker_options *o, struct err *err)
{
	*m = (struct member){.options = o, .signals.watch.fd = -1, .keys.watch.fd = -1};
	init_timers(m);
	pthread_mutex_init(&m->still_lock, NULL);
	pthread_cond_init(&m->still_changed, NULL);
	if (o->secret != NULL && secret_read(o->secret, "secret", m->secret,
					     sizeof m->secret, &m->secret_len, err) != 0)
		goto close;
	if (open_store(m, err) != 0 || open_lanes(m, err) != 0 ||
	    open_ledger(m, err) != 0 || open_door(m, err) != 0 ||
	    open_people(m, err) != 0)
		goto close;
	m->began_ms = loop_now_ms(m->lanes[0]->loop);
	start_timers(m);
	return 0;

close:
	member_close(m);
	return -1;
}

static void *run_lane(void *arg)
{
	struct lane *l = arg;

	log_hurry();
	loop_run(l->loop);
	return NULL;
}

static void stop_threads(struct member *m)
{
	for (unsigned i = 1; i < m->lane_count; i++)
		if (m->lanes[i]->has_thread)
			loop_stop(m->lanes[i]->loop);
	for (unsigned i = 1; i < m->lane_count; i++) {
		if (m->lanes[i]->has_thread)
			pthread_join(m->lanes[i]->thread, NULL);
		m->lanes[i]->has_thread = false;
	}
}

int member_run(struct member *m)
{
	for (unsigned i = 1; i < m->lane_count; i++) {
		struct lane *l = m->lanes[i];
		if (pthread_create(&l->thread, NULL, run_lane, l) != 0) {
			log_error("cannot start a thread");
			stop_threads(m);
			return -1;
		}
		l->has_thread = true;
	}
	uplink_start(&m->lanes[0]->uplink, NULL);
	loop_run(m->lanes[0]->loop);
	stop_threads(m);
	return m->broken ? -1 : 0;
}

static void close_first(struct member *m)
{
	struct loop *loop = m->lanes[0]->loop;

	if (m->signals.watch.fd >= 0)
		signals_close(&m->signals);
	keys_close(&m->keys);
	if (m->door.member != NULL)
		door_close(&m->door);
	loop_timer_stop(loop, &m->sweep);
	loop_timer_stop(loop, &m->snapshot);
	loop_timer_stop(loop, &m->stats);
	loop_timer_stop(loop, &m->parting);
	/* Its question, if there is one, is its lane's. */
	uplink_stop(&m->lanes[0]->uplink);
	loop_timer_stop(loop, &m->filling);
	if (m->resolver != NULL)
		resolver_destroy(m->resolver);
}

void member_close(struct member *m)
{
	if (m->lane_count > 0)
		close_first(m);
	/* Its thread tells lanes of what is durable. */
	if (m->ledger != NULL)
		ledger_close(m->ledger);
	/* Lane 0 last: the others have things to tell it. */
	while (m->lane_count > 0) {
		struct lane *l = m->lanes[--m->lane_count];
		lane_fini(l);
		free(l);
	}
	if (m->store != NULL)
		store_destroy(m->store);
	roster_fini(&m->roster);
	pthread_cond_destroy(&m->still_changed);
	pthread_mutex_destroy(&m->still_lock);
	explicit_bzero(m->secret, sizeof m->secret);
}
