/* store/serve.h - the balancer's requests: OP, and of version 1 STORE and RETRIEVE.
 *
 * Thread: the lane's.
 */
#ifndef STORE_SERVE_H
#define STORE_SERVE_H

#include "store/lane.h"

/* A request; it is held while the lane may not serve yet. */
void serve_request(struct lane *l, const struct kv_message *m);

/* The lane may serve from now on: answers those that were held. */
void serve_held(struct lane *l);

#endif
