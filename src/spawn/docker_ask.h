/* spawn/docker_ask.h - what we say to a Docker Engine: paths and bodies of calls.
 *
 * All that is returned is the caller's (free). Pure. Thread: any.
 */
#ifndef SPAWN_DOCKER_ASK_H
#define SPAWN_DOCKER_ASK_H

#include <stdint.h>

#include "base/err.h"
#include "model/own.h"
#include "spawn/docker_answer.h"

/* Of the API. What is used of it has been the same from 1.24 to 1.52; known means
 * that it was tried. */
enum { DOCKER_MINOR_MIN = 24, DOCKER_MINOR_KNOWN = 43 };

#define DOCKER_LABEL_BALANCER "org.balancerd.balancer"
#define DOCKER_LABEL_POOL     "org.balancerd.pool"
#define DOCKER_LABEL_SERVER   "org.balancerd.server"
#define DOCKER_LABEL_RECIPE   "org.balancerd.recipe"
#define DOCKER_LABEL_PORT     "org.balancerd.port"

/* POST /containers/create of the server `name` there. NULL and *err: a text is no UTF-8,
 * which JSON cannot carry. */
char *docker_ask_container(const struct model_own *own, const struct docker_place *place,
			   const char *name, struct err *err);

/* POST /networks/create */
char *docker_ask_network(const char *network, const char *balancer);

/* Any text by printf's rules: a path. */
__attribute__((format(printf, 1, 2)))
char *docker_ask_path(const char *format, ...);

/* GET: all containers of this pool, stopped ones too. */
char *docker_ask_list(const char *balancer, const char *pool);

/* GET: ends of containers of this pool, from this second since 1970 on, for ever. */
char *docker_ask_events(const char *balancer, const char *pool, uint64_t since);

/* GET: networks whose name this is, or contains. */
char *docker_ask_networks(const char *network);

#endif
