#include "store/ledger_directory.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/memory.h"

#define NEW ".new"

/* ---- whose it is ---- */

static int say_taken(const char *path, int lock, struct err *err)
{
	char who[16] = "";
	ssize_t n = pread(lock, who, sizeof who - 1, 0);

	who[n > 0 ? strcspn(who, "\n") : 0] = '\0';
	return err_set(err, "the data in %s is in use by process %s; stop that one, or "
		       "give each worker a directory of its own",
		       path, *who != '\0' ? who : "(unknown)");
}

static int take_lock(struct ledger_directory *d, struct err *err)
{
	d->lock_fd = openat(d->fd, "lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW,
			    0640);
	if (d->lock_fd < 0)
		return err_sys(err, "cannot open %s/lock", d->path);
	if (flock(d->lock_fd, LOCK_EX | LOCK_NB) != 0) {
		if (errno == EWOULDBLOCK)
			say_taken(d->path, d->lock_fd, err);
		else
			err_sys(err, "cannot lock %s/lock", d->path);
		close(d->lock_fd);
		return -1;
	}
	/* For people; a lock without a number is as good. */
	if (ftruncate(d->lock_fd, 0) != 0 ||
	    dprintf(d->lock_fd, "%d\n", (int)getpid()) < 0)
		log_debug("cannot write the process's number to %s/lock", d->path);
	return 0;
}

