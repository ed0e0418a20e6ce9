/* model/meter.h - what the requests of one listener, pool or server came to: how many, by
 * status class, how many bytes, and how long they took. How it is read: meter_reading.h.
 *
 * Each loop has a meter of its own of each, and so has the control thread, for what it
 * answers for a listener: all add without a locked instruction; who reads sums them.
 *
 * Threads: a meter is made and written by its thread, and ended with what it is of.
 */
#ifndef MODEL_METER_H
#define MODEL_METER_H

#include <stdint.h>

struct meters;				/* those of one thing, one for each loop */

/* The control thread counts as one loop more, below METER_COUNTERS. */
enum { METER_CONTROL = 64, METER_COUNTERS };

/* One request's part. */
struct meter_note {
	unsigned class;			/* of its status, 1 to 5; 0: none was sent */
	uint64_t bytes_in, bytes_out;	/* of bodies, from and to the client */
	uint64_t took_us;
};

/* Nothing is counted yet. */
struct meters *meters_create(void);

/* No loop uses it any more. */
void meters_destroy(struct meters *m);

/* Counts one, for a loop or METER_CONTROL. Out of memory it is not counted. */
void meters_note(struct meters *m, unsigned loop, const struct meter_note *note);

#endif
