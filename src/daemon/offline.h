/* daemon/offline.h - what is done with a configuration file without serving by it: fmt,
 * and the look-up of names for check.
 *
 * May block. Thread: main, before there is any other.
 */
#ifndef DAEMON_OFFLINE_H
#define DAEMON_OFFLINE_H

#include "model/model.h"

/* balancerd fmt [--write | --check] FILE: the command's exit code. What it has to say goes
 * to standard output and standard error. */
int offline_format(int argc, char **argv);

/* Looks up the names of all servers, those of SRV records and what these lead to, and says on
 * standard error of which nothing came. Returns of how many. */
uint32_t offline_resolve(const struct model *m);

#endif
