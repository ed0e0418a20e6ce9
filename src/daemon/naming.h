/* daemon/naming.h - names in the life of a process: addresses of servers (names.h), servers of
 * records (srv.h), and what both were before (kept_names.h).
 *
 *   open -> use_first: by what is known, and a moment for those who know better
 *        -> begin -> end -> close
 *
 * Thread: control.
 */
#ifndef DAEMON_NAMING_H
#define DAEMON_NAMING_H

#include "base/err.h"
#include "model/model.h"

struct service;

enum {
	NAMING_START_MS = 3000,		/* how long a start waits for names */
	NAMING_KNOWN_MS = 500,		/* where something is known of each */
};

/* -1 and *err: names could not be looked up; then there is nothing to close. */
int naming_open(struct service *s, struct err *err);

/* The first model comes into force, m, which is given, with what names stood for last. That
 * never hinders it. -1 and *err: it cannot be. */
int naming_use_first(struct service *s, struct model *m, struct err *err);

/* This process serves. */
void naming_begin(struct service *s);

/* It does no more: what has changed is written. Nothing happens the second time. */
void naming_end(struct service *s);

/* Nothing is asked for any more. */
void naming_close(struct service *s);

#endif
