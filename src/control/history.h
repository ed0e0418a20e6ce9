/* control/history.h - the last ten minutes: samples of what plots draw, of the whole, of
 * each pool and of each listener.
 *
 *   control's timer --(history_take)--> a sample of each --(GET /v1/history)--> who asks
 *
 * It knows them by their names, so that a reload changes nothing for those that stay; who
 * is not in the model any more is forgotten with the next sample. It begins with the
 * process. Servers have none: that would be most of the memory, for what no plot draws.
 *
 * What counts as what is as on the page (web/state.js): the requests of a pool are those
 * of its servers, its errors are answers of class 5xx and none at all of HTTP, failures of
 * its servers of all else; the whole is the sum of the pools.
 *
 * Memory: 5 KiB for each listener and pool, whatever happens. Thread: control. No clock.
 */
#ifndef CONTROL_HISTORY_H
#define CONTROL_HISTORY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/histogram.h"

struct live;
struct model;

enum {
	HISTORY_EVERY_MS = 5000,
	HISTORY_SAMPLES  = 120,		/* ten minutes */
};

/* Of the time between two samples: counts. Of the moment: in_flight, waiting, connections.
 * Of the last two such times: the quantiles, if anything was answered in them. */
struct history_sample {
	uint32_t requests, errors;
	uint32_t accepted;		/* of a listener */
	uint32_t in_flight;		/* not of a listener */
	uint32_t waiting;
	uint32_t connections;		/* not of a pool */
	uint32_t us[HISTOGRAM_TOLD];	/* UINT32_MAX: 71 minutes or more */
	bool     has_times;		/* else us is nothing */
};

/* One thing's. The place of sample n is n % HISTORY_SAMPLES. */
struct history_series {
	char    *name;			/* owned; "" of the whole */
	bool     datagrams;		/* a listener of UDP: its address is not its name alone */
	uint64_t first;			/* sample that it has */
	struct history_sample samples[HISTORY_SAMPLES];
};

struct history_list {
	struct history_series **all;	/* owned, in the order of the model */
	uint32_t count;
};

struct history {
	uint64_t taken;			/* samples so far */
	uint64_t last_ms;		/* when the last one was; 0: there is none */
	/* By sample: when it was taken, since the process began, and how long it is. */
	uint64_t at_ms[HISTORY_SAMPLES];
	uint32_t took_ms[HISTORY_SAMPLES];
	struct history_series whole;
	struct history_list   pools, listeners;
};

struct history *history_create(void);
void history_destroy(struct history *h);

/* Takes a sample of all that this model has, which has live parts, and marks the meters
 * (model/meter_window.h) of all that is in `live`, those of servers too. now_ms: since the
 * process began; more than the last time. */
void history_take(struct history *h, const struct model *m, const struct live *live,
		  uint64_t now_ms);

#endif
