/* daemon/difference.h - what a reload has changed, for the log.
 *
 * Thread: control.
 */
#ifndef DAEMON_DIFFERENCE_H
#define DAEMON_DIFFERENCE_H

#include "model/model.h"

enum { DIFFERENCE_LINES_MAX = 20 };	/* in the log; how many more there are is said */

/* Says each line that only one of the two has, as a configuration would. */
void difference_log(const struct model *before, const struct model *after);

#endif
