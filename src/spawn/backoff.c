#include "spawn/backoff.h"

void backoff_failed(struct backoff *b, uint64_t now_ms, uint64_t random)
{
	uint64_t wait = BACKOFF_MS_MIN;

	if (now_ms < b->until_ms)
		return;
	for (uint32_t i = 0; i < b->failures && wait < BACKOFF_MS_MAX; i++)
		wait *= 2;
	if (wait > BACKOFF_MS_MAX)
		wait = BACKOFF_MS_MAX;
	if (b->failures < UINT32_MAX)
		b->failures++;
	b->until_ms = now_ms + wait - random % (wait / 4);
}

void backoff_succeeded(struct backoff *b)
{
	*b = (struct backoff){0};
}

uint64_t backoff_wait_ms(const struct backoff *b, uint64_t now_ms)
{
	return b->until_ms > now_ms ? b->until_ms - now_ms : 0;
}

/* Seconds that have passed since are empty. */
static void advance(struct start_rate *r, uint64_t second)
{
	uint64_t passed = second - r->second;

	if (passed > BACKOFF_WINDOW_S)
		passed = BACKOFF_WINDOW_S;
	for (uint64_t i = 0; i < passed; i++)
		r->starts[(second - i) % BACKOFF_WINDOW_S] = 0;
	r->second = second;
}

void start_rate_count(struct start_rate *r, uint64_t now_ms)
{
	advance(r, now_ms / 1000);
	r->starts[r->second % BACKOFF_WINDOW_S]++;
}

uint64_t start_rate_wait_ms(struct start_rate *r, uint64_t now_ms, uint32_t max)
{
	uint32_t left = 0;

	advance(r, now_ms / 1000);
	for (uint32_t i = 0; i < BACKOFF_WINDOW_S; i++)
		left += r->starts[i];
	if (left < max)
		return 0;
	/* From the oldest second on: when enough of them have left the window. */
	for (uint32_t i = 1; i <= BACKOFF_WINDOW_S; i++) {
		left -= r->starts[(r->second + i) % BACKOFF_WINDOW_S];
		if (left < max)
			return (r->second + i) * 1000 - now_ms;
	}
	return 1000;
}
