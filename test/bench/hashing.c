/* test/bench/hashing.c - measures the policies by key: the tables of doc/hashing.md. With
 * the argument `numbers` it prints the last of them alone, with `shares` what
 * test/bench/plot_hashing.py draws.
 *
 * Shares are those of the key space: keys at equal distances measure the parts of a
 * table themselves, without the noise that keys by lot would add. Servers have addresses
 * as in a real pool; what depends on the luck of these is measured in several pools.
 * Times are CPU time of this thread, so that what else the machine does counts little:
 * the smallest of several rounds for look-ups, the median for builds.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/hash.h"
#include "base/memory.h"
#include "base/must.h"
#include "pick/policy.h"
#include "pick/table.h"

enum {
	POOLS_MAX = 101,	/* whose median is taken */
	KEYS_BITS_MAX = 22,
	ROUNDS = 9,
	LOOK_UPS = 1 << 17,	/* in a round, */
	ROUND_NS_MAX = 20 * 1000 * 1000,	/* or as many as this allows */
};

struct variant {
	const char *name;
	const struct policy *policy;
	uint32_t points;	/* ring */
	uint32_t servers_max;	/* with more, counting takes minutes; 0: never */
	enum slot_hash slot_hash;	/* slots */
};

static const struct variant two_points = {"ring, 2 points", &policy_ring, 2, 0, 0};
static const struct variant ring = {"ring, 160 points", &policy_ring, 160, 0, 0};
static const struct variant maglev = {"maglev", &policy_maglev, 0, 0, 0};
static const struct variant rendezvous = {"rendezvous", &policy_rendezvous, 0, 100, 0};
static const struct variant slots = {.name = "slots", .policy = &policy_slots};
static const struct variant mixed_slots = {
	.name = "slots, mixed", .policy = &policy_slots, .slot_hash = SLOT_MIXED,
};

struct pool {
	struct model_pool   model;
	struct live_pool    live_pool;
	struct live_server *live;	/* owned */
	struct pick_server *servers;	/* owned */
	struct pick_view    view;
	struct pick_state   state;
};

static const struct tried nobody;

/* ---- pools ---- */

/* Pools of different luck have different addresses; of those of the same luck, a larger
 * one has the servers of a smaller one, and further ones. */
static void pool_init(struct pool *p, uint32_t count, uint32_t luck)
{
	static char name[] = "bench";

	*p = (struct pool){.model = {.name = name, .server_count = count}};
	model_pool_defaults(&p->model);
	p->model.servers = memory_new(count, sizeof *p->model.servers);
	p->model.live = &p->live_pool;
	p->live = memory_new_aligned(alignof(struct live_server),
				     count * sizeof *p->live);
	p->servers = memory_new(count, sizeof *p->servers);
	p->view = (struct pick_view){p->servers, count, &p->model};
	for (uint32_t i = 0; i < count; i++) {
		struct model_server *s = &p->model.servers[i];
		model_server_defaults(s);
		s->number = i + 1;
		snprintf(s->address.text, sizeof s->address.text, "10.%u.%u.%u:5432",
			 luck, i / 250, i % 250 + 1);
		p->servers[i].live = &p->live[i];
		p->live[i].up = true;
		p->live[i].weight = 1;
		p->live[i].seed = hash_bytes(s->address.text, strlen(s->address.text));
	}
	pick_state_init(&p->state, count, 1);
}

static void pool_fini(struct pool *p)
{
	pick_state_fini(&p->state);
	free(p->servers);
	free(p->live);
	free(p->model.servers);
	free(p->model.table);
}

static void pool_use(struct pool *p, const struct variant *v)
{
	struct err err;

	free(p->model.table);
	if (v->points > 0)
		p->model.ring_points = v->points;
	for (uint32_t i = 0; i < p->view.count; i++)
		p->model.servers[i].weight = p->live[i].weight;
	p->model.policy = v->policy;
	p->model.slot_hash = v->slot_hash;
	p->model.table = NULL;
	if (v->policy->build == NULL)
		return;
	p->model.table = v->policy->build(&p->model, &err);
	must(p->model.table != NULL);
}

