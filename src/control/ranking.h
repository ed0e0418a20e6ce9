/* control/ranking.h - in which order a pool's servers would be asked at this moment, found
 * out without leaving a trace.
 *
 * The pool's own policy is asked again and again, each time without those that it has
 * named already, over copies of what is true of the servers: so nothing that it notes
 * (least-load) reaches the real ones. A policy that goes by turns or by lot answers by
 * turns of its own, not by those of any loop; who asks has to say so.
 *
 * Thread: control.
 */
#ifndef CONTROL_RANKING_H
#define CONTROL_RANKING_H

#include <stdint.h>

#include "model/model.h"
#include "pick/policy.h"

/* What a policy's choice follows from. */
enum ranking_basis {
	RANKING_BY_KEY,			/* equal requests get equal servers */
	RANKING_BY_FIGURES,		/* of this moment */
	RANKING_BY_TURN,		/* turns or lot: any that may be picked */
};

/* A key that each request brings anew, its own number, is as good as a lot. */
enum ranking_basis ranking_basis_of(const struct model_pool *p);

struct ranking {
	uint32_t count;			/* at most PICK_TRIED_MAX */
	uint32_t order[PICK_TRIED_MAX];	/* indices of the pool's servers, best first */
};

/* Of a pool that is in force. */
void ranking_make(struct ranking *r, const struct model_pool *p, uint64_t key);

/* Who would be asked first for each of these keys; PICK_NONE: nobody. */
void ranking_firsts(const struct model_pool *p, const uint64_t *keys, uint32_t count,
		    uint32_t *servers);

/* Why this server would get no new request, in a few words; NULL: it would. */
const char *ranking_obstacle(const struct model_pool *p, const struct model_server *s);

#endif
