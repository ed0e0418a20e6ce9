/* daemon/wanted.h - what is asked for: the file's model, and the changes over it.
 *
 *   a file read ---.                                        .--> adopt: so it is
 *                  +--> a draft --(keep)--> it is published -+
 *   a change ------'                                        '--> refuse: as before
 *
 * A draft is what would be asked for, with the model that follows from it. Keeping
 * writes its changes to the journal before anything has happened; refusing one that was
 * kept writes the old ones back.
 *
 * Thread: control.
 */
#ifndef DAEMON_WANTED_H
#define DAEMON_WANTED_H

#include "base/err.h"
#include "base/places.h"
#include "control/changes.h"
#include "control/journal.h"
#include "model/model.h"

struct wanted {
	struct journal *journal;	/* owned; NULL: there is no place for it */
	struct err      no_journal;	/* and why */
	struct model   *file;		/* held, without live parts; in the quick forms
					 * what the command line says; NULL at first */
	struct changes *changes;	/* owned */
};

struct draft {
	struct model   *model;		/* held until draft_take */
	struct model   *file;		/* held */
	struct changes *changes;	/* owned */
	uint32_t caught_up;		/* entries that the file made smaller */
	bool     kept;
};

/* Reads the changes of what is served; see journal.h. */
void wanted_open(struct wanted *w, const struct places *places, const char *serves);

/* The same while another process still has them. -1 and *err: they cannot be read, and
 * stay as they are. */
int wanted_look(struct wanted *w, const struct places *places, const char *serves,
		struct err *err);

/* What wanted_open made, and what was adopted. Nothing happens when it is all zero. */
void wanted_close(struct wanted *w);

/* The changes over this file's model, which is given. */
void wanted_draft_file(const struct wanted *w, struct model *file, struct draft *d);

/* One change more over the model in force. On a fault there is no draft and *err says
 * why. */
enum change_fault wanted_draft_change(const struct wanted *w, const struct model *now,
				      const struct change *c, struct draft *d,
				      struct err *err);

/* The model is the caller's from now on. */
struct model *draft_take(struct draft *d);

/* -1 and *err: the journal cannot be written, and is as before. */
int wanted_keep(struct wanted *w, struct draft *d, struct err *err);

/* Each draft ends with one of these. */
void wanted_adopt(struct wanted *w, struct draft *d);
void wanted_refuse(struct wanted *w, struct draft *d);

#endif
