/* test/bench/store.c - measures the store: the tables of doc/kv-store.md.
 *
 *     out/bench/store [MILLIONS]
 *
 * Entries have a key of 16 bytes and a value of 84. Means are of this thread's CPU time,
 * so that what else the machine does counts little. The longest call is found by the
 * processor's time stamp counter, read between all calls; a call in which the thread was
 * taken off its core says nothing about the store and is left out, the next longest
 * stands. Keys are drawn in an order that no cache can guess.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <x86intrin.h>

#include "base/hash.h"
#include "base/memory.h"
#include "base/must.h"
#include "store/store.h"

enum { KEY_BYTES = 16, VALUE_BYTES = 84, SLOW_US = 100 };

static double ticks_per_ns;

static uint64_t wall_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static double cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

/* How often others were given our core. */
static long times_off_core(void)
{
	struct rusage usage;

	getrusage(RUSAGE_THREAD, &usage);
	return usage.ru_nivcsw + usage.ru_nvcsw;
}

static void calibrate(void)
{
	uint64_t begun = wall_ns(), ticks = __rdtsc();

	while (wall_ns() - begun < 50 * 1000 * 1000)
		;
	ticks_per_ns = (double)(__rdtsc() - ticks) / (double)(wall_ns() - begun);
}

/* ---- what is done ---- */

struct bench {
	struct store *s;
	uint64_t count, version;
	volatile uint64_t result;	/* or the compiler leaves out what nobody needs */
};

static struct store_item item_of(uint64_t number, char key[KEY_BYTES])
{
	static char value[VALUE_BYTES];
	uint64_t words[2] = {number, hash_mix(number)};

	memcpy(key, words, KEY_BYTES);
	memcpy(value, &number, sizeof number);
	return (struct store_item){
		.key = {key, KEY_BYTES}, .value = {value, VALUE_BYTES},
	};
}

static void see(void *arg, const struct store_item *item)
{
	struct bench *b = arg;

	b->result += (uint64_t)(uint8_t)item->value.at[0] + item->value.len;
}

/* About as long as a GET, in no memory: what is found here is not the store's. */
static void do_nothing(struct bench *b, uint64_t number)
{
	for (int i = 0; i < 100; i++)
		number = hash_mix(number);
	b->result += number;
}

enum { CHAIN_LINES = 16 * 1024 * 1024, LINE_WORDS = 8 };

/* What memory alone costs: each load says where the next one is; a gigabyte of them. */
static double load_ns(void)
{
	uint64_t *chain = memory_new(CHAIN_LINES, LINE_WORDS * sizeof *chain);
	uint64_t at = 0, loads = 2000000;

	for (uint64_t i = 0; i < CHAIN_LINES; i++)	/* odd steps: one ring through all */
		chain[i * LINE_WORDS] = (i * 5 + 0x9e3779b1) % CHAIN_LINES;
	double begun = cpu_ns();
	for (uint64_t n = 0; n < loads; n++)
		at = chain[at * LINE_WORDS];
	double each = (cpu_ns() - begun) / (double)loads;
	must(at < CHAIN_LINES);
	free(chain);
	return each;
}

static void do_set(struct bench *b, uint64_t number)
{
	char key[KEY_BYTES];
	struct store_item item = item_of(number, key);

	item.version = ++b->version;
	must(store_write(b->s, &item, 0, 1, NULL) == STORE_DONE);
}

static void do_get(struct bench *b, uint64_t number)
{
	char key[KEY_BYTES];
	struct store_item item = item_of(number, key);

	must(store_read(b->s, item.key, 1, see, b));
}

static void do_miss(struct bench *b, uint64_t number)
{
	char key[KEY_BYTES];
	struct store_item item = item_of(number + b->count, key);

	must(!store_read(b->s, item.key, 1, see, b));
}

static void do_delete(struct bench *b, uint64_t number)
{
	char key[KEY_BYTES];
	struct store_item item = item_of(number, key);

	item.version = ++b->version;
	item.deleted = true;
	must(store_write(b->s, &item, 0, 1, NULL) == STORE_DONE);
}

static void do_sweep(struct bench *b, uint64_t number)
{
	(void)number;
	store_sweep(b->s, 100 * 1000 * 1000, 1024);
}

static void visit(void *arg, uint64_t hash, const struct store_item *item)
{
	struct bench *b = arg;

	b->result += hash + (uint8_t)item->key.at[0];
}

static uint64_t cursor;

static void do_walk(struct bench *b, uint64_t number)
{
	(void)number;
	if (!store_walk(b->s, &cursor, 1, visit, b))
		cursor = 0;
}

static void do_bucket(struct bench *b, uint64_t number)
{
	store_walk_bucket(b->s, number % STORE_BUCKETS, 1, visit, b);
}

