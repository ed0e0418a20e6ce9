/* client/prompt.h - lines from a person at a terminal, by libedit: editing, history,
 * completion of commands.
 *
 * The history is kept in XDG_STATE_HOME/balancerd/kv-client, or below ~/.local/state; the
 * folder is made when it is missing. Where none can be had, the history lasts as long as
 * the program, and nothing is said about it.
 *
 * Thread: the only one. SIGINT is blocked all the time but while a line is awaited.
 */
#ifndef CLIENT_PROMPT_H
#define CLIENT_PROMPT_H

#include <stddef.h>

#include "base/err.h"

enum { PROMPT_HISTORY_MAX = 1000 };

struct prompt;

/* -1 and *err: the terminal cannot be used. */
struct prompt *prompt_open(struct err *err);

/* Saves the history. NULL is allowed. */
void prompt_close(struct prompt *p);

/* The next line, without its newline, in memory of the prompt's that may be changed,
 * until the next call. "": SIGINT, or an empty line. NULL: the end. */
char *prompt_read(struct prompt *p, size_t *len);

#endif
