/* spawn/process_folder.h - STATE/owned/BALANCER/POOL: the files about a pool's processes.
 *
 *   NAME.json	the record of the server NAME (spawn/process_record.h)
 *   NAME.out	a FIFO, where it writes what it says; we read
 *   NAME.new	a record that is being written: nobody runs by it
 *   lock	held by the one balancer that these are of
 *
 * Nothing is synced to the disk: what is written has to outlive us, not the machine,
 * since the processes do not outlive it either. What a dead boot left is told by its id.
 *
 * Folders are made with mode 0700, and used only if nobody else may write to them: by
 * what stands here processes are ended.
 *
 * Thread: control.
 */
#ifndef SPAWN_PROCESS_FOLDER_H
#define SPAWN_PROCESS_FOLDER_H

#include "spawn/process_record.h"

enum { PROCESS_FILE_MAX = OWN_NAME_MAX + 8 };	/* with NUL */

struct process_folder {
	char *path;			/* owned */
	int   fd;			/* owned, -1 when not open */
	int   lock;			/* owned, -1: not ours yet */
	char  boot[PROCESS_BOOT_MAX + 1];
};

/* Makes what is missing of it. -1 and *err: there is no state folder, it cannot be made,
 * or others may write to it. */
int process_folder_open(struct process_folder *f, const char *state, const char *balancer,
			const char *pool, struct err *err);
void process_folder_close(struct process_folder *f);

/* It is ours, until close. -1 and *err: another balancer has it. */
int process_folder_lock(struct process_folder *f, struct err *err);

/* The name of a file of this server; `kind` is "json", "out" or "new". */
void process_folder_name(char out[PROCESS_FILE_MAX], const char *name, const char *kind);

/* Calls `each` for each server that has a record; takes away what belongs to none. Stops
 * at the first that is not 0, and returns that. -1 and *err: it cannot be read. */
int process_folder_walk(const struct process_folder *f,
			int (*each)(void *arg, const char *name, struct err *err),
			void *arg, struct err *err);

/* -1 and *err: there is none, or it cannot be understood. */
int process_folder_read(const struct process_folder *f, const char *name,
			struct process_record *r, struct err *err);

/* Removes all files of this server; nothing happens when there are none. */
void process_folder_remove(const struct process_folder *f, const char *name);

/* Who has the number of the process of a record, as /proc tells it now. */
enum process_holder {
	PROCESS_NOBODY,
	PROCESS_ITSELF,			/* it runs */
	PROCESS_ITS_ZOMBIE,		/* it has ended, its parent has not looked yet */
	PROCESS_ANOTHER,		/* or the record is of an earlier boot */
};
enum process_holder process_folder_holder(const struct process_folder *f,
					  const struct process_record *r);

#endif
