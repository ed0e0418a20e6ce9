/* store/options.h - what kv-worker's command line asks for. Read
 * once, constant from then.
 *
 * One table has all flags: it reads them, and prints them for --help.
 */
#ifndef STORE_OPTIONS_H
#define STORE_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/address.h"
#include "base/err.h"
#include "store/ledger.h"

enum {
	WORKER_THREADS_MAX = LEDGER_LANES_MAX,
	WORKER_BACKLOG_BYTES = 64 * 1024 * 1024,	/* defaults */
	WORKER_ID_MAX = 0x7fffffff,
};

struct worker_options {
	struct address balancer;	/* of a name: not looked up yet */
	struct address peers;
	uint32_t    id;			/* 0: not given */
	const char *data;		/* borrowed from argv; NULL: memory only */
	const char *secret;		/* so too: a file */
	uint32_t    threads;
	uint64_t    memory_max;		/* bytes; 0: none */
	uint64_t    backlog_max;	/* bytes that a peer may be behind */
	uint64_t    stats_ms;		/* between two reports in the log; 0: none */
	enum ledger_sync sync;
	uint8_t     speaks;		/* the highest version of the protocol: 1 or 2 */
	bool        help;		/* the person wants to read, not to serve */
};

/* Reads argv, whose order may change. -1: *err says what is wrong with it. */
int worker_options_read(struct worker_options *o, int argc, char **argv, struct err *err);

/* Prints the usage and all flags. */
void worker_options_print(FILE *out);

#endif
