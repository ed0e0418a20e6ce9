/* store/sync_take.h - the taking end of a sync: asks for everything or for what differs,
 * says what it lacks, and finds what the other side lacks. doc/kv-protocol.md, "Filling".
 *
 *   NONE --(OFFER)--> OFFERED --(ask)--> EVERYTHING ---------------------(END)--> NONE
 *                        ^        '----> SUMMARIES -(their end)-> WANTED -(END)----^
 *                        '--(OFFER: the other side has begun anew)-- from each
 *
 * What is wanted comes as REPLICATE with the number 0, which whoever owns the channel
 * applies as any other.
 *
 * Thread: the lane's.
 */
#ifndef STORE_SYNC_TAKE_H
#define STORE_SYNC_TAKE_H

#include "base/bytes.h"
#include "store/channel.h"
#include "store/store.h"

/* Of one bucket: a million entries each is what 4 billion of them make. */
enum { SYNC_BUCKET_ITEMS_MAX = 1024 * 1024 };

enum sync_take_state {
	SYNC_TAKE_NONE, SYNC_TAKE_OFFERED, SYNC_TAKE_EVERYTHING, SYNC_TAKE_SUMMARIES,
	SYNC_TAKE_WANTED,
};

struct sync_take {		/* all zero: none */
	enum sync_take_state state;
	uint64_t purged;	/* of the offer */
	uint16_t bucket;	/* whose items are being collected */
	struct bytes items;	/* owned: of that bucket */
	uint64_t taken;		/* entries that came in it */
};

/* What the other side lacks: it is to be told to all; or, `forget`, all others have
 * deleted it so long ago that they do not know of it any more. Must not call the sync. */
typedef void sync_take_extra(void *arg, const struct store_item *item, bool forget);

struct sync_take_from {
	struct channel  *channel;
	struct store    *store;
	uint64_t         now_ms;
	sync_take_extra *extra;
	void            *arg;
};

/* Ends what is under way, without a word. */
void sync_take_stop(struct sync_take *t);

/* SYNC_OFFER. It waits until sync_take_ask. */
void sync_take_offer(struct sync_take *t, const struct kv_message *m);

/* Answers the offer; by digest, or if the store is empty everything.
 * Only when OFFERED. */
void sync_take_ask(struct sync_take *t, const struct sync_take_from *from);

/* SYNC_SUMMARY, SYNC_SUMMARIES_END or SYNC_END; *ended: it was the end of it all. False:
 * it does not belong here, and *why says so. */
bool sync_take_message(struct sync_take *t, const struct sync_take_from *from,
		       const struct kv_message *m, bool *ended, const char **why);

#endif
