/* Goal: what is put into a ring is taken from it, in order and unchanged, and what is
 * not put is counted; with one thread and with two. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "forward/record.h"

enum { MANY = 200000 };

static char pattern[2 * RECORD_TEXT_MAX];	/* texts are pieces of it */

static int make_ring(void **state)
{
	*state = memory_new_aligned(_Alignof(struct record_ring), sizeof(struct record_ring));
	for (size_t i = 0; i < sizeof pattern; i++)
		pattern[i] = (char)(i * 31 + i / 256);
	return 0;
}

static int free_ring(void **state)
{
	free(*state);
	return 0;
}

static uint64_t mixed(uint64_t n)
{
	n = (n ^ n >> 31) * UINT64_C(0x7fb5d329728ea185);
	return n ^ n >> 27;
}

/* Text number i of record number n: mostly short, sometimes long, sometimes empty. */
static struct span text_of(uint64_t n, int i)
{
	uint64_t v = mixed(n * RECORD_TEXTS + (uint64_t)i + 1);
	size_t len = v % 16 == 0 ? v / 16 % (RECORD_TEXT_MAX + 1) : v / 16 % 60;

	return (struct span){pattern + (v >> 32) % RECORD_TEXT_MAX, len};
}

static bool put(struct record_ring *ring, uint64_t n)
{
	struct span texts[RECORD_TEXTS];
	struct record r = {
		.status = (uint16_t)(n % 600), .minor = (uint8_t)(n & 1),
		.tries = (uint8_t)n, .wall_us = n, .bytes_out = ~n, .total_us = n << 33,
		.server_us = (uint32_t)mixed(n), .form_stamp = 1,
	};

	for (int i = 0; i < RECORD_TEXTS; i++)
		texts[i] = text_of(n, i);
	return record_put(ring, &r, texts);
}

/* False: the ring is empty. Otherwise *n is the number of the record, all of which
 * has been compared. */
static bool take(struct record_ring *ring, uint64_t *n)
{
	struct span texts[RECORD_TEXTS];
	const struct record *r = record_next(ring, texts);

	if (r == NULL)
		return false;
	*n = r->wall_us;
	assert_int_equal(r->status, *n % 600);
	assert_int_equal(r->minor, *n & 1);
	assert_int_equal(r->tries, (uint8_t)*n);
	assert_int_equal(r->bytes_out, ~*n);
	assert_int_equal(r->total_us, *n << 33);
	assert_int_equal(r->server_us, (uint32_t)mixed(*n));
	for (int i = 0; i < RECORD_TEXTS; i++)
		assert_true(span_equals(texts[i], text_of(*n, i)));
	record_done(ring);
	return true;
}

static void an_empty_ring_has_nothing(void **state)
{
	uint64_t n;

	assert_false(take(*state, &n));
	assert_true(put(*state, 1));
	assert_true(take(*state, &n));
	assert_false(take(*state, &n));
}

static void a_long_text_is_cut(void **state)
{
	struct span texts[RECORD_TEXTS] = {[RECORD_TARGET] = {pattern, sizeof pattern}};
	struct record r = {0};

	assert_true(record_put(*state, &r, texts));
	assert_non_null(record_next(*state, texts));
	assert_int_equal(texts[RECORD_TARGET].len, RECORD_TEXT_MAX);
	assert_memory_equal(texts[RECORD_TARGET].at, pattern, RECORD_TEXT_MAX);
	assert_int_equal(texts[RECORD_PEER].len, 0);
}

static void a_record_without_a_form_has_no_headers(void **state)
{
	struct span texts[RECORD_TEXTS] = {
		[RECORD_PEER] = {pattern, 3}, [RECORD_HEADER] = {pattern, 5},
	};
	struct record r = {.form_stamp = 0};

	assert_true(record_put(*state, &r, texts));
	assert_non_null(record_next(*state, texts));
	assert_int_equal(texts[RECORD_PEER].len, 3);
	assert_int_equal(texts[RECORD_HEADER].len, 0);
}

static void a_full_ring_drops_and_goes_on(void **state)
{
	struct record_ring *ring = *state;
	uint64_t n = 0, kept = 0, got;

	while (put(ring, n))
		n++;
	kept = n;
	assert_int_equal(ring->dropped, 1);
	for (uint64_t i = 0; i < kept; i++) {
		assert_true(take(ring, &got));
		assert_int_equal(got, i);
	}
	assert_false(take(ring, &got));
	assert_true(put(ring, n));
	assert_int_equal(ring->dropped, 1);
}

static void a_ring_can_be_filled_to_its_last_byte(void **state)
{
	struct span texts[RECORD_TEXTS] = {{0}};
	struct record r = {0};
	size_t size = (sizeof r + 7) / 8 * 8, free_bytes = RECORD_RING_BYTES;

	while (free_bytes >= 2 * size) {
		assert_true(record_put(*state, &r, texts));
		free_bytes -= size;
	}
	texts[RECORD_PEER] = (struct span){pattern, free_bytes - size};
	assert_true(record_put(*state, &r, texts));
	assert_false(record_put(*state, &r, texts));
}

static void records_survive_many_laps(void **state)
{
	uint64_t taken = 0, got;

	for (uint64_t n = 0; n < 20000; n++) {
		assert_true(put(*state, n));
		if (n % 7 != 0)
			continue;
		while (take(*state, &got))
			assert_int_equal(got, taken++);
	}
	while (take(*state, &got))
		assert_int_equal(got, taken++);
	assert_int_equal(taken, 20000);
}

struct writer {
	struct record_ring *ring;
	atomic_bool done;
	uint64_t    refused;
	bool        was_put[MANY];
};

/* In bursts, so that the ring is full at times and empty at others. */
static void *write_many(void *arg)
{
	struct writer *w = arg;

	for (uint64_t n = 0; n < MANY; n++) {
		w->was_put[n] = put(w->ring, n);
		w->refused += !w->was_put[n];
		if (mixed(n / 4096) % 2 == 0)
			sched_yield();
	}
	atomic_store(&w->done, true);
	return NULL;
}

static void two_threads_lose_nothing_unseen(void **state)
{
	struct writer *w = memory_new(1, sizeof *w);
	bool *was_taken = memory_new(MANY, sizeof *was_taken);
	uint64_t next = 0, got;
	pthread_t thread;

	w->ring = *state;
	assert_int_equal(pthread_create(&thread, NULL, write_many, w), 0);
	for (bool last = false; !last;) {
		last = atomic_load(&w->done);
		while (take(w->ring, &got)) {
			assert_true(got >= next && got < MANY);
			was_taken[got] = true;
			next = got + 1;
		}
		sched_yield();
	}
	pthread_join(thread, NULL);
	assert_memory_equal(was_taken, w->was_put, MANY);
	assert_int_equal(w->ring->dropped, w->refused);
	free(was_taken);
	free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(an_empty_ring_has_nothing, make_ring, free_ring),
		cmocka_unit_test_setup_teardown(a_long_text_is_cut, make_ring, free_ring),
		cmocka_unit_test_setup_teardown(a_record_without_a_form_has_no_headers, make_ring,
						free_ring),
		cmocka_unit_test_setup_teardown(a_full_ring_drops_and_goes_on, make_ring,
						free_ring),
		cmocka_unit_test_setup_teardown(a_ring_can_be_filled_to_its_last_byte, make_ring,
						free_ring),
		cmocka_unit_test_setup_teardown(records_survive_many_laps, make_ring, free_ring),
		cmocka_unit_test_setup_teardown(two_threads_lose_nothing_unseen, make_ring,
						free_ring),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
