/* control/control.h - the admin interface: HTTP with JSON, on a UNIX socket and, by
 * choice, over TCP. What can be asked is in doc/control.md and in one table, routes.c.
 *
 *   connection -> exchange -> dispatch -> pools, servers, listeners, status, config
 *     (bytes)     (parse/h1)  (routes)   |    '-> a struct change -> hooks.change
 *                                        '-> owned, legacy -> an order of spawn/owners.h
 *
 * Reads what is in force by itself (the model and its live parts); whatever changes
 * something is asked of the owner by a hook. Connections, their bytes and their time are
 * bounded; whoever is slow or silent holds up nobody.
 *
 * Thread: control.
 */
#ifndef CONTROL_CONTROL_H
#define CONTROL_CONTROL_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/address.h"
#include "base/err.h"
#include "base/span.h"
#include "control/changes.h"
#include "model/model.h"

struct events;
struct live;
struct loop;
struct owners;

enum {
	CONTROL_CONNECTIONS_MAX = 64,
	CONTROL_TCP_MAX = 48,		/* of these, over TCP and from listeners:
					 * strangers must not keep us out */
	CONTROL_HANDED_MAX = 32,	/* of those: from listeners */
	CONTROL_BUSY_MAX = 16,		/* beyond these, to be told to go */
	CONTROL_BODY_MAX = 1 << 20,	/* bytes */
	CONTROL_HEAD_MAX = 8192,
	CONTROL_HEAD_MS = 5000,		/* from the connection or the first byte */
	CONTROL_BODY_MS = 30000,	/* for all of it */
	CONTROL_WAITING_MS = 300000,	/* for an answer that comes later (later.h) */
	CONTROL_WRITE_MS = 10000,	/* without a byte of the answer being taken */
	CONTROL_LINGER_MS = 1000,	/* to read on after the last answer */
	CONTROL_IDLE_MS = 60000,	/* between requests */
};

/* How a change or a command went, as the interface has to answer it. */
enum control_result {
	CONTROL_DONE,
	CONTROL_REFUSED,	/* *err says why, *fault which code */
	CONTROL_NOT_WRITTEN,	/* into the journal, and so nothing has changed */
	CONTROL_ENDING,		/* the balancer drains */
	CONTROL_UPGRADING,	/* another process is about to take its place */
	CONTROL_NO_FILE,
	CONTROL_FILE_ERRORS,
};

/* A wish to have another process in this one's place (daemon/upgrade.h). Lives inside the
 * struct of who asks, until on_done. */
struct control_upgrade {
	const char *binary;	/* borrowed for the call; NULL: what this process was started
				 * from */
	uint32_t ready_ms;	/* so long it may take to be ready; 0: as usual */
	uint32_t limit_ms;	/* so long connections of this process may last; UINT32_MAX:
				 * as long as they will */
	int      pid;		/* of the new process, when it is done */

	/* May be called out of the hook. CONTROL_REFUSED: it did not come up, and nothing has
	 * changed; *err says why. */
	void (*on_done)(struct control_upgrade *u, enum control_result result,
			const struct err *err);
};

struct asked;		/* forward/asked.h */
struct asked_answer;

/* What the interface asks of the balancer. All are called on the control thread. */
struct control_hooks {
	/* The model in force; borrowed, until the next call into the loop. */
	const struct model *(*model)(void *arg);

	/* The changes over the file. */
	const struct changes *(*changes)(void *arg);

	/* Another number after each model that came into force and each change. */
	uint64_t (*version)(void *arg);

	/* Makes the change, or says why not; it is in force when this returns. *fault is
	 * set when it is refused, and CHANGE_FINE where only *err can say why. */
	enum control_result (*change)(void *arg, const struct change *c,
				      enum change_fault *fault, struct err *err);

	enum control_result (*reload)(void *arg, struct err *err);

