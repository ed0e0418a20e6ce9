/* observe/access_log.c - rings in, lines out.
 *
 * The control thread opens files, the log's thread writes to them. A file opened anew
 * is handed over in one pointer (`next`), which the thread looks at before it formats
 * a record: so a record noted after access_log_use returned is written as it says,
 * and neither thread waits for the other.
 */
#include "observe/access_log.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/memory.h"
#include "base/must.h"
#include "base/text.h"
#include "forward/record.h"
#include "loop/loop.h"
#include "observe/access_format.h"
#include "observe/lines.h"
#include "observe/sink.h"

enum {
	RECORDS_PER_SHARE = 64,		/* of one ring, before the next one's turn */
	SHARES_PER_TURN = 256,		/* then commands are looked at */
};

/* Where lines go and how they are written. */
struct outlet {
	struct access_way  way;		/* its form is owned */
	struct loop_watch  watch;	/* the sink; registered where that is possible */
	struct access_log *log;		/* borrowed: its owner */
};

struct access_log {
	/* the control thread's */
	enum access_format format;
	struct access_form *form;	/* owned; of ACCESS_OWN, else NULL */
	char     *path;			/* owned, NULL: standard output */
	uint32_t  part;			/* one of so many requests */
	pthread_t thread;

	/* set once */
	uint32_t ring_count;
	struct record_ring *rings;	/* owned, mapped */
	struct loop *loop;		/* owned */

	/* between the two */
	_Atomic(struct outlet *) next;	/* owned; to be used from now on, NULL: no news */
	struct loop_job news;		/* "look at next" */
	atomic_bool     news_posted;
	struct loop_job end;		/* posted once, as the last one */
	atomic_ullong   given_up;	/* lines; by the log's thread */

	/* the log's thread's */
	struct outlet *outlet;		/* owned */
	struct loop_timer tick, limit;
	uint32_t at;			/* the ring whose turn it is */
	struct access_clock clock;
	bool     ending;
	bool     bad_said;
	uint64_t bad_ms;		/* when it was last bad */
	uint64_t dropped_seen;
	struct lines lines;
};

uint64_t access_log_dropped(const struct access_log *log)
{
	uint64_t n = atomic_load_explicit(&log->given_up, memory_order_relaxed);

	for (uint32_t i = 0; i < log->ring_count; i++)
		n += atomic_load_explicit(&log->rings[i].dropped, memory_order_relaxed);
	return n;
}

struct record_ring *access_log_ring(struct access_log *log, uint32_t loop)
{
	must(loop < log->ring_count - 1);
	return &log->rings[loop];
}

struct record_ring *access_log_control_ring(struct access_log *log)
{
	return &log->rings[log->ring_count - 1];
}

/* ---- writing ---- */

static bool flush(struct access_log *log)
{
	return lines_write(&log->lines, log->outlet->watch.fd);
}

static void give_up(struct access_log *log, uint64_t lines)
{
	atomic_fetch_add_explicit(&log->given_up, lines, memory_order_relaxed);
}

/* ---- another outlet ---- */

/* The kernel refuses to watch a regular file, which is never slow in its sense. */
static void outlet_watch(struct outlet *o)
{
	loop_watch_register(o->log->loop, &o->watch);
}

/* One that is registered belongs to the log's thread, one that is not to the caller. */
static void outlet_destroy(struct outlet *o)
{
	if (o == NULL)
		return;
	if (o->watch.registered)	/* standard output stays open: closing is not enough */
		loop_watch_forget(o->log->loop, &o->watch);
	if (o->watch.fd >= 0)
		close(o->watch.fd);
	free((struct access_form *)o->way.form);
	free(o);
}

/* Then a line that was written in part goes on. */
static bool is_same_file(int fd, int other)
{
	struct stat one, two;

	return fstat(fd, &one) == 0 && fstat(other, &two) == 0 &&
	       one.st_dev == two.st_dev && one.st_ino == two.st_ino;
}

static void follow_news(struct access_log *log)
{
	struct outlet *next = atomic_exchange(&log->next, NULL);

	if (next == NULL)
		return;
	if (log->outlet->way.format != ACCESS_OFF)
		flush(log);
	bool same = is_same_file(log->outlet->watch.fd, next->watch.fd);
	outlet_destroy(log->outlet);
	log->outlet = next;
	log->lines.error = 0;
	if (!same)
		give_up(log, next->way.format == ACCESS_OFF ? lines_forget(&log->lines)
							: lines_forget_half(&log->lines));
	outlet_watch(next);
}

/* ---- from records to lines ---- */

/* Takes up to RECORDS_PER_SHARE records of a ring. Returns how many there were;
 * *blocked: the buffer is full and cannot be written. */
