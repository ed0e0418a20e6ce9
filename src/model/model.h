/* model/model.h - what the operator asked for: frozen data.
 *
 * config/ makes one from a file or from a command line; nobody changes it after
 * model_attach. What is true at the moment (up, busy, counted) is in model/live.h,
 * which outlives any one model.
 *
 * Ownership: a model owns everything it points at, but for the `live` pointers,
 * which it holds. Held by reference count: the control thread holds the present
 * one, each loop those that its requests began with. Whoever puts the last hold
 * back ends it: at once, or, once it has live parts, by handing it to the control
 * thread (live_collect), to which those belong.
 */
#ifndef MODEL_MODEL_H
#define MODEL_MODEL_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/address.h"
#include "base/log_level.h"
#include "base/span.h"
#include "model/listener.h"
#include "model/pool.h"

enum {
	MODEL_LOOPS_MAX     = 64,
	MODEL_LISTENERS_MAX = 256,
	MODEL_POOLS_MAX     = 1024,
	MODEL_CONTROLS_MAX  = 4,	/* addresses of the control interface, over TCP */
	MODEL_NAME_SERVERS_MAX = 3,
};

struct access_form;	/* model/access_form.h */
struct live;		/* model/live.h */

enum access_format { ACCESS_OFF, ACCESS_COMBINED, ACCESS_JSON, ACCESS_OWN };

/* Where the control interface is to be had over TCP. Files with a token each. */
struct model_control {
	struct address address;
	char *token_path;		/* owned; who has it may do everything */
	char *read_token_path;		/* owned; may look only; NULL: nobody */
};

struct model {
	struct model_listener *listeners;	/* owned */
	uint32_t listener_count;
	struct model_pool *pools;		/* owned */
	uint32_t pool_count;

	uint32_t threads;		/* loops; 0: one per core; needs a restart */
	uint32_t connections_max;	/* client connections in all; 0: as descriptors allow */
	uint32_t resolve_ms;		/* names of servers are looked up again so often */
	struct address name_servers[MODEL_NAME_SERVERS_MAX];	/* to be asked for them */
	uint32_t name_server_count;	/* 0: the system is asked */
	uint32_t drain_ms;		/* how long running requests may go on at the end */
	enum log_level log_level;
	char    *log_path;		/* owned: as log_open has it; NULL: standard error */
	enum log_form log_form;
	uint32_t log_same_max;		/* lines of a kind in 10 s; 0: no limit */
	enum access_format access_format;
	char    *access_path;		/* owned; NULL: standard output */
	struct access_form *access_form;	/* owned; of ACCESS_OWN, else NULL */
	uint32_t access_part;		/* one of so many requests is in the access log */
	bool     metered;		/* requests are counted by class, bytes and time */

	char    *control_path;		/* owned; the control socket; NULL: by the name */
	char    *state_path;		/* owned; folder of the journal; NULL: the usual one */
	struct model_control *controls;	/* owned */
	uint32_t control_count;

	atomic_uint   holders;
	struct live  *live;			/* borrowed; NULL until model_attach */
	struct model *next_released;		/* while in live->released */
};

/* An empty model with one holder: the caller. */
struct model *model_create(void);

/* A copy of all that was asked for, without live parts and without tables, with one
 * holder: the caller, who may change it. */
struct model *model_copy(const struct model *m);

/* One more holder; returns m. Any thread. */
const struct model *model_get(const struct model *m);

/* One holder less; NULL is allowed. The last one's call frees a model without live
 * parts, and hands one that has them to the control thread. Any thread. */
void model_put(const struct model *m);

/* Frees a model that nobody holds and that has no live parts: the end of model_put
 * and of live_collect, and nobody else's to call. */
void model_destroy(struct model *m);

/* The pool's index, or -1. */
int model_pool_find(const struct model *m, struct span name);

/* Whether a key-value listener leads to this pool: its servers are workers, which come
 * and go by themselves. */
bool model_pool_is_kv(const struct model *m, uint32_t pool);

/* The pool's server with this address, however it is spelled (address_equals), or NULL. */
struct model_server *model_server_find(const struct model_pool *p, const struct address *a);

/* Room for one more at the end, with the defaults set; NULL: MODEL_SERVERS_MAX are there.
 * Earlier pointers to servers of the pool are no longer valid. */
struct model_server *model_server_add(struct model_pool *p);

/* The order of the others stays. */
void model_server_remove(struct model_pool *p, uint32_t at);

/* Defaults, in one place: config starts from these for each new block, in zeroed
 * memory. What a block is about (address, name, servers, routes) is the caller's to
 * set, and so is a pool's policy: policies[0] (pick/policy.h) unless one is named. A
 * listener's kind is set before, since some of its defaults go by it. */
void model_listener_defaults(struct model_listener *l);
void model_pool_defaults(struct model_pool *p);
void model_server_defaults(struct model_server *s);

#endif
