/* store/ledger_directory.h - a ledger's directory: whose it is, and which files it has.
 *
 *   lock               held (flock) for as long as the ledger is open; has our process's id
 *   log.N              N from 1, without gaps from the snapshot's number on
 *   snapshot.N         all that was written before log.N began
 *   snapshot.N.new     one that was not finished; nobody reads it
 *
 * A crash at any moment leaves one of these, and each is loaded as the snapshot of the
 * highest number and the logs from that number on:
 *
 *   snapshot.3 log.3                      at rest
 *   snapshot.3 log.3 log.4                a snapshot has begun
 *   snapshot.3 log.3 log.4 snapshot.4.new
 *   snapshot.3 log.3 log.4 snapshot.4     it is whole; older files go now, in any order
 *   snapshot.4 log.4
 *
 * Thread: one at a time.
 */
#ifndef STORE_LEDGER_DIRECTORY_H
#define STORE_LEDGER_DIRECTORY_H

#include "base/err.h"
#include "store/ledger_record.h"

enum { LEDGER_NAME_MAX = 32 };

struct ledger_directory {
	char *path;			/* owned; for messages */
	int   fd, lock_fd;		/* owned */
};

/* Makes the directory if it is missing, takes its lock. -1 and *err: nothing is left
 * behind; who has it is named. */
int ledger_directory_open(struct ledger_directory *d, const char *path, struct err *err);
void ledger_directory_close(struct ledger_directory *d);

struct ledger_list {
	uint32_t snapshot;		/* 0: none */
	uint32_t first_log, last_log;	/* 0: none; no gap between */
};

/* What is to be loaded. -1 and *err: a file is missing. */
int ledger_directory_list(const struct ledger_directory *d, struct ledger_list *list,
			  struct err *err);

/* "log.000007"; "snapshot.000007", whose unfinished one has ".new" behind. */
void ledger_name(char out[LEDGER_NAME_MAX], enum ledger_file file, uint32_t number);

/* A new file with its head, on disk, and its name too; a snapshot's is ".new". Its
 * descriptor is owned by the caller. -1: errno says why, and there is no such file. */
int ledger_directory_create(const struct ledger_directory *d,
			    const struct ledger_head *h);

/* The .new snapshot gets its name, on disk when this returns. -1: errno. */
int ledger_directory_finish(const struct ledger_directory *d, uint32_t number);

/* Removes the .new snapshot of this number, if it is there. */
void ledger_directory_drop_new(const struct ledger_directory *d, uint32_t number);

/* Removes files of lower numbers, and all unfinished snapshots. What cannot be removed is
 * said in the log: it does no harm. */
void ledger_directory_clean(const struct ledger_directory *d, uint32_t number);

#endif
