/* ctl/lines.h - lines of a configuration that differ, with their signs: what control's
 * answers hold under "lines".
 */
#ifndef CTL_LINES_H
#define CTL_LINES_H

#include <jansson.h>

#include "ctl/paper.h"

/* On standard output; on a terminal in colours. */
void lines_print(const struct paper *paper, const json_t *lines);

#endif
