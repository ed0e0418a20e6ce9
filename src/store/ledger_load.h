/* store/ledger_load.h - what a ledger's directory has goes into a store, at the start.
 *
 * A log may end in a record that was not finished: if it is the newest one, and nothing
 * that is whole follows, that end is cut off. Everything else that is not as it was
 * written is an error: better no start than one with a part of the data.
 *
 * Thread: the one that starts; waits for the disk.
 */
#ifndef STORE_LEDGER_LOAD_H
#define STORE_LEDGER_LOAD_H

#include "store/ledger_directory.h"

struct ledger_loaded {
	int      log_fd;		/* the newest log, at its end; owned
					 * by the caller */
	uint32_t number;		/* of that log */
	uint32_t snapshot;		/* 0: there is none */
	uint64_t salt;			/* for what is appended to it */
	uint64_t log_bytes, snapshot_bytes;	/* of all logs; of the snapshot */
	uint64_t loaded, torn_bytes;
};

/* Makes the first log if there is nothing. -1 and *err, which names file, offset and
 * what to do; nothing on disk has changed but for the cut, and the store has a part. */
int ledger_load(const struct ledger_directory *d, struct store *s, uint64_t now_ms,
		struct ledger_loaded *out, struct err *err);

#endif
