/* spawn/process_words.h - what a program is given: its environment, and where it is.
 *
 * The environment is ours, without what is said to us alone (the balancer's own
 * variables, systemd's), then what the pool says, then PORT and SERVER_ID; of two with
 * one name the later counts.
 *
 * Thread: control.
 */
#ifndef SPAWN_PROCESS_WORDS_H
#define SPAWN_PROCESS_WORDS_H

#include <limits.h>

#include "base/err.h"
#include "model/own.h"

/* Ends with NULL. Owned by the caller (process_environment_destroy). */
char **process_environment_create(const struct model_own *own, const char *id,
				  uint16_t port);
void process_environment_destroy(char **environment);

/* The value of a name in it; NULL: it has none. */
const char *process_environment_find(char *const *environment, const char *name);

/* The path of a program as execve(2) takes it, in `directory`: `word` itself when it has
 * a slash, else where PATH of that environment has it. -1 and *err: nowhere. */
int process_program_find(const char *word, char *const *environment,
			 const char *directory, char out[PATH_MAX], struct err *err);

#endif
