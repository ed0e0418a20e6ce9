/* daemon/steering.h - what is asked of a running balancer by signals: TERM and INT
 * drain, HUP reloads, USR1 opens the logs anew.
 *
 * Thread: control.
 */
#ifndef DAEMON_STEERING_H
#define DAEMON_STEERING_H

#include "base/err.h"

struct service;

/* From now on it can be steered. */
int steering_open(struct service *s, struct err *err);

#endif
