#include "control/log_tail.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/memory.h"
#include "base/must.h"
#include "loop/loop.h"

enum { TEXT_STEP = 64 * 1024, NOTE_SIZE = 64 };

struct log_tail {
	struct loop *loop;		/* borrowed */
	struct link  readers;		/* stream.link */
	struct loop_job job;
	atomic_bool  posted;		/* the job is on its way, and this is not freed */
	bool         is_over;		/* nobody has it but the job */
};

struct reader {
	struct stream    stream;
	struct log_tail *tail;		/* borrowed */
	uint64_t         next;
};

/* Any thread, in the middle of writing a line. */
static void on_written(void *arg)
{
	struct log_tail *t = arg;

	if (!atomic_exchange(&t->posted, true))
		loop_post(t->loop, &t->job);
}

static void run(struct loop_job *job)
{
	struct log_tail *t = CONTAINER_OF(job, struct log_tail, job);

	atomic_store(&t->posted, false);	/* first: what comes now tells again */
	if (t->is_over)
		free(t);
	else
		stream_wake_all(&t->readers);
}

struct log_tail *log_tail_create(struct loop *loop)
{
	struct log_tail *t = memory_new(1, sizeof *t);

	t->loop = loop;
	t->job.run = run;
	list_init(&t->readers);
	log_keep();
	return t;
}

void log_tail_destroy(struct log_tail *t)
{
	must(list_empty(&t->readers));	/* so that no line posts the job any more */
	t->is_over = true;
	if (!atomic_load(&t->posted))
		free(t);
}

char *log_tail_text(uint32_t lines, size_t *len)
{
	uint64_t next = log_kept_last(lines), missed;
	char *text = NULL;
	size_t more;

	*len = 0;
	do {
		text = memory_grow(text, *len + TEXT_STEP + 1, 1);
		more = log_kept_read(&next, &missed, text + *len, TEXT_STEP);
		*len += more;
	} while (more > 0);
	text[*len] = '\0';
	return text;
}

static size_t pull(struct stream *s, char *room, size_t size)
{
	struct reader *r = CONTAINER_OF(s, struct reader, stream);
	uint64_t missed;
	size_t note = 0;

	/* What tells of a gap stands before the lines behind it. */
	size_t used = log_kept_read(&r->next, &missed, room + NOTE_SIZE, size - NOTE_SIZE);
	if (missed > 0)
		note = (size_t)snprintf(room, NOTE_SIZE, "(%" PRIu64 " lines were missed)\n",
					missed);
	memmove(room + note, room + NOTE_SIZE, used);
	return note + used;
}

static void end(struct stream *s)
{
	struct reader *r = CONTAINER_OF(s, struct reader, stream);

	list_remove(&s->link);
	if (list_empty(&r->tail->readers))
		log_tell(NULL, NULL);
	free(r);
}

struct stream *log_tail_read(struct log_tail *t, uint32_t lines)
{
	struct reader *r = memory_new(1, sizeof *r);

	r->stream = (struct stream){.pull = pull, .end = end};
	r->tail = t;
	r->next = log_kept_last(lines);
	if (list_empty(&t->readers))
		log_tell(on_written, t);
	list_push_last(&t->readers, &r->stream.link);
	return &r->stream;
}
