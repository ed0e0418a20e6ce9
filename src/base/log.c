#include "base/log.h"

#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/log_limit.h"
#include "base/log_place.h"
#include "base/log_ring.h"
#include "base/log_writer.h"
#include "base/memory.h"
#include "base/must.h"
#include "base/text.h"

/* Room for the time and the level in a line of LOG_LINE_MAX. */
enum { TEXT_MAX = LOG_LINE_MAX - 40 };

static struct {
	pthread_mutex_t lock;
	enum log_level  level;
	enum log_form   form;
	uint32_t        same_max;
	struct log_place place;
	char           *name;		/* owned: of the place; NULL: standard error */
	time_t          second;		/* the one that `lines` counts */
	unsigned        lines[LOG_LEVEL_DEBUG + 1];
	unsigned long   left_out;	/* of these, not yet told; as the next two */
	uint64_t        full;
	uint64_t        refused;	/* of log_writer_lost: told */
	bool            gone;
	bool            fallen_back;	/* the control thread's: nobody had the socket */
	struct log_limit limit;
	struct log_losses losses;
	struct log_ring *ring;		/* owned, NULL: nothing is kept */
	void          (*told)(void *arg);
	void           *told_arg;
} out = {
	.lock = PTHREAD_MUTEX_INITIALIZER, .level = LOG_LEVEL_INFO, .same_max = LOG_SAME_MAX,
	.place = {.kind = LOG_TO_DESCRIPTOR, .fd = STDERR_FILENO},
};

static _Thread_local bool hurried;	/* this thread is one that may not wait */

/* What is said with the lock held: one line after the other. */
struct moment {
	struct timespec when;
	uint64_t now_ms;
};

static struct moment now(void)
{
	struct moment m;
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &m.when);
	clock_gettime(CLOCK_MONOTONIC, &t);
	m.now_ms = (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
	return m;
}

void log_set_level(enum log_level level)
{
	__atomic_store_n(&out.level, level, __ATOMIC_RELAXED);
}

void log_set_form(enum log_form form)
{
	pthread_mutex_lock(&out.lock);
	out.form = form;
	pthread_mutex_unlock(&out.lock);
}

void log_set_limit(uint32_t lines)
{
	pthread_mutex_lock(&out.lock);
	out.same_max = lines;
	pthread_mutex_unlock(&out.lock);
}

/* ---- with the lock held ---- */

enum limits { LIMITS_NONE, LIMITS_SECOND, LIMITS_ALL };

/* False when this second has had its share of lines. */
static bool take_a_line(enum log_level level, time_t second)
{
	if (second != out.second) {
		out.second = second;
		memset(out.lines, 0, sizeof out.lines);
	}
	if (out.lines[level] >= LOG_LINES_PER_SECOND_MAX) {
		out.left_out++;
		out.losses.many++;
		return false;
	}
	out.lines[level]++;
	return true;
}

static bool may_write(enum log_level level, enum limits limits, const char *format,
		      const struct moment *m)
{
	if (limits == LIMITS_NONE)
		return true;
	if (limits == LIMITS_ALL && level != LOG_LEVEL_ERROR && out.same_max > 0 &&
	    !log_limit_take(&out.limit, format, m->now_ms, out.same_max)) {
		out.losses.repeated++;
		return false;
	}
	return take_a_line(level, m->when.tv_sec);
}

/* In logfmt, wherever it goes and in whatever form. */
static void keep(const struct log_line *line)
{
	char record[LOG_RECORD_MAX];

	if (out.ring != NULL)
		log_ring_put(out.ring, record, log_form_logfmt(line, record));
	if (out.told != NULL)
		out.told(out.told_arg);
}

static enum log_put put(enum log_level level, const struct moment *m, struct span text)
{
	const struct log_line line = {
		.level = level, .when = m->when, .text = text,
		.program = program_invocation_short_name, .pid = getpid(),
	};

	keep(&line);
	enum log_put result = log_place_put(&out.place, &line, out.form);

	out.losses.full += result == LOG_PUT_FULL;
	out.full += result == LOG_PUT_FULL;
	return result;
}

__attribute__((format(printf, 2, 3)))
static void note(const struct moment *m, const char *format, ...)
{
	char text[TEXT_MAX];
	va_list args;

	va_start(args, format);
	int len = vsnprintf(text, sizeof text, format, args);
	va_end(args);
	if (len > 0 && (size_t)len < sizeof text)
		put(LOG_LEVEL_WARN, m, (struct span){text, (size_t)len});
}

/* The words of a format, without the pairs behind them and without quotes. */
static int words_of(const char *format, char *words, size_t size)
{
	struct log_pair pairs[LOG_PAIRS_MAX];
	struct span message;
	size_t len = 0;

	log_form_split(span_of(format), &message, pairs);
	for (; len < message.len && len < size - 1; len++)
		words[len] = message.at[len] == '"' ? '\'' : message.at[len];
	words[len] = '\0';
	return (int)len;
}

