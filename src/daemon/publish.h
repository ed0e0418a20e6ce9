/* daemon/publish.h - a model comes into force, as a whole or not at all: whatever can
 * fail is done before the first worker hears of it.
 *
 *   model -> tables -> attach (live) -> new listeners, logs -> an edition per worker
 *                                                      '-> prober, names
 *
 * Thread: control.
 */
#ifndef DAEMON_PUBLISH_H
#define DAEMON_PUBLISH_H

#include "base/err.h"
#include "model/model.h"

struct service;

/* Brings m, which is given, into force. -1 and *err: nothing has changed. */
int publish(struct service *s, struct model *m, struct err *err);

#endif
