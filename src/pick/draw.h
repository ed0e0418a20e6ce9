/* pick/draw.h - a server by lot, each with a chance in proportion to its weight. */
#ifndef PICK_DRAW_H
#define PICK_DRAW_H

#include "pick/state.h"

/* One that may be picked and is not `except` (PICK_NONE: any); PICK_NONE when there
 * is no such server. O(1) while weights are alike and most servers may be picked,
 * otherwise O(n). */
uint32_t draw_server(const struct pick_view *view, struct pick_state *state,
		     const struct tried *tried, uint32_t except);

#endif
