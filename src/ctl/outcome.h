/* ctl/outcome.h - how a command ended: the exit codes of doc/control.md.
 *
 * A command that fails records its reason once, with its outcome; main says it, in one
 * line. The manual page prints the table.
 */
#ifndef CTL_OUTCOME_H
#define CTL_OUTCOME_H

#include <stdio.h>

#include "base/err.h"

enum outcome {
	OUTCOME_DONE,
	OUTCOME_FAILED,			/* the balancer could not do it */
	OUTCOME_WRONG,			/* the command line is wrong */
	OUTCOME_NO_BALANCER,		/* none is running there */
	OUTCOME_NO_PERMISSION,
	OUTCOME_UNKNOWN,		/* no such server or pool */
	OUTCOME_CONFLICT,		/* already there, or changed meanwhile */
	OUTCOME_LATE,			/* not done in time */
	OUTCOMES
};

/* What each means, for the manual page. */
extern const char *const outcome_meanings[OUTCOMES];

/* Records a reason, one sentence without a newline, and returns the outcome. */
__attribute__((format(printf, 3, 4)))
enum outcome outcome_set(struct err *err, enum outcome outcome, const char *format, ...);

/* What a `code` of the control interface comes to. */
enum outcome outcome_of_code(const char *code);

#endif
