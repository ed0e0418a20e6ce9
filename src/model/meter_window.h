/* model/meter_window.h - what meters have counted of late: marks of what they had counted
 * at some moments, and the difference to one of them.
 *
 * The meters own their marks, so these end with what they are of, and nothing is to be
 * looked up. Marks cost the loops nothing: they are copies of what a reader sums. A mark has
 * the pages that were counted in, of 256 bytes each; most meters have 3 to 10 of 37.
 *
 * Threads: marks are made by the control thread, and read there.
 */
#ifndef MODEL_METER_WINDOW_H
#define MODEL_METER_WINDOW_H

#include <stdint.h>

#include "model/meter_reading.h"

enum meter_window {
	METER_MINUTE,		/* the last 40 to 60 s */
	METER_MOMENT,		/* the last 10 s, right before a mark is made */
	METER_WINDOWS
};

enum {
	METER_MARKS_MAX      = 3,	/* of a window: three of a minute, two of a moment */
	METER_MINUTE_EVERY_MS = 20000,	/* as marks are meant to be made */
	METER_MOMENT_EVERY_MS = 5000,
};

/* Notes what has been counted by now, in place of the oldest mark of this window. now_ms is
 * of a clock that never goes back, and not 0. */
void meters_mark(struct meters *m, enum meter_window window, uint64_t now_ms);

/* Leaves of *times, which were read of these meters alone, after their last mark, what was
 * counted since the oldest mark of the window; all, while there are fewer marks than there
 * may be, since what they are of is younger than the window then. Returns how long that is,
 * at the most. */
uint64_t meters_leave_window(const struct meters *m, enum meter_window window,
			     uint64_t now_ms, struct histogram *times);

#endif
