/* control/legacy.h - the calls /rep, /add and /rm about one pool that makes its servers:
 * what other balancers of containers have. A listener that has `admin legacy` hands its
 * connections over to them (control_take).
 *
 * They are a shape over owned.h, and nothing of their own. Errors are made like all
 * others and get their shape here, in one place.
 *
 *   {"message":{"N":3,"replicas":["S1","S2","S3"]},"status":"successful"}
 *   {"message":"<Error> ...","status":"failure"}
 *
 * Thread: control.
 */
#ifndef CONTROL_LEGACY_H
#define CONTROL_LEGACY_H

#include "control/routes.h"

extern const struct route legacy_routes[];
extern const uint32_t legacy_route_count;

/* Gives an error the shape and the status that it has here; other replies stay. */
void legacy_shape(struct reply *r);

#endif
