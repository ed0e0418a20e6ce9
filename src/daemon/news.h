/* daemon/news.h - what has happened, for those who follow the events of the balancer: it
 * is told here where it is decided, and the log says it too.
 *
 * Thread: control.
 */
#ifndef DAEMON_NEWS_H
#define DAEMON_NEWS_H

#include <stdbool.h>

#include "control/events.h"
#include "spawn/owners.h"

struct live_server;
struct service;

/* About the balancer as a whole. */
__attribute__((format(printf, 3, 4)))
void news_tell(struct service *s, enum event_kind kind, const char *format, ...);

/* About this server of this pool. */
void news_tell_server(struct service *s, enum event_kind kind, const char *pool,
		      const char *server, const char *text);

/* For the prober, and for workers: a server's verdict is another one. `arg` is the
 * service. */
void news_on_published(void *arg, const struct live_server *server, bool up,
		       const char *reason);

/* For owners_hooks.told. */
void news_on_owned(void *arg, enum owners_news what, const char *pool, const char *name,
		   const char *text);

#endif
