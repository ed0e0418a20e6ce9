#include "forward/record.h"

#include <string.h>

#include "base/must.h"

enum { RING_MASK = RECORD_RING_BYTES - 1 };

static void copy_in(struct record_ring *ring, uint64_t at, const void *from, size_t len)
{
	size_t start = at & RING_MASK, first = RECORD_RING_BYTES - start;

	if (LIKELY(len <= first)) {
		memcpy(ring->bytes + start, from, len);
		return;
	}
	memcpy(ring->bytes + start, from, first);
	memcpy(ring->bytes, (const char *)from + first, len - first);
}

static void copy_out(const struct record_ring *ring, uint64_t at, void *to, size_t len)
{
	size_t start = at & RING_MASK, first = RECORD_RING_BYTES - start;

	if (LIKELY(len <= first)) {
		memcpy(to, ring->bytes + start, len);
		return;
	}
	memcpy(to, ring->bytes + start, first);
	memcpy((char *)to + first, ring->bytes, len - first);
}

/* The reader's position is asked for only when the ring looks full. */
static bool has_room(struct record_ring *ring, uint64_t written, size_t size)
{
	if (written + size - ring->read_seen <= RECORD_RING_BYTES)
		return true;
	ring->read_seen = atomic_load_explicit(&ring->read, memory_order_acquire);
	return written + size - ring->read_seen <= RECORD_RING_BYTES;
}

/* Cuts what is too long. Returns the size of the whole record. */
static size_t measure(struct record *r, const struct span texts[RECORD_TEXTS])
{
	size_t size = sizeof *r;

	for (int i = 0; i < RECORD_TEXTS; i++) {
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

	if (!has_room(ring, written, size)) {
		/* Nobody else writes it: no locked instruction is needed. */
		uint64_t dropped = atomic_load_explicit(&ring->dropped, memory_order_relaxed);
		atomic_store_explicit(&ring->dropped, dropped + 1, memory_order_relaxed);
		return false;
	}
	r->size = (uint32_t)size;
	uint64_t at = written;
	copy_in(ring, at, r, sizeof *r);
	at += sizeof *r;
	for (int i = 0; i < RECORD_TEXTS; i++) {
		if (r->text_len[i] > 0)
			copy_in(ring, at, texts[i].at, r->text_len[i]);
		at += r->text_len[i];
	}
	atomic_store_explicit(&ring->written, written + size, memory_order_release);
	return true;
}

bool record_take(struct record_ring *ring, struct record *r,
		 struct span texts[RECORD_TEXTS],
		 char store[RECORD_TEXTS * RECORD_TEXT_MAX])
{
	uint64_t read = atomic_load_explicit(&ring->read, memory_order_relaxed);

	if (read == ring->written_seen) {
		ring->written_seen = atomic_load_explicit(&ring->written,
							  memory_order_acquire);
		if (read == ring->written_seen)
			return false;
	}
	copy_out(ring, read, r, sizeof *r);
	must(r->size >= sizeof *r && r->size <= ring->written_seen - read);
	uint64_t at = read + sizeof *r;
	for (int i = 0; i < RECORD_TEXTS; i++) {
		copy_out(ring, at, store, r->text_len[i]);
		texts[i] = (struct span){store, r->text_len[i]};
		store += r->text_len[i];
		at += r->text_len[i];
	}
	atomic_store_explicit(&ring->read, read + r->size, memory_order_release);
	return true;
}
