/* spawn/record.h - how many servers each pool was last asked for, and their names, over
 * restarts: a file in the state folder, for what this balancer serves.
 *
 *   {"format": 1, "serves": "/etc/balancerd/balancerd.conf",
 *    "pools": {"web": {"wanted": 3, "names": ["S1", "S2", "S3"]}}}
 *
 * Replaced as a whole, so that it is the old or the new one. What cannot be read is as
 * good as none, and said in the log: the servers themselves are found by their drivers.
 *
 * Thread: control; writing waits for the disk.
 */
#ifndef SPAWN_RECORD_H
#define SPAWN_RECORD_H

#include <stdbool.h>
#include <stdint.h>

#include "model/own.h"

enum { RECORD_FORMAT = 1, RECORD_BYTES_MAX = 64 << 20 };

struct record_pool {
	uint32_t wanted;
	uint32_t name_count;
	const char *names[OWN_SERVERS_MAX];	/* borrowed, until it changes */
};

struct record;

/* Reads what there is. folder NULL: it is kept as long as the process runs. */
struct record *record_open(const char *folder, const char *serves);
void record_close(struct record *r);

/* Forgets what it says, and reads what there is now: another balancer has written it. */
void record_reread(struct record *r);

/* False: there is nothing about this pool. */
bool record_find(const struct record *r, const char *pool, struct record_pool *out);

/* From now on it says this about the pool; or nothing. */
void record_set(struct record *r, const char *pool, const struct record_pool *p);
void record_remove(struct record *r, const char *pool);

/* Writes it, if it says something else than the file. What hinders it is said once in the
 * log, until it goes again. */
void record_write(struct record *r);

#endif
