/* daemon/workers.h - workers of key-value pools become servers of these, as if added at
 * run time for the time being: so policies, status and balancerctl know them.
 *
 * Thread: control.
 */
#ifndef DAEMON_WORKERS_H
#define DAEMON_WORKERS_H

struct kv_registry;
struct service;

/* The registry of this balancer. */
struct kv_registry *workers_registry(struct service *s);

/* Ends it, after all loops. Nothing happens when there is none. */
void workers_end(struct service *s);

#endif
