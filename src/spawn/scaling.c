#include "spawn/scaling.h"

/* It holds now; true: it has held for so long. */
static bool holds_for(bool *holds, uint64_t *since_ms, uint64_t now_ms, uint32_t ms)
{
	if (!*holds)
		*since_ms = now_ms;
	*holds = true;
	return now_ms - *since_ms >= ms;
}

/* The next step begins to count anew. */
static uint32_t step(struct scaling *s, uint32_t wanted)
{
	s->above = s->below = s->idle = false;
	s->most = 0;
	return wanted;
}

static uint32_t between(uint32_t n, uint32_t min, uint32_t max)
{
	return n < min ? min : n > max ? max : n;
}

static uint32_t more(const struct model_own *own, const struct scaling_sample *x)
{
	uint32_t fit = x->busy / own->scale_up + (x->busy % own->scale_up != 0);

	return between(between(fit, x->wanted + 1, 2 * x->wanted + SCALING_MORE_MAX), 1,
		       own->max);
}

static uint32_t fewer(const struct scaling *s, const struct model_own *own,
		      const struct scaling_sample *x)
{
	uint32_t fit = s->most / own->scale_down + 1;
	uint32_t least = own->min > 0 ? own->min : 1;

	if (x->wanted <= least)
		return x->wanted;
	return between(between(fit, x->wanted / 2, x->wanted - 1), least, own->max);
}

uint32_t scaling_sample_ms(const struct model_own *own)
{
	uint32_t shorter = own->scale_up_ms < own->scale_down_ms ? own->scale_up_ms
								 : own->scale_down_ms;

	return between(shorter / 4, SCALING_SAMPLE_MS_MIN, SCALING_SAMPLE_MS_MAX);
}

uint32_t scaling_wanted(struct scaling *s, const struct model_own *own,
			const struct scaling_sample *x)
{
	bool came = x->requests != s->requests;
	uint64_t busy = x->busy;

	s->requests = x->requests;
	/* What was decided last has not come true yet. */
	if (x->serving != x->wanted || x->wanted == 0)
		return step(s, x->wanted);

	if (busy <= (uint64_t)own->scale_up * x->serving)
		s->above = false;
	else if (holds_for(&s->above, &s->above_since_ms, x->now_ms, own->scale_up_ms))
		return x->wanted < own->max ? step(s, more(own, x)) : x->wanted;

	if (busy > 0 || came)
		s->idle = false;
	else if (holds_for(&s->idle, &s->idle_since_ms, x->now_ms, own->scale_down_ms) &&
		 own->min == 0)
		return step(s, 0);

	if (busy >= (uint64_t)own->scale_down * x->serving) {
		s->below = false;
		s->most = 0;
		return x->wanted;
	}
	if (x->busy > s->most)
		s->most = x->busy;
	if (!holds_for(&s->below, &s->below_since_ms, x->now_ms, own->scale_down_ms))
		return x->wanted;
	uint32_t n = fewer(s, own, x);
	if (n == x->wanted)
		return n;
	/* Going on being idle is no step of its own. */
	bool idle = s->idle;
	step(s, n);
	s->idle = idle;
	return n;
}