static uint32_t serve(struct access_log *log, struct record_ring *ring, bool *blocked)
{
	struct span texts[RECORD_TEXTS];
	const struct record *r;
	uint32_t n;

	for (n = 0; n < RECORDS_PER_SHARE; n++) {
		if (lines_full(&log->lines) && !flush(log) && lines_full(&log->lines)) {
			*blocked = true;
			break;
		}
		r = record_next(ring, texts);
		if (r == NULL)
			break;
		if (UNLIKELY(atomic_load_explicit(&log->next, memory_order_relaxed) != NULL))
			follow_news(log);
		log->lines.held += access_format_write(log->lines.bytes + log->lines.held,
						       &log->outlet->way, r, texts,
						       &log->clock);
		record_done(ring);
	}
	return n;
}

/* Serves the rings in turns. True: all that was noted has been written. */
static bool drain(struct access_log *log)
{
	bool blocked = false;
	uint32_t empty = 0;

	follow_news(log);
	for (int shares = SHARES_PER_TURN; shares > 0 && empty < log->ring_count; shares--) {
		empty = serve(log, &log->rings[log->at], &blocked) > 0 ? 0 : empty + 1;
		if (blocked)
			return false;
		log->at = (log->at + 1) % log->ring_count;
	}
	if (log->outlet->way.format != ACCESS_OFF && !flush(log))
		return false;
	return empty == log->ring_count;
}

/* ---- what is said about it ---- */

static const char *reason_of(int error)
{
	switch (error) {
	case 0:		return "more requests than can be written";
	case EAGAIN:	return "its reader is too slow";
	default:	return strerrordesc_np(error);
	}
}

/* Notices the beginning and the end of a bad time. */
static void look_back(struct access_log *log)
{
	uint64_t now = loop_now_ms(log->loop), dropped = access_log_dropped(log);
	int error = log->lines.error;
	bool broken = error != 0 && error != EAGAIN;

	if (broken || dropped != log->dropped_seen) {
		log->bad_ms = now;
		log->dropped_seen = dropped;
		if (!log->bad_said)
			log_warn("access log is losing lines reason=\"%s\"",
				 reason_of(error));
		log->bad_said = true;
	} else if (log->bad_said && log->lines.held == 0 && now - log->bad_ms >= ACCESS_CALM_MS) {
		log_info("access log is complete again lost=%llu",
			 (unsigned long long)dropped);
		log->bad_said = false;
	}
}

static void work(struct access_log *log)
{
	bool all = drain(log);

	look_back(log);
	if (all && log->ending)
		loop_stop(log->loop);
}

/* ---- the thread ---- */

/* With ACCESS_OFF nobody notes anything: only news can bring work. */
static void on_tick(struct loop_timer *t)
{
	struct access_log *log = CONTAINER_OF(t, struct access_log, tick);

	work(log);
	if (log->outlet->way.format != ACCESS_OFF || log->bad_said)
		loop_timer_start(log->loop, t, ACCESS_TICK_MS);
}

static void on_limit(struct loop_timer *t)
{
	loop_stop(CONTAINER_OF(t, struct access_log, limit)->loop);
}

static void on_news(struct loop_job *job)
{
	struct access_log *log = CONTAINER_OF(job, struct access_log, news);

	atomic_store(&log->news_posted, false);	/* first: what comes from now on posts anew */
	loop_timer_stop(log->loop, &log->tick);
	on_tick(&log->tick);
}

static void on_end(struct loop_job *job)
{
	struct access_log *log = CONTAINER_OF(job, struct access_log, end);

	log->ending = true;
	loop_timer_start(log->loop, &log->limit, ACCESS_CLOSE_MS_MAX);
	work(log);
}

static void on_sink_ready(struct loop_watch *w, unsigned events)
{
	struct outlet *o = CONTAINER_OF(w, struct outlet, watch);

	if (events & LOOP_WRITABLE && o->log->lines.held > 0)
		work(o->log);
}

/* Records that nobody will write: the limit at the end was not enough. */
static void give_up_rest(struct access_log *log)
{
	struct span texts[RECORD_TEXTS];
	uint64_t lines = lines_forget(&log->lines);

	for (uint32_t i = 0; i < log->ring_count; i++)
		for (; record_next(&log->rings[i], texts) != NULL; lines++)
			record_done(&log->rings[i]);
	give_up(log, lines);
}

static void *run(void *arg)
{
	struct access_log *log = arg;

	pthread_setname_np(pthread_self(), "access-log");
	outlet_watch(log->outlet);
	loop_timer_start(log->loop, &log->tick, ACCESS_TICK_MS);
	loop_run(log->loop);
	give_up_rest(log);
	if (log->bad_said || access_log_dropped(log) != log->dropped_seen)
		log_warn("access log ends incomplete lost=%llu reason=\"%s\"",
			 (unsigned long long)access_log_dropped(log),
			 reason_of(log->lines.error));
	loop_timer_stop(log->loop, &log->tick);
	loop_timer_stop(log->loop, &log->limit);
	outlet_destroy(log->outlet);
	return NULL;
}