static void do_digests(struct bench *b, uint64_t number)
{
	static uint64_t digests[STORE_BUCKETS];

	(void)number;
	store_digests(b->s, digests);
	b->result += digests[0];
}

/* ---- measured ---- */

struct watch {
	uint64_t ticks;			/* when the call before ended */
	uint64_t longest, slow;
	long     off_core;
};

/* Each call that takes long is looked at: was it the call, or somebody else's turn? */
static void watch_call(struct watch *w)
{
	uint64_t now = __rdtsc(), took = now - w->ticks;

	if (took > (uint64_t)(SLOW_US * 1000 * ticks_per_ns)) {
		long off_core = times_off_core();
		if (off_core == w->off_core)
			w->slow++;
		else
			took = 0;
		w->off_core = off_core;
		now = __rdtsc();
	}
	w->longest = took > w->longest ? took : w->longest;
	w->ticks = now;
}

/* Each of `calls` numbers below b->count once, if there are as many; in no order. */
static void measure(struct bench *b, const char *what, uint64_t calls, bool in_order,
		    void (*act)(struct bench *b, uint64_t number))
{
	struct watch w = {.off_core = times_off_core()};
	double begun = cpu_ns();

	w.ticks = __rdtsc();
	for (uint64_t n = 0; n < calls; n++) {
		/* 0x9e3779b1 is prime: the products are a permutation. */
		act(b, in_order ? n : n * 0x9e3779b1 % b->count);
		watch_call(&w);
	}
	printf("| %s | %llu | %.0f ns | %.0f us | %llu |\n", what,
	       (unsigned long long)calls, (cpu_ns() - begun) / (double)calls,
	       (double)w.longest / ticks_per_ns / 1000, (unsigned long long)w.slow);
	fflush(stdout);
}

static double resident_bytes(void)
{
	unsigned long long size = 0, resident = 0;
	FILE *f = fopen("/proc/self/statm", "r");

	if (f != NULL && fscanf(f, "%llu %llu", &size, &resident) != 2)
		resident = 0;
	if (f != NULL)
		fclose(f);
	return (double)resident * 4096;
}

static void print_memory(struct bench *b, double before)
{
	struct store_figures f;
	uint64_t count = b->count;

	store_figures(b->s, &f);
	printf("\n%llu entries of 100 bytes in %llu segments after %llu splits: "
	       "%.1f bytes each as counted, %.1f as resident\n",
	       (unsigned long long)count, (unsigned long long)f.segments,
	       (unsigned long long)f.splits, (double)f.bytes / (double)count,
	       (resident_bytes() - before) / (double)count);
}

static void run(uint64_t count, uint32_t shards)
{
	struct store_options o = {
		.shards = shards, .tombstone_ms = 1000, .key = {1, 2},
	};
	double before = resident_bytes();
	struct bench b = {.s = store_create(&o), .count = count};
	uint64_t some = count < 4000000 ? count : 4000000;

	must(b.s != NULL);
	cursor = 0;
	printf("\n%u shard%s\n\n| call | calls | mean | longest | above %d us |\n"
	       "|:--|--:|--:|--:|--:|\n", shards, shards > 1 ? "s" : "", SLOW_US);
	measure(&b, "a calculation, for comparison", some, true, do_nothing);
	measure(&b, "SET, growing to all", count, true, do_set);
	measure(&b, "GET", some, false, do_get);
	measure(&b, "GET of what is missing", some, false, do_miss);
	measure(&b, "SET of what is there", some, false, do_set);
	measure(&b, "walk of a segment", count / 1000, true, do_walk);
	measure(&b, "walk of a bucket", STORE_BUCKETS, true, do_bucket);
	measure(&b, "digests", 1000, true, do_digests);
	measure(&b, "sweep, nothing due", count / 1000, true, do_sweep);
	print_memory(&b, before);
	uint64_t begun = wall_ns();
	struct siphash_key key = {3, 4};
	must(store_use_key(b.s, &key));
	printf("hashing anew %.2f s\n", (double)(wall_ns() - begun) / 1e9);
	printf("\n| call | calls | mean | longest | above %d us |\n|:--|--:|--:|--:|--:|\n",
	       SLOW_US);
	measure(&b, "DELETE", some, false, do_delete);
	measure(&b, "sweep of tombstones", count / 500, true, do_sweep);
	measure(&b, "SET, growing again", some, false, do_set);
	begun = wall_ns();
	store_destroy(b.s);
	printf("\nending it all %.2f s\n", (double)(wall_ns() - begun) / 1e9);
}

int main(int argc, char **argv)
{
	uint64_t millions = argc > 1 ? strtoull(argv[1], NULL, 10) : 10;

	calibrate();
	printf("a load from memory that waits for the one before: %.0f ns\n", load_ns());
	run(millions * 1000000, 1);
	run(millions * 1000000, 16);
	return 0;
}
