/* control/journal.h - the changes of run time, kept in a file over restarts.
 *
 * The file is JSON: a format number, what the balancer serves, the entries, and a
 * checksum (XXH3) of all that. It is replaced as a whole: written beside, synced,
 * renamed, the folder synced. So whenever the power goes, it is the old or the new one.
 *
 * Thread: control.
 */
#ifndef CONTROL_JOURNAL_H
#define CONTROL_JOURNAL_H

#include "base/err.h"
#include "control/changes.h"

struct journal;

/* A journal for what `serves` names (a file's real path; "tcp 127.0.0.1:80"), in the
 * folder, which is made if it is missing. Two processes cannot have the same one: the
 * second gets an error that says who has it. NULL and *err: no folder, no permission. */
struct journal *journal_open(const char *folder, const char *serves, struct err *err);
void journal_close(struct journal *j);

/* Its path; borrowed. */
const char *journal_path(const struct journal *j);

/* What was kept; empty when there was nothing. A file that cannot be read or is not
 * whole is renamed to .bad (an earlier .bad is replaced), the reason is logged, and the
 * answer is empty. Owned by the caller. */
struct changes *journal_read(struct journal *j);

/* Keeps these, but for temporary ones. -1 and *err: the file is as before. */
int journal_write(struct journal *j, const struct changes *c, struct err *err);

#endif
