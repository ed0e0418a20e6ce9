/* forward/http_answer.c - what the balancer answers by itself, and what is noted of
 * every answer.
 */
#include <stdio.h>

#include "base/must.h"
#include "forward/http_request.h"
#include "forward/record_texts.h"
#include "model/meter.h"

static const struct {
	uint16_t    status;
	const char *reason;
} reasons[] = {
	{400, "Bad Request"}, {404, "Not Found"}, {408, "Request Timeout"},
	{413, "Content Too Large"}, {414, "URI Too Long"}, {417, "Expectation Failed"},
	{431, "Request Header Fields Too Large"}, {500, "Internal Server Error"},
	{501, "Not Implemented"}, {502, "Bad Gateway"}, {503, "Service Unavailable"},
	{504, "Gateway Timeout"}, {505, "HTTP Version Not Supported"},
};

static const char *reason_of(uint16_t status)
{
	for (size_t i = 0; i < COUNT_OF(reasons); i++)
		if (reasons[i].status == status)
			return reasons[i].reason;
	return "Error";
}

bool answer_write(struct session *s, uint16_t status, const char *why, bool close,
		  bool head_only)
{
	char text[1024];
	const char *connection = close ? "Connection: close\r\n" : "";
	int len, body_len = 0;

	if (session_listener(s)->plain_500 && status >= 502 && status <= 504) {
		len = snprintf(text, sizeof text, "HTTP/1.1 500 %s\r\n"
			       "Content-Length: 0\r\n%s\r\n", reason_of(500), connection);
	} else {
		char body[512];
		body_len = snprintf(body, sizeof body, "%u %s: %s\n", status,
				    reason_of(status), why);
		must(body_len > 0 && (size_t)body_len < sizeof body);
		len = snprintf(text, sizeof text, "HTTP/1.1 %u %s\r\n"
			       "Content-Type: text/plain\r\nContent-Length: %d\r\n%s\r\n%s",
			       status, reason_of(status), body_len, connection,
			       head_only ? "" : body);
	}
	must(len > 0 && (size_t)len < sizeof text);
	s->heads_out += (uint32_t)(head_only ? len : len - body_len);
	s->closing = close;
	return session_write(s, text, (size_t)len);
}

/* What it came to, for its listener, its pool and its server. Times are of the turn, as
 * everything else that is timed: no clock is read for it. */
static void note(const struct session *s, const struct request *r, struct meter_note n)
{
	unsigned loop = s->worker->number;

	meters_note(s->port->live->meters, loop, &n);
	if (r == NULL || r->lane == NULL)
		return;
	meters_note(r->lane->pool->live->meters, loop, &n);
	if (r->server_us > 0) {		/* it has answered */
		n.took_us = r->server_us;
		meters_note(request_server(r)->meters, loop, &n);
	}
}

/* What its head says: as its server got it, which is at hand until the exchange is over;
 * or as it was read, where it was refused before that. */
static void note_texts(const struct request *r, struct record *record,
		       struct span texts[RECORD_TEXTS])
{
	const struct access_form *form = r->edition->model->access_form;
	const struct worker *w = r->session->worker;

	if (r->head != NULL) {
		const char *line = buf_at(r->head), *rest = r->head->bytes + r->rest_at;
		const char *host = line + r->line_len + sizeof "Host: " - 1;
		const struct record_head sent = {
			.line = {line, r->line_len},
			.host = {host, (size_t)(rest - host) - 2},
			.rest = {rest, (size_t)(line + r->head_len - rest)},
		};
		record_texts_of_sent(&sent, form, record, texts);
	} else if (w->head_at != NULL) {
		record_texts_of_read(w->head, w->head_at, form, record, texts);
	}
}

/* Whether the access log is to have it: a share of all may be enough, but for errors. */
static bool is_recorded(const struct session *s, const struct request *r, uint16_t status)
{
	struct worker *w = s->worker;

	if (!record_is_wanted(w->records))
		return false;
	if (!(r != NULL ? r->door->listener : session_listener(s))->access_log)
		return false;
	return status >= 500 || worker_samples(w);
}

void answer_record(struct session *s, const struct request *r, uint16_t status)
{
	struct worker *w = s->worker;
	uint64_t bytes_out = s->bytes_out - s->heads_out;
	uint64_t since = r != NULL ? r->since_us : s->head_since_us;
	uint64_t took_us = since == 0 ? 0 : loop_now_us(w->loop) - since;

	if (LIKELY(w->now->model->metered))
		note(s, r, (struct meter_note){
			.class = status >= 100 && status <= 599 ? status / 100u : 0,
			.bytes_in = r != NULL ? r->body_seen : 0,
			.bytes_out = bytes_out, .took_us = took_us,
		});
	s->bytes_out = s->heads_out = 0;
	if (!is_recorded(s, r, status))
		return;

	struct span texts[RECORD_TEXTS] = {[RECORD_PEER] = {s->peer, s->peer_len}};
	struct record record = {
		.status = status, .wall_us = loop_wall_us(w->loop), .bytes_out = bytes_out,
		.total_us = took_us,
	};
	if (r != NULL) {
		record.minor = r->minor;
		record.tries = r->tries;
		record.request_id = r->id;
		record.server_us = r->server_us;
		note_texts(r, &record, texts);
		if (r->lane != NULL)
			texts[RECORD_POOL] = span_of(r->lane->pool->name);
		if (r->tries > 0 && r->server != PICK_NONE)
			texts[RECORD_SERVER] = span_of(r->lane->view.servers[r->server].live->text);
	}
	record_put(w->records, &record, texts);
}
