#include "forward/asked.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/must.h"
#include "forward/http_session.h"
#include "forward/record_texts.h"
#include "model/meter.h"
#include "parse/h1.h"

/* Texts of the bytes that were read are there in the copy, too. */
static void move_texts(struct asked *a, struct span from)
{
	for (uint32_t i = 0; i < RECORD_TEXTS; i++) {
		const char *at = a->texts[i].at;
		if (at != NULL && at >= from.at && at <= from.at + from.len)
			a->texts[i].at = a->bytes.at + (at - from.at);
	}
}

struct asked *asked_create(struct session *s, uint32_t pool, struct span bytes)
{
	struct worker *w = s->worker;
	const struct model *m = s->port->edition->model;
	struct asked *a = malloc(sizeof *a + bytes.len + s->peer_len);

	if (a == NULL)
		return NULL;
	char *copy = (char *)(a + 1), *peer = copy + bytes.len;
	memcpy(copy, bytes.at, bytes.len);
	memcpy(peer, s->peer, s->peer_len);
	*a = (struct asked){
		.model = model_get(s->port->edition->model), .live = s->port->live,
		.pool = pool, .fd = -1,
		.bytes = {copy, bytes.len}, .since_us = s->head_since_us,
		.record.minor = w->head->minor,
		.listed = record_is_wanted(w->records) && session_listener(s)->access_log,
	};
	if (!a->listed)
		return a;
	a->sampled = worker_samples(w);
	record_texts_of_read(w->head, bytes.at, m->access_form, &a->record, a->texts);
	move_texts(a, bytes);
	a->texts[RECORD_PEER] = (struct span){peer, s->peer_len};
	a->texts[RECORD_POOL] = span_of(m->pools[pool].name);
	return a;
}

void asked_drop(struct asked *a)
{
	if (a->fd >= 0)
		close(a->fd);
	model_put(a->model);
	free(a);
}

void asked_note(struct asked *a, const struct asked_answer *answer, const struct loop *loop,
		struct record_ring *ring)
{
	/* The turn of this loop may have begun before that of the one which has read it. */
	uint64_t now_us = loop_now_us(loop);
	uint64_t took_us = a->since_us == 0 || a->since_us > now_us ? 0 : now_us - a->since_us;
	uint16_t status = answer->status;

	if (a->model->metered)
		meters_note(a->live->meters, METER_CONTROL, &(struct meter_note){
			.class = status / 100u, .took_us = took_us,
			.bytes_in = answer->bytes_in, .bytes_out = answer->bytes_out,
		});
	if (a->listed && (a->sampled || status >= 500) && record_is_wanted(ring)) {
		a->record.status = status;
		a->record.wall_us = loop_wall_us(loop);
		a->record.bytes_out = answer->bytes_out;
		a->record.total_us = took_us;
		record_put(ring, &a->record, a->texts);
	}
	asked_drop(a);
}
