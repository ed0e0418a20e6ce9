/* control/line_diff.h - what differs between two configurations, line by line.
 *
 * For printed configurations, in which each line is one statement: a shortest edit
 * (E. W. Myers, "An O(ND) difference algorithm and its variations", 1986). What a line
 * stands in is shown too: the statements that open the blocks around it.
 *
 * Texts that differ in more than LINE_DIFF_EDITS_MAX lines are not searched for what
 * they have in common, but for what stands before and after it all.
 *
 * Pure. Thread: any.
 */
#ifndef CONTROL_LINE_DIFF_H
#define CONTROL_LINE_DIFF_H

#include "base/span.h"

enum { LINE_DIFF_EDITS_MAX = 500, LINE_DIFF_DEPTH_MAX = 8 };

/* Tells in the order of the texts: '-' for a line of `before` only, '+' for one of
 * `after` only, ' ' for one of both that opens a block in which such a line follows.
 * The lines have no newline, and are borrowed from the texts. */
void line_diff(struct span before, struct span after,
	       void (*tell)(void *arg, char sign, struct span line), void *arg);

#endif
