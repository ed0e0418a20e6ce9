#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/log_ring.h"
#include "base/memory.h"

static struct {
	pthread_mutex_t lock;
	enum log_level  level;
	int             fd;
	char           *path;		/* owned, NULL: standard error */
	time_t          second;		/* the one that `lines` counts */
	unsigned        lines[LOG_LEVEL_DEBUG + 1];
	unsigned long   left_out;
	struct log_ring *ring;		/* owned, NULL: nothing is kept */
	void          (*told)(void *arg);
	void           *told_arg;
} out = {
	.lock = PTHREAD_MUTEX_INITIALIZER, .level = LOG_LEVEL_INFO, .fd = STDERR_FILENO,
};

static const char *const names[] = {
	[LOG_LEVEL_ERROR] = "error", [LOG_LEVEL_WARN] = "warn",
	[LOG_LEVEL_INFO] = "info", [LOG_LEVEL_DEBUG] = "debug",
};

void log_set_level(enum log_level level)
{
	__atomic_store_n(&out.level, level, __ATOMIC_RELAXED);
}

/* False when this second has had its share of lines. Called with the lock held. */
static bool take_a_line(enum log_level level, time_t second)
{
	if (second != out.second) {
		out.second = second;
		memset(out.lines, 0, sizeof out.lines);
	}
	if (out.lines[level] >= LOG_LINES_PER_SECOND_MAX) {
		out.left_out++;
		return false;
	}
	out.lines[level]++;
	return true;
}

static void keep(const char *line, size_t len)
{
	if (out.ring != NULL)
		log_ring_put(out.ring, line, len);
	if (out.told != NULL)
		out.told(out.told_arg);
}

static void put(const char *line, size_t len)
{
	keep(line, len);
	while (len > 0) {
		ssize_t n = write(out.fd, line, len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return;		/* nowhere left to say it */
		line += n;
		len -= (size_t)n;
	}
}

void log_write(enum log_level level, const char *format, ...)
{
	char line[LOG_LINE_MAX], when[32];
	struct timespec now;
	struct tm utc;
	va_list args;

	if (level > __atomic_load_n(&out.level, __ATOMIC_RELAXED))
		return;
	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &utc);
	strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%S", &utc);
	int head = snprintf(line, sizeof line, "%s.%03ldZ %s ", when,
			    now.tv_nsec / 1000000, names[level]);
	size_t len = (size_t)head;
	va_start(args, format);
	int said = vsnprintf(line + len, sizeof line - len - 1, format, args);
	va_end(args);
	if (said > 0)
		len += (size_t)said < sizeof line - len - 1 ? (size_t)said
							    : sizeof line - len - 2;
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)line[i] < 0x20 || line[i] == 0x7f)
			line[i] = '?';
	line[len++] = '\n';

	pthread_mutex_lock(&out.lock);
	if (take_a_line(level, now.tv_sec)) {
		if (out.left_out > 0) {
			char note[96];
			int n = snprintf(note, sizeof note, "%s.000Z warn lines were left "
					 "out count=%lu\n", when, out.left_out);
			out.left_out = 0;
			put(note, (size_t)n);
		}
		put(line, len);
	}
	pthread_mutex_unlock(&out.lock);
}

/* Puts a descriptor in place of the present one; both arguments are given. */
static void use(int fd, char *path)
{
	pthread_mutex_lock(&out.lock);
	if (out.fd != STDERR_FILENO)
		close(out.fd);
	if (path != out.path)
		free(out.path);
	out.fd = fd;
	out.path = path;
	pthread_mutex_unlock(&out.lock);
}

int log_open(const char *path, struct err *err)
{
	if (path == NULL) {
		use(STDERR_FILENO, NULL);
		return 0;
	}
	int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640);
	if (fd < 0)
		return err_sys(err, "cannot open the log %s", path);
	use(fd, memory_text(path));
	return 0;
}

int log_reopen(struct err *err)
{
	if (out.path == NULL)
		return 0;
	int fd = open(out.path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640);
	if (fd < 0)
		return err_sys(err, "cannot reopen the log %s", out.path);
	use(fd, out.path);
	return 0;
}

void log_keep(void)
{
	pthread_mutex_lock(&out.lock);
	if (out.ring == NULL)
		out.ring = memory_new(1, sizeof *out.ring);
	pthread_mutex_unlock(&out.lock);
}

uint64_t log_kept_last(uint32_t count)
{
	pthread_mutex_lock(&out.lock);
	uint64_t next = out.ring != NULL ? log_ring_last_ones(out.ring, count) : 1;
	pthread_mutex_unlock(&out.lock);
	return next;
}

size_t log_kept_read(uint64_t *next, uint64_t *missed, char *room, size_t size)
{
	size_t len = 0;

	*missed = 0;
	pthread_mutex_lock(&out.lock);
	if (out.ring != NULL)
		len = log_ring_read(out.ring, next, missed, room, size);
	pthread_mutex_unlock(&out.lock);
	return len;
}

void log_tell(void (*told)(void *arg), void *arg)
{
	pthread_mutex_lock(&out.lock);
	out.told = told;
	out.told_arg = arg;
	pthread_mutex_unlock(&out.lock);
}
