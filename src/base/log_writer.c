#include "base/log_writer.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/log_form.h"
#include "base/must.h"

enum { RESERVE = 1024 };		/* of the queue, for closing only */

/* What stands in front of a line in the queue. */
struct entry {
	int      fd;
	uint32_t len;			/* 0: it is to be closed */
};

static struct {
	pthread_mutex_t lock;
	pthread_cond_t  news, progress;
	pthread_t thread;
	bool     running, ending, ended;
	bool     slow;			/* somebody has waited in vain since it was empty */
	bool     failing;		/* the last line was refused */
	uint64_t lost;
	int      cut;			/* the thread's: a descriptor, the last that took a
					 * line in part; -1: none did */
	uint64_t put, done;		/* bytes ever */
	char     bytes[LOG_QUEUE_BYTES];
} w = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* Returns how much it took. */
static size_t write_some(int fd, const char *at, size_t len)
{
	struct pollfd room = {.fd = fd, .events = POLLOUT};
	size_t done = 0;

	while (done < len) {
		ssize_t n = write(fd, at + done, len - done);
		if (n > 0)
			done += (size_t)n;
		else if (n == 0 || (errno != EINTR && errno != EAGAIN))
			break;
		else if (errno == EAGAIN && poll(&room, 1, LOG_PATIENCE_MS) <= 0)
			break;
	}
	return done;
}

bool log_writer_write(int fd, const char *at, size_t len)
{
	return write_some(fd, at, len) == len;
}

/* ---- with the lock held ---- */

static void copy_in(const void *from, size_t len)
{
	size_t start = w.put % LOG_QUEUE_BYTES, left = LOG_QUEUE_BYTES - start;
	size_t first = len < left ? len : left;

	memcpy(w.bytes + start, from, first);
	memcpy(w.bytes, (const char *)from + first, len - first);
	w.put += len;
}

static void copy_out(void *to, uint64_t from, size_t len)
{
	size_t start = from % LOG_QUEUE_BYTES, left = LOG_QUEUE_BYTES - start;
	size_t first = len < left ? len : left;

	memcpy(to, w.bytes + start, first);
	memcpy((char *)to + first, w.bytes, len - first);
}

static bool has_room(size_t len)
{
	return w.put - w.done + sizeof(struct entry) + len <= LOG_QUEUE_BYTES;
}

static void push(int fd, const char *bytes, size_t len)
{
	struct entry e = {fd, (uint32_t)len};

	copy_in(&e, sizeof e);
	copy_in(bytes, len);
	pthread_cond_signal(&w.news);
}

/* ---- the thread ---- */

/* What a full disk has cut ends first, so that the next line begins as one. */
static bool end_cut(int fd)
{
	if (w.cut == fd && write_some(fd, "\n", 1) == 1)
		w.cut = -1;
	return w.cut != fd;
}

static bool write_line(int fd, const char *line, size_t len)
{
	if (!end_cut(fd))
		return false;
	size_t done = write_some(fd, line, len);
	if (done > 0 && done < len)
		w.cut = fd;
	return done == len;
}

static void close_it(int fd)
{
	end_cut(fd);
	w.cut = w.cut == fd ? -1 : w.cut;
	close(fd);
}

/* Only when it is written it counts as done, and its room is free. */
static void write_next(char line[LOG_RECORD_MAX])
{
	struct entry e;
	bool well = true;

	copy_out(&e, w.done, sizeof e);
	must(e.len <= LOG_RECORD_MAX);
	copy_out(line, w.done + sizeof e, e.len);
	pthread_mutex_unlock(&w.lock);
	if (e.len == 0)
		close_it(e.fd);
	else
		well = write_line(e.fd, line, e.len);
	pthread_mutex_lock(&w.lock);
	w.done += sizeof e + e.len;
	w.slow &= w.done != w.put;
	w.failing = !well;
	w.lost += !well;
	pthread_cond_broadcast(&w.progress);
}

