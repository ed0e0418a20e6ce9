/* daemon/notices.h - what other threads tell the control thread: marks on servers,
 * probes that are due, drained workers, models that ended.
 *
 * Each is a message; what a worker does for it is to allocate and to post.
 */
#ifndef DAEMON_NOTICES_H
#define DAEMON_NOTICES_H

struct service;
struct worker_hooks;

/* Before the first worker and the first model. */
void notices_init(struct service *s);

/* What each worker has to be given. */
void notices_hooks(struct service *s, struct worker_hooks *hooks);

#endif