/* ---- the control thread ---- */

static struct access_form *form_copy(const struct access_form *from)
{
	struct access_form *form = NULL;

	if (from != NULL) {
		form = memory_new(1, sizeof *form);
		*form = *from;
	}
	return form;
}

/* NULL and *err: the file cannot be opened. */
static struct outlet *outlet_create(struct access_log *log, const struct access_wish *wish,
				    struct err *err)
{
	int fd = -1;

	if (wish->format != ACCESS_OFF) {
		fd = sink_open(wish->path, err);
		if (fd < 0)
			return NULL;
	}
	struct outlet *o = memory_new(1, sizeof *o);
	o->way = (struct access_way){wish->format, form_copy(wish->form)};
	o->log = log;
	loop_watch_init(&o->watch, fd, on_sink_ready);
	return o;
}

static void note_wish(struct access_log *log, const struct access_wish *wish)
{
	char *path = wish->path != NULL ? memory_text(wish->path) : NULL;
	struct access_form *form = form_copy(wish->form);

	free(log->path);
	free(log->form);
	log->format = wish->format;
	log->form = form;
	log->path = path;
	log->part = wish->part;
	for (uint32_t i = 0; i < log->ring_count; i++) {
		struct record_ring *ring = &log->rings[i];
		atomic_store_explicit(&ring->part, wish->part, memory_order_relaxed);
		atomic_store_explicit(&ring->wanted, wish->format != ACCESS_OFF,
				      memory_order_relaxed);
	}
}

/* All signals are for the control thread; and one of its own, PIPE, is to be an error
 * of write(2). */
static int start_thread(struct access_log *log)
{
	sigset_t all, before;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	int error = pthread_create(&log->thread, NULL, run, log);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return error;
}

struct access_log *access_log_open(const struct access_wish *wish, uint32_t loops,
				   struct err *err)
{
	struct access_log *log = memory_new(1, sizeof *log);

	must(loops > 0);
	log->ring_count = loops + 1;
	log->news.run = on_news;
	log->end.run = on_end;
	loop_timer_init(&log->tick, on_tick);
	loop_timer_init(&log->limit, on_limit);
	/* Mapped, so that a ring that is not used takes no memory. */
	log->rings = mmap(NULL, log->ring_count * sizeof *log->rings, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (log->rings == MAP_FAILED) {
		err_sys(err, "no memory for the access log");
		goto free_log;
	}
	log->loop = loop_create(err);
	if (log->loop == NULL)
		goto unmap;
	log->outlet = outlet_create(log, wish, err);
	if (log->outlet == NULL)
		goto destroy_loop;
	note_wish(log, wish);
	errno = start_thread(log);
	if (errno != 0) {
		err_sys(err, "no thread for the access log");
		goto destroy_outlet;
	}
	return log;

destroy_outlet:
	outlet_destroy(log->outlet);
destroy_loop:
	loop_destroy(log->loop);
unmap:
	munmap(log->rings, log->ring_count * sizeof *log->rings);
free_log:
	free(log->path);
	free(log->form);
	free(log);
	return NULL;
}

/* Opens a new outlet and hands it over. On an error nothing has changed. */
static int replace(struct access_log *log, const struct access_wish *wish, struct err *err)
{
	struct outlet *o = outlet_create(log, wish, err);

	if (o == NULL)
		return -1;
	outlet_destroy(atomic_exchange(&log->next, o));	/* one that was not taken yet */
	if (!atomic_exchange(&log->news_posted, true))
		loop_post(log->loop, &log->news);
	return 0;
}

int access_log_reopen(struct access_log *log, struct err *err)
{
	const struct access_wish wish = {log->format, log->form, log->path, log->part};

	if (log->format == ACCESS_OFF || log->path == NULL)
		return 0;
	return replace(log, &wish, err);
}

/* Whether lines look the same and go to the same file. */
static bool is_as_before(const struct access_log *log, const struct access_wish *wish)
{
	bool same_form = log->form == wish->form ||
			 (log->form != NULL && wish->form != NULL &&
			  strcmp(log->form->text, wish->form->text) == 0);

	return log->format == wish->format && same_form &&
	       text_equals(log->path, wish->path);
}

int access_log_use(struct access_log *log, const struct access_wish *wish, struct err *err)
{
	if (!is_as_before(log, wish) && replace(log, wish, err) != 0)
		return -1;
	note_wish(log, wish);
	return 0;
}

void access_log_close(struct access_log *log)
{
	loop_post(log->loop, &log->end);
	pthread_join(log->thread, NULL);
	loop_destroy(log->loop);
	munmap(log->rings, log->ring_count * sizeof *log->rings);
	free(log->path);
	free(log->form);
	free(log);
}
