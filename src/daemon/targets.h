/* daemon/targets.h - SRV records become servers of a pool (RFC 2782).
 *
 *   records -> targets_choose -> targets -> targets_use -> the pool's servers
 *
 * A server is called by its target and port, as if it had been written down (web1.example:80),
 * so it is the same one whatever its weight, its place among the records and the name that
 * has led to it. Of several priorities the lowest number alone serves: pools have no servers
 * in reserve. Pure.
 */
#ifndef DAEMON_TARGETS_H
#define DAEMON_TARGETS_H

#include <stdbool.h>
#include <stdint.h>

#include "loop/dns_answer.h"
#include "model/model.h"
#include "model/srv.h"

enum { TARGETS_MAX = 256 };		/* of one name; those of most weight are taken */

struct target {
	struct address address;		/* its host's name, or a number */
	uint32_t weight;		/* 1 to MODEL_WEIGHT_MAX */
};

struct targets {
	struct target *all;		/* owned; by the text of their addresses */
	uint32_t count;
	uint32_t left_out;		/* more than TARGETS_MAX */
	uint32_t unusable;		/* records without a port, or that name no host */
	uint16_t priority;		/* of all of them */
	bool     nobody;		/* one record, which says that nobody serves (".") */
};

/* Chooses among all records of an answer. Of two that name the same server the weights are
 * added up. Weights stay as they are, unless one is more than a pool knows: then all are made
 * less in proportion. 0, which is to be the smallest, becomes 1. */
void targets_choose(const struct dns_srv_answer *answer, struct targets *t);
void targets_fini(struct targets *t);

/* Makes the servers that srv number `srv` of the pool leads to those. Who stays keeps its place
 * and number. One that other srvs lead to as well is theirs, too: it goes when the last lets
 * go, has the largest weight that one of them says, since two names do not make it stronger,
 * and the limit of the first. One that is written down is left as it is. Returns how many
 * had no room. */
uint32_t targets_use(struct model_pool *p, uint32_t srv, const struct targets *t);

/* Whether they are that already, but for so many that have no room. */
bool targets_are_used(const struct model_pool *p, uint32_t srv, const struct targets *t,
		      uint32_t *no_room);

/* A file was read anew: what is known of its names from before is so still. */
void targets_carry(struct model *m, const struct model *before);

#endif
