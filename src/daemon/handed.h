/* daemon/handed.h - connections that listeners hand over to the admin interface: a client
 * of the data path that asks for /rep, /add or /rm.
 *
 * So many may be on their way at once; who comes then is told by the listener.
 */
#ifndef DAEMON_HANDED_H
#define DAEMON_HANDED_H

#include <stdbool.h>

struct asked;			/* forward/asked.h */
struct asked_answer;

enum { HANDED_MAX = 256 };

/* worker_hooks.admin_asked; `arg` is the service. Any worker's thread. */
bool handed_over(void *arg, struct asked *a);

/* control_hooks.answered, likewise. The control thread. */
void handed_answered(void *arg, struct asked *a, const struct asked_answer *answer);

#endif
