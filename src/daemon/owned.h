/* daemon/owned.h - servers that pools own become servers of these as others that are
 * added at run time for the time being do: so policies, status and balancerctl know them.
 *
 *   spawn/owners --(hooks)--> a change of run time -> a model in force
 *   prober, loops, steering --(what happened)--> spawn/owners
 *
 * Thread: control.
 */
#ifndef DAEMON_OWNED_H
#define DAEMON_OWNED_H

#include <stdbool.h>
#include <stdint.h>

#include "base/places.h"
#include "model/live.h"

struct service;

/* Makes s->owners, before the first model. */
void owned_open(struct service *s, const struct places *places);

/* Ends it, before the loop ends. Nothing happens when there is none. */
void owned_close(struct service *s);

/* For the prober (prober_judged); s is the service. */
void owned_on_judged(void *arg, struct live_server *server, bool good,
		     const char *reason);

/* A server is in no model any more, since the one that is in force now. */
void owned_on_removed(struct service *s, struct live_server *server, uint32_t limit_ms);

/* The data path has ended: so do the servers, and then the control thread's loop. */
void owned_end(struct service *s);

/* Asked to end once more: at once. */
void owned_hurry(struct service *s);

#endif
