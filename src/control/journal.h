/* control/journal.h - the changes of run time, kept in a file over restarts.
 *
 * The file (journal_text.h) is replaced as a whole: written beside, synced, renamed, the
 * folder synced. So whenever the power goes, it is the old or the new one.
 *
 * Nothing is made before there is something to keep: a balancer that is never changed
 * leaves no trace, and runs where nothing can be written. With the first write the
 * journal is this process's until journal_close, by a lock on a file beside it, which
 * stays. Reading needs no lock: what is there is always whole.
 *
 * Thread: control; writing waits for the disk.
 */
#ifndef CONTROL_JOURNAL_H
#define CONTROL_JOURNAL_H

#include "base/err.h"
#include "control/changes.h"

enum { JOURNAL_BYTES_MAX = 64 << 20 };	/* CHANGES_MAX of the longest fit */

struct journal;

/* A journal for what `serves` names (a file's real path; "tcp 127.0.0.1:80"), in the
 * folder. Looks at nothing yet. */
struct journal *journal_open(const char *folder, const char *serves);
void journal_close(struct journal *j);

/* Its path; borrowed. */
const char *journal_path(const struct journal *j);

/* What was kept; empty when there was nothing. What cannot be read or is not whole is
 * renamed to .bad (an earlier .bad is replaced), the reason is logged, and the answer is
 * empty. Owned by the caller. */
struct changes *journal_read(struct journal *j);

/* The same, and what cannot be read stays as it is: NULL and *err then. */
struct changes *journal_read_only(struct journal *j, struct err *err);

/* It is not this process's any more, until it writes again. */
void journal_release(struct journal *j);

/* Keeps these, but for temporary ones; makes the folder if it is missing. -1 and *err,
 * and the file is as before: the system refuses, another process has the journal (it is
 * named), or has written it since it was read here. */
int journal_write(struct journal *j, const struct changes *c, struct err *err);

#endif
