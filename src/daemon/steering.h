/* daemon/steering.h - what is asked of a running balancer, by a signal or by the control
 * interface: to change a server, to reload, to drain, to open the logs anew.
 *
 * Thread: control.
 */
#ifndef DAEMON_STEERING_H
#define DAEMON_STEERING_H

#include "control/control.h"

struct service;

/* TERM and INT drain, HUP reloads, USR1 opens the logs anew, USR2 upgrades. */
int steering_open(struct service *s, struct err *err);

/* Brings a file's model, which is given, with the changes over it into force. -1 and
 * *err: nothing has changed. */
int steering_use_file(struct service *s, struct model *file, struct err *err);

/* The same after records have said that the file's names lead to other servers: file, which
 * is given, is what was asked for with those. */
int steering_use_records(struct service *s, struct model *file, struct err *err);

/* See struct control_hooks. */
enum control_result steering_change(struct service *s, const struct change *c,
				    enum change_fault *fault, struct err *err);
enum control_result steering_reload(struct service *s, struct err *err);

/* Ends what is idle, lets the rest go on for limit_ms (UINT32_MAX: as configured), and
 * then stops the control thread's loop. Again with another limit: that one counts. */
void steering_drain(struct service *s, uint32_t limit_ms);

/* The process `pid` serves from now on: this one accepts no more, and ends with its last
 * connection, after limit_ms at the latest; UINT32_MAX: there is no limit. */
void steering_leave(struct service *s, int pid, uint32_t limit_ms);

#endif