	/* Begins to drain, and then the process ends. UINT32_MAX: as configured. */
	void (*stop)(void *arg, uint32_t limit_ms);

	/* Begins an upgrade. And: who asked for it does not wait any more, it goes on. */
	void (*upgrade)(void *arg, struct control_upgrade *u);
	void (*upgrade_forget)(void *arg, struct control_upgrade *u);

	/* A listening socket at this address that another process has handed over, given;
	 * -1: there is none. */
	int (*inherited)(void *arg, const struct address *at);

	/* It drains, whoever asked for that. */
	bool (*draining)(void *arg);

	/* Memory in use, in bytes (base/heap.h). */
	uint64_t (*heap_bytes)(void *arg);

	/* Requests that are not in the access log, since it was too slow. */
	uint64_t (*access_log_dropped)(void *arg);

	/* What a listener has handed over has been answered, or never will be. Given. */
	void (*answered)(void *arg, struct asked *a, const struct asked_answer *answer);

	/* All figures for Prometheus, of heap memory, owned by the caller; *type: of the
	 * text, borrowed for good. */
	char *(*metrics)(void *arg, bool openmetrics, uint64_t uptime_s, const char **type,
			 size_t *len);
	void *arg;

	/* Borrowed, both live longer than the interface. Without owners (NULL) no pool
	 * makes its servers. */
	struct owners *owners;
	struct events *events;
};

/* What does not change while the process runs. The texts are borrowed. */
struct control_facts {
	const char *name;		/* --name, or "default" */
	const char *version;
	const char *config_path;	/* NULL: there is no file */
	const char *state_file;		/* NULL: changes do not last */
	uint32_t    threads;
};

struct control;

/* NULL only when out of kernel memory. Nothing is open yet. */
struct control *control_create(struct loop *loop, struct live *live,
			       const struct control_hooks *hooks,
			       const struct control_facts *facts);

/* Closes everything; the UNIX socket's file is removed. */
void control_destroy(struct control *c);

/* Opens the UNIX socket, mode 0660; folders that are missing are made. A socket that
 * nobody serves is replaced. -1 and *err: it is served by another process (*taken is set
 * then), or the system refuses. */
int control_open_unix(struct control *c, const char *path, bool *taken, struct err *err);

/* Opens and closes what the model asks for over TCP, with the tokens as the files have
 * them now. -1 and *err: nothing has changed. */
int control_use(struct control *c, const struct model *m, struct err *err);

/* Serves a connection that a listener hands over, with the bytes that it has read of it:
 * one legacy call (legacy.h) about this pool, then it closes. The descriptor is given, and
 * so is `asked`, which may be NULL, until the hook `answered` has it; the rest is borrowed,
 * and may be part of it. Who finds no place is told so, or closed. */
void control_take(struct control *c, int fd, struct span bytes, const char *pool,
		  struct asked *asked);

/* ---- from one process to another ---- */

/* Nobody is let in until control_begin: those who come wait in the kernel's queue. Before
 * anything is opened. */
void control_hold(struct control *c);

/* Lets them in; the UNIX socket that was adopted is this process's alone. */
void control_begin(struct control *c);

/* Serves the UNIX socket of this path that another process has; see unix_socket_adopt. */
int control_adopt_unix(struct control *c, const char *path, int fd, int lock,
		       struct err *err);

/* What another process gets; all is borrowed. */
struct control_sockets {
	int      unix_socket, unix_lock;	/* -1: there is none */
	uint32_t tcp_count;
	int      tcp[MODEL_CONTROLS_MAX];
};
void control_sockets(const struct control *c, struct control_sockets *all);

/* Another process serves from now on: nobody is let in any more, who is in gets the answer
 * that is under way. with_unix: it has the UNIX socket, too; else that is removed in the
 * end, as ever. */
void control_leave(struct control *c, bool with_unix);

/* A manual page of section 7 with all that can be asked. */
void control_print_manual(FILE *out);

#endif
