/* spawn/scaling.h - how many servers the load asks for, between min and max. Pure: it is
 * told now and then what is under way.
 *
 *   more than scale_up per server, for scale_up_ms       -> so many that it is no more
 *   less than scale_down per server, for scale_down_ms   -> so few that it just is not
 *   nothing at all for scale_down_ms, and min is 0       -> none
 *
 * At once it goes up to twice as many and SCALING_MORE_MAX at most, and down to half;
 * each step is waited for before the next begins to count. From none to one is not
 * decided here: a request that waits does that.
 */
#ifndef SPAWN_SCALING_H
#define SPAWN_SCALING_H

#include <stdbool.h>
#include <stdint.h>

#include "model/own.h"

enum { SCALING_SAMPLE_MS_MIN = 50, SCALING_SAMPLE_MS_MAX = 500, SCALING_MORE_MAX = 4 };

struct scaling_sample {
	uint64_t now_ms;
	uint32_t busy;			/* requests in flight and waiting */
	uint64_t requests;		/* all that there ever were: whether some came
					 * between two samples */
	uint32_t serving, wanted;
};

/* All zero at first. */
struct scaling {
	bool     above, below;		/* since then, in every sample */
	uint64_t above_since_ms, below_since_ms;
	uint32_t most;			/* busy, since it is below */
	uint64_t requests;		/* by the last sample */
	uint64_t idle_since_ms;		/* nothing was under way, nothing came */
	bool     idle;
};

/* How often a sample is due: so that what has to last is seen a few times. */
uint32_t scaling_sample_ms(const struct model_own *own);

/* How many there are to be from now on: sample.wanted, unless the load says otherwise.
 * scale_up is not 0. */
uint32_t scaling_wanted(struct scaling *s, const struct model_own *own,
			const struct scaling_sample *sample);

#endif
