/* model/meter_reading.h - what meters have counted, summed over all loops.
 *
 * Counts are read one by one while loops go on counting: each is right and never goes
 * back, their sum is of no single moment.
 *
 * Thread: any, as long as what the meters are of stays.
 */
#ifndef MODEL_METER_READING_H
#define MODEL_METER_READING_H

#include <stdint.h>

#include "base/histogram.h"
#include "model/meter.h"

enum { METER_CLASSES = 6 };		/* 1xx to 5xx; [0]: no status was sent */

struct meter_reading {
	uint64_t responses[METER_CLASSES];
	uint64_t bytes_in, bytes_out, total_us;
	struct histogram times_us;	/* quantiles are within 1 % */
};

/* Adds what m has counted so far to *sum. */
void meters_add(const struct meters *m, struct meter_reading *sum);

#endif
