/* ctl/help.h - what balancerctl says about itself on the screen. */
#ifndef CTL_HELP_H
#define CTL_HELP_H

#include <stdio.h>

#include "ctl/command.h"
#include "ctl/paper.h"

/* All commands, a line each. */
void help_print_all(const struct paper *paper, FILE *out);

/* One command: how it is written, what it does, its options. */
void help_print(const struct command *c, const struct paper *paper, FILE *out);

#endif
