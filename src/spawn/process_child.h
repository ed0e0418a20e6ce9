/* spawn/process_child.h - from a process of ours to a program of its own.
 *
 * The child shares our memory until it has become the program, and our thread stands
 * still meanwhile (clone(2) with CLONE_VM and CLONE_VFORK, as posix_spawn does): nothing
 * is copied, however large we are, and the other threads go on undisturbed. It calls
 * nothing but system calls, and tells by what it leaves in memory what went wrong.
 *
 *   we               head of the record -> NAME.new
 *   the child        session, folder, its number and start time -> NAME.new,
 *                    NAME.new becomes NAME.json, descriptors, limits, program
 *
 * So whatever runs as a server's program has its record, no matter who of us was killed
 * when: a child that cannot note itself ends, and needs no parent to be let go.
 *
 * Thread: control, or any one alone.
 */
#ifndef SPAWN_PROCESS_CHILD_H
#define SPAWN_PROCESS_CHILD_H

#include "spawn/process_record.h"

struct process_child {
	const char *word;		/* the program, as it was asked for */
	const char *program;		/* its path, as execve takes it */
	char *const *argv;
	char *const *environment;
	const char *directory;		/* NULL: where we are */

	int null;			/* its standard input; above 2, as all of these */
	int output;			/* and what it says goes here */
	int record;			/* the file that its number is added to, */
	int folder;			/* in this folder, */
	const char *record_before;	/* with this name, and */
	const char *record_after;	/* this one from now on */

	uint64_t memory_max;		/* 0: no limit of ours */
	uint32_t files_max;
};

struct process_made {
	pid_t    pid;			/* of its session and group as well */
	uint64_t started;
	int      pidfd;			/* given to the caller */
};

/* Returns when the program runs. -1 and *err: it does not, and there is no child. */
int process_child_start(const struct process_child *c, struct process_made *made,
			struct err *err);

#endif
