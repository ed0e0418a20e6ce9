#include "store/ledger_load.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/log.h"
#include "base/memory.h"
#include "base/must.h"

enum { READ_BYTES = 1024 * 1024 };

_Static_assert(READ_BYTES >= 2 * LEDGER_RECORD_MAX, "a record fits, wherever it begins");

/* A file, read from its beginning to its end once. */
struct reader {
	int      fd;
	bool     ended, failed;		/* nothing more comes; because of an error */
	uint64_t offset;		/* in the file, of the byte at `start` */
	size_t   start, end;		/* in bytes[] */
	uint8_t  bytes[READ_BYTES];
};

/* Reads on until `len` bytes are there, or the file ends. */
static void reader_fill(struct reader *r, size_t len)
{
	must(len <= LEDGER_RECORD_MAX);
	memmove(r->bytes, r->bytes + r->start, r->end - r->start);
	r->end -= r->start;
	r->start = 0;
	while (r->end < len && !r->ended) {
		ssize_t n = pread(r->fd, r->bytes + r->end, READ_BYTES - r->end,
				  (off_t)(r->offset + r->end));
		if (n > 0)
			r->end += (size_t)n;
		else if (n == 0 || errno != EINTR)
			r->ended = true;
		r->failed |= n < 0 && errno != EINTR;
	}
}

static struct span reader_bytes(const struct reader *r)
{
	return (struct span){(const char *)r->bytes + r->start, r->end - r->start};
}

static void reader_consume(struct reader *r, size_t len)
{
	r->start += len;
	r->offset += len;
}

/* The next record, DONE; or how it goes on: MORE where the file ends, whole if nothing is
 * left, or BAD. */
static enum ledger_read reader_next(struct reader *r, uint64_t salt,
				    struct ledger_record *record, size_t *size)
{
	for (;;) {
		enum ledger_read read = ledger_record_read(record, salt, reader_bytes(r),
							   size);
		if (read != LEDGER_READ_MORE || r->ended)
			return read;
		reader_fill(r, *size);
	}
}

/* Whether a whole record is anywhere behind the one that is bad. */
static bool record_follows(struct reader *r, uint64_t salt)
{
	struct ledger_record record;
	size_t size;

	while (r->end > r->start) {
		reader_consume(r, 1);
		if (r->end - r->start < LEDGER_RECORD_HEAD)
			reader_fill(r, LEDGER_RECORD_HEAD);
		if (reader_next(r, salt, &record, &size) == LEDGER_READ_DONE)
			return true;
	}
	return false;
}

/* ---- one file ---- */

struct load {
	const struct ledger_directory *d;
	struct store *s;
	uint64_t now_ms;
	struct ledger_loaded *out;
	struct reader *r;		/* owned */
	/* Of the file at hand: */
	char name[LEDGER_NAME_MAX];
	struct ledger_head head;
	bool newest;			/* it is the newest log */
};

enum outcome {
	FILE_WHOLE,
	FILE_BROKEN,			/* what stands at r->offset is no record */
	FILE_FAILED,			/* the system's doing; *err says it */
};

static enum outcome say_damaged(const struct load *l, uint64_t offset, struct err *err)
{
	if (l->head.file == LEDGER_SNAPSHOT)
		err_set(err, "%s/%s is damaged at byte %" PRIu64 ": restore it from a "
			"copy, or empty the directory, and the other workers will fill "
			"this one", l->d->path, l->name, offset);
	else
		err_set(err, "%s/%s is damaged at byte %" PRIu64 ": restore it from a "
			"copy, or empty the directory, and the other workers will fill "
			"this one; or go on without what this file has from there: "
			"truncate -s %" PRIu64
			" %s/%s", l->d->path, l->name, offset, offset, l->d->path, l->name);
	return FILE_FAILED;
}

/* A snapshot says at its end what it has; no log has such a record. */
struct tally {
	uint64_t items;
	struct ledger_end end;
	bool ended;
};

/* False: no memory. */
static bool apply(struct load *l, struct tally *t, const struct ledger_record *record)
{
	if (record->kind == LEDGER_END) {
		t->end = record->end;
		t->ended = true;
		return true;
	}
	t->items++;
	l->out->loaded++;
	return store_write(l->s, &record->item, STORE_UNLIMITED, l->now_ms, NULL) !=
	       STORE_FULL;
}

static enum outcome read_records(struct load *l, struct err *err)
{
	bool is_snapshot = l->head.file == LEDGER_SNAPSHOT;
	struct ledger_record record;
	struct tally t = {0};
	enum ledger_read read;
	size_t size;

	while ((read = reader_next(l->r, l->head.salt, &record, &size)) ==
	       LEDGER_READ_DONE) {
		if (t.ended || (record.kind == LEDGER_END && !is_snapshot))
			return FILE_BROKEN;
		if (!apply(l, &t, &record)) {
			err_set(err, "no memory for what is in %s", l->d->path);
			return FILE_FAILED;
		}
		reader_consume(l->r, size);
	}
	if (l->r->failed) {
		err_sys(err, "cannot read %s/%s", l->d->path, l->name);
		return FILE_FAILED;
	}
	if (read == LEDGER_READ_BAD || l->r->start < l->r->end)
		return FILE_BROKEN;
	if (is_snapshot && (!t.ended || t.end.entries != t.items))
		return FILE_BROKEN;
	if (is_snapshot)
		store_note(l->s, t.end.newest, t.end.purged);
	return FILE_WHOLE;
}

