#include "daemon/handed.h"

#include "base/must.h"
#include "control/control.h"
#include "daemon/inside.h"
#include "forward/asked.h"
#include "observe/access_log.h"

static void run(struct loop_job *job)
{
	struct asked *a = CONTAINER_OF(job, struct asked, job);
	struct service *s = a->arg;
	int fd = a->fd;

	atomic_fetch_sub(&s->handed_over, 1);
	if (s->control == NULL) {
		asked_drop(a);		/* a last moment's, when all has ended */
		return;
	}
	a->fd = -1;
	control_take(s->control, fd, a->bytes, a->model->pools[a->pool].name, a);
}

bool handed_over(void *arg, struct asked *a)
{
	struct service *s = arg;

	if (atomic_fetch_add(&s->handed_over, 1) >= HANDED_MAX) {
		atomic_fetch_sub(&s->handed_over, 1);
		return false;
	}
	a->arg = s;
	a->job.run = run;
	loop_post(s->loop, &a->job);
	return true;
}

void handed_answered(void *arg, struct asked *a, const struct asked_answer *answer)
{
	const struct service *s = arg;
	struct record_ring *ring =
		s->access_log == NULL ? NULL : access_log_control_ring(s->access_log);

	asked_note(a, answer, s->loop, ring);
}