static bool is_measured(const struct variant *v, uint32_t servers)
{
	return v->servers_max == 0 || servers <= v->servers_max;
}

static uint32_t pool_pick(struct pool *p, uint64_t key)
{
	return p->model.policy->pick(&p->view, &p->state, key, &nobody);
}

/* ---- figures ---- */

static double cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static int compare(const void *a, const void *b)
{
	double one = *(const double *)a, other = *(const double *)b;
	return (one > other) - (one < other);
}

static double median(double *figures, uint32_t count)
{
	qsort(figures, count, sizeof *figures, compare);
	return figures[count / 2];
}

/* Fewer pools the larger they are: luck evens out. An odd number. */
static uint32_t pools_for(uint32_t count)
{
	return count <= 10 ? POOLS_MAX : count <= 100 ? 21 : 5;
}

/* Enough that a server has a thousand keys, and an entry of maglev's table one. */
static uint32_t key_bits_for(uint32_t count)
{
	return count <= 10 ? 16 : count <= 100 ? 18 : KEYS_BITS_MAX;
}

/* ---- spread ---- */

struct spread {
	double most, least;	/* of the mean */
};

static struct spread measure_spread(struct pool *p, uint32_t bits)
{
	uint32_t *hits = memory_new(p->view.count, sizeof *hits);
	uint32_t most = 0, least = UINT32_MAX;

	for (uint64_t n = 0; n < UINT64_C(1) << bits; n++)
		hits[pool_pick(p, n << (64 - bits))]++;
	for (uint32_t i = 0; i < p->view.count; i++) {
		most = hits[i] > most ? hits[i] : most;
		least = hits[i] < least ? hits[i] : least;
	}
	free(hits);
	double mean = (double)(UINT64_C(1) << bits) / p->view.count;
	return (struct spread){most / mean, least / mean};
}

static struct spread median_spread(const struct variant *v, uint32_t count)
{
	double most[POOLS_MAX], least[POOLS_MAX];
	uint32_t pools = pools_for(count);

	for (uint32_t luck = 0; luck < pools; luck++) {
		struct pool p;
		pool_init(&p, count, luck);
		pool_use(&p, v);
		struct spread s = measure_spread(&p, key_bits_for(count));
		most[luck] = s.most;
		least[luck] = s.least;
		pool_fini(&p);
	}
	return (struct spread){median(most, pools), median(least, pools)};
}

static void print_spread(void)
{
	static const uint32_t counts[] = {2, 3, 10, 100, 1000, 4096};
	static const struct variant few = {"ring, 40 points", &policy_ring, 40, 0, 0};
	static const struct variant many = {"ring, 640 points", &policy_ring, 640, 0, 0};
	const struct variant *variants[] = {&two_points, &few, &ring, &many, &maglev,
					    &rendezvous};

	printf("Spread: the least and the most that a server has, where the mean is 1;\n"
	       "medians of several pools.\n\n| servers ");
	for (size_t v = 0; v < COUNT_OF(variants); v++)
		printf("| %s ", variants[v]->name);
	printf("|\n|--:|:-:|:-:|:-:|:-:|:-:|:-:|\n");
	for (size_t c = 0; c < COUNT_OF(counts); c++) {
		printf("| %u ", counts[c]);
		for (size_t v = 0; v < COUNT_OF(variants); v++) {
			if (!is_measured(variants[v], counts[c])) {
				printf("| ");
				continue;
			}
			struct spread s = median_spread(variants[v], counts[c]);
			printf("| %.2f to %.2f ", s.least, s.most);
		}
		printf("|\n");
	}
}

