#include "base/histogram.h"

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

uint64_t histogram_middle(unsigned place)
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
	if (histogram_middle(place) > h->max)
		h->max = histogram_middle(place);
}

const double histogram_told[HISTOGRAM_TOLD] = {0.5, 0.9, 0.99, 0.999};

void histogram_quantiles(const struct histogram *h, const double *fractions,
			 unsigned count, uint64_t *values)
{
	uint64_t seen = 0;
	unsigned done = 0;

	for (unsigned place = 0; place < HISTOGRAM_PLACES && done < count; place++) {
		if (h->counts[place] == 0)
			continue;
		uint64_t middle = histogram_middle(place);
		seen += h->counts[place];
		while (done < count &&
		       (double)seen >= fractions[done] * (double)h->total)
			values[done++] = middle < h->max ? middle : h->max;
	}
	while (done < count)
		values[done++] = 0;
}

uint64_t histogram_quantile(const struct histogram *h, double fraction)
{
	uint64_t value;

	histogram_quantiles(h, &fraction, 1, &value);
	return value;
}