/* A new directory is on disk once the one that it is in is. */
static void sync_parent(int fd)
{
	int parent = openat(fd, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (parent < 0 || fsync(parent) != 0)
		log_debug("cannot sync the directory above the data's");
	if (parent >= 0)
		close(parent);
}

int ledger_directory_open(struct ledger_directory *d, const char *path, struct err *err)
{
	bool made = mkdir(path, 0750) == 0;

	if (!made && errno != EEXIST)
		return err_sys(err, "cannot make the directory %s", path);
	d->fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (d->fd < 0)
		return err_sys(err, "cannot open the directory %s", path);
	d->path = memory_text(path);
	if (made)
		sync_parent(d->fd);
	if (take_lock(d, err) == 0)
		return 0;
	free(d->path);
	close(d->fd);
	return -1;
}

void ledger_directory_close(struct ledger_directory *d)
{
	close(d->lock_fd);
	close(d->fd);
	free(d->path);
}

/* ---- which files it has ---- */

void ledger_name(char out[LEDGER_NAME_MAX], enum ledger_file file, uint32_t number)
{
	snprintf(out, LEDGER_NAME_MAX, "%s.%06" PRIu32,
		 file == LEDGER_LOG ? "log" : "snapshot", number);
}

static void new_name(char out[LEDGER_NAME_MAX], uint32_t number)
{
	ledger_name(out, LEDGER_SNAPSHOT, number);
	strcat(out, NEW);
}

struct found {
	enum ledger_file file;
	uint32_t number;
	bool     unfinished;
};

/* Whether the name is one that ledger_name would make; others are not ours. */
static bool read_name(struct found *f, const char *name)
{
	char again[LEDGER_NAME_MAX];
	const char *dot = strchr(name, '.');

	if (dot == NULL)
		return false;
	f->file = strncmp(name, "log.", 4) == 0 ? LEDGER_LOG : LEDGER_SNAPSHOT;
	f->number = (uint32_t)strtoul(dot + 1, NULL, 10);
	f->unfinished = f->file == LEDGER_SNAPSHOT && strstr(dot, NEW) != NULL;
	if (f->unfinished)
		new_name(again, f->number);
	else
		ledger_name(again, f->file, f->number);
	return f->number > 0 && strcmp(name, again) == 0;
}

/* Calls `see` for each of our files. -1: errno. */
static int each_file(const struct ledger_directory *d,
		     void (*see)(void *arg, const struct found *f), void *arg)
{
	int fd = openat(d->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *all = fd >= 0 ? fdopendir(fd) : NULL;
	const struct dirent *one;
	struct found f;

	if (all == NULL) {
		if (fd >= 0)
			close(fd);
		return -1;
	}
	errno = 0;
	while ((one = readdir(all)) != NULL)
		if (read_name(&f, one->d_name))
			see(arg, &f);
	int reason = errno;
	closedir(all);
	errno = reason;
	return reason == 0 ? 0 : -1;
}

struct listing {
	struct ledger_list list;
	uint32_t logs;			/* how many from list.first_log on */
};

static void see_snapshot(void *arg, const struct found *f)
{
	struct listing *l = arg;

	if (f->file == LEDGER_SNAPSHOT && !f->unfinished && f->number > l->list.snapshot)
		l->list.snapshot = f->number;
}

static void see_log(void *arg, const struct found *f)
{
	struct listing *l = arg;

	if (f->file != LEDGER_LOG || f->number < l->list.snapshot)
		return;
	if (l->logs == 0 || f->number < l->list.first_log)
		l->list.first_log = f->number;
	if (f->number > l->list.last_log)
		l->list.last_log = f->number;
	l->logs++;
}

/* The lowest log that ought to be there and is not. */
static uint32_t missing_log(const struct ledger_directory *d, uint32_t from)
{
	char name[LEDGER_NAME_MAX];

	for (;; from++) {
		ledger_name(name, LEDGER_LOG, from);
		if (faccessat(d->fd, name, F_OK, 0) != 0)
			return from;
	}
}

int ledger_directory_list(const struct ledger_directory *d, struct ledger_list *list,
			  struct err *err)
{
	struct listing l = {0};

	if (each_file(d, see_snapshot, &l) != 0 || each_file(d, see_log, &l) != 0)
		return err_sys(err, "cannot read the directory %s", d->path);
	uint32_t from = l.list.snapshot > 0 ? l.list.snapshot : 1;
	*list = l.list;
	if (l.logs == 0 && l.list.snapshot == 0)
		return 0;
	if (l.list.snapshot == 0 && l.list.first_log > 1)
		return err_set(err, "%s/snapshot.%06" PRIu32 " is missing, without which "
			       "the logs are a part only: restore it from a copy, or "
			       "empty the directory to begin anew", d->path, l.list.first_log);
	if (l.logs > 0 && l.list.first_log == from &&
	    l.logs == l.list.last_log - from + 1)
		return 0;
	return err_set(err, "%s/log.%06" PRIu32 " is missing: restore it from a copy, or "
		       "empty the directory to begin anew", d->path,
		       missing_log(d, from));
}

/* ---- making and removing ---- */

/* The file's bytes and its name are on disk. -1: errno. */
static int write_head(const struct ledger_directory *d, int fd,
		      const struct ledger_head *h)
{
	uint8_t head[LEDGER_HEAD_BYTES];

	ledger_head_write(h, head);
	ssize_t n = write(fd, head, sizeof head);
	if (n >= 0 && n != sizeof head)
		errno = ENOSPC;		/* a short write to a file means this,
					 * nearly always */
	return n == sizeof head && fsync(fd) == 0 && fsync(d->fd) == 0 ? 0 : -1;
}

int ledger_directory_create(const struct ledger_directory *d, const struct ledger_head *h)
{
	char name[LEDGER_NAME_MAX];

	if (h->file == LEDGER_SNAPSHOT)
		new_name(name, h->number);
	else
		ledger_name(name, h->file, h->number);
	int fd = openat(d->fd, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
	if (fd < 0)
		return -1;
	if (write_head(d, fd, h) == 0)
		return fd;
	int reason = errno;
	unlinkat(d->fd, name, 0);
	close(fd);
	errno = reason;
	return -1;
}

int ledger_directory_finish(const struct ledger_directory *d, uint32_t number)
{
	char from[LEDGER_NAME_MAX], to[LEDGER_NAME_MAX];

	new_name(from, number);
	ledger_name(to, LEDGER_SNAPSHOT, number);
	return renameat(d->fd, from, d->fd, to) == 0 ? fsync(d->fd) : -1;
}

static void remove_file(const struct ledger_directory *d, const char *name)
{
	if (unlinkat(d->fd, name, 0) != 0 && errno != ENOENT)
		log_warn("cannot remove %s/%s, which is not needed: %m", d->path, name);
}

void ledger_directory_drop_new(const struct ledger_directory *d, uint32_t number)
{
	char name[LEDGER_NAME_MAX];

	new_name(name, number);
	remove_file(d, name);
}

struct cleaning {
	const struct ledger_directory *d;
	uint32_t number;
};

static void see_old(void *arg, const struct found *f)
{
	const struct cleaning *c = arg;
	char name[LEDGER_NAME_MAX];

	if (f->unfinished) {
		ledger_directory_drop_new(c->d, f->number);
	} else if (f->number < c->number) {
		ledger_name(name, f->file, f->number);
		remove_file(c->d, name);
	}
}

void ledger_directory_clean(const struct ledger_directory *d, uint32_t number)
{
	struct cleaning c = {d, number};

	if (each_file(d, see_old, &c) != 0)
		log_warn("cannot read the directory %s: %m", d->path);
}
