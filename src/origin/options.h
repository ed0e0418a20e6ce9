/* origin/options.h - what the command line asks for. Read once, constant from then. */
#ifndef ORIGIN_OPTIONS_H
#define ORIGIN_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/err.h"
#include "origin/faults.h"

enum { OPTIONS_PORTS_MAX = 64, OPTIONS_THREADS_MAX = 64, OPTIONS_THREADS_DEFAULT = 2 };

struct options {
	uint16_t      ports[OPTIONS_PORTS_MAX];	/* 0: the kernel chooses one */
	unsigned      port_count;
	unsigned      threads;
	const char   *directory;	/* borrowed from argv */
	const char   *address;		/* numeric; borrowed from argv */
	struct faults faults;
	bool          help;		/* the person wants to read, not to serve */
};

/* Reads argv, whose order may change. -1: *err says what is wrong with it. */
int origin_options_read(struct options *o, int argc, char **argv, struct err *err);

/* Prints the usage and all options. */
void origin_options_print(FILE *out);

#endif
