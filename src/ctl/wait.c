#include "ctl/wait.h"

#include <poll.h>
#include <time.h>

int64_t wait_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t wait_until(uint64_t ms)
{
	return wait_now() + (int64_t)ms;
}

int wait_left(int64_t deadline, int ms_max)
{
	int64_t left = deadline == WAIT_FOREVER ? ms_max : deadline - wait_now();

	if (left < 0)
		return 0;
	return left < ms_max ? (int)left : ms_max;
}

struct wait_result wait_for(int first, int second, int ms)
{
	struct pollfd fds[2] = {
		{.fd = first, .events = POLLIN}, {.fd = second, .events = POLLIN},
	};

	if (poll(fds, 2, ms) <= 0)	/* a signal counts as time that has passed */
		return (struct wait_result){false, false};
	return (struct wait_result){fds[0].revents != 0, fds[1].revents != 0};
}
