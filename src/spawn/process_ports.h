/* spawn/process_ports.h - which port a process of ours is to listen on.
 *
 * One that nobody has at the moment, and that no other process of ours has been given,
 * which may not have begun to listen yet. Somebody else may take it in between; then the
 * server fails, and gets another one when it is started anew.
 *
 * Thread: control, which all pools share.
 */
#ifndef SPAWN_PROCESS_PORTS_H
#define SPAWN_PROCESS_PORTS_H

#include <stdint.h>

#include "base/err.h"

enum { PROCESS_PORT_TRIES_MAX = 4096 };

/* The first free one from `first` on, 0: any. It is taken until it is given back. 0 and
 * *err: there is none. */
uint16_t process_port_choose(uint16_t first, struct err *err);

/* One that a process has which was found again. */
void process_port_take(uint16_t port);
void process_port_give(uint16_t port);

#endif
