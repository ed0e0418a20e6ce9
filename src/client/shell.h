/* client/shell.h - commands one after the other: from a person, from standard input, or
 * the one on the command line.
 *
 * What was asked for goes to standard output, everything else to standard error. A
 * script goes on after a command that did not work, and ends at one for which there is
 * no connection.
 */
#ifndef CLIENT_SHELL_H
#define CLIENT_SHELL_H

#include "client/ask.h"
#include "client/options.h"

enum { SHELL_LINE_MAX = 1 << 20 };	/* bytes of a line of a script */

/* Of the program: all worked; something did not; the command line is wrong. */
enum { EXIT_WELL = 0, EXIT_FAILED = 1, EXIT_USAGE = 2 };

/* Each returns the exit code. */
int shell_run_words(struct ask *a, const struct options *o, char *const *words,
		     uint32_t count);
int shell_run_script(struct ask *a, const struct options *o, FILE *in);
int shell_run_prompt(struct ask *a, const struct options *o);

#endif
