#include "forward/record.h"

#include <string.h>

#include "base/must.h"

enum {
	RING_MASK = RECORD_RING_BYTES - 1,
	GAP = 1,			/* in a size, which is a multiple of 8: no record */
};

_Static_assert(sizeof(struct record) + RECORD_TEXTS * RECORD_TEXT_MAX < RECORD_RING_BYTES / 2,
	       "an empty ring has room for any record, wherever it begins");

/* The reader's position is asked for only when the ring looks full. */
static bool has_room(struct record_ring *ring, uint64_t written, size_t size)
{
	if (LIKELY(written + size - ring->read_seen <= RECORD_RING_BYTES))
		return true;
	ring->read_seen = atomic_load_explicit(&ring->read, memory_order_acquire);
	return written + size - ring->read_seen <= RECORD_RING_BYTES;
}

/* Only a record that was noted by a form has headers. */
static int text_count(const struct record *r)
{
	return r->form_stamp > 0 ? RECORD_TEXTS : RECORD_HEADER;
}

/* Cuts what is too long. Returns the size of the whole record. */
static size_t measure(struct record *r, const struct span texts[RECORD_TEXTS])
{
	size_t size = sizeof *r;

	memset(r->text_len, 0, sizeof r->text_len);
	for (int i = 0; i < text_count(r); i++) {
		size_t len = texts[i].len < RECORD_TEXT_MAX ? texts[i].len : RECORD_TEXT_MAX;
		r->text_len[i] = (uint16_t)len;
		size += len;
	}
	return (size + 7) / 8 * 8;
}

bool record_put(struct record_ring *ring, struct record *r,
		const struct span texts[RECORD_TEXTS])
{
	uint64_t written = atomic_load_explicit(&ring->written, memory_order_relaxed);
	size_t size = measure(r, texts);
	uint32_t gap = RECORD_RING_BYTES - (written & RING_MASK);

	if (LIKELY(gap >= size))
		gap = 0;
	if (UNLIKELY(!has_room(ring, written, gap + size))) {
		/* Nobody else writes it: no locked instruction is needed. */
		uint64_t dropped = atomic_load_explicit(&ring->dropped, memory_order_relaxed);
		atomic_store_explicit(&ring->dropped, dropped + 1, memory_order_relaxed);
		return false;
	}
	if (UNLIKELY(gap > 0)) {
		uint32_t marked = gap | GAP;
		memcpy(ring->bytes + (written & RING_MASK), &marked, sizeof marked);
	}
	r->size = (uint32_t)size;
	char *at = ring->bytes + ((written + gap) & RING_MASK);
	memcpy(at, r, sizeof *r);
	at += sizeof *r;
	for (int i = 0; i < text_count(r); i++) {
		if (r->text_len[i] > 0)
			memcpy(at, texts[i].at, r->text_len[i]);
		at += r->text_len[i];
	}
	atomic_store_explicit(&ring->written, written + gap + size, memory_order_release);
	return true;
}

static uint32_t size_at(const struct record_ring *ring, uint64_t position)
{
	uint32_t size;

	memcpy(&size, ring->bytes + (position & RING_MASK), sizeof size);
	return size;
}

static void pass(struct record_ring *ring, uint64_t read, uint32_t size)
{
	must(size <= ring->written_seen - read);
	atomic_store_explicit(&ring->read, read + size, memory_order_release);
}

const struct record *record_next(struct record_ring *ring, struct span texts[RECORD_TEXTS])
{
	uint64_t read = atomic_load_explicit(&ring->read, memory_order_relaxed);

	if (read == ring->written_seen) {
		ring->written_seen = atomic_load_explicit(&ring->written,
							  memory_order_acquire);
		if (read == ring->written_seen)
			return NULL;
	}
	uint32_t gap = size_at(ring, read) & GAP ? size_at(ring, read) - GAP : 0;
	if (UNLIKELY(gap > 0))		/* it was published with the record behind it */
		pass(ring, read, gap);
	const char *at = ring->bytes + ((read + gap) & RING_MASK);
	const struct record *r = (const void *)at;
	must(r->size >= sizeof *r && r->size <= ring->written_seen - read - gap);
	at += sizeof *r;
	for (int i = 0; i < RECORD_TEXTS; i++) {
		texts[i] = (struct span){at, r->text_len[i]};
		at += r->text_len[i];
	}
	return r;
}

void record_done(struct record_ring *ring)
{
	uint64_t read = atomic_load_explicit(&ring->read, memory_order_relaxed);

	pass(ring, read, size_at(ring, read));
}
