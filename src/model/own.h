/* model/own.h - what the operator asked for of a pool that owns its servers: by what
 * they are made, how many there are to be, and what they may take. Frozen data, part of
 * model/pool.h.
 *
 * Who makes them is spawn/; each becomes a server of its pool as one added at run time
 * for the time being would.
 */
#ifndef MODEL_OWN_H
#define MODEL_OWN_H

#include <stdbool.h>
#include <stdint.h>

enum {
	OWN_SERVERS_MAX = 1000,		/* of one pool */
	OWN_WORDS_MAX   = 64,		/* of a command; variables of an environment */
	OWN_NAME_MAX    = 63,		/* bytes of a server's name */
};

enum own_driver { OWN_DOCKER = 1, OWN_PROCESS };

struct model_pool;	/* model/pool.h */

struct model_own {
	enum own_driver driver;

	/* docker: the Docker Engine, or what speaks its language. */
	char    *socket;		/* owned; of its API, a path */
	char    *image;			/* owned; required there */
	char    *network;		/* owned; made when it is missing */

	/* process: a program of this machine. */
	char    *directory;		/* owned; where it runs; NULL: where we do */

	/* both */
	char   **command;		/* owned; process: required; docker: instead of the
					 * image's; NULL: none */
	uint32_t command_count;
	char   **environment;		/* owned; NAME=VALUE each, beside PORT and SERVER_ID */
	uint32_t environment_count;
	uint16_t port;			/* docker: where each listens; process: the first that
					 * is tried, 0: any that is free */
	uint32_t min, max;		/* of them, 0 to OWN_SERVERS_MAX; min <= max > 0 */
	char    *prefix;		/* owned; a name that is made up: this and a number */

	uint32_t start_ms;		/* until a new one has to have answered a check */
	uint32_t stop_ms;		/* from the request to end to the end by force */
	uint32_t drain_ms;		/* what it has may go on so long before that */
	uint32_t starts_max;		/* in a minute, orders apart */
	bool     leave;			/* they go on when the balancer ends, to be found again */

	/* what one may take; 0: as much as there is */
	uint64_t memory_max;		/* bytes */
	uint32_t cpu_percent;		/* of one core; docker only */
	uint32_t files_max;		/* descriptors */
	uint32_t processes_max;		/* docker only */

	/* by load, between min and max; scale_up 0: as many as was last asked for */
	uint32_t scale_up;		/* requests in flight or waiting, per server: more
					 * servers above it, */
	uint32_t scale_down;		/* and fewer below it, less than scale_up */
	uint32_t scale_up_ms;		/* if it was so for so long */
	uint32_t scale_down_ms;
};

/* Nobody asked for it yet: the defaults of a driver, in zeroed memory. */
void model_own_defaults(struct model_own *own, enum own_driver driver);

/* The other defaults of a pool that owns its servers, over those of all pools
 * (model_pool_defaults). */
void model_owning_pool_defaults(struct model_pool *p);

/* Frees all that it owns; and it too, where NULL is allowed. */
void model_own_fini(struct model_own *own);
void model_own_destroy(struct model_own *own);

/* A copy that the caller owns; NULL of NULL. */
struct model_own *model_own_copy(const struct model_own *own);

/* The same number for all from which equal servers come: image, command, environment,
 * port, network, limits; not for how many there are, nor for times. */
uint64_t model_own_recipe(const struct model_own *own);

#endif
