#include "control/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/folder.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/places.h"
#include "control/journal_text.h"

enum { READ_STEP = 64 * 1024 };

/* Which file it was: each writing makes another one. */
struct identity {
	bool   exists;
	dev_t  device;
	ino_t  number;
	struct timespec written;
};

struct journal {
	char *folder, *serves;			/* owned, as the paths are */
	char *path, *beside, *bad, *lock_path;
	int   lock;				/* owned, -1 before the first write */
	struct identity known;			/* as we have read or written it */
};

/* ---- names ---- */

__attribute__((format(printf, 1, 2)))
static char *text_of(const char *format, ...)
{
	va_list args;
	char *text;

	va_start(args, format);
	int len = vasprintf(&text, format, args);
	va_end(args);
	return len >= 0 ? text : memory_text("");
}

struct journal *journal_open(const char *folder, const char *serves)
{
	struct journal *j = memory_new(1, sizeof *j);
	char slug[PLACES_SLUG_MAX + 1];

	places_slug(slug, serves);
	j->lock = -1;
	j->folder = memory_text(folder);
	j->serves = memory_text(serves);
	j->path = text_of("%s/%s-%08" PRIx32 ".json", folder, slug,
			  (uint32_t)hash_bytes(serves, strlen(serves)));
	j->beside = text_of("%s.new", j->path);
	j->bad = text_of("%s.bad", j->path);
	j->lock_path = text_of("%s.lock", j->path);
	return j;
}

void journal_close(struct journal *j)
{
	if (j == NULL)
		return;
	if (j->lock >= 0)
		close(j->lock);
	free(j->folder);
	free(j->serves);
	free(j->path);
	free(j->beside);
	free(j->bad);
	free(j->lock_path);
	free(j);
}

const char *journal_path(const struct journal *j)
{
	return j->path;
}

static struct identity identity_of(const struct stat *st)
{
	return (struct identity){true, st->st_dev, st->st_ino, st->st_mtim};
}

static bool identity_equals(const struct identity *a, const struct identity *b)
{
	return a->exists == b->exists && a->device == b->device &&
	       a->number == b->number && a->written.tv_sec == b->written.tv_sec &&
	       a->written.tv_nsec == b->written.tv_nsec;
}

/* ---- reading ---- */

/* All bytes of fd, owned by the caller; NULL and *err. */
static char *read_all(int fd, size_t *len, struct err *err)
{
	char *text = NULL;
	ssize_t n;

	*len = 0;
	do {
		text = memory_grow(text, *len + READ_STEP, 1);
		n = read(fd, text + *len, READ_STEP);
		if (n > 0)
			*len += (size_t)n;
	} while (n > 0 && *len <= JOURNAL_BYTES_MAX);
	if (n == 0)
		return text;
	if (n < 0)
		err_sys(err, "it cannot be read");
	else
		err_set(err, "it has more than %d bytes", JOURNAL_BYTES_MAX);
	free(text);
	return NULL;
}

static struct changes *read_open(struct journal *j, int fd, struct err *err)
{
	struct changes *all = NULL;
	struct stat st;
	size_t len;

	if (fstat(fd, &st) != 0) {
		err_sys(err, "it cannot be read");
		return NULL;
	}
	j->known = identity_of(&st);
	if (!S_ISREG(st.st_mode)) {
		err_set(err, "it is no file");
		return NULL;
	}
	char *text = read_all(fd, &len, err);
	if (text != NULL)
		all = journal_decode(text, len, j->serves, err);
	free(text);
	return all;
}

static struct identity look(const struct journal *j)
{
	struct stat st;

	return stat(j->path, &st) == 0 ? identity_of(&st) : (struct identity){0};
}

static void set_aside(struct journal *j, const struct err *why)
{
	if (rename(j->path, j->bad) != 0 && remove(j->bad) == 0)
		rename(j->path, j->bad);	/* of a folder and a file, say */
	j->known = look(j);
	log_warn("the state in %s cannot be used, so the changes it had are not made: "
		 "%s; %s %s", j->path, why->text,
		 j->known.exists ? "nor can it be moved to" : "it is kept as", j->bad);
}