static void print_two_servers(void)
{
	const struct variant *variants[] = {&two_points, &ring, &maglev, &rendezvous};
	enum { POOLS = 501 };

	printf("\nTwo servers: the larger part of the keys, in %d pools.\n\n"
	       "| | median | one in ten has | one in a hundred |\n|:--|--:|--:|--:|\n",
	       POOLS);
	for (size_t v = 0; v < COUNT_OF(variants); v++) {
		double larger[POOLS];
		for (uint32_t luck = 0; luck < POOLS; luck++) {
			struct pool p;
			pool_init(&p, 2, luck);
			pool_use(&p, variants[v]);
			larger[luck] = 50 * measure_spread(&p, key_bits_for(2)).most;
			pool_fini(&p);
		}
		double middle = median(larger, POOLS);
		printf("| %s | %.1f %% | %.1f %% | %.1f %% |\n",
		       variants[v]->name, middle, larger[POOLS * 90 / 100],
		       larger[POOLS * 99 / 100]);
	}
}

/* ---- weights ---- */

static void print_weights(void)
{
	static const uint32_t weights[] = {1, 1, 2, 4, 8};
	const struct variant *variants[] = {&ring, &maglev, &rendezvous};
	enum { BITS = 18 };

	printf("\nWeights: the part of the keys that each server has.\n\n"
	       "| weight | due | ring, 160 points | maglev | rendezvous |\n"
	       "|--:|--:|--:|--:|--:|\n");
	double share[COUNT_OF(variants)][COUNT_OF(weights)] = {{0}};
	for (size_t v = 0; v < COUNT_OF(variants); v++) {
		struct pool p;
		pool_init(&p, COUNT_OF(weights), 1);
		for (size_t i = 0; i < COUNT_OF(weights); i++)
			p.live[i].weight = weights[i];
		pool_use(&p, variants[v]);
		for (uint64_t n = 0; n < 1 << BITS; n++)
			share[v][pool_pick(&p, n << (64 - BITS))] += 100.0 / (1 << BITS);
		pool_fini(&p);
	}
	for (size_t i = 0; i < COUNT_OF(weights); i++)
		printf("| %u | %.2f %% | %.2f %% | %.2f %% | %.2f %% |\n", weights[i],
		       weights[i] * 100.0 / 16, share[0][i], share[1][i], share[2][i]);
}

/* ---- disruption ---- */

struct moves {
	double all, among_staying;	/* shares of all keys */
};

/* From `count` servers to one more; the other way it is a server that leaves. */
static struct moves measure_moves(const struct variant *v, uint32_t count, uint32_t luck)
{
	struct pool before, after;
	uint32_t all = 0, among = 0, bits = key_bits_for(count);

	pool_init(&before, count, luck);
	pool_init(&after, count + 1, luck);
	pool_use(&before, v);
	pool_use(&after, v);
	for (uint64_t n = 0; n < UINT64_C(1) << bits; n++) {
		uint64_t key = n << (64 - bits);
		uint32_t one = pool_pick(&before, key), other = pool_pick(&after, key);
		all += one != other;
		among += one != other && other != count;
	}
	pool_fini(&before);
	pool_fini(&after);
	return (struct moves){
		100.0 * all / (1u << bits), 100.0 * among / (1u << bits),
	};
}

/* The mean over several pools, and the most in one of them. */
static void print_moves_of(const struct variant *v, uint32_t count)
{
	uint32_t pools = pools_for(count);
	double sum = 0, most = 0, among = 0;

	if (!is_measured(v, count)) {
		printf("| | ");
		return;
	}
	for (uint32_t luck = 0; luck < pools; luck++) {
		struct moves m = measure_moves(v, count, luck);
		sum += m.all;
		most = m.all > most ? m.all : most;
		among += m.among_staying;
	}
	printf("| %.3f %% | %.3f %% ", sum / pools, most);
	if (v == &maglev)
		printf("| %.3f %% ", among / pools);
	else
		must(among == 0);
}

