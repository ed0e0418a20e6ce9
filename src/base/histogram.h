/* base/histogram.h - counts of values whose quantiles are within 1 %.
 *
 * Each power of two is divided into 64 steps of equal width. A step is at most 1/64
 * of its values wide and stands for its middle, which is at most 0.8 % away.
 */
#ifndef BASE_HISTOGRAM_H
#define BASE_HISTOGRAM_H

#include <stdint.h>

enum {
	HISTOGRAM_STEPS = 64,
	HISTOGRAM_BITS = 42,		/* larger values count as the largest */
	HISTOGRAM_PLACES = (HISTOGRAM_BITS - 5) * HISTOGRAM_STEPS,
};

struct histogram {
	uint64_t counts[HISTOGRAM_PLACES];
	uint64_t total;
	uint64_t max;			/* exact */
};

/* Counts one value. All zero is an empty histogram. */
void histogram_add(struct histogram *h, uint64_t value);

/* The place that a value is counted in. A value below 2 * STEPS is its own place. The
 * others lose their low bits until they are in [STEPS, 2 * STEPS); each lost bit moves the
 * place by STEPS. Here, since each request is counted in several. */
static inline unsigned histogram_place(uint64_t value)
{
	unsigned lost = 0;

	if (value >> HISTOGRAM_BITS != 0)
		return HISTOGRAM_PLACES - 1;
	if (value >= HISTOGRAM_STEPS)
		lost = (unsigned)(63 - __builtin_clzll(value / HISTOGRAM_STEPS));
	return lost * HISTOGRAM_STEPS + (unsigned)(value >> lost);
}

/* The first value of a place, and the one that is told for all of them. */
uint64_t histogram_first(unsigned place);
uint64_t histogram_middle(unsigned place);

/* Counts so many values of one place, by its middle where the largest is kept. */
void histogram_add_place(struct histogram *h, unsigned place, uint64_t count);

/* The value that this fraction of all does not exceed; 0 if there is none. */
uint64_t histogram_quantile(const struct histogram *h, double fraction);

/* The same for several fractions, the smallest first, at the cost of one. */
void histogram_quantiles(const struct histogram *h, const double *fractions,
			 unsigned count, uint64_t *values);

/* Those that are told of times: 0.5, 0.9, 0.99, 0.999. */
enum { HISTOGRAM_TOLD = 4 };
extern const double histogram_told[HISTOGRAM_TOLD];

#endif
