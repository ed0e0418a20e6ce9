/* client/commands.h - what a person can ask for, in one table: how it is written, which
 * request it becomes, and how its answer is shown.
 *
 * The same for the prompt, for lines on standard input, and for the words of a command
 * line. Pure but for the file that is printed to.
 */
#ifndef CLIENT_COMMANDS_H
#define CLIENT_COMMANDS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/err.h"
#include "client/asking.h"
#include "client/words.h"

struct command {
	const char *name;
	const char *arguments;		/* as help shows them */
	uint32_t    words_min, words_max;	/* behind the name */
	uint8_t     verb;		/* enum kv_verb; 0: it asks nothing */
	bool        quits;
	const char *help;		/* one sentence, without its full stop */
	/* The words behind the name become the rest of the request. NULL: only a key, if
	 * any. */
	int (*build)(const struct words *w, struct request *r, struct err *err);
};

extern const struct command kv_command_table[];
extern const uint32_t kv_command_count;

/* The command that begins the words, and that they are as many as it takes. NULL and
 * *err: there is none of this name, or how it is written instead. */
const struct command *kv_command_find(const struct words *w, struct err *err);

/* The request that they mean; its spans are theirs. -1 and *err: they mean none. */
int kv_command_build(const struct command *c, const struct words *w, struct request *r,
		     struct err *err);

/* How answers are shown. */
struct command_style {
	FILE    *out;
	bool     raw;			/* values byte for byte, no newline behind them */
	uint64_t now_ms;		/* since 1970, for the time that is left */
};

/* Shows the answer to c, one line but for stats. -1 and *err: it is not what was asked
 * for, and nothing was shown. */
int kv_command_show(const struct command *c, const struct request *r,
		    const struct answer *answer, const struct command_style *style,
		    struct err *err);

/* Prints all of them, as usage. */
void kv_command_print(FILE *out);

#endif