static void print_moves(void)
{
	static const uint32_t counts[] = {2, 3, 10, 100, 1000, 4095};
	const struct variant *variants[] = {&two_points, &ring, &maglev, &rendezvous};

	printf("\nDisruption: how many of all keys move when a server is added to so "
	       "many, or leaves\nagain: the mean of several pools, and the most in one. "
	       "Between servers that stay some of\nmaglev's move, of the others' none.\n\n"
	       "| servers | least ");
	for (size_t v = 0; v < COUNT_OF(variants); v++)
		printf("| %s | most %s", variants[v]->name,
		       variants[v] == &maglev ? "| of these between " : "");
	printf("|\n|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|\n");
	for (size_t c = 0; c < COUNT_OF(counts); c++) {
		printf("| %u | %.3f %% ", counts[c], 100.0 / (counts[c] + 1));
		for (size_t v = 0; v < COUNT_OF(variants); v++)
			print_moves_of(variants[v], counts[c]);
		printf("|\n");
	}
}

/* ---- cost ---- */

static volatile uint64_t result;	/* or the compiler leaves out what nobody needs */

/* Each key is made of the answer before, so that one pick waits for the other; what
 * making keys costs is not counted. */
static double look_up_ns(struct pool *p)
{
	double least = 1e18;

	for (int round = 0; round < ROUNDS; round++) {
		uint64_t key = 1;
		uint32_t done = 0;
		double begun = cpu_ns();
		for (uint32_t n = 0; n < LOOK_UPS; n++)
			key = hash_mix(key + n);
		double made = cpu_ns(), now = made;
		while (done < LOOK_UPS && now - made < ROUND_NS_MAX) {
			for (uint32_t n = 0; n < 1024; n++)
				key = hash_mix(key + n + pool_pick(p, key));
			done += 1024;
			now = cpu_ns();
		}
		result = key;
		double each = (now - made) / done - (made - begun) / LOOK_UPS;
		least = each < least ? each : least;
	}
	return least;
}

static double build_ms(struct pool *p, const struct variant *v)
{
	double each[ROUNDS];

	for (int round = 0; round < ROUNDS; round++) {
		double begun = cpu_ns();
		pool_use(p, v);
		each[round] = (cpu_ns() - begun) / 1e6;
	}
	return median(each, ROUNDS);
}

static size_t table_bytes(const struct pool *p)
{
	return p->model.table != NULL ? p->model.table->bytes : 0;
}

static double copy_ms(const struct pool *p)
{
	size_t bytes = table_bytes(p);
	double each[ROUNDS];

	for (int round = 0; round < ROUNDS; round++) {
		double begun = cpu_ns();
		void *copy = memory_new(1, bytes);
		if (bytes > 0)
			memcpy(copy, p->model.table, bytes);
		each[round] = (cpu_ns() - begun) / 1e6;
		free(copy);
	}
	return median(each, ROUNDS);
}

static void print_cost(void)
{
	static const uint32_t counts[] = {10, 100, 1000, 4096, 10000};
	const struct variant *variants[] = {&two_points, &ring, &maglev, &rendezvous};

	printf("\nCost: of a pick, of one with half of the servers down, and with all "
	       "but one down;\nof building the table, of copying it, and its size.\n\n"
	       "| | servers | pick | half down | all but one | build | copy | size |\n"
	       "|:--|--:|--:|--:|--:|--:|--:|--:|\n");
	for (size_t v = 0; v < COUNT_OF(variants); v++) {
		for (size_t c = 0; c < COUNT_OF(counts); c++) {
			struct pool p;
			pool_init(&p, counts[c], 1);
			double build = build_ms(&p, variants[v]), copy = copy_ms(&p);
			double pick = look_up_ns(&p);
			for (uint32_t i = 0; i < counts[c]; i++)
				p.live[i].up = i % 2 == 0;
			double half = look_up_ns(&p);
			for (uint32_t i = 0; i < counts[c]; i++)
				p.live[i].up = i == 7;
			double one = look_up_ns(&p);
			printf("| %s | %u | %.0f ns | %.0f ns | %.0f ns | %.2f ms | "
			       "%.2f ms | %.0f KiB |\n",
			       variants[v]->name, counts[c], pick, half, one, build, copy,
			       (double)table_bytes(&p) / 1024);
			pool_fini(&p);
		}
	}
}

