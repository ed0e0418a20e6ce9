/* model/meter.c - a meter for each loop, made when it counts first.
 *
 * Times are counted in the places of base/histogram.h. Most meters see few different ones,
 * so places come in pages, each made when its first value comes: at most METER_PAGES of
 * them, some 19 KiB a meter.
 */
#include "model/meter.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "base/memory.h"
#include "base/must.h"
#include "model/meter_reading.h"
#include "model/model.h"

enum { METER_PAGES = HISTOGRAM_PLACES / HISTOGRAM_STEPS };

_Static_assert((int)METER_CONTROL == (int)MODEL_LOOPS_MAX, "it is behind the loops'");

struct page {
	atomic_ullong counts[HISTOGRAM_STEPS];
};

struct meter {
	atomic_ullong responses[METER_CLASSES];
	atomic_ullong bytes_in, bytes_out, total_us;
	_Atomic(struct page *) pages[METER_PAGES];
};

struct meters {
	_Atomic(struct meter *) of[METER_COUNTERS];
};

struct meters *meters_create(void)
{
	return memory_new(1, sizeof(struct meters));
}

static inline void add(atomic_ullong *count, uint64_t more)
{
	/* Nobody else writes it. */
	uint64_t now = atomic_load_explicit(count, memory_order_relaxed);

	atomic_store_explicit(count, now + more, memory_order_relaxed);
}

static struct meter *make(struct meters *m, unsigned loop)
{
	struct meter *meter = calloc(1, sizeof *meter);

	atomic_store_explicit(&m->of[loop], meter, memory_order_release);
	return meter;
}

static struct page *make_page(struct meter *meter, unsigned at)
{
	struct page *page = calloc(1, sizeof *page);

	atomic_store_explicit(&meter->pages[at], page, memory_order_release);
	return page;
}

void meters_note(struct meters *m, unsigned loop, const struct meter_note *note)
{
	struct meter *meter = atomic_load_explicit(&m->of[loop], memory_order_relaxed);
	unsigned place = histogram_place(note->took_us);
	unsigned at = place / HISTOGRAM_STEPS;

	must(note->class < METER_CLASSES);
	if (UNLIKELY(meter == NULL) && (meter = make(m, loop)) == NULL)
		return;
	struct page *page =
		atomic_load_explicit(&meter->pages[at], memory_order_relaxed);
	if (UNLIKELY(page == NULL) && (page = make_page(meter, at)) == NULL)
		return;
	add(&meter->responses[note->class], 1);
	add(&meter->bytes_in, note->bytes_in);
	add(&meter->bytes_out, note->bytes_out);
	add(&meter->total_us, note->took_us);
	add(&page->counts[place % HISTOGRAM_STEPS], 1);
}

static void add_page(const struct page *page, unsigned at, struct histogram *times)
{
	unsigned first = at * HISTOGRAM_STEPS;

	for (unsigned i = 0; i < HISTOGRAM_STEPS; i++) {
		uint64_t count =
			atomic_load_explicit(&page->counts[i], memory_order_relaxed);
		if (count > 0)
			histogram_add_place(times, first + i, count);
	}
}

static void add_meter(const struct meter *meter, struct meter_reading *sum)
{
	for (unsigned i = 0; i < METER_CLASSES; i++)
		sum->responses[i] +=
			atomic_load_explicit(&meter->responses[i], memory_order_relaxed);
	sum->bytes_in += atomic_load_explicit(&meter->bytes_in, memory_order_relaxed);
	sum->bytes_out += atomic_load_explicit(&meter->bytes_out, memory_order_relaxed);
	sum->total_us += atomic_load_explicit(&meter->total_us, memory_order_relaxed);
	for (unsigned at = 0; at < METER_PAGES; at++) {
		const struct page *page =
			atomic_load_explicit(&meter->pages[at], memory_order_acquire);
		if (page != NULL)
			add_page(page, at, &sum->times_us);
	}
}

void meters_add(const struct meters *m, struct meter_reading *sum)
{
	for (unsigned loop = 0; loop < METER_COUNTERS; loop++) {
		const struct meter *meter =
			atomic_load_explicit(&m->of[loop], memory_order_acquire);
		if (meter != NULL)
			add_meter(meter, sum);
	}
}

void meters_destroy(struct meters *m)
{
	if (m == NULL)
		return;
	for (unsigned loop = 0; loop < METER_COUNTERS; loop++) {
		struct meter *meter = atomic_load(&m->of[loop]);
		for (unsigned at = 0; meter != NULL && at < METER_PAGES; at++)
			free(atomic_load(&meter->pages[at]));
		free(meter);
	}
	free(m);
}
