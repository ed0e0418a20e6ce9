/* ctl/call.h - one command at work: what it was told, and where its answers go. */
#ifndef CTL_CALL_H
#define CTL_CALL_H

#include "base/places.h"
#include "ctl/client.h"
#include "ctl/command.h"
#include "ctl/paper.h"

struct call {
	const struct command *command;
	struct options options;
	char         **words;		/* behind the command's name; borrowed */
	uint32_t       word_count;
	struct paper   paper;
	struct places  places;		/* where things are, as the options say */
	int64_t        deadline;	/* by wait_now: --timeout, or WAIT_FOREVER */
	struct client *client;		/* owned; NULL until the first question */
};

/* Sets what the options say; command, words and options are there. */
void call_init(struct call *call);
void call_fini(struct call *call);

/* Asks the balancer that the options name; see client_ask. */
enum outcome call_ask(struct call *call, const struct question *question,
		      struct answer *answer, struct err *err);

/* The same for a question that changes nothing. */
enum outcome call_get(struct call *call, const char *path, struct answer *answer,
		      struct err *err);

/* The same for what may go on; see client_read. */
enum outcome call_follow(struct call *call, const char *path,
			 struct client_reading *reading, struct err *err);

/* The pool that is meant: --pool, or the only one. Copies its name. */
enum { CALL_POOL_MAX = 255 };
enum outcome call_pool(struct call *call, char name[CALL_POOL_MAX + 1], struct err *err);

/* With --json: prints the answer as it came, and returns true. */
bool call_printed_json(const struct call *call, const struct answer *answer);

#endif