/* ---- bounded loads ---- */

struct loads {
	double peak;		/* of the mean */
	double away;		/* percent of the picks that did not go home */
};

/* 1000 sessions on 10 servers, one ends and one begins; clients are as unequal as they
 * often are: a twentieth of all sessions are those of one. */
static struct loads simulate(const struct variant *v, uint32_t percent)
{
	enum { HELD = 1000, PICKS = 200000, SERVERS = 10 };
	static uint32_t held[HELD];
	struct loads loads = {0};
	struct pool p;

	pool_init(&p, SERVERS, 1);
	pool_use(&p, v);
	for (uint32_t n = 0; n < PICKS; n++) {
		struct live_server *oldest = p.servers[held[n % HELD]].live;
		if (n >= HELD)
			live_server_leave(oldest, &p.live_pool, true);
		uint64_t dice = hash_mix(n);
		uint64_t key = hash_mix(dice % 20 == 0 ? 1 : dice);
		p.model.bounded_percent = 0;
		uint32_t home = pool_pick(&p, key);
		p.model.bounded_percent = percent;
		uint32_t server = held[n % HELD] = pool_pick(&p, key);
		live_server_enter(p.servers[server].live, &p.live_pool, true);
		double load = (double)p.live[server].in_flight * SERVERS / HELD;
		loads.away += server != home ? 100.0 / PICKS : 0;
		loads.peak = load > loads.peak ? load : loads.peak;
	}
	pool_fini(&p);
	return loads;
}

static void print_bounded(void)
{
	static const uint32_t percents[] = {0, 100, 50, 25, 10, 5};

	const struct variant *variants[] = {&ring, &maglev, &rendezvous};

	printf("\nBounded loads: 10 servers, 1000 sessions, of which one client has 5 %%."
	       "\n\n| bounded | ring: highest | not at home | maglev: highest | "
	       "not at home | rendezvous: highest | not at home |\n"
	       "|--:|--:|--:|--:|--:|--:|--:|\n");
	for (size_t i = 0; i < COUNT_OF(percents); i++) {
		if (percents[i] == 0)
			printf("| no ");
		else
			printf("| %u %% ", percents[i]);
		for (size_t v = 0; v < COUNT_OF(variants); v++) {
			struct loads l = simulate(variants[v], percents[i]);
			printf("| %.2f | %.1f %% ", l.peak, l.away);
		}
		printf("|\n");
	}
}

/* ---- requests with numbers ---- */

enum { REQUESTS = 10 * 1000, NUMBERED_MIN = 2, NUMBERED_MAX = 6 };

static const struct variant *const numbered[] = {&slots, &mixed_slots, &ring, &maglev,
						 &rendezvous};

/* All different, of six digits, in an order by lot. */
static void draw_requests(uint32_t *ids)
{
	enum { FIRST = 100 * 1000, COUNT = 900 * 1000 };
	uint32_t *all = memory_new(COUNT, sizeof *all);

	for (uint32_t i = 0; i < COUNT; i++)
		all[i] = FIRST + i;
	for (uint32_t i = 0; i < REQUESTS; i++) {
		uint32_t k = i + (uint32_t)(hash_mix(i + 1) % (COUNT - i));
		ids[i] = all[k];
		all[k] = all[i];
	}
	free(all);
}

/* To slots the number itself, as their functions are about it; to the others the hash of
 * its text, as if a header said it. */
static uint32_t pick_by_id(struct pool *p, uint32_t id)
{
	char text[16];
	int len = snprintf(text, sizeof text, "%u", id);
	bool is_number = p->model.policy == &policy_slots;

	return pool_pick(p, is_number ? id : hash_bytes(text, (size_t)len));
}

