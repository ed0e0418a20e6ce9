/* ctl/top_still.h - one picture of top on standard output, as text, with all its rows. */
#ifndef CTL_TOP_STILL_H
#define CTL_TOP_STILL_H

#include "ctl/top_view.h"

/* As wide as the terminal; elsewhere nothing is left out. */
void top_still_print(const struct top_rows *rows, const struct top_poll *poll,
		     const struct paper *paper);

#endif