static int cut(struct load *l, uint64_t offset, struct err *err)
{
	off_t end = lseek(l->r->fd, 0, SEEK_END);

	if (end < 0 || ftruncate(l->r->fd, (off_t)offset) != 0 || fsync(l->r->fd) != 0)
		return err_sys(err, "cannot cut off the torn end of %s/%s", l->d->path,
			       l->name);
	l->out->torn_bytes = (uint64_t)end - offset;
	log_warn("the last write of %s/%s was not finished: %" PRIu64 " bytes cut off at byte %"
		 PRIu64, l->d->path, l->name, l->out->torn_bytes, offset);
	return 0;
}

/* The newest log may have been made just before the end, and have no head yet. */
static enum outcome make_head(struct load *l, size_t len, struct err *err)
{
	uint8_t head[LEDGER_HEAD_BYTES];

	l->head = (struct ledger_head){
		LEDGER_LOG, l->out->number, l->out->salt, store_key(l->s),
	};
	if (len > 0 && cut(l, 0, err) != 0)
		return FILE_FAILED;
	ledger_head_write(&l->head, head);
	if (pwrite(l->r->fd, head, sizeof head, 0) == sizeof head && fsync(l->r->fd) == 0)
		return FILE_WHOLE;
	err_sys(err, "cannot write %s/%s", l->d->path, l->name);
	return FILE_FAILED;
}

static enum outcome read_head(struct load *l, enum ledger_file file, uint32_t number,
			      struct err *err)
{
	struct reader *r = l->r;

	reader_fill(r, LEDGER_HEAD_BYTES + 1);
	size_t len = r->end - r->start;
	bool good = len >= LEDGER_HEAD_BYTES && ledger_head_read(&l->head, r->bytes) &&
		    l->head.file == file && l->head.number == number;
	if (!good && l->newest && len <= LEDGER_HEAD_BYTES && !r->failed) {
		r->start = r->end;
		return make_head(l, len, err);
	}
	if (!good) {
		l->head.file = file;
		return say_damaged(l, 0, err);
	}
	l->out->salt = l->head.salt;
	reader_consume(r, LEDGER_HEAD_BYTES);
	return FILE_WHOLE;
}

static enum outcome read_file(struct load *l, enum ledger_file file, uint32_t number,
			      struct err *err)
{
	enum outcome outcome = read_head(l, file, number, err);

	if (outcome == FILE_WHOLE)
		outcome = read_records(l, err);
	if (outcome != FILE_BROKEN)
		return outcome;
	uint64_t offset = l->r->offset;
	if (!l->newest || record_follows(l->r, l->head.salt))
		return say_damaged(l, offset, err);
	return cut(l, offset, err) == 0 ? FILE_WHOLE : FILE_FAILED;
}

/* -1 and *err. The descriptor of the newest log stays open, at its end. */
static int load_file(struct load *l, enum ledger_file file, uint32_t number,
		     struct err *err)
{
	ledger_name(l->name, file, number);
	l->newest = file == LEDGER_LOG && number == l->out->number;
	int fd = openat(l->d->fd, l->name, (l->newest ? O_RDWR : O_RDONLY) | O_CLOEXEC);
	if (fd < 0)
		return err_sys(err, "cannot open %s/%s", l->d->path, l->name);
	l->r->fd = fd;
	l->r->offset = l->r->start = l->r->end = 0;
	l->r->ended = l->r->failed = false;
	enum outcome outcome = read_file(l, file, number, err);
	off_t size = lseek(fd, 0, SEEK_END);
	if (file == LEDGER_LOG)
		l->out->log_bytes += (uint64_t)size;
	else
		l->out->snapshot_bytes = (uint64_t)size;
	if (outcome == FILE_WHOLE && l->newest)
		l->out->log_fd = fd;
	else
		close(fd);
	return outcome == FILE_WHOLE ? 0 : -1;
}

/* ---- all of them ---- */

static int make_first(const struct ledger_directory *d, struct store *s,
		      struct ledger_loaded *out, struct err *err)
{
	struct ledger_head head = {LEDGER_LOG, 1, out->salt, store_key(s)};

	out->number = 1;
	out->log_bytes = LEDGER_HEAD_BYTES;
	out->log_fd = ledger_directory_create(d, &head);
	return out->log_fd >= 0 ? 0 : err_sys(err, "cannot write into %s", d->path);
}

static int load_all(struct load *l, const struct ledger_list *list, struct err *err)
{
	if (list->snapshot > 0 && load_file(l, LEDGER_SNAPSHOT, list->snapshot, err) != 0)
		return -1;
	for (uint32_t n = list->first_log; n <= list->last_log; n++)
		if (load_file(l, LEDGER_LOG, n, err) != 0)
			return -1;
	return 0;
}

int ledger_load(const struct ledger_directory *d, struct store *s, uint64_t now_ms,
		struct ledger_loaded *out, struct err *err)
{
	struct load l = {.d = d, .s = s, .now_ms = now_ms, .out = out};
	struct ledger_list list;

	if (ledger_directory_list(d, &list, err) != 0)
		return -1;
	*out = (struct ledger_loaded){
		.log_fd = -1, .number = list.last_log, .snapshot = list.snapshot,
	};
	if (getrandom(&out->salt, sizeof out->salt, 0) != sizeof out->salt)
		return err_sys(err, "no random number");
	if (list.last_log == 0)
		return make_first(d, s, out, err);
	l.r = memory_new(1, sizeof *l.r);
	int result = load_all(&l, &list, err);
	free(l.r);
	return result;
}
