/* Goal: what is noted of a request that another thread has answered is right, however far
 * the two threads' clocks are apart.
 */
#include "unit/model/live_fixture.h"

#include <stdlib.h>

#include "forward/asked.h"
#include "model/meter_reading.h"

static const char *const servers[] = {"127.0.0.1:1", NULL};

static struct model *model_of_listener(void)
{
	struct model *m = sample_model("web", servers);

	sample_add_listener(m, "127.0.0.1:8080");
	assert_int_equal(model_attach(m, &live, &err), 0);
	live_take_over(m);
	return m;
}

static struct asked *asked_since(const struct model *m, uint64_t since_us)
{
	struct asked *a = calloc(1, sizeof *a);

	assert_non_null(a);
	a->model = model_get(m);
	a->live = m->listeners[0].live;
	a->fd = -1;
	a->since_us = since_us;
	a->listed = a->sampled = true;
	return a;
}

/* A loop's time is that of its turn: another's may have begun later. */
static void one_that_began_after_this_turn_took_no_time(void **unused)
{
	struct model *m = model_of_listener();
	struct loop *loop = loop_create(&err);
	struct record_ring *ring =
		memory_new_aligned(_Alignof(struct record_ring), sizeof *ring);
	const struct asked_answer none = {0};
	struct span texts[RECORD_TEXTS];
	struct meter_reading sum = {0};

	(void)unused;
	assert_non_null(loop);
	ring->wanted = true;
	asked_note(asked_since(m, loop_now_us(loop) - 3000), &none, loop, ring);
	asked_note(asked_since(m, loop_now_us(loop) + 5), &none, loop, ring);
	meters_add(m->listeners[0].live->meters, &sum);
	assert_int_equal(sum.responses[0], 2);
	assert_int_equal(sum.total_us, 3000);
	assert_int_equal(sum.times_us.counts[0], 1);
	assert_int_equal(record_next(ring, texts)->total_us, 3000);
	record_done(ring);
	assert_int_equal(record_next(ring, texts)->total_us, 0);
	record_done(ring);
	free(ring);
	loop_destroy(loop);
	model_put(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(one_that_began_after_this_turn_took_no_time,
						start, finish),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
