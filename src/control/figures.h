/* control/figures.h - servers, pools and listeners as JSON: what was asked for, from the
 * model, and what is true now, from the live parts.
 *
 * Counters are read one by one while the loops go on counting: each is right, their
 * sum is of no single moment.
 *
 * Thread: control.
 */
#ifndef CONTROL_FIGURES_H
#define CONTROL_FIGURES_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/histogram.h"
#include "control/ask.h"
#include "model/live.h"
#include "model/model.h"

/* What figures are taken from; valid until something changes. */
struct figures {
	const struct view  *view;
	const struct model *model;
	const struct changes_entry **entries;	/* owned: by pool and server */
	uint32_t entry_count;
	bool of_workers[MODEL_POOLS_MAX];	/* by pool: model_pool_is_kv */
	const struct model_pool *owned_pool;	/* whose `owned` is; NULL: of none so far */
	json_t *owned;			/* owned: see owned_by_address, or NULL */
};

void figures_init(struct figures *f, const struct view *view);
void figures_fini(struct figures *f);

/* One server of this pool of the model, and one that was taken out of it. */
json_t *figures_server(struct figures *f, const struct model_pool *p,
		       const struct model_server *s);
json_t *figures_leaving(const struct figures *f, const struct live_server *s);

/* What the quantiles of histogram_told are called: "p50_ms", ... */
extern const char *const figures_quantiles[HISTOGRAM_TOLD];

/* Arrays and objects, as doc/control.md shows them. */
json_t *figures_servers(struct figures *f, const struct model_pool *p);
json_t *figures_pool(struct figures *f, const struct model_pool *p);
json_t *figures_listener(const struct figures *f, const struct model_listener *l);
json_t *figures_listeners(const struct figures *f);

#endif
