/* model/srv.h - what the operator asked for of a service whose servers name servers know, by
 * SRV records (RFC 2782). Frozen data, part of model/pool.h; its servers are among the pool's,
 * as they were last told.
 */
#ifndef MODEL_SRV_H
#define MODEL_SRV_H

#include <stdbool.h>
#include <stdint.h>

#include "model/pool.h"

struct model_srv {
	char    *name;			/* owned; such as _http._tcp.example.com */
	uint32_t parallel_max;		/* requests at once, of each; 0: as the pool says */
	bool     known;			/* it has been told once: its servers are those */
};

/* The first of the pool's srvs that leads to the server, from 1; 0: none does. */
static inline uint32_t model_server_srv(const struct model_server *s)
{
	for (uint32_t i = 0; i < MODEL_SRVS_MAX; i++)
		if (s->srv_weights[i] != 0)
			return i + 1;
	return 0;
}

/* Whether some of the pool's servers are not known yet, since no name server has told. */
bool model_pool_awaits_srv(const struct model_pool *p);

#endif
