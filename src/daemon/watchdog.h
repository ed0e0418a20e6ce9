/* daemon/watchdog.h - tells the service manager that we are alive, for as long as we are:
 * this thread makes turns, and so does every loop of the data path.
 *
 * As sd_watchdog_enabled(3) has it: WATCHDOG_USEC in the environment says how long the
 * manager waits before it takes us for hung, and WATCHDOG_PID, if it is there, whom it
 * means. Each half of that time every loop is sent a message; once all have taken theirs,
 * the manager is told. One loop that hangs is enough to be told nothing any more.
 *
 * Thread: control.
 */
#ifndef DAEMON_WATCHDOG_H
#define DAEMON_WATCHDOG_H

#include "daemon/inside.h"

/* Begins, if the environment asks for it. After the threads have been started. */
void watchdog_start(struct service *s);

/* Another process serves, and tells of itself; the manager would complain of us. Where
 * nothing has begun, nothing happens. */
void watchdog_rest(struct service *s);

/* Ends. After the threads, and their loops, have ended. */
void watchdog_stop(struct service *s);

#endif
