/* health/probe.h - one question to one server: an HTTP request or a connection.
 *
 * Connects, asks, reads as much of the answer as probe_answer.h needs, closes. One
 * time limit covers it all. Nothing is remembered from one probe to the next, and
 * nothing decided about the server: that is prober.c.
 *
 * Thread: the loop's.
 */
#ifndef HEALTH_PROBE_H
#define HEALTH_PROBE_H

#include "base/address.h"
#include "health/probe_answer.h"
#include "loop/dial.h"
#include "loop/loop.h"
#include "model/model.h"

enum {
	PROBE_REQUEST_MAX    = 4096,	/* path, Host and the rest of the head */
	PROBE_READ_SIZE      = 4096,
	PROBE_READS_PER_TURN = 8,	/* then the others have their turn */
};

struct probe {
	struct loop      *loop;		/* borrowed */
	struct dial       dial;
	struct loop_watch watch;	/* owned */
	struct loop_timer limit;	/* once connected; before that it is dial's */
	uint64_t          deadline_ms;
	uint32_t          timeout_ms;
	enum check_kind   kind;
	void (*on_done)(struct probe *p, enum probe_decision decision,
			const char *reason);
	void *arg;			/* of on_done's owner */

	uint32_t request_len, request_sent;
	char     request[PROBE_REQUEST_MAX];
	struct probe_answer answer;
};

/* on_done is called once for each probe_start that is not cancelled, when nothing
 * of it is under way any more: p may be reused or freed out of it. PROBE_UNDECIDED
 * means that our own descriptors or ports ran out, which says nothing about the
 * server. `reason` may be a part of p. */
void probe_init(struct probe *p, struct loop *loop,
		void (*on_done)(struct probe *p, enum probe_decision decision,
				const char *reason), void *arg);

/* Begins; on_done may be called before it returns. `name` is the Host if the check
 * says none. What is needed of check, to and name is copied. */
void probe_start(struct probe *p, const struct model_check *check,
		 const struct address *to, const char *name);

/* Ends it without on_done. Nothing happens when it is not under way. */
void probe_cancel(struct probe *p);

#endif
