/* client/load_plan.h - what the load generator does next, and whether what it reads is
 * right.
 *
 * The plan: with reads and writes mixed, keys come at random, the same for the same
 * seed; with one kind alone they come one after the other, so that `--reads 0%` fills
 * all of them. With keys of their own, connection c of C has those that leave c when
 * divided by C.
 *
 * The judge: a value has to be one of its key. Strictly, with keys of their own, it also
 * has to be no older than the last write that was answered when the read was asked, and
 * no newer than the last one asked when it came; a write that was not answered may have
 * happened.
 *
 * Pure but for its memory: 8 bytes for each key.
 */
#ifndef CLIENT_LOAD_PLAN_H
#define CLIENT_LOAD_PLAN_H

#include "client/load_value.h"

struct load_plan {
	uint64_t seed, keys, connections;
	uint64_t reads_percent;
	bool     strict;		/* keys of their own */
	uint64_t cursor;		/* of keys one after the other */
	uint32_t *asked, *answered;	/* owned: of each key, the last write's id */
};

void load_plan_init(struct load_plan *p);	/* the first five are set */
void load_plan_fini(struct load_plan *p);

struct load_step {
	uint64_t key;
	uint32_t id;			/* of a write; of a read, the oldest allowed */
	bool     writes;
};

/* What `connection` does as its nth step, from 0. */
struct load_step load_plan_next(struct load_plan *p, uint64_t connection, uint64_t nth);

/* A write was answered well. */
void load_plan_written(struct load_plan *p, const struct load_step *s);

enum load_verdict {
	LOAD_RIGHT,
	LOAD_FOREIGN,		/* it was never written for this key */
	LOAD_UNWRITTEN,		/* strictly: it was not yet */
	LOAD_STALE,		/* strictly: it was overwritten before the read began */
	LOAD_VANISHED,		/* strictly: there was none, though one was written */
	LOAD_VERDICTS
};

/* Of a read: id is that of the value, 0 if it is none of this key, or there is none. */
enum load_verdict load_plan_judge(const struct load_plan *p, const struct load_step *s,
				  bool found, uint32_t id);

/* "foreign", ... */
const char *load_verdict_name(enum load_verdict verdict);

#endif