/* What was left out before the line at hand. */
static void tell(const struct moment *m, bool all)
{
	struct log_kind kind;
	char words[160];

	while (log_limit_tell(&out.limit, m->now_ms, all, &kind)) {
		words_of(kind.format, words, sizeof words);
		note(m, "the same message came too often suppressed=%u message=\"%s\"",
		     kind.left_out, words);
	}
	if (out.left_out > 0) {
		note(m, "lines were left out count=%lu", out.left_out);
		out.left_out = 0;
	}
}

/* Whether whoever reads the log takes lines again, and what that has cost. */
static void look_at_place(const struct moment *m, enum log_put result)
{
	if (result == LOG_PUT_GONE && !out.gone)
		note(m, "nobody takes the log any more, it goes to standard error to=%s",
		     out.name);
	out.gone = result == LOG_PUT_GONE;
	bool well;
	uint64_t refused = log_writer_lost(&well);
	uint64_t lost = out.full + refused - out.refused;
	if (result == LOG_PUT_DONE && well && lost > 0) {
		out.full = 0;
		out.refused = refused;
		note(m, "lines were lost, the log was full count=%llu",
		     (unsigned long long)lost);
	}
}

/* ---- lines ---- */

__attribute__((format(printf, 2, 0)))
static size_t make_text(char text[TEXT_MAX], const char *format, va_list args)
{
	int said = vsnprintf(text, TEXT_MAX, format, args);
	size_t len = said < 0 ? 0 : (size_t)said < TEXT_MAX ? (size_t)said : TEXT_MAX - 1;

	text_tame(text, len);
	return len;
}

__attribute__((format(printf, 3, 0)))
static void write_line(enum log_level level, enum limits limits, const char *format,
		       va_list args)
{
	char text[TEXT_MAX];

	if (level > __atomic_load_n(&out.level, __ATOMIC_RELAXED))
		return;
	size_t len = make_text(text, format, args);
	pthread_mutex_lock(&out.lock);
	struct moment m = now();	/* with the lock: times of lines that follow grow */
	uint64_t queued = 0;
	if (may_write(level, limits, format, &m)) {
		tell(&m, false);
		look_at_place(&m, put(level, &m, (struct span){text, len}));
		queued = out.place.queued;
	}
	pthread_mutex_unlock(&out.lock);
	if (queued > 0 && !hurried)
		log_writer_wait(queued);
}

void log_hurry(void)
{
	hurried = true;
}

void log_write(enum log_level level, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	write_line(level, LIMITS_ALL, format, args);
	va_end(args);
}

void log_each(enum log_level level, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	write_line(level, LIMITS_SECOND, format, args);
	va_end(args);
}

void log_always(enum log_level level, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	write_line(level, LIMITS_NONE, format, args);
	va_end(args);
}

void log_catch_up(bool all)
{
	pthread_mutex_lock(&out.lock);
	struct moment m = now();
	tell(&m, all);
	pthread_mutex_unlock(&out.lock);
}

struct log_losses log_losses(void)
{
	bool ignored;

	pthread_mutex_lock(&out.lock);
	struct log_losses losses = out.losses;
	pthread_mutex_unlock(&out.lock);
	losses.full += log_writer_lost(&ignored);
	return losses;
}

/* ---- places ---- */

/* Puts a place where the present one is; the name is given. */
static void use(const struct log_place *place, char *name)
{
	pthread_mutex_lock(&out.lock);
	log_place_close(&out.place);
	free(out.name);
	out.place = *place;
	out.name = name;
	out.gone = false;
	pthread_mutex_unlock(&out.lock);
}

int log_open(const char *name, struct err *err)
{
	char *copy = name != NULL ? memory_text(name) : NULL;
	struct log_place place;
	bool gone;

	if (!log_writer_may_close()) {
		free(copy);
		return err_set(err, "the log stays where it is, since nothing could be written "
			       "there for long");
	}
	if (log_place_open(&place, name, &gone, err) == 0) {
		out.fallen_back = false;
		use(&place, copy);
		return 0;
	}
	if (!gone) {
		free(copy);
		return -1;
	}
	struct err ignored;
	bool said = out.fallen_back && text_equals(out.name, name);
	must(log_place_open(&place, NULL, &gone, &ignored) == 0);
	use(&place, copy);
	out.fallen_back = true;
	if (said)
		return 0;
	log_warn("%s; it goes to standard error, and a reload looks again", err->text);
	return 0;
}

int log_reopen(struct err *err)
{
	char *name = out.name != NULL ? memory_text(out.name) : NULL;
	int result = log_open(name, err);

	free(name);
	return result;
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
