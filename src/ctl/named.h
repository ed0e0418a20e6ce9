/* ctl/named.h - servers that the balancer makes itself, by their names: what `add` and
 * `remove` do in a pool that has such. How many there are is the business of `scale`.
 */
#ifndef CTL_NAMED_H
#define CTL_NAMED_H

#include <stdbool.h>

#include "ctl/call.h"

/* Whether the words are names, in a pool whose servers have some. It stays false, and the
 * words may be an address, where no balancer is running. */
enum outcome named_are_meant(struct call *call, bool *meant, struct err *err);

/* Has servers of these names started, or stopped. */
enum outcome named_add(struct call *call, struct err *err);
enum outcome named_remove(struct call *call, struct err *err);

#endif
