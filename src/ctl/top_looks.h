/* ctl/top_looks.h - the last two polls that top has taken, over one connection. */
#ifndef CTL_TOP_LOOKS_H
#define CTL_TOP_LOOKS_H

#include "ctl/call.h"
#include "ctl/top_rows.h"

struct top_looks {
	struct call    *call;			/* borrowed */
	struct top_poll before, now;		/* a status of NULL: there is none */
};

enum {
	LOOKS_ANSWER_MS    = 2000,		/* keys wait for as long */
	LOOKS_APART_MS_MIN = 500,		/* rates of less are noise */
};

/* Looks once more: the figures of all pools, or with --pool of that one. What fails
 * changes nothing. */
enum outcome top_looks_take(struct top_looks *looks, struct err *err);
void top_looks_fini(struct top_looks *looks);

/* Makes the rows of what was seen last. */
void top_looks_make_rows(const struct top_looks *looks, const struct top_order *order,
			 struct top_rows *rows);

#endif
