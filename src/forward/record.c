#include "forward/record.h"

#include <string.h>

#include "base/must.h"

enum { RING_MASK = RECORD_RING_BYTES - 1 };

static void copy_in(struct record_ring *ring, uint64_t at, const void *from, size_t len)
{
	size_t start = at & RING_MASK, first = RECORD_RING_BYTES - start;

	if (first > len)
		first = len;
	memcpy(ring->bytes + start, from, first);
	memcpy(ring->bytes, (const char *)from + first, len - first);
}

static void copy_out(const struct record_ring *ring, uint64_t at, void *to, size_t len)
{
	size_t start = at & RING_MASK, first = RECORD_RING_BYTES - start;

	if (first > len)
		first = len;
	memcpy(to, ring->bytes + start, first);
	memcpy((char *)to + first, ring->bytes, len - first);
}

bool record_put(struct record_ring *ring, struct record *r,
		const struct span texts[RECORD_TEXTS])
{
	uint64_t written = atomic_load_explicit(&ring->written, memory_order_relaxed);
	uint64_t read = atomic_load_explicit(&ring->read, memory_order_acquire);
	size_t size = sizeof *r;

	for (int i = 0; i < RECORD_TEXTS; i++) {
		r->text_len[i] = (uint16_t)(texts[i].len < RECORD_TEXT_MAX ? texts[i].len
									    : RECORD_TEXT_MAX);
		size += r->text_len[i];
	}
	size = (size + 7) / 8 * 8;
	if (written + size - read > RECORD_RING_BYTES) {
		atomic_fetch_add_explicit(&ring->dropped, 1, memory_order_relaxed);
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
	uint64_t written = atomic_load_explicit(&ring->written, memory_order_acquire);

	if (read == written)
		return false;
	copy_out(ring, read, r, sizeof *r);
	must(r->size >= sizeof *r && r->size <= written - read);
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