struct changes *journal_read_only(struct journal *j, struct err *err)
{
	/* Not blocking: were it a pipe, nobody might ever write to it. */
	int fd = open(j->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
		return changes_create();
	if (fd < 0) {
		err_sys(err, "it cannot be opened");
		return NULL;
	}
	struct changes *all = read_open(j, fd, err);
	close(fd);
	return all;
}

struct changes *journal_read(struct journal *j)
{
	struct err err;
	struct changes *all = journal_read_only(j, &err);

	if (all != NULL)
		return all;
	set_aside(j, &err);
	return changes_create();
}

void journal_release(struct journal *j)
{
	if (j->lock >= 0)
		close(j->lock);
	j->lock = -1;
}

/* ---- writing ---- */

static int say_taken(const struct journal *j, int lock, struct err *err)
{
	char who[16] = "";
	ssize_t n = pread(lock, who, sizeof who - 1, 0);

	who[n > 0 ? strcspn(who, "\n") : 0] = '\0';
	return err_set(err, "the state in %s is kept by another balancer, process %s; "
		       "stop that one, or give one of the two another folder by --state",
		       j->path, *who != '\0' ? who : "unknown");
}

/* Whether the lock that we hold is the one that others would find. */
static bool holds_lock(const struct journal *j)
{
	struct stat ours, there;

	return j->lock >= 0 && fstat(j->lock, &ours) == 0 &&
	       stat(j->lock_path, &there) == 0 && ours.st_dev == there.st_dev &&
	       ours.st_ino == there.st_ino;
}

/* The journal becomes ours. Nothing happens when it is, unless the lock's file has been
 * deleted, or moved away with its folder: then nobody else would see that lock. */
static int take(struct journal *j, struct err *err)
{
	if (holds_lock(j))
		return 0;
	folder_make(j->folder);
	int lock = open(j->lock_path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640);
	if (lock < 0)
		return err_sys(err, "cannot write %s", j->lock_path);
	if (flock(lock, LOCK_EX | LOCK_NB) != 0) {
		if (errno == EWOULDBLOCK)
			say_taken(j, lock, err);
		else
			err_sys(err, "cannot lock %s", j->lock_path);
		close(lock);
		return -1;
	}
	/* For people; a lock without a number is as good. */
	if (ftruncate(lock, 0) != 0 || dprintf(lock, "%d\n", (int)getpid()) < 0)
		log_debug("cannot write the process's number to %s", j->lock_path);
	if (j->lock >= 0)
		close(j->lock);
	j->lock = lock;
	return 0;
}

/* Whoever wrote it since we looked had it while we had not: what it says is not ours
 * to throw away. One that was deleted is nobody's. */
static int check_known(const struct journal *j, struct err *err)
{
	struct identity there = look(j);

	if (!there.exists || identity_equals(&there, &j->known))
		return 0;
	return err_set(err, "the state in %s was changed by another balancer since this "
		       "one read it; restart this one to take it up", j->path);
}

/* Nobody else writes it meanwhile: the lock is ours. */
static int replace(struct journal *j, const char *text, struct err *err)
{
	if (folder_replace(j->folder, j->path, j->beside, text, err) != 0)
		return -1;
	j->known = look(j);
	return 0;
}

static bool lasts(const struct changes *all)
{
	struct change c;

	for (uint32_t i = 0; i < changes_count(all); i++)
		if (changes_lasting_at(all, i, &c))
			return true;
	return false;
}

int journal_write(struct journal *j, const struct changes *all, struct err *err)
{
	if (!lasts(all) && !j->known.exists)
		return 0;
	if (take(j, err) != 0 || check_known(j, err) != 0)
		return -1;
	char *text = journal_encode(all, j->serves);
	int result = replace(j, text, err);
	free(text);
	return result;
}
