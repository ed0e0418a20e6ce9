/* ctl/wait.h - the only file that waits and reads the clock: a command that runs and
 * ends has no loop.
 */
#ifndef CTL_WAIT_H
#define CTL_WAIT_H

#include <stdbool.h>
#include <stdint.h>

#define WAIT_FOREVER INT64_MAX

/* Milliseconds of the monotonic clock. */
int64_t wait_now(void);

/* A point in time so many milliseconds from now. */
int64_t wait_until(uint64_t ms);

/* What is left until a deadline, at most ms_max and never below 0. */
int wait_left(int64_t deadline, int ms_max);

/* Waits until one of two descriptors can be read, for at most ms; one below 0 does not
 * count. True for each that can. */
struct wait_result {
	bool first, second;
};
struct wait_result wait_for(int first, int second, int ms);

#endif
