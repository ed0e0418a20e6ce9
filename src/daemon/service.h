/* daemon/service.h - a running balancer: the control thread, the workers, and the
 * model that they work by.
 *
 *   file's model + changes of run time -> a model in force -> the loops
 *   signals, control interface --'
 *
 * Thread: control, which is the one that calls service_run.
 */
#ifndef DAEMON_SERVICE_H
#define DAEMON_SERVICE_H

#include "base/err.h"
#include "base/places.h"
#include "model/model.h"

struct service;
struct takeover;

/* How a file is read anew: returns a model that the caller holds, or NULL and *err. What
 * more is to be said about the file it says in the log. */
typedef struct model *service_reader(void *arg, struct err *err);

struct service_options {
	uint32_t threads;		/* 0: as the model says */
	service_reader *reread;		/* NULL: there is nothing to read anew */
	void *arg;			/* for reread */

	/* Texts are borrowed, until service_stop. */
	struct places places;		/* but for what the file says */
	const char *serves;		/* what the changes belong to: the real path of the
					 * file; "http 8080" */
	const char *config_path;	/* NULL: there is no file */
	const char *version;
	const char *program;		/* path of what this process was started from; NULL:
					 * unknown */
	char *const *argv;		/* what it was started with, up to NULL */
	struct takeover *takeover;	/* the place that it takes; NULL: nobody's */
};

/* Starts everything by m, which is given in any case, and the changes that were kept.
 * NULL and *err: it cannot be done, and nothing is left running. */
struct service *service_start(struct model *m, const struct service_options *options,
			      struct err *err);

/* Serves until a signal ends it and the drain is over. */
void service_run(struct service *s);

/* Ends what is left. */
void service_stop(struct service *s);

#endif
