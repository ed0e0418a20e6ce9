/* daemon/summary.h - what was done, in a few lines of the log at the end.
 *
 * Thread: control.
 */
#ifndef DAEMON_SUMMARY_H
#define DAEMON_SUMMARY_H

#include "model/live.h"

/* One line per listener, pool and server. */
void summary_log(const struct live *live);

#endif
