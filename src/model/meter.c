/* model/meter.c - a meter for each loop, made when it counts first.
 *
 * Times are counted in the places of base/histogram.h. Most meters see few different ones,
 * so places come in pages, each made when its first value comes: at most METER_PAGES of
 * them, some 19 KiB a meter.
 */
#include "model/meter.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/must.h"
#include "model/meter_reading.h"
#include "model/meter_window.h"
#include "model/model.h"

enum { METER_PAGES = HISTOGRAM_PLACES / HISTOGRAM_STEPS };
_Static_assert(METER_PAGES <= 64, "a mark has a bit for each page");

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
	struct marks *marks[METER_WINDOWS];	/* owned; NULL: none was made */
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

/* ---- windows ---- */

/* What had been counted of times at one moment. Counts are the low 32 bits, which is enough
 * for a difference: no place is counted four billion times within a window. */
struct mark {
	uint64_t at_ms;			/* 0: it was never made */
	uint64_t pages;			/* a bit for each that there was */
	uint32_t room;			/* pages that counts has room for */
	uint32_t (*counts)[HISTOGRAM_STEPS];	/* owned: of the pages there were, in order */
};

struct marks {
	unsigned    next;		/* the oldest, which is made anew next */
	struct mark of[METER_MARKS_MAX];
};

static const struct {
	unsigned count;
	uint32_t every_ms;
} windows[METER_WINDOWS] = {
	[METER_MINUTE] = {3, METER_MINUTE_EVERY_MS},
	[METER_MOMENT] = {2, METER_MOMENT_EVERY_MS},
};

static void destroy_marks(struct marks *marks)
{
	for (unsigned i = 0; marks != NULL && i < METER_MARKS_MAX; i++)
		free(marks->of[i].counts);
	free(marks);
}

static const struct page *find_page(const struct meters *m, unsigned loop, unsigned at)
{
	const struct meter *meter =
		atomic_load_explicit(&m->of[loop], memory_order_acquire);

	return meter != NULL
		? atomic_load_explicit(&meter->pages[at], memory_order_acquire) : NULL;
}

/* Which pages there are, of any loop. */
static uint64_t list_pages(const struct meters *m)
{
	uint64_t pages = 0;

	for (unsigned loop = 0; loop < METER_COUNTERS; loop++) {
		if (atomic_load_explicit(&m->of[loop], memory_order_relaxed) == NULL)
			continue;
		for (unsigned at = 0; at < METER_PAGES; at++)
			pages |= (uint64_t)(find_page(m, loop, at) != NULL) << at;
	}
	return pages;
}

/* Which of a mark's pages, if it has it, this one is. */
static unsigned place_of_page(const struct mark *mark, unsigned at)
{
	return (unsigned)__builtin_popcountll(mark->pages & (((uint64_t)1 << at) - 1));
}

static void copy_pages(const struct meters *m, struct mark *mark)
{
	memset(mark->counts, 0, mark->room * sizeof *mark->counts);
	for (unsigned loop = 0; loop < METER_COUNTERS; loop++) {
		if (atomic_load_explicit(&m->of[loop], memory_order_relaxed) == NULL)
			continue;
		for (unsigned at = 0; at < METER_PAGES; at++) {
			const struct page *page = find_page(m, loop, at);
			/* One that has come since the pages were listed is not in it. */
			if (page == NULL || (mark->pages >> at & 1) == 0)
				continue;
			uint32_t *counts = mark->counts[place_of_page(mark, at)];
			for (unsigned i = 0; i < HISTOGRAM_STEPS; i++)
				counts[i] += (uint32_t)atomic_load_explicit(
					&page->counts[i], memory_order_relaxed);
		}
	}
}

void meters_mark(struct meters *m, enum meter_window window, uint64_t now_ms)
{
	must(now_ms > 0);
	if (m->marks[window] == NULL)
		m->marks[window] = memory_new(1, sizeof(struct marks));
	struct marks *marks = m->marks[window];
	struct mark *mark = &marks->of[marks->next];

	marks->next = (marks->next + 1) % windows[window].count;
	mark->at_ms = now_ms;
	mark->pages = list_pages(m);
	uint32_t room = (uint32_t)__builtin_popcountll(mark->pages);
	if (room > mark->room) {
		mark->counts = memory_grow(mark->counts, room, sizeof *mark->counts);
		mark->room = room;
	}
	if (room > 0)
		copy_pages(m, mark);
}

/* Of one page; `then` is the mark's, NULL: there was none. */
static void leave_page(struct histogram *times, unsigned at, const uint32_t *then)
{
	for (unsigned i = 0; i < HISTOGRAM_STEPS; i++) {
		unsigned place = at * HISTOGRAM_STEPS + i;
		uint32_t count = (uint32_t)times->counts[place] -
				 (then != NULL ? then[i] : 0);
		times->counts[place] = 0;
		if (count > 0)
			histogram_add_place(times, place, count);
	}
}

static void take_off(const struct meters *m, const struct mark *mark,
		     struct histogram *times)
{
	uint64_t pages = list_pages(m);

	times->total = times->max = 0;
	for (unsigned at = 0; at < METER_PAGES; at++)
		if ((pages >> at & 1) != 0)
			leave_page(times, at, (mark->pages >> at & 1) != 0
					? mark->counts[place_of_page(mark, at)] : NULL);
}

uint64_t meters_leave_window(const struct meters *m, enum meter_window window,
			     uint64_t now_ms, struct histogram *times)
{
	const struct marks *marks = m->marks[window];
	uint64_t every_ms = windows[window].every_ms;

	if (marks == NULL)
		return every_ms;
	if (marks->of[marks->next].at_ms > 0) {
		take_off(m, &marks->of[marks->next], times);
		return now_ms - marks->of[marks->next].at_ms;
	}
	/* The first mark comes within the first turn. */
	return now_ms - marks->of[0].at_ms + every_ms;
}

void meters_destroy(struct meters *m)
{
	if (m == NULL)
		return;
	for (unsigned window = 0; window < METER_WINDOWS; window++)
		destroy_marks(m->marks[window]);
	for (unsigned loop = 0; loop < METER_COUNTERS; loop++) {
		struct meter *meter = atomic_load(&m->of[loop]);
		for (unsigned at = 0; meter != NULL && at < METER_PAGES; at++)
			free(atomic_load(&meter->pages[at]));
		free(meter);
	}
	free(m);
}
