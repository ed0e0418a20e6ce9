#include "base/histogram.h"

/* A value below 2 * STEPS is its own place. The others lose their low bits until
 * they are in [STEPS, 2 * STEPS); each lost bit moves the place by STEPS. */
unsigned histogram_place(uint64_t value)
{
	unsigned lost = 0;

	if (value >> HISTOGRAM_BITS != 0)
		return HISTOGRAM_PLACES - 1;
	if (value >= HISTOGRAM_STEPS)
		lost = (unsigned)(63 - __builtin_clzll(value / HISTOGRAM_STEPS));
	return lost * HISTOGRAM_STEPS + (unsigned)(value >> lost);
}

static unsigned lost_bits(unsigned place)
{
	unsigned steps = place / HISTOGRAM_STEPS;

	return steps > 0 ? steps - 1 : 0;
}

uint64_t histogram_first(unsigned place)
{
	unsigned lost = lost_bits(place);

	return (uint64_t)(place - lost * HISTOGRAM_STEPS) << lost;
}

static uint64_t middle_of(unsigned place)
{
	return histogram_first(place) + ((uint64_t)1 << lost_bits(place)) / 2;
}

void histogram_add(struct histogram *h, uint64_t value)
{
	h->counts[histogram_place(value)]++;
	h->total++;
	if (value > h->max)
		h->max = value;
}

void histogram_add_place(struct histogram *h, unsigned place, uint64_t count)
{
	h->counts[place] += count;
	h->total += count;
	if (middle_of(place) > h->max)
		h->max = middle_of(place);
}

uint64_t histogram_quantile(const struct histogram *h, double fraction)
{
	double wanted = fraction * (double)h->total;
	uint64_t seen = 0;

	for (unsigned place = 0; place < HISTOGRAM_PLACES; place++) {
		seen += h->counts[place];
		if (h->counts[place] > 0 && (double)seen >= wanted)
			return middle_of(place) < h->max ? middle_of(place) : h->max;
	}
	return 0;
}
