/* client/load_inside.h - what load.c and load_step.c share: the state of a running load.
 *
 * load.c is its life: opening, beginning, ending, time, signals, progress. load_step.c is
 * its work: asking, judging answers, losing connections.
 *
 *   OPENING --every connection has been tried--> RUNNING --count, time, SIGINT--> ENDING
 *      the first alone: it tells the version,       |           nothing is asked, what is
 *      and whether there is a balancer at all       |           under way may be answered
 *                                                   '-- none for --timeout ----> ENDING
 *
 * Limits: DIALS_MAX connections are being opened at a time; a lost one is opened again
 * after RETRY_MS_MIN to RETRY_MS_MAX; ENDING takes as long as an answer may (--timeout).
 *
 * Thread: the loop's.
 */
#ifndef CLIENT_LOAD_INSIDE_H
#define CLIENT_LOAD_INSIDE_H

#include "base/list.h"
#include "client/load_history.h"
#include "client/load_report.h"
#include "loop/signals.h"

enum {
	LOAD_DIALS_MAX = 128,
	LOAD_RETRY_MS_MIN = 10, LOAD_RETRY_MS_MAX = 1000,
	LOAD_COMPLAINTS_MAX = 10,	/* wrong values that are described */
};

enum load_state { LOAD_OPENING, LOAD_RUNNING, LOAD_ENDING };

struct load;

struct load_connection {
	struct talk       talk;
	struct load      *load;		/* borrowed */
	uint64_t          index;
	uint64_t          nth;		/* steps begun */
	struct load_operation *operations;	/* owned; by tag, the talk's depth */
	bool              tried;	/* it stood once, or failed once */
	bool              stood;	/* it is one of load->standing */
	uint32_t          retry_ms;
	struct loop_timer retry;
	struct link       idle;		/* with --rate: in load->idle while it has room */
};

struct load {
	const struct options *options;	/* borrowed */
	struct loop          *loop;	/* borrowed */
	enum load_state       state;
	struct talk_balancer  balancer;
	struct load_connection *connections;	/* owned: options->connections */
	uint64_t opened;		/* of them, so many were told to connect */
	uint64_t tried;
	uint64_t standing;
	uint64_t under_way;		/* requests */
	struct load_values   values;
	struct load_plan     plan;
	struct load_figures  figures;
	struct load_progress progress;
	FILE    *history;		/* owned; NULL: none is wanted */
	struct link idle;		/* with --rate: connections with room, in turn */
	bool     over;
	bool     failed;		/* *failure says why it ended early */
	uint32_t complaints;
	struct err failure;
	struct loop_timer end, tick, beat, alone;
	struct signals signals;
	char    *key, *value;		/* owned: room for what is sent next */
};

void load_connection_init(struct load *l, uint64_t index);
void load_connection_fini(struct load_connection *c);

/* Every connection has been tried: they may ask. */
void load_begin(struct load *l);

/* Nothing more is asked; over when nothing is under way. */
void load_end(struct load *l);

/* The same, because of `why`. */
void load_fail(struct load *l, const struct err *why);

/* It has room: asks as much as it may. */
void load_fill(struct load_connection *c);

/* With --rate: asks what is due by now. */
void load_fill_due(struct load *l);

#endif
