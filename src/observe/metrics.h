/* observe/metrics.h - all figures as text for Prometheus.
 *
 * Reads what is in force and its live parts, and writes nothing. Each listener, pool and
 * server of the model has its samples; one that has left has none any more.
 *
 * Times are a histogram with few buckets, for sums over machines, and quantiles that are
 * within 1 %, taken from the finer counts of model/meter.h.
 *
 * Thread: control. A scrape of 1,000 servers takes some 10 ms there and stops no loop.
 */
#ifndef OBSERVE_METRICS_H
#define OBSERVE_METRICS_H

#include <stddef.h>
#include <stdint.h>

#include "base/log.h"
#include "observe/exposition.h"

struct live;
struct model;

/* All borrowed. */
struct metrics_source {
	const struct model *model;	/* in force */
	const struct live  *live;
	const char *version;
	uint64_t uptime_s;
	uint64_t heap_bytes;
	uint32_t threads;
	uint64_t access_log_dropped;	/* records */
	struct log_losses log;
};

/* The whole text, owned by the caller (free). */
char *metrics_print(const struct metrics_source *source, enum exposition_format format,
		    size_t *len);

#endif
