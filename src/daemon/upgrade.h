/* daemon/upgrade.h - another process takes this one's place, without loss. This is the side
 * of the old one; the new one's is takeover.h, the language handover.h.
 *
 *                begins: no change is taken any more, the journal's lock is free
 *   (nothing) ----------------------------------------------------------> HANDING
 *       ^                                                                    | all is sent
 *       |   refused, ended, too late: it is killed,                          v
 *       |<-------------------------------------------------------------- PREPARING
 *       |   and nothing has changed                                          | ready
 *       |                                                                    v   -> go
 *       '--------------------------------------------------------------- STARTING
 *                                                                            | serving
 *     connections last as long as they will  <--- replaced, draining <-------'
 *
 * Thread: control.
 */
#ifndef DAEMON_UPGRADE_H
#define DAEMON_UPGRADE_H

#include <stdbool.h>

struct control_upgrade;
struct service;

enum { UPGRADE_READY_MS = 30 * 1000 };

/* Begins; see struct control_hooks. wish NULL: nobody waits for the outcome, which the log
 * has. */
void upgrade_begin(struct service *s, struct control_upgrade *wish);
void upgrade_forget(struct service *s, const struct control_upgrade *wish);

/* This process is asked to end. True: one is under way that can no longer be called off, and
 * the new process will be asked to end. False: there is none, any more. */
bool upgrade_end_asked(struct service *s);

/* Calls off what is under way, at the end of the service. */
void upgrade_cancel(struct service *s);

#endif
