/* daemon/takeover.h - this process takes another one's place: what it has got from there,
 * and how the two agree on the moment. The language is in handover.h.
 *
 * Until that moment nobody must notice that we are there: no connection is accepted, at the
 * control interface neither, no state is written, no server that a pool owns is touched, and
 * no socket is added to those of an address. So we can fail at any point before it.
 *
 * Thread: control.
 */
#ifndef DAEMON_TAKEOVER_H
#define DAEMON_TAKEOVER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/address.h"
#include "base/err.h"

struct service;
struct takeover;

enum {
	TAKEOVER_SOCKETS_MAX = 16 * 1024,
	TAKEOVER_WAIT_S = 30,		/* for the other process, each time */
	TAKEOVER_PROBES_MS = 2000,	/* for each server's first probe */
	TAKEOVER_SERVERS_MS = 5000,	/* for the servers that pools own */
};

/* Takes all that is handed over, if the environment says that something is; that is
 * forgotten then. NULL: there is no other process, or *err (whose text is empty else) says
 * what is wrong with it; it has been told. */
struct takeover *takeover_open(struct err *err);

/* The service ends. Nothing happens when it has taken nobody's place. */
void takeover_end(struct service *s);

/* Tells the other process that we do not come up. NULL is allowed. */
void takeover_refuse(struct takeover *t, const char *why);

/* Closes what was not asked for. NULL is allowed. */
void takeover_close(struct takeover *t);

/* All sockets that are listening at this address, which are given; owned by the caller
 * (free), *count of them. NULL: none, and *count is as it was. t may be NULL. */
int *takeover_sockets(struct takeover *t, const struct address *at, bool datagrams,
		      uint32_t *count);

/* The same for one; -1: none. */
int takeover_socket(struct takeover *t, const struct address *at);

/* The control socket and its lock, given, if it is the one at this path. */
bool takeover_control(struct takeover *t, const char *path, int *fd, int *lock);

/* Waits for what the other process knows of servers, says that we could begin, and waits for
 * the word; after it opens what is missing and takes
 * the servers over that pools own. -1 and *err: we shall not. */
int takeover_go(struct service *s, struct err *err);

/* Processes whose place was taken and that had connections when last looked at, this one the
 * last: pidfds of up to HANDOVER_FDS_MAX of them, borrowed. t may be NULL. */
uint32_t takeover_older(const struct takeover *t, int fds[]);

/* This process is asked to end, and so are those. t may be NULL. */
void takeover_end_older(const struct takeover *t, bool at_once);

/* Their logs were moved away, as ours were. t may be NULL. */
void takeover_reopen_older(const struct takeover *t);

/* We serve: tells it, and the service manager when the other process does no more. */
void takeover_done(struct service *s);

#endif
