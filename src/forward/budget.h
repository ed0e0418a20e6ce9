/* forward/budget.h - how many requests may be sent again: a share of all.
 *
 * A token bucket (as the retry budgets of Finagle): each request pays a share in, a
 * retry takes a whole token out. The reserve is what a quiet pool may spend before it
 * has earned anything. Without such a bound, retries multiply the load of servers
 * that fail because of load.
 *
 * Pure. Thread: one loop's; each loop has a budget of its own per pool.
 */
#ifndef FORWARD_BUDGET_H
#define FORWARD_BUDGET_H

#include <stdbool.h>
#include <stdint.h>

struct budget {
	uint64_t hundredths;	/* of a token, at hand */
	uint64_t limit;		/* what can be saved up */
	uint32_t percent;	/* paid in per request, in hundredths */
};

/* What can be saved up is the reserve, or what 1,000 requests earn if that is more. */
static inline void budget_init(struct budget *b, uint32_t percent, uint32_t reserve)
{
	uint64_t start = (uint64_t)reserve * 100, earned = (uint64_t)percent * 1000;

	*b = (struct budget){start, start > earned ? start : earned, percent};
}

static inline void budget_earn(struct budget *b)
{
	b->hundredths += b->percent;
	if (b->hundredths > b->limit)
		b->hundredths = b->limit;
}

static inline bool budget_spend(struct budget *b)
{
	if (b->hundredths < 100)
		return false;
	b->hundredths -= 100;
	return true;
}

#endif
