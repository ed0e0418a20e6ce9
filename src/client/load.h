/* client/load.h - the load generator: many connections in one loop, each with some
 * requests under way.
 *
 *   load_plan.h    what is asked, and what is right (pure)
 *   load_value.h   keys and values (pure)
 *   load_inside.h  connections that do it
 *   load_report.h  figures, progress
 *   load_history.h what happened, for checkers
 */
#ifndef CLIENT_LOAD_H
#define CLIENT_LOAD_H

#include "base/address.h"
#include "client/options.h"
#include "loop/loop.h"

/* Runs a load as the options say and prints its figures; the exit code: 0, or 1 if a
 * value was wrong, or nothing worked. */
int load_run(struct loop *loop, const struct address *address, const struct options *o);

#endif