static void *run(void *unused)
{
	static char line[LOG_RECORD_MAX];

	(void)unused;
	pthread_setname_np(pthread_self(), "log");
	pthread_mutex_lock(&w.lock);
	for (;;) {
		while (w.put == w.done && !w.ending)
			pthread_cond_wait(&w.news, &w.lock);
		if (w.put == w.done)
			break;
		write_next(line);
	}
	w.ended = true;
	pthread_cond_broadcast(&w.progress);
	pthread_mutex_unlock(&w.lock);
	return NULL;
}

/* ---- any thread ---- */

static struct timespec in_ms(long ms)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	t.tv_sec += ms / 1000;
	t.tv_nsec += ms % 1000 * 1000000;
	if (t.tv_nsec >= 1000000000) {
		t.tv_sec++;
		t.tv_nsec -= 1000000000;
	}
	return t;
}

bool log_writer_runs(void)
{
	return __atomic_load_n(&w.running, __ATOMIC_ACQUIRE);
}

uint64_t log_writer_put(int fd, const char *bytes, size_t len)
{
	uint64_t number = 0;

	pthread_mutex_lock(&w.lock);
	if (has_room(len + RESERVE)) {
		push(fd, bytes, len);
		number = w.put;
	}
	pthread_mutex_unlock(&w.lock);
	return number;
}

bool log_writer_may_close(void)
{
	pthread_mutex_lock(&w.lock);
	bool may = has_room(0);
	pthread_mutex_unlock(&w.lock);
	return may;
}

void log_writer_close(int fd)
{
	pthread_mutex_lock(&w.lock);
	must(has_room(0));
	push(fd, "", 0);
	pthread_mutex_unlock(&w.lock);
}

void log_writer_wait(uint64_t number)
{
	struct timespec until = in_ms(LOG_PATIENCE_MS);

	pthread_mutex_lock(&w.lock);
	while (w.done < number && !w.slow)
		if (pthread_cond_timedwait(&w.progress, &w.lock, &until) == ETIMEDOUT)
			w.slow = w.done < number;
	pthread_mutex_unlock(&w.lock);
}

uint64_t log_writer_lost(bool *well)
{
	pthread_mutex_lock(&w.lock);
	uint64_t lost = w.lost;
	*well = !w.failing;
	pthread_mutex_unlock(&w.lock);
	return lost;
}

/* ---- the main thread ---- */

int log_writer_begin(struct err *err)
{
	pthread_condattr_t by_monotonic_clock;
	sigset_t all, before;

	must(!w.running);
	pthread_condattr_init(&by_monotonic_clock);
	pthread_condattr_setclock(&by_monotonic_clock, CLOCK_MONOTONIC);
	pthread_cond_init(&w.news, NULL);
	pthread_cond_init(&w.progress, &by_monotonic_clock);
	pthread_condattr_destroy(&by_monotonic_clock);
	w.ending = w.ended = false;
	w.cut = -1;
	/* All signals are for the control thread; PIPE is to be an error of write(2). */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	errno = pthread_create(&w.thread, NULL, run, NULL);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (errno != 0)
		return err_sys(err, "no thread for the log");
	__atomic_store_n(&w.running, true, __ATOMIC_RELEASE);
	return 0;
}

/* One that hangs in a write stays: it ends with the process. */
void log_writer_end(void)
{
	struct timespec until = in_ms(LOG_END_MS);

	if (!log_writer_runs())
		return;
	pthread_mutex_lock(&w.lock);
	w.ending = true;
	pthread_cond_signal(&w.news);
	while (!w.ended && pthread_cond_timedwait(&w.progress, &w.lock, &until) == 0)
		;
	bool ended = w.ended;
	pthread_mutex_unlock(&w.lock);
	if (!ended) {
		pthread_detach(w.thread);
		return;
	}
	pthread_join(w.thread, NULL);
	__atomic_store_n(&w.running, false, __ATOMIC_RELEASE);
}
