/* ctl/top_rows.h - what top shows: two polls become rows, with rates, in order.
 *
 * Pure: no terminal, no clock. A pool is a row, and its servers are the rows behind it.
 * Rates are differences of the two polls; what cannot be known yet, or was counted anew
 * in between, is TOP_UNKNOWN, never a guess. Texts are borrowed from the later poll.
 */
#ifndef CTL_TOP_ROWS_H
#define CTL_TOP_ROWS_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

/* One look at the balancer. */
struct top_poll {
	json_t *status, *listeners, *pools;	/* owned; answers as they came */
	int64_t at_ms;				/* of a clock that never goes back */
};

void top_poll_fini(struct top_poll *poll);

enum top_column {
	TOP_SERVER, TOP_NAME, TOP_STATE, TOP_WEIGHT, TOP_NOW, TOP_REQUESTS, TOP_ERRORS,
	TOP_P50, TOP_P99, TOP_BYTES, TOP_REASON,
	TOP_COLUMNS
};

#define TOP_UNKNOWN (-1.0)

enum { TOP_STATE_MAX = 24, TOP_FILTER_MAX = 64 };

struct top_row {
	bool        is_pool;
	const char *pool;
	const char *text[TOP_COLUMNS];		/* of SERVER (a pool's name), NAME and
						 * REASON; never NULL there */
	char        state[TOP_STATE_MAX];	/* of a pool: "2/3 up" */
	double      value[TOP_COLUMNS];		/* of the other columns */
	uint32_t    place;			/* in the answer: who is equal keeps it */
	uint32_t    severity;			/* of its state; 0: up */
	bool        is_owned;			/* made by the balancer */
};

struct top_sum {
	double   requests, errors;		/* a second, of all listeners */
	uint64_t up, servers;
};

struct top_rows {
	struct top_row *rows;			/* owned */
	uint32_t        count, room;
	struct top_sum  sum;
	bool            has_names, has_bytes;
};

struct top_order {
	enum top_column by;
	bool            reversed;		/* else the most first, and A before B */
	char            filter[TOP_FILTER_MAX];	/* what a row must have in it; "": all */
};

/* Replaces the rows. `before` may be NULL. Servers stay behind their pool; pools are put
 * in order by the same column. Errors are, of HTTP, answers of class 5xx and requests
 * that got none; of a server, and of everything else, its failures (and its 5xx). */
void top_rows_make(struct top_rows *rows, const struct top_poll *now,
		   const struct top_poll *before, const struct top_order *order);
void top_rows_fini(struct top_rows *rows);

/* Where the row of this server is, or with two times "" that of the pool; count:
 * nowhere. */
uint32_t top_rows_find(const struct top_rows *rows, const char *pool,
		       const char *address, const char *name);

#endif
