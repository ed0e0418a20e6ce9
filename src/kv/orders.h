/* kv/orders.h - what the registry tells the loops: messages from the
 * control thread to a hub.
 *
 * A link is named by its number; one that has ended meanwhile is told nothing.
 *
 * Thread: control; each is carried out on the hub's loop, in the order of telling.
 */
#ifndef KV_ORDERS_H
#define KV_ORDERS_H

#include "kv/hub.h"

/* The link's worker has joined, as this server. */
void kv_order_accept(struct kv_hub *hub, uint32_t link, struct live_server *server);

/* The worker is told these messages, in one piece. */
void kv_order_say(struct kv_hub *hub, uint32_t link, const struct kv_message *messages,
		  uint32_t count);

/* The worker is told this, and its connection ended. */
void kv_order_close(struct kv_hub *hub, uint32_t link, const struct kv_message *last);

/* Requests may go to this worker from now on, or (!ready) no longer.
 * The route is given. */
void kv_order_route(struct kv_hub *hub, struct kv_route *route, bool ready);

#endif
