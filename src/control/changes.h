/* control/changes.h - what was changed at run time, as a difference to the file.
 *
 * At most one entry for each server of each pool: added, removed, or set otherwise. It
 * is applied over each model that comes from the file. Pure: no file, no clock, no live
 * part; journal.h keeps it on disk.
 *
 * An entry has two halves: what is in force now, and what of it lasts. A lasting change
 * goes into both, a temporary one into the first only, so that a restart finds what it
 * would be without the temporary ones. Setting something of a server that is there for
 * the time being only does not make it last.
 *
 * Thread: control.
 */
#ifndef CONTROL_CHANGES_H
#define CONTROL_CHANGES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/address.h"
#include "base/err.h"
#include "model/model.h"

enum { CHANGES_MAX = 65536 };

enum change_kind { CHANGE_ADD = 1, CHANGE_REMOVE, CHANGE_SET };

/* One wish. */
struct change {
	enum change_kind kind;
	char     pool[MODEL_NAME_MAX + 1];
	struct address server;		/* as address_parse gives it */
	bool     has_weight, has_drain;	/* what of the two is set */
	uint32_t weight;		/* at most MODEL_WEIGHT_MAX */
	bool     drain;
	bool     temporary;		/* not written to the journal */
	uint32_t limit_ms;		/* CHANGE_REMOVE: what it has may go on so long;
					 * UINT32_MAX: as the model says */
};

/* Why a change cannot be made; names for programs are in doc/control.md. */
enum change_fault {
	CHANGE_FINE,
	CHANGE_POOL_UNKNOWN, CHANGE_SERVER_UNKNOWN, CHANGE_SERVER_EXISTS,
	CHANGE_POOL_FULL,		/* MODEL_SERVERS_MAX */
	CHANGE_TOO_MANY,		/* CHANGES_MAX */
};

struct changes;

struct changes *changes_create(void);
void changes_destroy(struct changes *c);

/* A copy that the caller owns. */
struct changes *changes_copy(const struct changes *c);

/* Makes one change of m, which nobody else has seen yet. On a fault m is as before, and
 * *err says why and what there is instead. */
enum change_fault change_apply(struct model *m, const struct change *c, struct err *err);

/* Notes a change, with the model that the file alone makes to see what is left of the
 * difference: adding what the file has, as the file has it, leaves none. */
enum change_fault changes_note(struct changes *all, const struct model *file,
			       const struct change *c, struct err *err);

/* Applies all of them over m, made from the file alone. What the file says already, and
 * what is set of a server that the file no longer has, is dropped; *caught_up counts
 * the entries that this made smaller. What has no pool there, or no room in it, waits. */
void changes_apply(struct changes *all, struct model *m, uint32_t *caught_up);

/* As if nobody had ever wished anything of this server, whatever of it lasts. */
void changes_forget(struct changes *all, const char *pool, const struct address *server);

/* For listing: each entry in turn, in the order in which they were first made. */
struct changes_entry {
	struct change change;		/* kind: what the entry does to the file;
					 * temporary: not all of it lasts */
	bool waiting;			/* its pool is not there */
};
uint32_t changes_count(const struct changes *c);
const struct changes_entry *changes_at(const struct changes *c, uint32_t i);

/* For the journal. What of an entry lasts; false: nothing. */
bool changes_lasting_at(const struct changes *c, uint32_t i, struct change *lasting);

/* Puts an entry back as changes_lasting_at gave it, at the end. False: there is one for
 * this server already, or there are CHANGES_MAX. */
bool changes_restore(struct changes *c, const struct change *lasting);

#endif
