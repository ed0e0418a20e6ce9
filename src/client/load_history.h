/* client/load_history.h - a line of JSON about each operation, for whoever checks
 * afterwards what a pool has promised.
 *
 *   {"op":"put","connection":3,"key":"0000000000000012","value":7,"invoke_us":1,
 *    "complete_us":2,"version":9,"result":"ok"}
 *
 * On one line each, in the order of completion. Times are of the monotonic clock, which
 * all processes of a machine share. `value` is the id that the write gave it, null where
 * none was read or it is none of this key; `complete_us` is null, and the result "lost",
 * where no answer came: it may or may not have happened. Other results are "ok",
 * "missing", "foreign" and the texts of errors.
 *
 * Errors of the file are kept until load_history_close.
 */
#ifndef CLIENT_LOAD_HISTORY_H
#define CLIENT_LOAD_HISTORY_H

#include <stdint.h>
#include <stdio.h>

#include "base/err.h"
#include "client/load_plan.h"

struct load_operation {
	struct load_step step;
	uint64_t begun_us;		/* by loop_clock_us */
};

struct load_event {
	uint64_t    connection;
	uint32_t    id;			/* of the value; 0: none */
	uint64_t    done_us;		/* 0: never */
	uint64_t    version;
	const char *result;
};

/* NULL and *err: it cannot be written. */
FILE *load_history_open(const char *path, struct err *err);

/* `key` is what load_key_write makes of it. */
void load_history_write(FILE *file, struct span key, const struct load_operation *o,
			const struct load_event *e);

/* -1 and *err: not all of it is in the file. */
int load_history_close(FILE *file, const char *path, struct err *err);

#endif
