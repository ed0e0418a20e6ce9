#include "loop/wheel.h"

#include "base/must.h"

enum { SLOT_MASK = WHEEL_SLOTS - 1 };

_Static_assert(WHEEL_BITS * WHEEL_LEVELS >= 64, "every time has its slot");

void wheel_init(struct wheel *w, uint64_t now_ms)
{
	*w = (struct wheel){.now_ms = now_ms};
	for (int level = 0; level < WHEEL_LEVELS; level++)
		for (int slot = 0; slot < WHEEL_SLOTS; slot++)
			list_init(&w->slots[level][slot]);
}

/* The finest level on which `at` is in the same turn of the wheel as now: the
 * highest digit, to the base of WHEEL_SLOTS, in which the two differ. */
static int level_of(const struct wheel *w, uint64_t at_ms)
{
	uint64_t differ = w->now_ms ^ at_ms;
	return differ == 0 ? 0 : (63 - __builtin_clzll(differ)) / WHEEL_BITS;
}

static unsigned slot_of(uint64_t at_ms, int level)
{
	return (unsigned)(at_ms >> (level * WHEEL_BITS)) & SLOT_MASK;
}

static void put(struct wheel *w, struct loop_timer *t)
{
	t->slot_ms = t->due_ms > w->now_ms ? t->due_ms : w->now_ms;
	int level = level_of(w, t->slot_ms);
	unsigned slot = slot_of(t->slot_ms, level);
	list_push_last(&w->slots[level][slot], &t->link);
	w->taken[level] |= UINT64_C(1) << slot;
}

static void take(struct wheel *w, struct loop_timer *t)
{
	struct link *next = t->link.next;

	list_remove(&t->link);
	if (!list_empty(next))
		return;
	/* The list's head is the only link left: its place says which slot it was. */
	size_t at = (size_t)(next - &w->slots[0][0]);
	w->taken[at / WHEEL_SLOTS] &= ~(UINT64_C(1) << at % WHEEL_SLOTS);
}

void wheel_start(struct wheel *w, struct loop_timer *t, uint64_t due_ms)
{
	if (t->armed && due_ms >= t->slot_ms) {
		t->due_ms = due_ms;
		return;
	}
	if (t->armed)
		take(w, t);
	else
		w->count++;
	t->armed = true;
	t->due_ms = due_ms;
	put(w, t);
}

void wheel_stop(struct wheel *w, struct loop_timer *t)
{
	if (!t->armed)
		return;
	take(w, t);
	t->armed = false;
	w->count--;
}

/* The next taken slot at or after now's on this level, as its starting time. */
static uint64_t next_on(const struct wheel *w, int level)
{
	unsigned shift = (unsigned)level * WHEEL_BITS;
	unsigned here = slot_of(w->now_ms, level);
	uint64_t ahead = w->taken[level] >> here;

	if (ahead == 0)
		return UINT64_MAX;
	uint64_t slot = here + (unsigned)__builtin_ctzll(ahead);
	uint64_t turn = w->now_ms >> shift >> WHEEL_BITS << WHEEL_BITS;
	uint64_t start = (turn | slot) << shift;
	return start > w->now_ms ? start : w->now_ms;
}

uint64_t wheel_next_ms(const struct wheel *w)
{
	for (int level = 0; level < WHEEL_LEVELS; level++)
		if (w->taken[level] != 0)
			return next_on(w, level);
	return UINT64_MAX;
}

/* Every timer of a coarse slot whose time has begun moves to a finer level. */
static void spread(struct wheel *w, int level, unsigned slot)
{
	struct link *list = &w->slots[level][slot], moved;

	list_init(&moved);
	list_insert(list, &moved);	/* the new head of the whole ring */
	list_remove(list);
	w->taken[level] &= ~(UINT64_C(1) << slot);
	LIST_EACH(&moved, it, next) {
		list_remove(it);
		put(w, CONTAINER_OF(it, struct loop_timer, link));
	}
}

struct loop_timer *wheel_expire(struct wheel *w, uint64_t now_ms)
{
	for (;;) {
		uint64_t next = wheel_next_ms(w);
		if (next > now_ms) {
			if (now_ms > w->now_ms)
				w->now_ms = now_ms;
			return NULL;
		}
		w->now_ms = next;
		for (int level = WHEEL_LEVELS - 1; level > 0; level--)
			if (w->taken[level] >> slot_of(next, level) & 1)
				spread(w, level, slot_of(next, level));
		struct link *list = &w->slots[0][slot_of(next, 0)];
		if (list_empty(list))
			continue;
		struct loop_timer *t = CONTAINER_OF(list->next, struct loop_timer, link);
		take(w, t);
		if (t->due_ms > w->now_ms) {	/* was moved to a later time meanwhile */
			put(w, t);
			continue;
		}
		t->armed = false;
		w->count--;
		return t;
	}
}
