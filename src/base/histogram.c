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

uint64_t histogram_quantile(const struct histogram *h, double fraction)
{
	double wanted = fraction * (double)h->total;
	uint64_t seen = 0;

	for (unsigned place = 0; place < HISTOGRAM_PLACES; place++) {
		seen += h->counts[place];
		if (h->counts[place] > 0 && (double)seen >= wanted)
			return histogram_middle(place) < h->max ? histogram_middle(place) : h->max;
	}
	return 0;
}
