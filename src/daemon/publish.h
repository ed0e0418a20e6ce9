/* daemon/publish.h - a model comes into force, as a whole or not at all: whatever can
 * fail is done before the first loop hears of it.
 *
 *   model -> tables -> attach (live) -> new listeners, logs -> an edition per loop
 *                                                      '-> prober, names, srv
 *
 * Thread: control.
 */
#ifndef DAEMON_PUBLISH_H
#define DAEMON_PUBLISH_H

#include "base/err.h"
#include "model/model.h"

struct service;

/* Brings m, which is given, into force; logs and the control interface over TCP go by it,
 * too. -1 and *err: nothing has changed. */
int publish_file(struct service *s, struct model *m, struct err *err);

/* Where the log goes, and how its lines are: before the first model is in force, so that
 * what is said until then is in it. */
int publish_log(const struct model *m, struct err *err);

/* The same as publish_file for a model that has the listeners, logs and limits of the one
 * in force. */
int publish_change(struct service *s, struct model *m, struct err *err);

#endif
