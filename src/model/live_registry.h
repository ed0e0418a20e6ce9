/* model/live_registry.h - live parts begin with the first model that has them, and end
 * with the last.
 *
 * How a model ends, whichever thread lets it go:
 *
 *   any thread       model_put, the last hold --> live->released --> on_released
 *   control thread   live_collect: live parts that no other model holds, the model
 *
 * Thread: control, but for live_release.
 */
#ifndef MODEL_LIVE_REGISTRY_H
#define MODEL_LIVE_REGISTRY_H

#include "base/address.h"
#include "base/err.h"
#include "model/live.h"

void live_init(struct live *live);

/* Collects, and ends. No thread may hold a model with live parts any more. */
void live_fini(struct live *live);

/* Gives each listener, pool and server of m, which has none yet, its live part,
 * found or made. A server that is new starts up (until a probe or a request says
 * otherwise), but for one of a pool that owns its servers: until a probe says so.
 *
 * A new server gets the lowest id that is free. An id becomes free when no model
 * has its server any more: who keeps something under an id lets go of it before
 * putting back the last model that had it.
 *
 * -1: more servers than LIVE_SERVER_IDS_MAX; nothing has changed then. */
int model_attach(struct model *m, struct live *live, struct err *err);

/* What m asks for becomes true of its servers: weight, drain, and a numeric address is
 * published. Before any loop works by m, and after the last thing that can fail: what
 * is refused changes nothing. */
void live_take_over(const struct model *m);

/* Ends the models that were put back for the last time: their live parts are freed
 * unless another model holds them. May be called at any
 * time. */
void live_collect(struct live *live);

/* For model_put: takes over a model that nobody holds. Any thread. */
void live_release(struct live *live, struct model *m);

/* By the pool's name and the address's text, also where only an older model has it; NULL:
 * no model has. */
struct live_server *live_server_find(struct live *live, const char *pool,
				     const struct address *address);

/* Its failures of all kinds. Any thread. */
uint64_t live_server_failures(const struct live_server *s);

/* Publishes a copy of a resolved address. Old ones stay until the server is freed,
 * since a loop may be reading them; one that comes back is used again, so that they
 * are no more than the different ones. */
void live_server_set_address(struct live_server *s, const struct address *resolved);

#endif
