/* ctl/place.h - ADDRESS PORT on the command line: where a server or a listener is.
 *
 * Pure. ADDRESS is a name, an IPv4 or an IPv6 address, the last with brackets or
 * without; ADDRESS:PORT as one word does as well, and so does unix:PATH.
 */
#ifndef CTL_PLACE_H
#define CTL_PLACE_H

#include <stdint.h>

#include "base/address.h"
#include "base/err.h"

/* Words that are read one after the other. */
struct words {
	char *const *at;		/* borrowed */
	uint32_t count;
	uint32_t next;
};

/* Reads an address and a port, and moves behind them; `usage` is what to write, for the
 * reason. -1 and *err: it is none. */
int place_read(struct words *words, const char *usage, struct address *address,
	       struct err *err);

#endif
