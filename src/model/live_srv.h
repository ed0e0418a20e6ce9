/* model/live_srv.h - what is true now of a service that a pool finds its servers by: what
 * became of the look-ups of its SRV records. Kept over reloads as long as pool and name
 * stay.
 *
 * Thread: control.
 */
#ifndef MODEL_LIVE_SRV_H
#define MODEL_LIVE_SRV_H

#include <stdint.h>

#include "model/live.h"

struct live_srv {
	char     name[ADDRESS_HOST_MAX + 1];
	char     reason[LIVE_REASON_MAX];	/* of the last look-up's failure, or "" */
	uint64_t answers, failures;		/* look-ups so far, of use and of none */
	uint32_t left_out;			/* of the last answer: beyond those used */
	uint32_t unusable;			/* records of it that lead nowhere */
	uint32_t priority;			/* of its records that are used */
	struct live_srv *next;
};

/* That of a name, whatever its case, made when there is none. */
struct live_srv *live_srv_of(struct live_pool *pool, const char *name);

/* Frees those that the pool's model does not have; NULL: all. */
void live_srv_keep(struct live_pool *pool, const struct model_pool *model);

#endif
