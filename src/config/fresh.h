/* config/fresh.h - what nobody has configured yet: where the defaults are read from.
 */
#ifndef CONFIG_FRESH_H
#define CONFIG_FRESH_H

#include "config/directives.h"
#include "model/model.h"
#include "model/own.h"
#include "model/srv.h"

struct fresh {
	struct model         *model;	/* owned */
	struct model_listener http, tcp, udp, kv;
	struct model_pool     pool;
	struct model_pool     owning;		/* it owns its servers; and what holds */
	struct model_pool     owning_slots;	/* besides when it goes by slots */
	struct model_own      docker, process;
	struct model_srv      srv;
	struct model_server   server;
};

void fresh_init(struct fresh *f);
void fresh_fini(struct fresh *f);

/* The struct that a directive's arguments fill in such a block, as it is without them;
 * NULL: there is none without. block: the struct of the block, since what holds there may
 * go by what else it says; NULL: it says nothing else. */
const void *fresh_target(const struct fresh *f, const struct directive *d,
			 enum context in, const void *block);

#endif
