/* daemon/hubs.h - the part of key-value mode that each thread of the data path has.
 *
 * Thread: control.
 */
#ifndef DAEMON_HUBS_H
#define DAEMON_HUBS_H

#include "daemon/loops.h"

struct loop;

/* Before the first hub. */
void hubs_init(struct service *s);

/* Number i, on this loop, which is not running yet. */
void hubs_create(struct service *s, uint32_t i, struct loop *loop);

/* Hands number i the model, and its own sockets of those openings
 * that are key-value's. */
void hubs_adopt(struct service *s, uint32_t i, const struct model *m,
		const struct openings *o);

/* Clients first; when no loop has one any more, the workers. */
void hubs_drain(struct service *s, uint32_t limit_ms);

/* The same, while another process accepts. */
void hubs_leave(struct service *s, uint32_t limit_ms);

/* After the threads have ended, before their loops. */
void hubs_destroy(struct service *s);

#endif
