#include "daemon/handed.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/must.h"
#include "control/control.h"
#include "daemon/inside.h"

struct handed {
	struct loop_job job;
	struct service *service;
	const struct model *model;	/* held: has the pool's name */
	uint32_t pool;
	int      fd;			/* owned */
	size_t   len;
	char     bytes[];
};

static void run(struct loop_job *job)
{
	struct handed *h = CONTAINER_OF(job, struct handed, job);
	struct service *s = h->service;

	atomic_fetch_sub(&s->handed_over, 1);
	if (s->control != NULL)
		control_take(s->control, h->fd, h->bytes, h->len,
			     h->model->pools[h->pool].name);
	else
		close(h->fd);		/* a last moment's, when all has ended */
	model_put(h->model);
	free(h);
}

bool handed_over(void *arg, const struct model *m, uint32_t pool, int fd,
		 struct span bytes)
{
	struct service *s = arg;

	if (atomic_fetch_add(&s->handed_over, 1) >= HANDED_MAX)
		goto refuse;
	struct handed *h = malloc(sizeof *h + bytes.len);
	if (h == NULL)
		goto refuse;
	*h = (struct handed){
		.job.run = run, .service = s, .model = model_get(m), .pool = pool,
		.fd = fd, .len = bytes.len,
	};
	memcpy(h->bytes, bytes.at, bytes.len);
	loop_post(s->loop, &h->job);
	return true;

refuse:
	atomic_fetch_sub(&s->handed_over, 1);
	return false;
}
