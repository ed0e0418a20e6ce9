/* daemon/options.h - the options that all commands which serve have in common.
 *
 *   --socket PATH   --name NAME   --state DIR   --threads N
 *
 * They stand anywhere on the line, as two words or as --socket=PATH. Pure.
 */
#ifndef DAEMON_OPTIONS_H
#define DAEMON_OPTIONS_H

#include <stdint.h>

#include "base/err.h"

struct options {
	const char *socket, *name, *state;	/* borrowed; NULL: not given */
	uint32_t    threads;			/* 0: not given */
};

/* Takes them out of the line; what is left moves together, in its order. -1 and *err:
 * one of them has no value or a wrong one, or is given twice. */
int options_take(struct options *o, int *argc, char **argv, struct err *err);

#endif
