#include "daemon/kept_names.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/folder.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/must.h"
#include "base/places.h"
#include "base/text.h"
#include "daemon/inside.h"
#include "daemon/names_record.h"

struct kept_names {
	struct service   *service;	/* borrowed */
	char             *serves, *path, *beside;	/* owned; paths NULL: nothing is kept */
	struct names_record *known;	/* owned: what was read, until this process serves */
	struct names_record *written;	/* owned: as the file has it; NULL: it has none */
	uint32_t          led, addressed;	/* servers of the first model, by `known` */
	struct loop_timer timer;	/* armed: there may be something to write */
	uint64_t          may_ms;	/* not before */
	bool              there;	/* the file is */
	bool              writes;
	bool              said;		/* that it cannot be written */
};

/* ---- reading ---- */

/* The text of the file, owned by the caller; NULL and *err, whose text is empty where there is
 * no file. */
static char *read_text(const char *path, size_t *len, struct err *err)
{
	/* Not blocking: were it a pipe, nobody might ever write to it. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	char *text = NULL;
	ssize_t n = 0;

	err->text[0] = '\0';
	if (fd < 0) {
		if (errno != ENOENT && errno != ENOTDIR)
			err_sys(err, "it cannot be opened");
		return NULL;
	}
	off_t size = lseek(fd, 0, SEEK_END);
	if (size >= 0 && size <= NAMES_RECORD_BYTES_MAX) {
		text = memory_new((size_t)size + 1, 1);
		n = pread(fd, text, (size_t)size, 0);
	}
	if (text == NULL)
		err_set(err, "it is no file, or has more than %d bytes", NAMES_RECORD_BYTES_MAX);
	else if (n < 0)
		err_sys(err, "it cannot be read");
	close(fd);
	*len = n > 0 ? (size_t)n : 0;
	if (n >= 0)
		return text;
	free(text);
	return NULL;
}

static void read_record(struct kept_names *k)
{
	struct err err;
	size_t len;
	char *text = read_text(k->path, &len, &err);

	k->there = text != NULL || err.text[0] != '\0';
	if (text != NULL)
		k->known = names_record_decode(text, len, k->serves, &err);
	free(text);
	if (k->there && k->known == NULL)
		log_warn("what names stood for last cannot be read from %s: %s; the start goes on "
			 "without it, and replaces it", k->path, err.text);
}

static void on_due(struct loop_timer *t);

void kept_names_open(struct service *s)
{
	struct kept_names *k = memory_new(1, sizeof *k);

	s->kept_names = k;
	k->service = s;
	k->serves = text_utf8(s->options.serves);
	loop_timer_init(&k->timer, on_due);
	if (s->state_folder == NULL)
		return;
	k->path = places_state_file(s->state_folder, "names", s->options.serves, "");
	k->beside = places_state_file(s->state_folder, "names", s->options.serves, ".new");
	read_record(k);
}

/* ---- what was read is used ---- */

struct model *kept_names_lead(struct service *s, const struct model *file)
{
	struct kept_names *k = s->kept_names;

	if (k->known == NULL)
		return NULL;
	struct model *m = model_copy(file);
	k->led = names_record_lead(k->known, m);
	return m;
}

void kept_names_take_over(struct service *s, const struct model *m)
{
	struct kept_names *k = s->kept_names;

	if (k != NULL && k->known != NULL)
		k->addressed = names_record_address(k->known, m);
}

void kept_names_say(const struct service *s)
{
	const struct kept_names *k = s->kept_names;

	if (k->led + k->addressed > 0)
		log_info("answers of %s are used until name servers answer servers_of_srv=%u "
			 "addresses=%u path=%s", k->known->since, k->led, k->addressed, k->path);
}

void kept_names_forget(struct service *s)
{
	names_record_destroy(s->kept_names->known);
	s->kept_names->known = NULL;
}

void kept_names_say_unused(const struct service *s, const struct err *why)
{
	log_warn("what names stood for last, in %s, cannot be used: %s; the start goes on without",
		 s->kept_names->path, why->text);
}

/* ---- writing ---- */

static void say_hindered(struct kept_names *k, const struct err *why)
{
	if (!k->said)
		log_warn("what names stand for is not kept, so that a start without a name server "
			 "will not know it: %s; give a folder that can be written by --state",
			 why->text);
	k->said = true;
}

/* The time of the wall clock, for people. */
static void stamp(struct names_record *r, uint64_t wall_us)
{
	time_t seconds = (time_t)(wall_us / 1000000);
	struct tm tm;

	must(gmtime_r(&seconds, &tm) != NULL);
	strftime(r->since, sizeof r->since, "%Y-%m-%dT%H:%M:%SZ", &tm);
}

static int replace(const struct kept_names *k, const struct names_record *r, struct err *err)
{
	char *text = names_record_encode(r, k->serves);
	int result = strlen(text) <= NAMES_RECORD_BYTES_MAX ?
		folder_replace(k->service->state_folder, k->path, k->beside, text, err) :
		err_set(err, "it has more than %d bytes", NAMES_RECORD_BYTES_MAX);

	free(text);
	return result;
}

/* No name is in use any more. */
static int remove_file(const struct kept_names *k, struct err *err)
{
	return !k->there || unlink(k->path) == 0 || errno == ENOENT
		       ? 0 : err_sys(err, "cannot delete %s", k->path);
}

static void write_record(struct kept_names *k)
{
	const struct service *s = k->service;
	struct names_record *now = names_record_of(s->wanted.file, s->model);
	bool none = names_record_is_empty(now);
	struct err err;

	if (none ? !k->there : names_record_equals(now, k->written)) {
		names_record_destroy(now);
		return;
	}
	k->may_ms = loop_now_ms(s->loop) + KEPT_AGAIN_MS;
	stamp(now, loop_wall_us(s->loop));
	if ((none ? remove_file(k, &err) : replace(k, now, &err)) != 0) {
		say_hindered(k, &err);
		names_record_destroy(now);
		kept_names_changed(k->service);		/* it may be possible later */
		return;
	}
	names_record_destroy(k->written);
	k->written = now;
	k->there = !none;
	k->said = false;
}

void kept_names_changed(struct service *s)
{
	struct kept_names *k = s->kept_names;
	uint64_t now_ms = loop_now_ms(s->loop);

	if (k != NULL && k->writes && !k->timer.armed)
		loop_timer_start(s->loop, &k->timer, k->may_ms > now_ms + KEPT_SOON_MS
							     ? k->may_ms - now_ms : KEPT_SOON_MS);
}

static void on_due(struct loop_timer *t)
{
	struct kept_names *k = CONTAINER_OF(t, struct kept_names, timer);

	if (k->service->upgrade != NULL)
		loop_timer_start(k->service->loop, t, KEPT_AGAIN_MS);
	else
		write_record(k);
}

void kept_names_flush(struct service *s)
{
	struct kept_names *k = s->kept_names;

	if (!k->timer.armed)
		return;
	loop_timer_stop(s->loop, &k->timer);
	write_record(k);
}

void kept_names_begin(struct service *s)
{
	struct kept_names *k = s->kept_names;

	k->written = k->known;
	k->known = NULL;
	k->writes = k->path != NULL;
	kept_names_changed(s);
}

void kept_names_leave(struct service *s)
{
	struct kept_names *k = s->kept_names;

	loop_timer_stop(s->loop, &k->timer);
	k->writes = false;
}

void kept_names_close(struct service *s)
{
	struct kept_names *k = s->kept_names;

	if (k == NULL)
		return;
	k->writes = false;		/* once more, and not again */
	kept_names_flush(s);
	s->kept_names = NULL;
	names_record_destroy(k->known);
	names_record_destroy(k->written);
	free(k->serves);
	free(k->path);
	free(k->beside);
	free(k);
}
