/* spawn/process_record.h - what is kept in a file about a process that we have started,
 * and how the kernel tells one process from another that got the same number later.
 *
 *   {"version":1,"server":"S1","command":"/server","port":5000,
 *    "recipe":"00000000000000ff","boot":"...","pid":123,"started":456}
 *
 * The first part is known before there is a process; the last two numbers are written by
 * the process itself, before it becomes the server's program (spawn/process_child.h).
 *
 * Pure: no file is read here. Any thread; what is said to be for a child allocates
 * nothing.
 */
#ifndef SPAWN_PROCESS_RECORD_H
#define SPAWN_PROCESS_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "model/own.h"

enum {
	PROCESS_RECORD_MAX  = 4096,	/* bytes of a file */
	PROCESS_COMMAND_MAX = 255,	/* bytes of the command's first word */
	PROCESS_BOOT_MAX    = 63,
	PROCESS_TAIL_MAX    = 80,
	PROCESS_STAT_MAX    = 1024,	/* bytes of /proc/PID/stat, and more */
};

struct process_record {
	char     name[OWN_NAME_MAX + 1];
	char     command[PROCESS_COMMAND_MAX + 1];	/* for people */
	uint16_t port;
	uint64_t recipe;
	char     boot[PROCESS_BOOT_MAX + 1];	/* the kernel's run that has pid */
	pid_t    pid;
	uint64_t started;		/* ticks since then, proc(5), field 22 */
};

/* All but pid and started, as the file begins. Owned by the caller (free). */
char *process_record_head(const struct process_record *r);

/* The rest of it. Returns its length. For a child. */
size_t process_record_tail(char out[PROCESS_TAIL_MAX], pid_t pid, uint64_t started);

/* Reads a whole file. -1 and *err: it is none of ours, or was cut off. */
int process_record_decode(struct process_record *r, const char *text, size_t len,
			  struct err *err);

/* Reads /proc/PID/stat: when the process began, and whether it has not ended. False: that
 * is no such text. For a child. */
bool process_stat_decode(const char *text, size_t len, uint64_t *started, bool *alive);

#endif
