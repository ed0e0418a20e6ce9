#include "spawn/process_output.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/must.h"
#include "base/text.h"

enum { SECOND_MS = 1000 };

/* ---- how much may be said ---- */

static bool share_take(struct process_share *s, uint64_t now_ms, uint32_t most)
{
	if (now_ms - s->second_ms >= SECOND_MS) {
		s->second_ms = now_ms;
		s->lines = 0;
	}
	if (s->lines >= most)
		return false;
	s->lines++;
	return true;
}

static void tell_left_out(struct process_output *o)
{
	if (o->left_out == 0)
		return;
	log_warn("server says more than is written pool=%s server=%s "
		 "lines_left_out=%" PRIu64, o->pool, o->server, o->left_out);
	o->left_out = 0;
}

static void on_tell(struct loop_timer *t)
{
	tell_left_out(CONTAINER_OF(t, struct process_output, tell));
}

/* ---- lines ---- */

static void say(struct process_output *o, size_t len, const char *end)
{
	char text[2 * PROCESS_LINE_MAX + 2];
	uint64_t now_ms = loop_now_ms(o->loop);

	if (len > 0 && o->line[len - 1] == '\r')
		len--;
	if (len == 0)
		return;
	if (!share_take(&o->share, now_ms, PROCESS_LINES_PER_SECOND_MAX) ||
	    !share_take(o->of_pool, now_ms, PROCESS_POOL_LINES_MAX)) {
		if (o->left_out++ == 0)
			loop_timer_start(o->loop, &o->tell, SECOND_MS);
		return;
	}
	text_mark(text, sizeof text, o->line, len);
	log_each(LOG_LEVEL_INFO, "server says pool=%s server=%s line=\"%s%s\"", o->pool,
		 o->server, text, end);
}

/* The line has ended, or the output has. */
static void end_line(struct process_output *o)
{
	if (!o->cut)
		say(o, o->held, "");
	o->held = 0;
	o->cut = false;
}

/* More of a line, without its end. */
static void add(struct process_output *o, const char *bytes, size_t len)
{
	if (o->cut)
		return;
	size_t room = sizeof o->line - o->held;
	size_t taken = len < room ? len : room;
	memcpy(o->line + o->held, bytes, taken);
	o->held += taken;
	if (taken == len)
		return;
	say(o, text_whole(o->line, o->held, bytes[taken]), "...");
	o->held = 0;
	o->cut = true;
}

static void take(struct process_output *o, const char *bytes, size_t len)
{
	while (len > 0) {
		const char *end = memchr(bytes, '\n', len);
		size_t part = end != NULL ? (size_t)(end - bytes) : len;
		add(o, bytes, part);
		if (end == NULL)
			return;
		end_line(o);
		bytes += part + 1;
		len -= part + 1;
	}
}

/* ---- the FIFO ---- */

enum progress { PROGRESS_EMPTY, PROGRESS_MORE, PROGRESS_ENDED };

static enum progress read_some(struct process_output *o)
{
	char bytes[4096];

	for (size_t all = 0; all < PROCESS_OUTPUT_TURN_MAX;) {
		ssize_t n = read(o->watch.fd, bytes, sizeof bytes);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN ? PROGRESS_EMPTY : PROGRESS_ENDED;
		if (n == 0)
			return PROGRESS_ENDED;
		take(o, bytes, (size_t)n);
		all += (size_t)n;
	}
	return PROGRESS_MORE;
}

/* Nobody has it open for writing any more: so it stays. */
static void on_ready(struct loop_watch *w, unsigned events)
{
	struct process_output *o = CONTAINER_OF(w, struct process_output, watch);
	enum progress progress = read_some(o);

	(void)events;
	if (progress == PROGRESS_MORE)
		loop_again(o->loop, w);
	else if (progress == PROGRESS_ENDED)
		process_output_close(o);
}

void process_output_init(struct process_output *o, struct loop *loop, const char *pool,
			 const char *server, struct process_share *of_pool)
{
	*o = (struct process_output){
		.loop = loop, .pool = pool, .server = server, .of_pool = of_pool,
	};
	loop_timer_init(&o->tell, on_tell);
	loop_watch_init(&o->watch, -1, on_ready);
}

int process_output_open(struct process_output *o, int fd, struct err *err)
{
	loop_watch_init(&o->watch, fd, on_ready);
	if (loop_watch_register(o->loop, &o->watch) == 0)
		return 0;
	err_sys(err, "cannot watch what server %s says", o->server);
	loop_watch_close(o->loop, &o->watch);
	return -1;
}

void process_output_finish(struct process_output *o)
{
	if (o->watch.fd >= 0)
		read_some(o);
	process_output_close(o);
}

void process_output_close(struct process_output *o)
{
	end_line(o);
	tell_left_out(o);
	loop_timer_stop(o->loop, &o->tell);
	loop_watch_close(o->loop, &o->watch);
}
