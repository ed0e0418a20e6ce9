/* observe/metrics_rows.h - what metrics are printed of: a row for each listener, pool and
 * server, with its labels and what its meters came to.
 *
 * Thread: control; valid as long as the model.
 */
#ifndef OBSERVE_METRICS_ROWS_H
#define OBSERVE_METRICS_ROWS_H

#include <stdint.h>

#include "model/live.h"
#include "model/meter_reading.h"

enum {
	ROW_LABELS_MAX = 1536,		/* an address of which each byte is escaped, and a pool */
	ROW_BUCKETS = 18,		/* beside +Inf */
};

/* Bounds of the histogram's buckets. */
struct row_bound {
	uint64_t    us;
	const char *text;		/* of seconds */
};
extern const struct row_bound row_buckets[ROW_BUCKETS];

/* histogram_told as labels. */
extern const char *const row_quantiles[HISTOGRAM_TOLD];

struct row {
	char     *labels;		/* owned */
	const void *live;		/* borrowed: struct live_listener, live_pool, live_server */
	bool      is_metered;		/* meters count its requests */
	uint64_t  responses[METER_CLASSES];
	uint64_t  bytes_in, bytes_out, total_us, count;
	uint64_t  quantiles_us[HISTOGRAM_TOLD];
	uint64_t  buckets[ROW_BUCKETS];		/* each with those below it */
	uint32_t  servers_up, servers_down, servers_draining;	/* of a pool */
	uint32_t  srv_count, srv_left_out;	/* of a pool: names, and more servers than are
						 * used */
	uint64_t  srv_answers, srv_failures;	/* look-ups of these */
	uint32_t  weight;		/* of a server, as the model says */
	bool      drain;
};

struct rows {
	struct row *all;		/* owned */
	uint32_t    count;
};

/* One for each that the model has, which has its live parts. */
struct rows rows_of_listeners(const struct model *m);
struct rows rows_of_pools(const struct model *m);
struct rows rows_of_servers(const struct model *m);
void rows_fini(struct rows *r);

#endif
