/* origin/options.h - what the command line asks for. Read once, constant from then. */
#ifndef ORIGIN_OPTIONS_H
#define ORIGIN_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/err.h"
#include "origin/faults.h"

enum {
	OPTIONS_PORTS_MAX = 64, OPTIONS_THREADS_MAX = 64, OPTIONS_THREADS_DEFAULT = 2,
	OPTIONS_ID_MAX = 128,		/* bytes of a server's name */
	OPTIONS_SAMPLE_PORT = 5000,	/* where a sample server listens, unless told */
};

struct options {
	uint16_t      ports[OPTIONS_PORTS_MAX];	/* 0: the kernel chooses one */
	unsigned      port_count;
	unsigned      threads;
	const char   *directory;	/* borrowed from argv */
	const char   *address;		/* numeric; borrowed from argv */
	struct faults faults;
	const char   *id;		/* its name as a sample server; NULL: it is none;
					 * borrowed */
	bool          help;		/* the person wants to read, not to serve */
};

/* What a balancer that owns its servers tells them, by the names of variables; NULL:
 * not said. Without SERVER_ID the others mean nothing. */
struct options_environment {
	const char *server_id, *port, *address;
};

/* Reads argv, whose order may change, and what it leaves open from the environment. Of
 * both, nothing is copied. -1: *err says what is wrong with them. */
int origin_options_read(struct options *o, int argc, char **argv,
			const struct options_environment *env, struct err *err);

/* Prints the usage and all options. */
void origin_options_print(FILE *out);

#endif
