/* daemon/srv.h - pools whose servers name servers know (`server srv NAME`) get these, and
 * others when the SRV records change.
 *
 *   a model in force -> a look-up per name -> loop/dns -> targets -> resolving -> the next model
 *
 * A name is asked for again when its records are over, after SRV_AGAIN_MIN_MS at the
 * earliest and what the model says (resolve_ms) at the latest. One of which nothing can be
 * learnt keeps its last servers, and is said so once for each kind of trouble. New servers come
 * into force with their addresses, or without where those take too long (resolving.h), unless
 * none of them has any: then the last ones stay, too. A start waits a moment for the first
 * answers, and goes on without them (naming.h).
 *
 * Thread: control.
 */
#ifndef DAEMON_SRV_H
#define DAEMON_SRV_H

#include <stdbool.h>
#include <stdint.h>

#include "model/model.h"

enum { SRV_AGAIN_MIN_MS = 5 * 1000 };	/* or resolve_ms, where that is less */

struct service;

/* Makes s->srvs; after names_open, by whose ways it asks. */
void srv_open(struct service *s);
void srv_close(struct service *s);

/* From now on those of m are asked for, which must have been attached; a question that is
 * under way goes on. anew: all are asked for at once, since the file was read. */
void srv_use(struct service *s, const struct model *m, bool anew);

/* How many look-ups are under way whose servers are not in force yet. */
uint32_t srv_asked(const struct service *s);

/* Servers whose addresses were looked up have these from now on: as soon as they have their
 * live parts, before anybody works by the model. */
void srv_take_over(struct service *s);

#endif