static void serve_requests(struct pool *p, const uint32_t *ids, uint32_t *servers)
{
	for (uint32_t i = 0; i < REQUESTS; i++)
		servers[i] = pick_by_id(p, ids[i]);
}

struct numbers {
	uint32_t hits[NUMBERED_MAX];
	double moved, among_staying;	/* percent of all, the mean of who leaves */
};

static struct numbers measure_numbers(const struct variant *v, uint32_t count,
				      const uint32_t *ids)
{
	static uint32_t before[REQUESTS], after[REQUESTS];
	struct numbers n = {0};
	struct pool p;

	pool_init(&p, count, 1);
	pool_use(&p, v);
	serve_requests(&p, ids, before);
	for (uint32_t i = 0; i < REQUESTS; i++)
		n.hits[before[i]]++;
	for (uint32_t gone = 0; gone < count; gone++) {
		p.live[gone].weight = 0;	/* no part of any table, as if removed */
		pool_use(&p, v);
		serve_requests(&p, ids, after);
		p.live[gone].weight = 1;
		for (uint32_t i = 0; i < REQUESTS; i++) {
			bool moves = before[i] != after[i];
			double part = 100.0 / REQUESTS / count;
			n.moved += moves ? part : 0;
			n.among_staying += moves && before[i] != gone ? part : 0;
		}
	}
	pool_fini(&p);
	return n;
}

static double root(double square)
{
	double root = square > 1 ? square : 1;

	for (int i = 0; i < 100; i++)
		root = (root + square / root) / 2;
	return root;
}

static void print_numbers_of(const struct variant *v, uint32_t count, const uint32_t *ids)
{
	struct numbers n = measure_numbers(v, count, ids);
	uint32_t most = 0, least = UINT32_MAX;
	double mean = (double)REQUESTS / count, squares = 0;

	printf("| %u | %s |", count, v->name);
	for (uint32_t i = 0; i < count; i++) {
		most = n.hits[i] > most ? n.hits[i] : most;
		least = n.hits[i] < least ? n.hits[i] : least;
		squares += (n.hits[i] - mean) * (n.hits[i] - mean);
		printf(" %.1f", n.hits[i] * 100.0 / REQUESTS);
	}
	printf(" | %.0f | %.2f | %.2f %% | %.2f %% |\n", root(squares / count),
	       (double)most / least, n.moved, n.among_staying);
}

static void print_numbers(void)
{
	static uint32_t ids[REQUESTS];

	draw_requests(ids);
	printf("\nNumbered requests: 10,000 different numbers of six digits, in an order by "
	       "lot; the share\nof each server in percent, their standard deviation in "
	       "requests, the most over the least;\nand what moves when one of them leaves, "
	       "the mean of all.\n\n"
	       "| servers | | shares | deviation | most / least | moves | of these between "
	       "|\n|--:|:--|:--|--:|--:|--:|--:|\n");
	for (uint32_t count = NUMBERED_MIN; count <= NUMBERED_MAX; count++)
		for (size_t v = 0; v < COUNT_OF(numbered); v++)
			print_numbers_of(numbered[v], count, ids);
}

/* A line for each policy and number of servers: name, tab, the requests of each. */
static void print_shares(void)
{
	static uint32_t ids[REQUESTS];

	draw_requests(ids);
	for (size_t v = 0; v < COUNT_OF(numbered); v++)
		for (uint32_t count = NUMBERED_MIN; count <= NUMBERED_MAX; count++) {
			struct numbers n = measure_numbers(numbered[v], count, ids);
			printf("%s", numbered[v]->name);
			for (uint32_t i = 0; i < count; i++)
				printf("\t%u", n.hits[i]);
			printf("\n");
		}
}

int main(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "shares") == 0) {
		print_shares();
		return 0;
	}
	if (argc == 2 && strcmp(argv[1], "numbers") == 0) {
		print_numbers();
		return 0;
	}
	print_spread();
	print_two_servers();
	print_weights();
	print_moves();
	print_cost();
	print_bounded();
	print_numbers();
	return 0;
}
