/* store/sync_fill.h - the giving end of a sync: offers, then sends everything, or what
 * differs; and the export of version 1. doc/kv-protocol.md, "Filling".
 *
 *   NONE --(offer)--> OFFERED --(ASK nothing)---------------------------> NONE
 *                        |-----(ASK everything)--> EVERYTHING -----(END)----^
 *                        '-----(ASK by digest)--> SUMMARIES --> WANTS -(END)'
 *   NONE --(export)--> EXPORT ------------------------------------(EXPORT_END)--> NONE
 *
 * It works in steps, each as long as the channel has room, so that the
 * lane serves meanwhile.
 *
 * Thread: the lane's.
 */
#ifndef STORE_SYNC_FILL_H
#define STORE_SYNC_FILL_H

#include "base/bytes.h"
#include "store/channel.h"
#include "store/store.h"

enum { SYNC_WANTS_BYTES_MAX = 256 * 1024 };	/* waiting; then the taker is not read */

enum sync_fill_state {
	SYNC_FILL_NONE, SYNC_FILL_OFFERED, SYNC_FILL_EVERYTHING, SYNC_FILL_SUMMARIES,
	SYNC_FILL_WANTS, SYNC_FILL_EXPORT,
};

struct sync_fill {		/* all zero: none */
	enum sync_fill_state state;
	uint64_t  cursor;		/* of the walk */
	uint32_t  bucket;		/* the next one to sum up */
	uint64_t *digests;		/* owned: the taker's, while SUMMARIES */
	struct bytes wants;		/* owned: hashes that were asked for */
	bool      wants_ended;
	uint64_t  total, sent;		/* entries: of an export, as announced; so far */
	struct bytes last;		/* owned: an export's last entry */
};

/* Ends what is under way, without a word. */
void sync_fill_stop(struct sync_fill *f);

/* Says SYNC_OFFER. Only when none is under way. */
void sync_fill_offer(struct sync_fill *f, struct channel *c, struct store *s);

/* The export of version 1, to a newcomer. Only when none is under way. */
void sync_fill_export(struct sync_fill *f, struct channel *c, struct store *s);

/* SYNC_ASK, SYNC_WANT or SYNC_WANTS_END. False: it does not belong here,
 * and *why says so. */
bool sync_fill_take(struct sync_fill *f, struct channel *c, const struct kv_message *m,
		    const char **why);

/* Goes on as long as the channel has room; `gently`: by one segment of the store at most,
 * where it sends everything. True: it has come to its end just now. */
bool sync_fill_step(struct sync_fill *f, struct channel *c, struct store *s,
		    uint64_t now_ms, bool gently);

/* Whether it walks through the whole store, so that who serves meanwhile goes gently. */
static inline bool sync_fill_walks(const struct sync_fill *f)
{
	return f->state == SYNC_FILL_EVERYTHING || f->state == SYNC_FILL_EXPORT;
}

#endif
