/* daemon/names.h - servers given by name get their addresses, now or later, and others
 * when these change.
 *
 * A name that does not resolve never prevents a start: its server has no address, is
 * not picked, and the name is asked for again every NAMES_RETRY_MS. One that does is
 * asked for again as often as the model says (resolve_ms): where its address is none of
 * the new ones, the first of these is used from then on; a name that stops resolving
 * keeps its last address. A server that begins with an address (srv.h) is asked for that much
 * later, too, unless all are asked for anew.
 *
 * Thread: control.
 */
#ifndef DAEMON_NAMES_H
#define DAEMON_NAMES_H

#include "loop/loop.h"
#include "model/live.h"

enum { NAMES_RETRY_MS = 10 * 1000 };

struct dns;
struct resolver;

struct names {
	struct loop     *loop;		/* borrowed */
	struct dns      *dns;		/* both owned: the ways of name_question.h */
	struct resolver *resolver;
	const struct model *model;	/* held: the one whose names are asked for */
	struct name     *first;		/* owned: all of the model */
	struct loop_timer retry;
	uint32_t         asked;		/* questions that are not answered yet */
	void (*on_resolved)(void *arg, struct live_server *s);
	void *arg;
};

/* -1 and *err: names could not be looked up. */
int names_open(struct names *n, struct loop *loop,
	       void (*on_resolved)(void *arg, struct live_server *s), void *arg, struct err *err);

/* Nothing is told any more. Whoever else asks by its ways has ended. */
void names_close(struct names *n);

/* From now on the names of m, which must have been attached, are asked for; a question
 * that is under way goes on. NULL: none. */
void names_use(struct names *n, const struct model *m);

/* All are asked for at once: the addresses that they have were somebody else's to know. */
void names_ask_anew(struct names *n);

#endif
