/* ctl/completion.h - what a shell offers behind the tabulator key.
 *
 * The shells' own part is small: they run `balancerctl complete -- WORD...` with the
 * words up to the cursor, the last of which may be empty, and offer what it prints: a
 * word on each line, and behind a tab what it means. The line ":files" or ":folders"
 * asks the shell for those. Servers and pools come from the balancer that the words
 * name, which is asked for a second at most; there is never a complaint.
 */
#ifndef CTL_COMPLETION_H
#define CTL_COMPLETION_H

#include <stdint.h>
#include <stdio.h>

#include "ctl/command.h"

/* What may stand in the place of the last word. */
enum offer {
	OFFER_NOTHING, OFFER_COMMANDS, OFFER_SECONDS, OFFER_OPTIONS, OFFER_SERVERS,
	OFFER_POOLS, OFFER_SHELLS, OFFER_FILES, OFFER_FOLDERS,
};

/* The line so far, looked through. Pure. */
struct completion {
	enum offer     offer;
	const char    *begun;		/* the last word; borrowed */
	const char    *first;		/* the command's first word, or NULL */
	const struct command *command;	/* NULL: not known yet */
	struct options options;		/* which balancer, which pool */
};

/* The words behind the program's name, at least one. */
void completion_look(struct completion *c, char *const *words, uint32_t count);

/* What a shell has to run once, "bash", "zsh" or "fish"; NULL: another shell. */
const char *completion_script(const char *shell);

#endif
